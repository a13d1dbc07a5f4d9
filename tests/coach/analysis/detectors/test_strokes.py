"""Counts and sides of swings and throws against the own days of play."""

from __future__ import annotations

import pytest

from coach.analysis.detectors.strokes import detect_count, detect_one_sided
from coach.analysis.detectors.types import Answer, DayValues, Kind, Outcome, Window
from tests.coach.analysis.detectors.shipped import MONDAY, day, limits, minutes, past

# Days of play in turn; the median is 100 and the median distance from it 10, so z = 2 lies at 129.65.
COUNTS = (90, 110, 100, 85, 115, 90, 110)


def played(days: int = 21, left_share: float = 0.6, every: int = 1) -> list[DayValues]:
    found = []
    for number in range(days):
        count = COUNTS[number % 7]
        left = round(count * left_share)
        ordinal = MONDAY - 1 - every * number
        # Not worn on the trunk: strokes come from the wrist.
        known = {"valid": False, "worn_min": 0.0, "coverage_share": None}
        found.append(past(ordinal, strokes=count, strokes_left=left, strokes_right=count - left, **known))
    return found


def count(strokes: int, history: list[DayValues], covered_share: float = 1.0) -> Answer:
    today = day(strokes=minutes(strokes=(strokes, 0, 0), covered_share=covered_share), strokes_place="wrist_left")
    return detect_count(limits("golf", Kind.STROKE_COUNT), today, history)


def sides(strokes: tuple[int, int, int], history: list[DayValues], sport: str = "tennis") -> Answer:
    today = day(strokes=minutes(strokes=strokes), strokes_place="wrist_left")
    return detect_one_sided(limits(sport, Kind.ONE_SIDED_STROKES), today, history)


@pytest.mark.parametrize(
    ("strokes", "outcome"), [(100, "none"), (124, "none"), (129, "none"), (130, "found"), (156, "found")]
)
def test_a_count_far_above_the_own_days_is_found(strokes: int, outcome: str) -> None:
    """z = .6745 (130 - 100) / 10 = 2.02; 124 and 156 are 0.8 and 1.2 times."""
    found = count(strokes, played())
    assert found.outcome == outcome
    assert found.baseline is not None
    assert (found.baseline.median, found.baseline.mad, found.baseline.days) == (100, 10, 21)


def test_the_words_of_a_count() -> None:
    found = count(160, played())
    assert found.statement == (
        "You made 160 swings or throws, 60 % more than on your usual day of play (100, median of 21 days). "
        "Consider an easier day next."
    )
    assert "No validated limit" in found.limits[0]


def test_a_finding_shows_where_the_strokes_were() -> None:
    """Minutes 0, 3 and 4 are one stretch, 20 another; in work with two sides, where the turns were."""
    worn = minutes(strokes=(100, 0, 0))
    worn.strokes_right[[3, 4, 20]] = 20
    today = day(strokes=worn, strokes_place="wrist_left")
    expected = (Window(0.0, 300.0, "s"), Window(1200.0, 1260.0, "s"))
    assert detect_count(limits("golf", Kind.STROKE_COUNT), today, played()).windows == expected
    assert sides((100, 0, 0), played()).windows == (Window(0.0, 60.0, "s"),)
    trunk = day(trunk=minutes(turns=(90, 10)), trunk_place="chest")
    assert detect_one_sided(limits("shovelling", Kind.ONE_SIDED_STROKES), trunk, []).windows == (
        Window(0.0, 60.0, "s"),
    )
    assert count(100, played()).windows == ()


def test_a_surplus_of_less_than_a_quarter_is_none_however_even_the_days_are() -> None:
    even = [past(MONDAY - 1 - n, strokes=100) for n in range(20)]
    assert count(124, even).outcome is Outcome.NONE
    assert count(126, even).outcome is Outcome.FOUND


def test_before_fourteen_days_of_play_it_is_learning() -> None:
    found = count(1000, played(9))
    assert (found.outcome, found.learning_day) == (Outcome.LEARNING, 10)
    assert found.statement == "Learning your own days of play: day 10 of 14."
    assert count(1000, played(13)).outcome is Outcome.LEARNING
    assert count(1000, played(14)).outcome is Outcome.FOUND


def test_days_without_play_are_no_days_of_play() -> None:
    resting = [past(MONDAY - 40 - n, strokes=n % 10) for n in range(30)]
    assert count(1000, [*played(13), *resting]).outcome is Outcome.LEARNING


def test_a_player_of_every_third_day_has_a_habit_too() -> None:
    assert count(1000, played(16, every=3)).outcome is Outcome.FOUND


