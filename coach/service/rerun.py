"""Analyse what is stored anew, by this version and the athlete's profile, and say what is found differently."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from coach.errors import NoSuch
from coach.service.canonical import canonical
from coach.service.ground import Ground
from coach.service.local_days import day_of
from coach.service.reanalysis import Reanalysis
from coach.service.reanalysis_types import RunState
from coach.store import athletes, findings, reanalysis
from coach.store.rows import Row
from coach.work_queue import TableQueue

# As many findings as anybody has.
_ALL = 1_000_000
# s until it is looked again for what others have under way. Own choice.
_LOOK_S = 0.1
# Parts of the because that tell by which edition it is, not what was found.
_BY_WHOM = frozenset({"edition", "algorithm", "profile", "parameters", "limits"})


class How(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RerunFinding:
    """A finding before and after. before, after: statements, None where there was no such finding."""

    how: How
    kind: str
    opened_on: date
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RerunView:
    """What a rerun of one athlete came to. findings: in order of day and kind."""

    athlete_id: str
    recordings: int
    days: int
    findings: tuple[RerunFinding, ...]

    def count(self, how: How) -> int:
        """Return how many findings are so."""
        return sum(each.how is how for each in self.findings)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was found before a run. since: only findings from that local day on are compared."""

    athlete_id: str
    since: date | None
    found: Mapping[tuple[date, str], Row]


class Rerun:
    """Compare what was found before a run with what is found after it, and have one done here and now."""

    def __init__(self, ground: Ground, reanalysis: Reanalysis) -> None:
        self._ground, self._reanalysis = ground, reanalysis

    def run(
        self, athlete_id: str, since: date | None = None, told: Callable[[int, int], None] | None = None
    ) -> RerunView:
        """Analyse an athlete's recordings anew here, judge their days, and return what changed from a day on.

        The days that it looks back on come along. told(done, of): called after each athlete-day. Raises NoSuch,
        Conflict: a run is under way.
        """
        remembered = self.remember(athlete_id, since)
        run_id = self._reanalysis.ask(None, athlete_id, since)
        self.work_here(run_id, told)
        return self.compare(remembered, run_id)

    def remember(self, athlete_id: str, since: date | None = None) -> Remembered:
        """Return what is found of an athlete now, to be compared later. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            return Remembered(athlete_id, since, _known(athlete, findings.of_athlete(tx, athlete_id, _ALL), since))

    def work_here(self, run_id: str, told: Callable[[int, int], None] | None = None) -> None:
        """Do what is left of a run in this thread; others may do it too.

        told(done, of): called after each athlete-day.
        """
        queue, view = TableQueue(self._ground.store, self._ground.clock), self._reanalysis.view(run_id)
        done, of = view.days_done + view.athletes_done, view.days + view.athletes
        while True:
            taken = queue.take(0.0)
            if taken is not None and taken.item.run_id != run_id:
                taken.failed(0.0)  # of a run that was begun since this one ended
                return
            if taken is None:
                if self._reanalysis.view(run_id).state is not RunState.RUNNING:
                    return
                time.sleep(_LOOK_S)  # others have the rest, or what went wrong is tried again in a while
                self._reanalysis.may_work()
            elif self._reanalysis.work(taken):
                done += 1
                if told is not None:
                    told(done, of)

    def compare(self, remembered: Remembered, run_id: str) -> RerunView:
        """Return what a run found differently of an athlete. Raises NoSuch."""
        athlete_id, since = remembered.athlete_id, remembered.since
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            after = _known(athlete, findings.of_athlete(tx, athlete_id, _ALL), since)
            done = reanalysis.sums(tx, run_id, athlete_id)
        counts = {name: sum(row[name] for row in done) for name in ("recordings", "days")}
        compared = tuple(_compared(remembered.found, after))
        return RerunView(athlete_id, counts["recordings"], counts["days"], compared)


def _known(athlete: Row, rows: list[Row], since: date | None) -> dict[tuple[date, str], Row]:
    """Return findings by the local day on which they opened and their kind; those of before that go on too."""
    return {
        (day_of(athlete, row["opened_at"].timestamp()), row["kind"]): row
        for row in rows
        if since is None or day_of(athlete, row["changed_at"].timestamp()) >= since
    }


def _compared(before: Mapping[tuple[date, str], Row], after: Mapping[tuple[date, str], Row]) -> Iterator[RerunFinding]:
    for day, kind in sorted(before.keys() | after.keys()):
        old, new = before.get((day, kind)), after.get((day, kind))
        how = How.NEW if old is None else How.GONE if new is None else How.CHANGED
        if old is not None and new is not None and _said(old) == _said(new):
            how = How.SAME
        statements = (None if row is None else row["statement"] for row in (old, new))
        yield RerunFinding(how, kind, day, *statements)


def _said(row: Row) -> str:
    """Return what a finding says, but by which edition."""
    because = {name: each for name, each in row["because"].items() if name not in _BY_WHOM}
    times = [row[name] for name in ("opened_at", "changed_at", "closed_at")]
    return canonical([row["statement"], row["grade"], row["state"], because, times])
