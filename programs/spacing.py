"""Which days of a week may have a session beside those that do: rest between sessions, and between the same muscles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from programs.exercises import known
from programs.rest import MAX_DAYS_IN_A_ROW, SPACED_SESSIONS_PER_WEEK
from programs.types import PrescribedExercise

DAYS_IN_WEEK = 7
# 48 h, less the hour that a change of the clock may take. ACSM 2011 (MSSE 43:1334) for 48 h.
SAME_MUSCLES_H = timedelta(hours=47)
# Days farther away than the longest row of sessions do not matter to a week.
_REACH = timedelta(days=DAYS_IN_WEEK)
# Easy movement that may be done every day. Source: our facts on hip and upper back mobility; recovery: own heuristic.
DAILY_GROUPS = frozenset({"hips and upper back", "recovery"})


def halves(
    items: Sequence[PrescribedExercise],
) -> tuple[tuple[PrescribedExercise, ...], tuple[PrescribedExercise, ...]] | None:
    """Return a program in two halves that share no muscle group, in order; None where it has one group only.

    What may be done every day is in both. An exercise that has left the library is a group of its own.
    Source: own heuristic, so that the same group has 48 h (ACSM 2011) at more than 3 sessions a week.
    """
    found = [known(item) for item in items]
    groups = [one.muscle_group if one else item.exercise_id for one, item in zip(found, items, strict=True)]
    split = [group for group in dict.fromkeys(groups) if group not in DAILY_GROUPS]
    if len(split) < 2:
        return None
    first, second = (
        tuple(item for item, group in zip(items, groups, strict=True) if group in DAILY_GROUPS or group in split[at::2])
        for at in (0, 1)
    )
    return first, second


def half_of(day: date) -> int:
    """Return which half a day has, 0 or 1: neighbours differ, whatever else was placed. Source: own heuristic."""
    return day.toordinal() % 2


@dataclass(frozen=True, slots=True)
class Spacing:
    """How many sessions a week, and which days may have one beside the days that already do.

    moment_of: when the session of a day is, in UTC. in_halves: each day has one half of the program, told by `half_of`.
    """

    per_week: int
    moment_of: Callable[[date], datetime]
    in_halves: bool

    def choose(
        self,
        free: Sequence[date],
        there: Sequence[date],
        busy: Collection[date],
        pattern: frozenset[int],
        wanted: Collection[date] = frozenset(),
        stays: Collection[date] = frozenset(),
    ) -> tuple[date, ...]:
        """Return the days to add: as many as are missing, then those whose session stays, wanted ones, like the week
        before, spread, early.
        """
        near = [day for day in busy if free and free[0] - _REACH <= day <= free[-1] + _REACH]
        for count in range(min(self.per_week - len(there), len(free)), 0, -1):
            allowed = [days for days in combinations(free, count) if self._allows(days, near)]
            if allowed:
                return min(
                    allowed,
                    key=lambda days: (
                        -len({*days} & {*stays}),
                        -len({*days} & {*wanted}),
                        *_unlike(days, there, pattern),
                        days,
                    ),
                )
        return ()

    def fits(self, day: date, busy: Collection[date]) -> bool:
        """Tell whether a day may have a session beside the days that do."""
        return self._allows((day,), [each for each in busy if abs(each - day) <= _REACH])

    def _allows(self, days: Sequence[date], near: Sequence[date]) -> bool:
        longest = MAX_DAYS_IN_A_ROW if self.in_halves else 1
        runs = self._runs(sorted({*days, *near}))
        if any(len(run) > longest for run in runs if not run.isdisjoint(days)):
            return False
        return not self.in_halves or all(self._rested(day, {*days, *near} - {day}) for day in days)

    def _rested(self, day: date, others: Collection[date]) -> bool:
        same = (other for other in others if half_of(other) == half_of(day))
        return all(abs(self.moment_of(other) - self.moment_of(day)) >= SAME_MUSCLES_H for other in same)

    def _runs(self, days: Sequence[date]) -> list[set[date]]:
        """Return groups of days that follow each other: neighbours, and what is less than 48 hours apart.

        So neither a day that the clock skipped nor an evening before an early morning is a day of rest.
        """
        runs: list[set[date]] = []
        before: date | None = None
        for day in days:
            if before is not None and self._follows(before, day):
                runs[-1].add(day)
            else:
                runs.append({day})
            before = day
        return runs

    def _follows(self, before: date, day: date) -> bool:
        return day - before == timedelta(days=1) or self.moment_of(day) - self.moment_of(before) < SAME_MUSCLES_H


def spacing_for(per_week: int, items: Sequence[PrescribedExercise], moment_of: Callable[[date], datetime]) -> Spacing:
    """Return the rule of a program: above 3 sessions a week it is done in halves, where it has two groups at least.

    Source: `halves`.
    """
    return Spacing(per_week, moment_of, per_week > SPACED_SESSIONS_PER_WEEK and halves(items) is not None)


def _unlike(days: Sequence[date], there: Sequence[date], pattern: frozenset[int]) -> tuple[int, list[int]]:
    """Return how little days follow the pattern, and how unevenly they lie in a week that repeats; less is better."""
    weekdays = sorted({day.weekday() for day in (*days, *there)})
    gaps = [(b - a) % DAYS_IN_WEEK for a, b in zip(weekdays, [*weekdays[1:], weekdays[0]], strict=True)]
    return -len(pattern & set(weekdays)), sorted((gap * gap for gap in gaps), reverse=True)
