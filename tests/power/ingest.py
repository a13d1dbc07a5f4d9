"""A process that takes chunks, analyses them and takes what a person enters, and says what it has acknowledged.

What is acknowledged goes to the file `marks` beside the database, so that the shim's journal has it in order.

Usage: ingest.py FOLDER CHUNKS FIRST END [off]: the chunks FIRST to END - 1 of a file of packed chunks, from
`POWER_NOW` (Unix time) on. `off` plants the fault that the test must find: synchronous=OFF everywhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from coach.config import Config
from coach.instance import database_path
from coach.live import LiveFeed
from coach.log import unpack
from coach.service import Services, build_services
from coach.service.diary import CheckIn
from coach.service.types import Identity, Role
from coach.store import engine
from coach.store.engine import migrate, open_store
from coach.worker import Worker

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
        for key in services.log.append_encoded([blob]):
            mark(f"chunk {key}")
        if number % _EVERY == 0:
            services.diary.check_in(athlete, athlete_id, CheckIn(readiness=5, note=f"note {number}"), f"key{number}")
            mark(f"checkin key{number}")
    worker.close()
    worker.drain()
    services.days.judge_listed(athlete_id)
    mark("drained")
    store.close()
    os.close(marks)


def plant() -> None:
    """Switch every sync of the database off."""

    @event.listens_for(Engine, "begin")
    def off(tx: object) -> None:
        tx.connection.driver_connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv[5:] == ["off"]:
        plant()
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
