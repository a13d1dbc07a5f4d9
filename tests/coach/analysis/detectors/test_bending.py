"""Repeated bending of a day: what is found, what is none, and what cannot be told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from coach.analysis.detectors.assemble import bending_stretch, day_of, minutes_of
from coach.analysis.detectors.bending import THRESHOLDS, detect
from coach.analysis.detectors.types import Answer, Day, Kind, Outcome
from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams, Grade
from tests.coach.analysis.detectors.posture_days import (
    OWN,
    START,
    TODAY,
    day,
    limits,
    minutes,
    past,
    placed,
    stretch,
)
from tests.coach.analysis.motion import bends, chunks, hinge

KIND = Kind.REPEATED_BENDING
LIMITS = limits(KIND)
USUAL = (10.0, 12.0, 11.0, 13.0, 9.0, 10.0, 12.0, 14.0, 11.0, 10.0, 12.0, 13.0, 11.0, 12.0)


def habit(*values: float) -> list:
    return [past(back + 1, bends_per_h=value) for back, value in enumerate(values)]


def test_its_limits_are_those_it_declares() -> None:
    assert set(THRESHOLDS) == set(OWN[KIND])


def test_a_stretch_is_found_with_its_evidence() -> None:
    trunk = minutes(300, bends=np.where((np.arange(300) >= 60) & (np.arange(300) < 135), 6, 0))
    answer = detect(LIMITS, day(trunk, bending=(stretch(60, 135, 6.0),)), [])
    assert (answer.kind, answer.outcome, answer.grade) == (KIND, Outcome.FOUND, Grade.AMBER)
    assert answer.statement == (
        "You bent forward 450 times in 1 h 15 min, 6.0 times a minute. "
        "More than 4 a minute for 10 minutes counts as repeated bending."
    )
    (flag,) = answer.flags
    assert (flag.name, flag.value, flag.threshold) == ("repeated", 6.0, LIMITS["rate_per_min"])
    (window,) = answer.windows
    assert (window.start_utc_s, window.end_utc_s, window.stream_id) == (START + 3600.0, START + 8100.0, "s")
    assert answer.values["bends"] == 450
    assert answer.values["bends_per_h"] == 90.0  # 450 in the 5 h worn
    assert (answer.coverage_share, answer.needs, answer.learning_day) == (1.0, None, 1)
    assert answer.would_change == "Fewer than 4 a minute, or a pause every 10 minutes, would change this."
    assert any("hands hold" in limit for limit in answer.limits)
    json.dumps(dict(answer.values), allow_nan=False)


def test_five_windows_at_most_and_the_first_among_them() -> None:
    lengths = (10, 30, 20, 11, 40, 50, 60)
    parts = [stretch(100.0 * n, 100.0 * n + length, 5.0) for n, length in enumerate(lengths)]
    answer = detect(LIMITS, day(minutes(700), bending=tuple(parts)), [])
    starts = [round((each.start_utc_s - START) / 60.0) for each in answer.windows]
    assert starts == [0, 100, 400, 500, 600]
    assert answer.values["stretches"] == 7
    assert answer.values["bends"] == 5 * sum(lengths)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"rate_per_min": 6.0}, False),  # more than the rate, not as much
        ({"rate_per_min": 5.9}, True),
        ({"duration_min": 20.1}, False),
        ({"duration_min": 20.0}, True),
        ({"range_deg": 51.0}, False),
        ({"range_deg": 50.0}, True),
    ],
)
def test_limits_are_the_profiles(changed: dict[str, float], found: bool) -> None:
    answer = detect(limits(KIND, **changed), day(minutes(120), bending=(stretch(30, 50, 6.0),)), [])
    assert answer.outcome is (Outcome.FOUND if found else Outcome.NONE)


def test_none_says_how_much_was_looked_at() -> None:
    answer = detect(LIMITS, day(minutes(372, bends=1)), [])
    assert (answer.outcome, answer.grade) == (Outcome.NONE, Grade.GREEN)
    assert answer.statement == "No 10 minutes with more than 4 bends a minute in 6 h 12 min with the sensor on."
    assert detect(LIMITS, day(minutes(372), over=False), []).statement.endswith("with the sensor on so far.")


def test_the_habit_is_a_second_flag_only_beside_the_rule() -> None:
    busy = minutes(120, bends=1)  # 60 an hour against a usual 11.5
    found = detect(LIMITS, day(busy, bending=(stretch(0, 12, 5.0),)), habit(*USUAL))
    assert (found.grade, [each.name for each in found.flags]) == (Grade.RED, ["repeated", "above_own_days"])
    assert found.baseline is not None
    assert (found.baseline.median, found.baseline.mad) == (11.5, 1.0)
    usual = detect(LIMITS, day(minutes(300), bending=(stretch(0, 12, 5.0),)), habit(*USUAL))
    assert usual.grade is Grade.AMBER
    none = detect(LIMITS, day(busy), habit(*USUAL))
    assert (none.outcome, none.grade) == (Outcome.NONE, Grade.GREEN)
    assert detect(LIMITS, day(busy), habit(*USUAL[:13])).learning_day == 14
    elsewhere = detect(LIMITS, day(busy, trunk_place="lower_back"), habit(*USUAL))
    assert (elsewhere.baseline, elsewhere.learning_day) == (None, 1)


ABSTAINS = [
    (day(None), "a trunk sensor (chest, upper back or lower back)"),
    (day(minutes(0)), "a trunk sensor (chest, upper back or lower back)"),
    (day(minutes(100, covered_s=47.4)), "80 % of the time with data; it has 79 %"),
    (day(minutes(100, covered_s=47.99)), "80 % of the time with data; it has 79 %"),
    (day(minutes(100, covered_s=0.0)), "80 % of the time with data; it has 0 %"),
    (day(minutes(45)), "1 h with the sensor on; it has 45 min"),
    (day(minutes(45), over=False), "1 h with the sensor on; so far 45 min"),
    (
        day(minutes(100, covered_s=40.0, loose_s=20.0)),
        "a sensor that sits firmly; it moved on its own for 33 min of 1 h 40 min",
    ),
    (
        day(minutes(100, covered_s=40.0, displaced_s=20.0)),
        "a sensor that sits as it was calibrated; it sat otherwise for 33 min of 1 h 40 min",
    ),
    (day(minutes(100, covered_s=20.0, loose_s=20.0)), "80 % of the time with data; it has 33 %"),
]


@pytest.mark.parametrize(("today", "needs"), ABSTAINS)
def test_what_a_day_lacks_is_said(today: Day, needs: str) -> None:
    answer = detect(LIMITS, today, habit(*USUAL))
    assert (answer.outcome, answer.grade, answer.needs) == (Outcome.NOT_ENOUGH, Grade.GREEN, needs)
    assert answer.statement == "Repeated bending: this day does not carry enough data to tell."


def test_a_stretch_that_is_seen_needs_no_whole_day() -> None:
    answer = detect(LIMITS, day(minutes(12, bends=7), bending=(stretch(0, 12, 7.0),)), [])
    assert answer.outcome is Outcome.FOUND
    assert answer.values["bends_per_h"] is None  # too little worn for a rate of the day


def test_a_stretch_on_a_loose_sensor_does_not_count() -> None:
    loose = np.where(np.arange(120) < 20, 30.0, 0.0)
    today = day(minutes(120, covered_s=60.0 - loose, loose_s=loose), bending=(stretch(0, 20, 9.0),))
    answer = detect(LIMITS, today, [])
    assert answer.outcome is Outcome.NOT_ENOUGH
    assert answer.needs == "a sensor that sits firmly; it moved on its own for 10 min of 20 min"


def test_a_rate_that_hangs_on_what_was_lost_is_left_open() -> None:
    """4.4 a covered minute at 85 %: 37.4 bends in 10 minutes were seen, fewer than the 40 that nobody could doubt."""
    trunk = minutes(120, covered_s=np.where(np.arange(120) < 20, 51.0, 60.0))
    answer = detect(LIMITS, day(trunk, bending=(stretch(0, 20, 4.4, coverage=0.85),)), [])
    assert answer.needs == "the 3 min of 20 min that carry no data; the limit lies within what they may hold"
    assert detect(LIMITS, day(trunk, bending=(stretch(0, 20, 4.8, coverage=0.85),)), []).outcome is Outcome.FOUND
    # The stream covered all of it, but the sensor had come loose for three of the minutes.
    loose = minutes(120, covered_s=trunk.covered_s, loose_s=60.0 - trunk.covered_s)
    assert detect(LIMITS, day(loose, bending=(stretch(0, 20, 4.4),)), []).outcome is Outcome.NOT_ENOUGH


@pytest.mark.parametrize(("bent", "outcome"), [(39, Outcome.NOT_ENOUGH), (38, Outcome.NONE)])
def test_bending_that_was_nearly_a_stretch_but_for_lost_time_is_left_open(bent: int, outcome: Outcome) -> None:
    """12 s of ten minutes are lost; twice as busy as the rest, they held 2 x 12 / 588 of what was seen: 1.6 of 39."""
    trunk = minutes(120, covered_s=np.where(np.arange(120) == 35, 48.0, 60.0), bends=placed(120, (30, 40, bent / 10)))
    assert detect(LIMITS, day(trunk), []).outcome is outcome


def test_the_minute_in_which_a_stretch_begins_is_part_of_it() -> None:
    """From half past on: the lost minute is one of 11, so 10 of 11 minutes are covered; without it, all were."""
    trunk = minutes(120, covered_s=np.where(np.arange(120) == 30, 0.0, 60.0))
    answer = detect(limits(KIND, coverage_share=0.95), day(trunk, bending=(stretch(30.5, 40.5, 6.0),)), [])
    assert answer.needs == "95 % of the time with data; it has 90 %"


stretches = st.lists(
    st.tuples(st.integers(0, 280), st.integers(10, 60), st.floats(2.0, 12.0), st.floats(0.7, 1.0)), max_size=4
)


@drawn(stretches, stretches, st.integers(0, 40))
def test_more_bends_never_lower_the_grade(some: list, more: list, usual: int) -> None:
    order = [Grade.GREEN, Grade.AMBER, Grade.RED]

    def judged(parts: list) -> Answer:
        found = tuple(stretch(first, first + length, rate, share) for first, length, rate, share in parts)
        counts = np.zeros(340, dtype=np.int64)
        for each, (first, *_) in zip(found, parts, strict=True):
            counts[first] += each.bends
        return detect(LIMITS, day(minutes(340, bends=counts), bending=found), habit(*[float(usual + n) for n in USUAL]))

    assert order.index(judged(some + more).grade) >= order.index(judged(some).grade)


RATE_HZ = 25.0


def recorded(per_min: float, lost_share: float, seed: int) -> Day:
    """Bend for 20 minutes out of 30, lose packets of .4 s at random, and let the stream itself tell the day."""
    random = np.random.default_rng(seed)
    times = np.arange(305.0, 1500.0, 60.0 / per_min) + random.uniform(-1.0, 1.0)
    acc, gyr = hinge(bends(times.tolist(), 1800.0, RATE_HZ), RATE_HZ, seed=seed, noise=True)
    lost = np.repeat(random.uniform(size=len(acc) // 10) < lost_share, 10)
    acc[lost], gyr[lost] = np.nan, np.nan
    result = analyse_recording("chest", chunks(acc, gyr, RATE_HZ), AnalysisParams())
    origin = 1000.0 + float(np.flatnonzero(~lost)[0]) / RATE_HZ
    rows = [("s", origin + row.start_s, row) for row in result.minutes]
    found = [bending_stretch("s", origin, RATE_HZ, run) for run in result.bending]
    return day_of(TODAY, 0.0, 86400.0, True, {"chest": minutes_of(rows)}, bending=found)


@pytest.mark.parametrize("lost_share", [0.0, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("times_limit", [0.8, 1.2])
def test_near_misses_as_the_stream_measures_them(times_limit: float, lost_share: float) -> None:
    answer = detect(limits(KIND, worn_min=20.0), recorded(4.0 * times_limit, lost_share, seed=3), [])
    truth = Outcome.FOUND if times_limit > 1 else Outcome.NONE
    if lost_share <= 0.02:
        assert answer.outcome is truth
    elif lost_share <= 0.1:
        assert answer.outcome in (truth, Outcome.NOT_ENOUGH)
    else:
        assert answer.outcome is Outcome.NOT_ENOUGH
        assert answer.needs is not None
        assert answer.needs.startswith("80 % of the time with data; it has ")
