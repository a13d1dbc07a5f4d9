"""Analyse what is stored anew, by this version and the athlete's profile, and say what is found differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from coach.errors import NoSuch
from coach.service.canonical import canonical
from coach.service.days import HISTORY, Days
from coach.service.ground import Ground
from coach.service.local_days import bounds_of, day_of
from coach.service.motion import Motion
from coach.store import athletes, findings, recordings
from coach.store.rows import Row

# As many findings as anybody has.
_ALL = 1_000_000
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


class Rerun:
    """Run history again. Findings of an older edition stay as they are beside the new ones."""

    def __init__(self, ground: Ground, motion: Motion, days: Days) -> None:
        self._ground, self._motion, self._days = ground, motion, days

    def run(
        self, athlete_id: str, since: date | None = None, told: Callable[[int, int], None] | None = None
    ) -> RerunView:
        """Analyse an athlete's recordings anew, judge their days, and return what changed from a day on.

        The days that it looks back on come along. told(done, of): called after each recording. Nobody else should
        analyse meanwhile. Raises NoSuch.
        """
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            first = None if since is None else since - HISTORY
            ids = recordings.ids_of_athlete(tx, athlete_id, None if first is None else _begin(athlete, first))
            before = _known(athlete, findings.of_athlete(tx, athlete_id, _ALL), since)
        for number, stream_id in enumerate(ids, start=1):
            self._analyse(stream_id)
            if told is not None:
                told(number, len(ids))
        self._days.judge_again(athlete_id, first)
        judged = {each.local_date for each in self._days.judge_listed(athlete_id)}
        with self._ground.store.read() as tx:
            after = _known(athlete, findings.of_athlete(tx, athlete_id, _ALL), since)
        return RerunView(athlete_id, len(ids), len(judged), tuple(_compared(before, after)))

    def _analyse(self, stream_id: str) -> None:
        """Analyse a recording from its first chunk to its last, and settle it if it had been."""
        self._motion.begin_again(stream_id)
        while self._motion.handle_pending(stream_id).chunks:
            pass
        self._motion.settle_if_stale(stream_id)


def _begin(athlete: Row, day: date) -> datetime:
    return datetime.fromtimestamp(bounds_of(athlete, day)[0], UTC)


def _known(athlete: Row, rows: list[Row], since: date | None) -> dict[tuple[date, str], Row]:
    """Return findings by the local day on which they opened and their kind; those of before that go on too."""
    return {
        (day_of(athlete, row["opened_at"].timestamp()), row["kind"]): row
        for row in rows
        if since is None or day_of(athlete, row["changed_at"].timestamp()) >= since
    }


def _compared(before: dict[tuple[date, str], Row], after: dict[tuple[date, str], Row]) -> Iterator[RerunFinding]:
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
