"""The clock of a virtual year, as processes of their own: what `coach.clock` ticks, at the times that it is told.

    python -m tests.scenarios.year_clock FOLDER MAIL_PORT STEP_S

Reads lines "BEGIN<tab>END[<tab>WORDS<tab>NUMBER]". For each a fresh process is forked, its number printed, and how it
ended. It ticks at BEGIN, then at every whole STEP_S, until before END (s of Unix time). Every tick writes its time to
`ticks` in the folder before it works, and more when it is through. With WORDS it kills itself with SIGKILL inside the
transaction in which the database was told a statement with these words for the NUMBERth time.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from coach.clock import close_stale, plan_ahead, prune_log, release_due, send_due
from coach.config import Config
from coach.instance import database_path
from coach.live import LiveFeed
from coach.service import build_services
from coach.store.engine import open_store

WEEK_S, QUARTER_DAY_S = 7 * 86_400, 6 * 3_600


@dataclass
class Clock:
    now_s: float

    def utc_s(self) -> float:
        return self.now_s


def config_of(folder: Path, mail_port: int) -> Config:
    """Return the configuration of the year: mails go to a server on this machine, others may go there too."""
    mail = {"host": "127.0.0.1", "port": mail_port, "tls": "none", "sender": "backstop@example.org"}
    return Config(storage={"directory": folder}, reminders={"private_targets": True}, mail=mail)  # type: ignore[arg-type]


def die_at(words: str, number: int) -> None:
    """Kill this process inside the transaction of the numberth statement that has these words."""
    left = [number]

    @event.listens_for(Engine, "after_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if words in statement:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def tick(folder: Path, mail_port: int, begin_s: float, end_s: float, step_s: float) -> None:
    """Tick from one time to another."""
    clock = Clock(begin_s)
    with open_store(database_path(folder)) as store, (folder / "ticks").open("a", encoding="ascii") as ticks:
        services, feed = build_services(store, config_of(folder, mail_port), clock), LiveFeed()
        planned_s = tidied_s = float("-inf")
        while clock.now_s < end_s:
            ticks.write(f"{clock.now_s:.0f}")
            ticks.flush()
            now = datetime.fromtimestamp(clock.now_s, UTC)
            if clock.now_s - planned_s >= WEEK_S:
                planned_s = clock.now_s
                plan_ahead(services, feed, now)
                prune_log(services, feed, now)
            release_due(services, feed, now)
            send_due(services, feed, now)
            if clock.now_s - tidied_s >= QUARTER_DAY_S:
                tidied_s = clock.now_s
                close_stale(services, feed, now)
            ticks.write(" through\n")
            ticks.flush()
            clock.now_s = (clock.now_s // step_s + 1) * step_s


def run(folder: Path, mail_port: int, step_s: float, order: list[str]) -> int:
    """Do what a line says; return the exit status."""
    try:
        if len(order) > 2:
            die_at(order[2], int(order[3]))
        tick(folder, mail_port, float(order[0]), float(order[1]), step_s)
    except BaseException:  # noqa: BLE001 - a forked child must not go on as its parent
        traceback.print_exc()
        return 1
    return 0


def main(folder: Path, mail_port: int, step_s: float) -> None:
    """Fork a process per line: what takes a second to import is there already, and everything else is fresh."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(run(folder, mail_port, step_s, line.rstrip("\n").split("\t")))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
