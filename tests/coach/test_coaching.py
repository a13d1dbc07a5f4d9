"""The bridge from tests to needs: what is beyond its rule and its noise asks for work, nothing else does."""

from __future__ import annotations

import pytest

from coach.analysis.assessment_types import AssessmentTest, Trial, TrialOutcome
from coach.analysis.imbalance import compare
from coach.coaching import needs_from_assessment
from programs.exercises import NEED_KINDS

EXTENSOR, FLEXOR = AssessmentTest.EXTENSOR, AssessmentTest.FLEXOR
LEFT, RIGHT = AssessmentTest.SIDE_BRIDGE_LEFT, AssessmentTest.SIDE_BRIDGE_RIGHT


def held(**seconds: float):  # type: ignore[no-untyped-def]
    results = {
        AssessmentTest(test): Trial(AssessmentTest(test), TrialOutcome.HELD, value, "s", "")
        for test, value in seconds.items()
    }
    return [("a1", each) for each in compare(results)]


def test_sound_ratios_ask_for_nothing() -> None:
    assert needs_from_assessment(held(extensor=180, flexor=150, side_bridge_left=90, side_bridge_right=90)) == ()


def test_what_is_within_the_noise_or_not_measured_asks_for_nothing() -> None:
    # 9 s apart, of 11 s of error; no extensor, so that three ratios are not measured.
    assert needs_from_assessment(held(side_bridge_left=75, side_bridge_right=66)) == ()


@pytest.mark.parametrize(
    ("seconds", "kinds"),
    [
        ({"extensor": 100, "flexor": 160, "side_bridge_left": 60, "side_bridge_right": 60}, {"low_endurance": 0.5}),
        ({"extensor": 60, "flexor": 160, "side_bridge_left": 90, "side_bridge_right": 90}, {"low_endurance": 1.0}),
        ({"extensor": 200, "flexor": 160, "side_bridge_left": 90, "side_bridge_right": 60}, {"side_difference": 0.5}),
    ],
)
def test_each_kind_of_difference_asks_for_its_own_work(seconds: dict[str, float], kinds: dict[str, float]) -> None:
    needs = needs_from_assessment(held(**seconds))
    assert {each.kind: each.weight for each in needs} == kinds
    assert set(kinds) <= NEED_KINDS
    assert all(each.finding_ids == ("a1",) and "past the rule" in each.because for each in needs)


def test_the_same_comparison_from_two_assessments_counts_once() -> None:
    one = held(extensor=100, flexor=160, side_bridge_left=60, side_bridge_right=60)
    (need,) = needs_from_assessment([*one, *[("a2", each) for _, each in one]])
    assert (need.weight, need.finding_ids) == (0.5, ("a1",))
