"""Pain that goes with a movement: the athlete's own entries counted against the exposures, never a cause.

Source: a change of 2 of 10 matters to people (Ostelo 2008); the exact test is Fisher's. How many days are needed, what
counts as more than usual and the correction for several movements are own heuristics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from coach.analysis.detectors.seen import grade_of, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Outcome, Threshold, Thresholds

THRESHOLDS: Mapping[str, str] = {
    "pain_rise": "points of 10",
    "days": "days",
    "days_each": "days",
    "more_share": "share",
    "p": "p",
}
LIMITS = (
    "It counts days on which two things came together. It says nothing about what causes the pain.",
    "Other things may have changed on the same days: sleep, load, mood, what was not worn.",
)
# Own heuristic: what was months ago says little about now.
LOOK_BACK_DAYS = 56
# What is looked at: field of DayValues, words, and whether the day has to be worn enough.
MOVEMENTS: tuple[tuple[str, str, bool], ...] = (
    ("bends_per_h", "bending", True),
    ("deep_share", "deep bending", True),
    ("dose_max", "holding a bent posture", True),
    ("turns_per_h", "turning of the trunk", True),
    ("strokes", "swings or throws", False),
    ("load", "load", False),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Days with more of a movement than usual and the others, and on how many of each the pain was higher."""

    words: str
    more_days: int
    more_higher: int
    other_days: int
    other_higher: int

    @property
    def p(self) -> float:
        return chance(self.more_higher, self.more_days, self.other_higher, self.other_days)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether higher pain in the next morning went with more of a movement than usual.

    The day itself is not among the days that are counted, for its next morning is still to come.
    """
    answer = unanswered(
        Kind.PAIN_WITH_MOVEMENT, thresholds, None, "More days with both entries make this clearer, or undo it.", LIMITS
    )
    near = [each for each in history if day.ordinal - LOOK_BACK_DAYS <= each.ordinal < day.ordinal]
    counted = (_counted(near, field, words, worn, thresholds) for field, words, worn in MOVEMENTS)
    looked = [each for each in counted if each is not None]
    if not looked:
        return replace(answer, needs=_needs(thresholds, near))
    # All that could be looked at, so that fewer data never make the test easier to pass.
    limit = thresholds["p"].value / len(MOVEMENTS)
    answer = replace(answer, values=_values(looked, limit))
    found = sorted((each for each in looked if each.p < limit), key=lambda each: (each.p, each.words))
    if not found:
        words = ", ".join(each.words for each in looked)
        statement = f"Higher pain in the morning did not go with more than usual of: {words}."
        return replace(answer, outcome=Outcome.NONE, statement=statement)
    # Movements go together; of several only the clearest is told, and it is one flag.
    clearest = found[0]
    statement = _sentence(clearest, thresholds["pain_rise"].value)
    own = Threshold(limit, "p", f"{thresholds['p'].source}: {len(MOVEMENTS)}", thresholds["p"].heuristic)
    flags = (Flag("pain_goes_with", clearest.p, own, statement),)
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=f"{statement} That is a count of your own days, not a cause.",
        grade=grade_of(flags),
        flags=flags,
    )


def chance(more_higher: int, more_days: int, other_higher: int, other_days: int) -> float:
    """Return the chance of so many higher days or more among the `more_days` if the two had nothing to do with it.

    Source: Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution.
    """
    higher, days = more_higher + other_higher, more_days + other_days
    ways = sum(
        math.comb(higher, count) * math.comb(days - higher, more_days - count)
        for count in range(more_higher, min(higher, more_days) + 1)
    )
    return ways / math.comb(days, more_days)


def _counted(
    history: Sequence[DayValues], field: str, words: str, worn: bool, thresholds: Thresholds
) -> Counted | None:
    """Return the counts of a movement, None where too few days carry both it and the next morning's pain."""
    both = [
        (float(value), each.pain_next_morning)
        for each in history
        if (value := getattr(each, field)) is not None
        and each.pain_next_morning is not None
        and (each.valid or not worn)
    ]
    if len(both) < thresholds["days"].value:
        return None
    much = median([value for value, _ in both]) * (1.0 + thresholds["more_share"].value)
    usual = median([pain for _, pain in both])
    more = [pain - usual >= thresholds["pain_rise"].value for value, pain in both if value > much]
    other = [pain - usual >= thresholds["pain_rise"].value for value, pain in both if value <= much]
    if min(len(more), len(other)) < thresholds["days_each"].value:
        return None
    return Counted(words, len(more), sum(more), len(other), sum(other))


def _needs(thresholds: Thresholds, near: Sequence[DayValues]) -> str:
    entered = sum(each.pain_next_morning is not None for each in near)
    return (
        f"{thresholds['days'].value:g} days with a movement and the pain of the next morning, at least "
        f"{thresholds['days_each'].value:g} of them with more movement than usual; the next morning's pain is known of "
        f"{entered} days"
    )


def _sentence(found: Counted, rise: float) -> str:
    return (
        f"On {found.more_higher} of {found.more_days} days with more {found.words} than usual your next-morning pain "
        f"was higher by {rise:g} or more; on {found.other_higher} of {found.other_days} other days."
    )


def _values(looked: Sequence[Counted], limit: float) -> dict[str, object]:
    return {
        "movements_looked_at": len(looked),
        "p_limit": limit,
        "counts": {
            each.words: {
                "more_days": each.more_days,
                "more_higher": each.more_higher,
                "other_days": each.other_days,
                "other_higher": each.other_higher,
                "p": each.p,
            }
            for each in looked
        },
    }
