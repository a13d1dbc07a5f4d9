"""What is known of the processes of one Backstop: how many of each role are at work, and who fell silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coach.store.rows import Row

ROLES = ("web", "worker", "clock")
# s since a process was seen after which it is not counted: it says so every 5 s. Own choice.
SEEN_MOST_S = 20.0
# s since the last round or tick of a process that says it is there. Own choice: as for a role of one process.
WORKED_MOST_S = 120.0


@dataclass(frozen=True, slots=True)
class AtWork:
    """The processes of a role. silent: those that say they are there and do nothing; gone: ended without a word."""

    role: str
    there: tuple[str, ...]
    silent: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Tell whether the role is done by somebody."""
        return len(self.there) > len(self.silent)

    @property
    def says(self) -> str:
        """Return a sentence."""
        if not self.there:
            told = f"No {self.role} is at work: start `backstop {self.role}` on any machine."
        else:
            told = f"{len(self.there)} at work ({', '.join(self.there)})."
        if self.silent:
            told += f" Nothing was done for {WORKED_MOST_S:.0f} s by {', '.join(self.silent)}: restart it."
        if self.gone:
            told += f" Ended without a word within a day: {', '.join(self.gone)}."
        return told

    @property
    def values(self) -> Mapping[str, float]:
        """Return the figures."""
        return {"at_work": len(self.there), "silent": len(self.silent), "gone": len(self.gone)}


def at_work(rows: Sequence[Row], now: datetime) -> tuple[AtWork, ...]:
    """Return how each role is done, by the rows of `process`."""
    return tuple(_of_role(role, [row for row in rows if row["role"] == role], now) for role in ROLES)


def _of_role(role: str, rows: Sequence[Row], now: datetime) -> AtWork:
    seen = [row for row in rows if (now - row["seen_at"]).total_seconds() <= SEEN_MOST_S]
    silent = [
        row
        for row in seen
        if role != "web" and (now - (row["worked_at"] or row["started_at"])).total_seconds() > WORKED_MOST_S
    ]
    gone = [row for row in rows if row not in seen]
    there, still, lost = (tuple(f"{row['host']}:{row['pid']}" for row in some) for some in (seen, silent, gone))
    return AtWork(role, there, still, lost)
