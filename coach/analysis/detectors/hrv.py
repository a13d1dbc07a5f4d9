"""Heart-rate variability of the mornings, the week against the month before it.

Source: Plews 2014, Javaloyes 2019: the mean of ln RMSSD over 7 days below that of about a month less half a standard
deviation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.seen import grade_of, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Outcome, Threshold, Thresholds
from coach.analysis.heart import HrvLimits, estimate_hrv_limit, estimate_hrv_week, ln_rmssd
from coach.analysis.types import NotComputable

THRESHOLDS: Mapping[str, str] = {"below_sd": "SD", "week_mornings": "mornings", "baseline_mornings": "mornings"}
LIMITS = (
    "It comes from the time between heart beats of a chest strap; an optical or averaged rate does not carry it.",
    "Alcohol, a cold, little sleep or another time of the day lower it as well.",
)
WEEK_DAYS = 7
# "About 30 days" in the papers, before the week that is judged, so that a low week does not lower its own limit.
BASELINE_DAYS = 30


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether the mean of the newest seven mornings lies below the athlete's own limit."""
    answer = unanswered(
        Kind.LOW_HRV, thresholds, None, "An easier day or two, and sleep, may bring the next mornings back up.", LIMITS
    )
    limits = HrvLimits(
        thresholds["below_sd"].value,
        round(thresholds["week_mornings"].value),
        round(thresholds["baseline_mornings"].value),
    )
    known = {each.ordinal: each.ln_rmssd for each in history if each.ordinal < day.ordinal}
    known[day.ordinal] = ln_rmssd(day.rmssd_s) if day.rmssd_s else None
    first_of_week = day.ordinal - WEEK_DAYS + 1
    week = estimate_hrv_week([known.get(each) for each in range(first_of_week, day.ordinal + 1)], limits)
    limit = estimate_hrv_limit(
        [known.get(each) for each in range(first_of_week - BASELINE_DAYS, first_of_week)], limits
    )
    if isinstance(week, NotComputable) or isinstance(limit, NotComputable):
        lacking = " and ".join(part.needs for part in (week, limit) if isinstance(part, NotComputable))
        return replace(answer, needs=f"{lacking}, with a chest strap that sends the time between beats")
    answer = replace(answer, values={"week_ln_rmssd": round(week, 4), "limit_ln_rmssd": round(limit, 4)})
    if week >= limit:
        return replace(
            answer,
            outcome=Outcome.NONE,
            statement=f"The mean of your mornings this week (ln RMSSD {week:.2f}) is within your usual range.",
        )
    statement = (
        f"The mean of your mornings this week (ln RMSSD {week:.2f}) is below your own usual range, which begins at "
        f"{limit:.2f}. Consider an easy day or rest."
    )
    own = Threshold(round(limit, 4), "ln ms", thresholds["below_sd"].source, thresholds["below_sd"].heuristic)
    flags = (Flag("below_own_range", round(week, 4), own, statement),)
    return replace(answer, outcome=Outcome.FOUND, statement=statement, grade=grade_of(flags), flags=flags)
