"""The order of an assessment's tests, and what comes next in one. Pure: rows in, the step out."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from coach.analysis.assessment_types import BATTERY, AssessmentTest, TrialOutcome
from coach.analysis.guided import Side
from coach.service.assessment_views import AssessmentView, Kind, Stage, Step, TrialState, TrialView

# What is guided, by kind. Turning does not tire, so its order is fixed; each hip has the sensor at its own ankle.
GUIDED: Mapping[Kind, tuple[AssessmentTest, ...]] = MappingProxyType(
    {
        Kind.TRUNK_ENDURANCE: BATTERY,
        # The hold that needs nothing but a floor and nobody to help; `draw_order` turns it to the side that was named.
        Kind.FIRST_HOLD: (AssessmentTest.SIDE_BRIDGE_RIGHT,),
        Kind.TRUNK_ROTATION: (AssessmentTest.THORACIC_ROTATION_LEFT, AssessmentTest.THORACIC_ROTATION_RIGHT),
        Kind.HIP_ROTATION_LEFT: (
            AssessmentTest.HIP_INTERNAL_ROTATION_LEFT,
            AssessmentTest.HIP_EXTERNAL_ROTATION_LEFT,
        ),
        Kind.HIP_ROTATION_RIGHT: (
            AssessmentTest.HIP_INTERNAL_ROTATION_RIGHT,
            AssessmentTest.HIP_EXTERNAL_ROTATION_RIGHT,
        ),
        Kind.REPETITION_SPEED: (AssessmentTest.REPETITION_SPEED,),
    }
)
# The kinds whose tests tire, so that their order is drawn and rests lie between. Source: McGill 1999.
TIRING = frozenset({Kind.TRUNK_ENDURANCE, Kind.FIRST_HOLD})
# The kinds that strain: holds and lifts. Own heuristic.
STRAINING = TIRING | {Kind.REPETITION_SPEED}
# Who never got into the position needs no rest before the next try. Own choice.
_UNTIRED = frozenset({TrialOutcome.NEVER_STARTED, TrialOutcome.NOT_COMPUTABLE})


def draw_order(kind: Kind, seed: int, side: Side | None = None) -> tuple[AssessmentTest, ...]:
    """Return the kind's tests in the order that belongs to this seed; random where one test tires for the next.

    side: with which the athlete swings, throws or lifts. The first hold is done on it; the others take both sides.
    """
    tests = list(GUIDED[kind])
    if kind is Kind.FIRST_HOLD and side is Side.LEFT:
        return (AssessmentTest.SIDE_BRIDGE_LEFT,)
    if kind in TIRING:
        # An order that can be drawn again from what is stored; nobody gains by guessing it.
        random.Random(seed).shuffle(tests)  # noqa: S311
    return tuple(tests)


def next_step(assessment: AssessmentView, now: datetime, rest: timedelta) -> Step:
    """Return what comes next. rest: between two tests that tire."""
    total = len(assessment.tests)
    last = next((each for each in reversed(assessment.trials) if not each.skipped), None)
    if last is not None and last.state is TrialState.RUNNING:
        return Step(Stage.RUNNING, last.test, assessment.tests.index(last.test) + 1, total, trial=last)
    closed = {each.test for each in assessment.trials if each.closes}
    for number, test in enumerate(assessment.tests, start=1):
        if test in closed:
            continue
        tried = next((each for each in reversed(assessment.trials) if each.test == test), None)
        until = rested_at(assessment, rest)
        stage = Stage.AGAIN if tried is not None else Stage.READY
        if until is not None and now < until:
            stage = Stage.REST
        return Step(stage, test, number, total, trial=tried, last=last, rest_until=until)
    return Step(Stage.OVER, None, total, total, last=last)


def rested_at(assessment: AssessmentView, rest: timedelta) -> datetime | None:
    """Return when the athlete has rested from the last test that tired; None when none did."""
    if assessment.kind not in TIRING:
        return None
    ends = [each.ended_at for each in assessment.trials if each.ended_at is not None and _tired(each)]
    return max(ends) + rest if ends else None


def _tired(trial: TrialView) -> bool:
    if trial.skipped:
        return False
    return trial.known is None or trial.known.outcome not in _UNTIRED or bool(trial.known.value)
