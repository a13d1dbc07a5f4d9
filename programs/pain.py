"""The pain traffic light: what a session's pain says about the next one.

Source of the zones: Thomeé 1997 (knee), Silbernagel 2007 (Achilles tendon), carried over to the back; the order of the
rules and the baseline: own heuristic, see docs/decisions/0003-programs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

from programs.errors import ProgramError

# Zones of the 0 to 10 scale. Source: Thomeé 1997, Silbernagel 2007.
GREEN_MAX = 2
AMBER_MAX = 5
# Next morning above the baseline by more than this is red. Source: as above.
MORNING_RISE_MAX = 1
# A rise of the weekly median by this is red. Own heuristic.
WEEKLY_RISE = 1
# Own heuristic: the latest entries that make a baseline, and the fewest.
BASELINE_ENTRIES = 7
BASELINE_MIN_ENTRIES = 3
# From this baseline on no loading program. Own heuristic.
NO_LOADING_BASELINE = 5
# Own heuristic: greens in a row before a step up; reds within so many days before advice to see someone.
GREENS_FOR_PROGRESS = 2
REDS_FOR_ADVICE = 2
REDS_WITHIN = timedelta(days=7)


class Zone(StrEnum):
    """First match wins, in this order."""

    STOP = "stop"
    RED = "red"
    GREEN = "green"
    HOLD = "hold"  # the next morning is not known yet
    AMBER = "amber"


class Step(StrEnum):
    """What follows for the next session."""

    TRIAGE = "triage"  # ask the safety questions; no session until then
    REGRESS = "regress"  # previous level, 24 to 48 h of rest first
    HOLD = "hold"  # the same again
    PROGRESS = "progress"  # one variable may go up, with a yes from athlete or coach


@dataclass(frozen=True, slots=True)
class SessionPain:
    """Pain around one session, 0 to 10. None: not told.

    stop_sign: leg weakness, numbness, saddle, bladder or bowel change, night or constant pain.
    weekly_medians: last week's and this week's median, None while there are not two weeks.
    """

    during: float | None
    after: float | None
    next_morning: float | None
    baseline: float
    weekly_medians: tuple[float, float] | None = None
    stop_sign: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """The next step, and whether to suggest seeing a clinician."""

    step: Step
    see_clinician: bool


def zone(pain: SessionPain) -> Zone:
    """Return the zone of one session; first match wins: stop, red, green, hold, amber.

    Red: during or after above 5, next morning above baseline + 1, or the weekly median up by 1 or more. Green: during
    and after at most 2 and next morning at most the baseline. Hold: the next morning is missing. Else amber.
    Raises ProgramError for a pain outside 0 to 10. Source: module docstring.
    """
    for value in (pain.during, pain.after, pain.next_morning, pain.baseline, *(pain.weekly_medians or ())):
        if value is not None and not 0 <= value <= 10:
            raise ProgramError(f"A pain of {value:g} is outside 0 to 10; ask again.")
    if pain.stop_sign:
        return Zone.STOP
    if _is_red(pain):
        return Zone.RED
    if pain.next_morning is None:
        return Zone.HOLD
    session = (pain.during, pain.after)
    if all(value is not None and value <= GREEN_MAX for value in session) and pain.next_morning <= pain.baseline:
        return Zone.GREEN
    return Zone.AMBER


def baseline(resting: Sequence[float], onboarding: float) -> float:
    """Return the usual resting pain: the median of the last 7 entries before a session, at least 3, else onboarding's.

    resting: entries before the session, oldest first. Raises ProgramError for a pain outside 0 to 10.
    Source: own heuristic.
    """
    for value in (*resting, onboarding):
        if not 0 <= value <= 10:
            raise ProgramError(f"A pain of {value:g} is outside 0 to 10; ask again.")
    latest = resting[-BASELINE_ENTRIES:]
    return float(median(latest)) if len(latest) >= BASELINE_MIN_ENTRIES else float(onboarding)


def may_load(baseline_pain: float) -> bool:
    """Tell whether a loading program may run at all: not from a baseline of 5 on. Source: own heuristic."""
    return baseline_pain < NO_LOADING_BASELINE


def advise(sessions: Sequence[tuple[date, Zone]]) -> Advice:
    """Return what follows from the sessions since the last change of the program, oldest first.

    Progress only after two greens in a row; a red goes back; two reds within 7 days suggest a clinician; a stop
    sign asks the safety questions; everything else, no session included, repeats. Source: module docstring.
    """
    if not sessions:
        return Advice(Step.HOLD, see_clinician=False)
    last_day, last = sessions[-1]
    reds = sum(1 for day, one in sessions if one is Zone.RED and timedelta(0) <= last_day - day < REDS_WITHIN)
    latest = [one for _, one in sessions[-GREENS_FOR_PROGRESS:]]
    greens = len(latest) == GREENS_FOR_PROGRESS and set(latest) == {Zone.GREEN}
    step = {Zone.STOP: Step.TRIAGE, Zone.RED: Step.REGRESS}.get(last, Step.PROGRESS if greens else Step.HOLD)
    return Advice(step, see_clinician=reds >= REDS_FOR_ADVICE)


def _is_red(pain: SessionPain) -> bool:
    high = any(value is not None and value > AMBER_MAX for value in (pain.during, pain.after))
    morning = pain.next_morning is not None and pain.next_morning > pain.baseline + MORNING_RISE_MAX
    weekly = pain.weekly_medians is not None and pain.weekly_medians[1] - pain.weekly_medians[0] >= WEEKLY_RISE
    return high or morning or weekly
