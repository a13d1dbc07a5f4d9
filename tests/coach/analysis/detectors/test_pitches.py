"""Pitch Smart by its published rows: the day's maximum, the rest, days in a row; a throw is no pitch."""

from __future__ import annotations

from datetime import date

import pytest

from coach.analysis.detectors.caps import AgeBand, PitchCaps, eligible_on, rest_days, stricter
from coach.analysis.detectors.pitches import detect
from coach.analysis.detectors.types import Answer, Kind, Outcome
from coach.analysis.errors import AnalysisError
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.shipped import MONDAY, day, entered, limits, minutes, past, profile

CAPS = profile("baseball").caps
assert CAPS is not None


def answer(pitches: int | None, before: dict[int, int], age: int | None = 12, ordinal: int = MONDAY) -> Answer:
    """The answer on `ordinal`. before: days back -> pitches; the other days of the week before had none."""
    history = [past(ordinal - back, pitches=before.get(back, 0)) for back in range(1, 8)]
    today = day(ordinal, entered=entered(pitches=pitches, age_years=age))
    return detect(limits("baseball", Kind.PITCH_COUNT), today, history, CAPS)


def names(found: Answer) -> list[str]:
    return [flag.name for flag in found.flags]


@pytest.mark.parametrize(
    ("age", "rows"),
    [
        (7, [(20, 0), (21, 1), (35, 1), (36, 2), (50, 2)]),
        (9, [(20, 0), (21, 1), (36, 2), (50, 2), (51, 3), (65, 3), (66, 4)]),
        (12, [(20, 0), (35, 1), (36, 2), (51, 3), (60, 3), (65, 3), (66, 4), (85, 4)]),
        (14, [(21, 1), (51, 3), (66, 4)]),
        (15, [(30, 0), (31, 1), (45, 1), (46, 2), (60, 2), (61, 3), (75, 3), (76, 4)]),
        # Two sheets differ here (4 days from 76 or from 81 pitches): the stricter one is applied.
        (17, [(30, 0), (61, 3), (75, 3), (76, 4), (80, 4), (81, 4)]),
        (22, [(75, 3), (76, 4), (120, 4)]),
    ],
)
def test_the_days_of_rest_are_those_of_the_published_rows(age: int, rows: list[tuple[int, int]]) -> None:
    assert [(pitches, rest_days(CAPS, age, pitches)) for pitches, _ in rows] == rows


def test_sixty_pitches_on_a_monday_at_twelve_are_rested_until_friday() -> None:
    """T16."""
    ready = eligible_on(CAPS, 12, MONDAY, 60)
    assert ready is not None
    assert date.fromordinal(MONDAY).strftime("%A") == "Monday"
    assert date.fromordinal(ready).strftime("%A") == "Friday"


@pytest.mark.parametrize(
    ("age", "most"), [(7, 50), (10, 75), (12, 85), (13, 95), (16, 95), (18, 105), (19, 120), (22, 120)]
)
def test_one_pitch_above_the_maximum_is_found_and_the_maximum_is_not(age: int, most: int) -> None:
    assert answer(most, {}, age).outcome is Outcome.NONE
    found = answer(most + 1, {}, age)
    assert (found.outcome, found.grade, names(found)) == (Outcome.FOUND, Grade.AMBER, ["daily_max"])
    assert found.flags[0].value == most + 1
    assert found.flags[0].threshold.value == most
    assert not found.flags[0].threshold.heuristic
    assert "mlb.com" in found.flags[0].threshold.source


def test_near_the_maximum() -> None:
    """0.8 and 1.2 times 85."""
    assert answer(68, {}).outcome is Outcome.NONE
    assert answer(102, {}).outcome is Outcome.FOUND


@pytest.mark.parametrize(("back", "outcome"), [(1, "found"), (2, "found"), (3, "found"), (4, "none")])
def test_pitching_while_rest_is_owed_is_found(back: int, outcome: str) -> None:
    # 60 pitches at 12 ask for three free days: the fourth day after is the first to pitch on.
    found = answer(10, {back: 60}, ordinal=MONDAY + back)
    assert found.outcome == outcome
    assert names(found) == (["rest_owed"] if outcome == "found" else [])
    if found.flags:
        assert (found.flags[0].value, found.flags[0].threshold.value) == (back - 1, 3)


def test_a_day_of_rest_is_a_whole_day() -> None:
    assert names(answer(5, {1: 21})) == ["rest_owed"]
    assert "ask for 1 day of rest; there was none" in answer(5, {1: 21}).statement
    assert "60 pitches 2 days ago ask for 3 days of rest; there was 1." in answer(5, {2: 60}).statement
    assert "60 pitches 3 days ago ask for 3 days of rest; there were 2." in answer(5, {3: 60}).statement
    assert answer(5, {2: 21}).outcome is Outcome.NONE


def test_a_third_day_in_a_row_is_found_and_a_second_is_not() -> None:
    assert answer(10, {1: 10}).outcome is Outcome.NONE
    assert names(answer(10, {1: 10, 2: 10})) == ["days_in_a_row"]


def test_independent_flags_make_it_red() -> None:
    found = answer(86, {1: 40})
    assert (names(found), found.grade) == (["daily_max", "rest_owed"], Grade.RED)


def test_a_throw_is_not_a_pitch() -> None:
    today = day(strokes=minutes(strokes=(150, 40, 10)), entered=entered(age_years=12))
    found = detect(limits("baseball", Kind.PITCH_COUNT), today, [], CAPS)
    assert (found.outcome, found.grade) == (Outcome.NOT_ENOUGH, Grade.GREEN)
    assert found.values["throws_counted"] == 200
    assert "pitches" in str(found.needs)


@pytest.mark.parametrize(("age", "needs"), [(None, "date of birth"), (6, "7 to 22"), (23, "7 to 22")])
def test_without_an_age_that_the_guideline_knows_nothing_is_judged(age: int | None, needs: str) -> None:
    found = answer(500, {1: 500}, age)
    assert found.outcome is Outcome.NOT_ENOUGH
    assert needs in str(found.needs)


def test_days_that_nobody_entered_leave_the_rest_open() -> None:
    thresholds = limits("baseball", Kind.PITCH_COUNT)
    pitching = day(entered=entered(pitches=10, age_years=12))
    found = detect(thresholds, pitching, [past(MONDAY - 1, pitches=0)], CAPS)
    assert found.outcome is Outcome.NOT_ENOUGH
    assert "4 days before" in str(found.needs)
    resting = day(entered=entered(pitches=0, age_years=12))
    assert detect(thresholds, resting, [], CAPS).outcome is Outcome.NONE


def test_the_stricter_of_two_sheets_holds_age_by_age() -> None:
    def sheet(*bands: AgeBand) -> PitchCaps:
        return PitchCaps("x", "1", "2026-01-01", "a sheet", 2, bands)

    joined = stricter(sheet(AgeBand(9, 12, 80, (21, 41))), sheet(AgeBand(11, 14, 90, (25, 36, 60))))
    assert joined.bands == (
        AgeBand(9, 10, 80, (21, 41)),
        AgeBand(11, 12, 80, (21, 36, 60)),
        AgeBand(13, 14, 90, (25, 36, 60)),
    )


def test_a_count_below_nothing_is_refused() -> None:
    with pytest.raises(AnalysisError, match="-1 pitches"):
        rest_days(CAPS, 12, -1)