def test_a_day_with_holes_is_not_judged() -> None:
    found = count(1000, played(), covered_share=0.7)
    assert found.outcome is Outcome.NOT_ENOUGH
    assert "80 %" in str(found.needs)
    unworn = detect_count(limits("golf", Kind.STROKE_COUNT), day(), played())
    assert (unworn.outcome, unworn.needs) == (
        Outcome.NOT_ENOUGH,
        "a sensor that counts swings or throws (wrist or arm, or the trunk), worn since this profile was chosen",
    )


def test_a_golfer_who_always_swings_to_one_side_is_no_finding() -> None:
    assert sides((100, 0, 0), played(left_share=1.0), "golf").outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("left", "outcome"),
    [(60, "none"), (72, "none"), (78, "found"), (90, "found")],  # usually .6: rises of 0, .12, .18 and .3
)
def test_more_to_one_side_than_usual_is_found(left: int, outcome: str) -> None:
    found = sides((left, 100 - left, 0), played())
    assert found.outcome == outcome
    assert (found.values["side"], found.values["share"]) == ("left", left / 100)


def test_the_other_side_than_usual_counts_by_its_own_habit() -> None:
    found = sides((20, 80, 0), played())
    assert found.outcome is Outcome.FOUND
    assert "80 % went to the right; usually 40 %" in found.statement


def test_too_few_strokes_tell_no_side_and_unknown_sides_are_not_guessed() -> None:
    assert sides((29, 0, 0), played()).outcome is Outcome.NONE
    unknown = sides((60, 0, 40), played())
    assert unknown.outcome is Outcome.NOT_ENOUGH
    assert "known of 60 of 100" in str(unknown.needs)
    assert sides((90, 0, 0), played(13)).outcome is Outcome.LEARNING


@pytest.mark.parametrize(("left", "outcome"), [(64, "none"), (79, "none"), (80, "found"), (96, "found")])
def test_work_with_two_sides_has_a_share_of_its_own(left: int, outcome: str) -> None:
    """0.8 of turns to one side, and 0.8 and 1.2 times that."""
    thresholds = limits("shovelling", Kind.ONE_SIDED_STROKES)
    today = day(trunk=minutes(turns=(left, 100 - left)), trunk_place="chest")
    found = detect_one_sided(thresholds, today, [])
    assert found.outcome == outcome
    assert found.values["side"] == "left"


def test_what_was_lost_makes_no_side_up_and_hides_none() -> None:
    """A tenth of the hour is lost: ten of ninety turns more, on either side."""
    thresholds = limits("shovelling", Kind.ONE_SIDED_STROKES)

    def outcome(left: int, right: int) -> str:
        lossy = minutes(turns=(left, right), covered_share=0.9)
        return detect_one_sided(thresholds, day(trunk=lossy, trunk_place="chest"), []).outcome

    assert outcome(81, 9) == "found"  # 81 of 100 even if all ten went right
    assert outcome(79, 11) == "not_enough"  # 79 or 89 of 100
    assert outcome(71, 19) == "not_enough"  # 71 or 81 of 100
    assert outcome(69, 21) == "none"  # 79 of 100 at most
    assert outcome(28, 0) == "not_enough"  # 31 with what was lost


def test_a_count_that_what_was_lost_may_bring_above_is_left_open() -> None:
    # Above 129.65 it is found: 117 / 0.9 = 130 may be, 116 / 0.9 = 128.9 may not.
    assert count(130, played(), covered_share=0.9).outcome is Outcome.FOUND
    assert count(117, played(), covered_share=0.9).outcome is Outcome.NOT_ENOUGH
    assert count(116, played(), covered_share=0.9).outcome is Outcome.NONE


def test_unknown_sides_are_held_against_the_finding() -> None:
    # Usually .6 of a hundred; .75 is found. 15 of 100 without a side: 75 to 90 of 100, or 74 to 89.
    assert sides((75, 10, 15), played()).outcome is Outcome.FOUND
    assert sides((74, 11, 15), played()).outcome is Outcome.NOT_ENOUGH


def test_work_needs_the_trunk_and_a_sport_the_arm() -> None:
    thresholds = limits("shovelling", Kind.ONE_SIDED_STROKES)
    assert "trunk sensor" in str(detect_one_sided(thresholds, day(), []).needs)
    only_trunk = day(trunk=minutes(turns=(90, 10)), trunk_place="chest")
    answer = detect_one_sided(limits("tennis", Kind.ONE_SIDED_STROKES), only_trunk, played())
    assert "swings or throws" in str(answer.needs)
