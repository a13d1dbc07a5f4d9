"""From rows of minutes to a day: UTC's minutes, recordings that meet or overlap, the place that counts."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.detectors.assemble import bending_stretch, choose_strokes, choose_trunk, day_of, minutes_of
from coach.analysis.detectors.types import BendingStretch, Minutes
from coach.analysis.exposure import THRESHOLDS_DEG, MinuteRow
from coach.analysis.recording import analyse_recording
from coach.analysis.relative import RelativeTurns
from coach.analysis.strain import BendingRun
from coach.analysis.types import AnalysisParams
from tests.coach.analysis.motion import bends, chunks, hinge


def row(number: int, expected_s: float = 60.0, covered_s: float = 60.0, bent: int = 1, strokes: int = 0) -> MinuteRow:
    above = {each: covered_s / each for each in THRESHOLDS_DEG}
    return MinuteRow(number, 0.0, expected_s, covered_s, 0.0, above, bent, 1, 2, 0.25, strokes, 0, 0, 3, 4.0, 5.0)


def test_minutes_come_in_order_and_on_whole_minutes_in_spite_of_a_drifting_clock() -> None:
    rows = [("b", 6000.0 + 60.0 * n + drift, row(n, bent=n)) for n, drift in ((3, 12.0), (1, -0.001), (2, 25.0))]
    found = minutes_of([*rows, ("b", 6042.5, row(0, 17.5, 17.0, bent=7))])
    assert found.start_utc_s.tolist() == [6000.0, 6060.0, 6120.0, 6180.0]
    assert found.bends.tolist() == [7, 1, 2, 3]
    assert found.covered_s.tolist() == [17.0, 60.0, 60.0, 60.0]
    assert found.above_s[20].tolist() == pytest.approx([0.85, 3.0, 3.0, 3.0])
    assert found.turns_left.dtype == np.int64


def test_two_recordings_that_meet_in_a_minute_are_summed() -> None:
    found = minutes_of([("a", 600.0, row(9, 25.0, 20.0, bent=2)), ("b", 630.0, row(0, 30.0, 30.0, bent=3))])
    assert found.start_utc_s.tolist() == [600.0]
    assert (found.expected_s[0], found.covered_s[0], found.bends[0], found.dose[0]) == (55.0, 50.0, 5, 0.5)
    assert (found.loose_s[0], found.displaced_s[0], found.repetitions[0]) == (8.0, 10.0, 6)
    assert found.above_s[30][0] == pytest.approx(50.0 / 30)
    assert found.stream_id == ("b",)


def test_of_two_recordings_at_once_the_one_that_saw_more_counts() -> None:
    found = minutes_of([("a", 600.0, row(9, 60.0, 40.0, bent=2)), ("b", 600.0, row(4, 60.0, 58.0, bent=3))])
    assert (found.stream_id, found.bends.tolist(), found.expected_s.tolist()) == (("b",), [3], [60.0])


def test_nothing_is_no_minutes() -> None:
    assert minutes_of([]).start_utc_s.shape == (0,)
    assert choose_trunk({"wrist_left": minutes_of([("a", 0.0, row(0))])}) is None
    assert choose_trunk({}) is None


def test_the_trunk_is_the_place_with_more_usable_time() -> None:
    short = minutes_of([("a", 60.0 * n, row(n + 1)) for n in range(3)])
    long = minutes_of([("b", 60.0 * n, row(n + 1)) for n in range(5)])
    assert choose_trunk({"chest": short, "lower_back": long, "hip": long, "wrist_left": long}) == ("lower_back", long)


def test_bending_that_two_trunk_sensors_saw_counts_once() -> None:
    """By the place that counts; twice at one place, as when a file is imported beside what came live: by the fuller."""

    def worn(stream: str, count: int, covered_s: float = 60.0) -> Minutes:
        return minutes_of([(stream, 60.0 * n, row(n + 1, covered_s=covered_s)) for n in range(count)])

    def seen(stream: str, first: int, last: int, coverage: float = 1.0) -> BendingStretch:
        return BendingStretch(stream, 60.0 * first, 60.0 * last, 6 * (last - first), 6.0, 6.0, 40.0, coverage)

    everybody = [seen("chest", 5, 25), seen("low", 4, 26), seen("low", 40, 52), seen("hip", 5, 25)]
    by_place = {"chest": worn("chest", 55), "lower_back": worn("low", 60), "hip": worn("hip", 90)}
    assert day_of(1, 0.0, 86400.0, True, by_place, bending=everybody).bending == (everybody[1], everybody[2])
    twice = minutes_of(
        [
            *(("a", 60.0 * n, row(n + 1, covered_s=59.0 - n % 2)) for n in range(60)),
            *(("b", 60.0 * n, row(n + 1, covered_s=58.5)) for n in range(60)),
        ]
    )
    assert set(twice.stream_id) == {"a", "b"}
    both = [seen("a", 5, 25), seen("b", 5, 25, 0.9), seen("b", 30, 45), seen("a", 45, 60)]
    assert day_of(1, 0.0, 86400.0, True, {"chest": twice}, bending=both).bending == (both[0], both[2], both[3])
    assert day_of(1, 0.0, 86400.0, True, {}, bending=both).bending == ()


def test_strokes_are_those_of_the_arm_that_makes_them() -> None:
    def worn(count: int, strokes: int) -> object:
        return minutes_of([("a", 60.0 * n, row(n + 1, strokes=strokes)) for n in range(count)])

    left, right, chest = worn(50, 1), worn(40, 3), worn(60, 9)
    assert choose_strokes({"wrist_left": left, "wrist_right": right, "chest": chest})[0] == "wrist_right"
    assert choose_strokes({"wrist_right": worn(20, 3), "chest": chest})[0] == "chest"
    assert choose_strokes({"thigh_left": chest}) is None


def test_a_day_from_the_analysis_itself() -> None:
    rate = 50.0
    acc, gyr = hinge(bends(list(np.arange(5.0, 895.0, 6.0)), 900.0, rate), rate, noise=True)
    result = analyse_recording("chest", chunks(acc, gyr, rate), AnalysisParams())
    (run,) = result.bending
    assert run.first == result.findings[0].start_s
    stretch = bending_stretch("s", 1000.0, rate, run)
    assert stretch.start_utc_s == 1000.0 + result.findings[0].start_s
    assert stretch.bends == result.findings[0].because["values"]["bends"]
    assert stretch.rate_mean_per_min == pytest.approx(10.0, rel=0.02)
    assert (stretch.coverage_share, stretch.range_median_deg) == (1.0, pytest.approx(50, abs=2))
    trunk = minutes_of([("s", 1000.0 + each.start_s, each) for each in result.minutes])
    assert trunk.start_utc_s.tolist() == [960.0 + 60.0 * n for n in range(16)]
    assert trunk.bends.sum() == len(result.bends) == 149
    day = day_of(1, 0.0, 86400.0, True, {"chest": trunk}, bending=[stretch])
    assert (day.trunk, day.trunk_place, day.strokes, day.bending) == (trunk, "chest", None, (stretch,))
    assert day_of(1, 0.0, 86400.0, True, {"chest": trunk}, counts_strokes=True).strokes is trunk


def turns(minutes: list[int], seen_s: float, left: int) -> RelativeTurns:
    count = len(minutes)
    return RelativeTurns(
        np.array(minutes) * 60.0, np.full(count, seen_s), np.full(count, left), np.full(count, left + 1)
    )


def test_turns_against_the_pelvis_replace_those_in_the_room() -> None:
    trunk = minutes_of([("a", 600.0 + 60.0 * n, row(n + 1)) for n in range(10)])
    day = day_of(1, 0.0, 86400.0, True, {"chest": trunk}, turns=turns([9, *range(11, 20), 30], 59.0, 5))
    assert day.turns_from_two
    assert day.trunk is not None
    assert day.trunk.turns_left.tolist() == [0] + [5] * 9
    assert day.trunk.turns_right.tolist() == [0] + [6] * 9
    assert day.trunk.bends is trunk.bends


def test_too_little_of_the_pelvis_leaves_the_turns_in_the_room() -> None:
    trunk = minutes_of([("a", 600.0 + 60.0 * n, row(n + 1)) for n in range(10)])
    for seen in (turns(list(range(12, 20)), 59.0, 5), turns(list(range(10, 20)), 40.0, 5), turns([], 60.0, 5)):
        day = day_of(1, 0.0, 86400.0, True, {"chest": trunk}, turns=seen)
        assert (day.turns_from_two, day.trunk) == (False, trunk)
    assert day_of(1, 0.0, 86400.0, True, {}, turns=turns([1], 60.0, 1)).trunk is None


def test_an_open_stretch_has_its_median_too() -> None:
    run = BendingRun(10, 70, cycles=5, covered=3000, expected=3000, ranges=tuple(5 * (n == 42) for n in range(181)))
    assert bending_stretch("s", 0.0, 50.0, run).range_median_deg == 42.0
