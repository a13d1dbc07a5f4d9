"""A process that takes chunks, analyses them and takes what a person enters, and says what it has acknowledged.

What is acknowledged goes to the file `marks` beside the database, so that the shim's journal has it in order.

Usage: ingest.py FOLDER CHUNKS FIRST END [off | trusting]: the chunks FIRST to END - 1 of a file of packed chunks, from
`POWER_NOW` (Unix time) on. Syncs fail from each chunk on that POWER_SYNC_FAILS numbers, until one was not stored; it
is sent again then.
Planted faults, which the tests must find: `off`, synchronous=OFF everywhere; `trusting`, a log whose sync failed is
written on as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, event, text

from coach.config import Config
from coach.errors import StoreUnavailable
from coach.instance import database_path
from coach.live import LiveFeed
from coach.log import unpack
from coach.service import Services, build_services
from coach.service.diary import CheckIn
from coach.service.types import Identity, Role
from coach.store import engine
from coach.store.engine import migrate, open_store
from coach.worker import Worker

T = TypeVar("T")
ADDRESS = "C0:FF:EE:00:00:01"
# Chunks between two check-ins.
_EVERY = 6


class Standing:
    """A clock that shows what it was given."""

    def utc_s(self) -> float:
        """Return the time of this process."""
        return float(os.environ["POWER_NOW"])


def people(services: Services) -> tuple[Identity, str]:
    """Return the athlete, made with a coach and a wearable where nobody is known."""
    known = [each for each in services.accounts.users() if each.role is Role.ATHLETE]
    if not known:
        coach_id = services.accounts.create_user("Kim", Role.COACH)
        athlete_id = services.athletes.create("Ada", "Europe/Berlin", coach_id)
        services.accounts.create_user("Ada", Role.ATHLETE, athlete_id=athlete_id)
        return people(services)
    athlete = known[0]
    assert athlete.athlete_id is not None
    if not services.wearables.for_athlete(athlete.athlete_id):
        services.wearables.add(athlete, athlete.athlete_id, ADDRESS, "movella-dot", "Strap", "chest")
    return athlete, athlete.athlete_id


def main(folder: Path, chunks: Path, first: int, end: int) -> None:
    """Take the chunks; the worker analyses beside it."""
    # So that a story of minutes has many checkpoints, by the worker and by the way of a chunk.
    engine._CHECKPOINT_COMMITS, engine._CHECKPOINT_AT_LAST = 12, 15
    marks = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def mark(what: str) -> None:
        os.write(marks, f"{what}\n".encode())

    store = open_store(database_path(folder))
    migrate(store)
    services = build_services(store, Config(), Standing())
    athlete, athlete_id = people(services)
    mark("ready")
    worker = Worker(services, LiveFeed())
    worker.start()
    for number, blob in enumerate(unpack(chunks.read_bytes())[first:end], first):
        # Whatever the worker is at: something that is not synced yet lies before each chunk.
        with contextlib.suppress(StoreUnavailable), store.begin_derived() as tx:
            # Another value each time: SQLite writes no page for one that is the same.
            tx.execute(text("update athlete set sport = :sport"), {"sport": f"before {number}"})
        if str(number) in os.environ.get("POWER_SYNC_FAILS", "").split():
            disk_fails(Failing.SYNC_FAILS)
        for key in stubborn(lambda blob=blob: services.log.append_encoded([blob])):  # type: ignore[misc]
            mark(f"chunk {key}")
        if number % _EVERY == 0:
            told = CheckIn(readiness=5, note=f"note {number}")
            stubborn(
                lambda told=told, number=number: services.diary.check_in(athlete, athlete_id, told, f"key{number}")
            )  # type: ignore[misc]
            mark(f"checkin key{number}")
    worker.close()
    worker.drain()
    services.days.judge_listed(athlete_id)
    mark("drained")
    store.close()
    os.close(marks)


def stubborn(act: Callable[[], T]) -> T:
    """Do it until it is done; the disk is sound again after the first failure."""
    while True:
        try:
            return act()
        except StoreUnavailable:
            disk_fails(Failing.NOT)


class Failing(IntEnum):
    """As in shim.py, of which a process of its own knows nothing."""

    NOT = 0
    SYNC_FAILS = 3


def disk_fails(how: Failing) -> None:
    """Tell the shim, whose memory the file is."""
    with Path(os.environ["POWER_CONTROL"]).open("r+b") as control:
        control.write(struct.pack("<iiii", how, 0, 0, 0))


def plant(what: str) -> None:
    """Plant a fault."""
    if what == "trusting":
        engine.Store._make_sure = lambda self: None  # type: ignore[method-assign]
        return

    @event.listens_for(Engine, "begin")
    def off(tx: object) -> None:
        tx.connection.driver_connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv[5:]:
        plant(sys.argv[5])
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
