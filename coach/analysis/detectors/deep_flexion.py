"""Deep flexion: much of the worn time with the trunk bent by 60 degrees or more.

Source: Hoogendoorn 2000, Spine 25:3087: flexion of at least 60 degrees for more than 5 % of work time went with more
low back pain in a group. That worn time stands for work time is own heuristic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.baseline import Quantity, beside_baseline
from coach.analysis.detectors.repeating import LOST_TIMES_REST
from coach.analysis.detectors.rolling import windows_where
from coach.analysis.detectors.seen import MINUTE_S, grade_of, lacking, more_of, seen, shown, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Minutes, Outcome, Thresholds
from coach.analysis.detectors.wording import duration, percent
from coach.analysis.errors import AnalysisError
from devices.types import FloatArray

THRESHOLDS: Mapping[str, str] = {"angle_deg": "deg", "share": "share", "baseline_z": "z"}
# Own heuristic: one minute without does not part two windows.
PAUSE_S = 60.0
DEEP = Quantity("deep_share", "of worn time", "Deep bending")


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether the share of time at or above the angle passed its limit. thresholds: also seen.LEAST.

    A share of a day that goes on can still fall, so it is found only once the day is over. It has to pass the limit
    even if the trunk was upright in all the time that was lost, and is left open where it passes with that time twice
    as deep as the rest. Raises AnalysisError for an angle that is not counted.
    """
    limit, angle = thresholds["share"].value, thresholds["angle_deg"].value
    would_change = f"Less than {percent(limit)} of the worn time bent by {angle:g} degrees would change this."
    open_answer = unanswered(Kind.DEEP_FLEXION, thresholds, day.trunk, would_change, _limits(angle, None, None))
    needs = lacking(day.trunk, thresholds, day.over, upright=True)
    if day.trunk is None or needs is not None:
        return replace(open_answer, needs=needs)
    whole = seen(day.trunk)
    above_s = _above(day.trunk, angle)
    deep_s, lost_s = float(above_s.sum()), max(whole.expected_s - whole.covered_s, 0.0)
    share = deep_s / whole.upright_s
    answer = replace(open_answer, limits=_limits(angle, *_shares_around(day.trunk, angle, whole.upright_s)))
    passed = share > limit + 1e-9
    rest_s = whole.upright_s + lost_s
    # With the trunk upright in all the time that was lost, and with that time twice as deep as the rest.
    least, most = deep_s / rest_s, (deep_s + LOST_TIMES_REST * share * lost_s) / rest_s
    if least <= limit + 1e-9 < most:
        return replace(answer, needs=more_of(whole))
    said = f"{percent(share)} of {duration(whole.upright_s)}"
    if passed and not day.over:
        return replace(answer, needs=f"the end of the day; so far it is {said}")
    values = {"deep_share": round(share, 5), "deep_min": round(deep_s / MINUTE_S, 2)}
    statement = f"You were bent by {angle:g} degrees or more for {said} worn{'' if day.over else ' so far'}."
    answer = replace(answer, outcome=Outcome.NONE, statement=statement, values=values)
    if passed:
        answer = replace(_found(answer), windows=shown(windows_where(day.trunk, above_s > 0.0, PAUSE_S)))
    return beside_baseline(answer, DEEP, day, history, share)


def _found(answer: Answer) -> Answer:
    limit, share = answer.thresholds["share"], answer.values["deep_share"]
    flags = (Flag("deep", share, limit, f"{percent(share)} of the worn time."),)
    statement = f"{answer.statement} More than {percent(limit.value)} counts as much."
    return replace(answer, outcome=Outcome.FOUND, statement=statement, flags=flags, grade=grade_of(flags))


def _above(minutes: Minutes, angle_deg: float) -> FloatArray:
    try:
        return minutes.above_s[round(angle_deg)]
    except KeyError:
        known = ", ".join(str(each) for each in sorted(minutes.above_s))
        raise AnalysisError(
            f"Time at or above {angle_deg:g} degrees was asked for, but minutes count {known}: choose one of these in "
            "the profile, or count that angle too (posture.thresholds_deg)."
        ) from None


def _shares_around(minutes: Minutes, angle_deg: float, upright_s: float) -> tuple[float | None, float | None]:
    """Return the shares at the next angles below and above that minutes count; 5 degrees off lies within them."""
    below = [each for each in minutes.above_s if each <= angle_deg - 5]
    above = [each for each in minutes.above_s if each >= angle_deg + 5]
    return (
        float(minutes.above_s[max(below)].sum()) / upright_s if below else None,
        float(minutes.above_s[min(above)].sum()) / upright_s if above else None,
    )


def _limits(angle_deg: float, shallower: float | None, deeper: float | None) -> tuple[str, ...]:
    around = (
        f" It lies between {percent(deeper)} and {percent(shallower)}, the shares at the next angles that are counted."
        if shallower is not None and deeper is not None
        else ""
    )
    return (
        f"An error of a few degrees is usual; the share at {angle_deg - 5:g} or {angle_deg + 5:g} degrees is not known."
        + around,
        "The limit is for work time and comes from groups of workers; here the worn time stands for it.",
        "Leaning back or sideways by that angle counts too.",
    )
