"""The course of pain from what was told: when it began, how strong it was then and is now, whether it came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_high, median_low

from programs.phases import RECURS_WITHIN, Course

# De Vet 2002 (Spine 27:2409): an episode is over after a month without pain.
_OVER_AFTER = timedelta(days=28)
# Own heuristic: a week's entries are the beginning, and the present.
_WEEK = timedelta(days=7)
# Own heuristic: older than this is not the present.
_PRESENT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class PainCourse:
    """The episode that goes on. Pains 0 to 10: the lower median of its first week, the upper of its last.

    pain_now: None when nothing was told for two weeks. earlier: episodes before it. recurred: the one before ended
    within half a year.
    """

    began_on: date
    pain_at_start: int
    pain_now: int | None
    earlier: int
    recurred: bool

    def as_of(self, today: date, clear: bool) -> Course:
        """Return it as the rules for phases take it."""
        since = timedelta(days=(today - self.began_on).days)
        return Course(since, self.pain_now, self.pain_at_start, clear, recurred=self.recurred)


def course_of(pains: Mapping[date, int], today: date) -> PainCourse | None:
    """Return the course that goes on, None when no pain was told or the last is over. pains: worst of each local day.

    An episode ends with a month in which pain was said to be 0 and never more; silence is no relief.
    """
    episodes = _episodes(dict(sorted(pains.items())))
    if not episodes or _quiet(pains, episodes[-1][1], today + timedelta(days=1)):
        return None
    begins = episodes[-1][0]
    first_week = [pain for day, pain in pains.items() if begins <= day < begins + _WEEK]
    told = max(day for day in pains if day <= today)
    last_week = [pain for day, pain in pains.items() if max(begins, told - _WEEK + timedelta(days=1)) <= day <= told]
    return PainCourse(
        began_on=begins,
        pain_at_start=median_low(first_week),
        pain_now=median_high(last_week) if today - told <= _PRESENT else None,
        earlier=len(episodes) - 1,
        recurred=len(episodes) > 1 and begins - episodes[-2][1] <= RECURS_WITHIN,
    )


def _episodes(pains: Mapping[date, int]) -> list[tuple[date, date]]:
    """Return the first and last painful day of each episode, in order."""
    episodes: list[tuple[date, date]] = []
    for day, pain in pains.items():
        if pain == 0:
            continue
        if episodes and not _quiet(pains, episodes[-1][1], day):
            episodes[-1] = (episodes[-1][0], day)
        else:
            episodes.append((day, day))
    return episodes


def _quiet(pains: Mapping[date, int], last: date, until: date) -> bool:
    """Tell whether the days between two were a month or more, and were said to be without pain."""
    between = [day for day in pains if last < day < until]
    return until - last > _OVER_AFTER and any(pains[day] == 0 for day in between)
