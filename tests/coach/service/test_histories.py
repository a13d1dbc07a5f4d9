"""What prescribing knows of an athlete: the weaker side of the newest test, until it speaks no more."""

from __future__ import annotations

import pytest

from coach.analysis.assessment_types import AssessmentTest, Trial, TrialOutcome
from coach.analysis.imbalance import compare
from coach.service.histories import history_of, weaker_sides
from coach.store import athletes
from programs.types import History
from tests.coach.club import Club
from tests.coach.held import done_by_hand

EXTENSOR, FLEXOR = AssessmentTest.EXTENSOR, AssessmentTest.FLEXOR
LEFT, RIGHT = AssessmentTest.SIDE_BRIDGE_LEFT, AssessmentTest.SIDE_BRIDGE_RIGHT


def history(club: Club) -> History:
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
        assert athlete is not None
        return history_of(tx, athlete, club.clock.now)


@pytest.mark.parametrize(("left", "right", "weaker"), [(60.0, 90.0, "left"), (90.0, 60.0, "right")])
def test_the_weaker_side_of_the_newest_test_begins_and_does_one_set_more(
    fit: Club, left: float, right: float, weaker: str
) -> None:
    done_by_hand(fit, {EXTENSOR: 200.0, FLEXOR: 160.0, LEFT: left, RIGHT: right})
    assert history(fit).weaker_side == {"side trunk": weaker}
    plan = fit.services.plans.replan(fit.athlete_id)
    assert plan is not None
    bridge = next(each for each in plan.prescription.exercises if each.exercise_id == "side_bridge")
    assert (bridge.first_side, bridge.extra_set) == (weaker, True)
    assert f"Your {weaker} side was weaker" in bridge.because
    # A re-test that finds no difference ends it.
    fit.clock.forward(days=28)
    done_by_hand(fit, {EXTENSOR: 200.0, FLEXOR: 160.0, LEFT: 90.0, RIGHT: 88.0}, key="again")
    assert history(fit).weaker_side == {}


def test_what_is_within_the_noise_and_what_disagrees_says_nothing() -> None:
    def told(**values: float):  # type: ignore[no-untyped-def]
        results = {
            AssessmentTest(name): Trial(AssessmentTest(name), TrialOutcome.HELD, v, "s", "")
            for name, v in values.items()
        }
        return [("a", each) for each in compare(results)]

    assert weaker_sides(told(side_bridge_left=75.0, side_bridge_right=66.0)) == {}
    bridge = told(side_bridge_left=60.0, side_bridge_right=90.0)
    other = told(side_bridge_left=90.0, side_bridge_right=60.0)
    assert weaker_sides(bridge) == {"side trunk": "left"}
    assert weaker_sides([*bridge, *other]) == {}
