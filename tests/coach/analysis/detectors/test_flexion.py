"""Sustained and deep flexion of a day: doses of holds, shares of time, near misses, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from coach.analysis.detectors import deep_flexion, flexion
from coach.analysis.detectors.assemble import day_of, minutes_of
from coach.analysis.detectors.types import Day, Kind, Outcome
from coach.analysis.errors import AnalysisError
from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams, Grade
from devices.types import FloatArray
from tests.coach.analysis.detectors.posture_days import OWN, START, TODAY, day, limits, minutes, past
from tests.coach.analysis.motion import chunks, hinge

SUSTAINED = limits(Kind.SUSTAINED_FLEXION)
DEEP = limits(Kind.DEEP_FLEXION)
RATE_HZ = 25.0


def doses(count: int, **at: float) -> FloatArray:
    """Return (count,) doses; at: "m7" is minute 7."""
    values = np.zeros(count)
    for name, dose in at.items():
        values[int(name[1:])] = dose
    return values


def test_their_limits_are_those_they_declare() -> None:
    assert set(flexion.THRESHOLDS) == set(OWN[Kind.SUSTAINED_FLEXION])
    assert set(deep_flexion.THRESHOLDS) == set(OWN[Kind.DEEP_FLEXION])


@pytest.mark.parametrize(
    ("at", "most", "found"),
    [
        ({"m30": 1.0}, 1.0, False),  # 40 degrees for 150 s: a dose of 1.0 is the longest hold, not more
        ({"m30": 1.2}, 1.2, True),
        ({"m30": 0.8}, 0.8, False),
        ({"m30": 0.6, "m39": 0.6}, 1.2, True),  # within ten minutes
        ({"m30": 0.6, "m40": 0.6}, 0.6, False),  # in the eleventh
        ({"m30": 0.4, "m31": 0.4, "m36": 0.4}, 1.2, True),
        ({}, 0.0, False),
    ],
)
def test_doses_of_ten_minutes_are_added(at: dict[str, float], most: float, found: bool) -> None:
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, **at))), [])
    assert answer.outcome is (Outcome.FOUND if found else Outcome.NONE)
    assert answer.values["dose_max"] == pytest.approx(most)
    assert answer.values["dose_day"] == pytest.approx(sum(at.values()))


def test_a_long_hold_is_found_with_its_evidence() -> None:
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, m30=1.6, m70=1.3))), [])
    assert answer.grade is Grade.AMBER
    assert answer.statement == (
        "You held your trunk bent for long: within 10 minutes the holds came to 1.6 times the longest hold that "
        "ISO 11226 accepts at their angle, the most of 2 such stretches."
    )
    first, second = answer.windows
    assert (first.start_utc_s, first.end_utc_s) == (START + 21 * 60.0, START + 40 * 60.0)
    assert second.start_utc_s == START + 61 * 60.0
    assert (answer.flags[0].value, answer.flags[0].threshold) == (1.6, SUSTAINED["dose"])
    assert any("heuristic" in each for each in answer.limits)


def test_windows_hours_apart_are_not_one() -> None:
    numbers = [*range(60), *range(300, 360)]
    answer = flexion.detect(SUSTAINED, day(minutes(120, numbers, dose=doses(120, m59=1.2, m60=1.2))), [])
    ends = [(each.end_utc_s - START) / 60.0 for each in answer.windows]
    assert ends == [60.0, 310.0]


def test_a_dose_of_badly_seen_minutes_does_not_count() -> None:
    lost = np.where((np.arange(90) >= 25) & (np.arange(90) < 45), 40.0, 0.0)
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, m35=3.0), covered_s=60.0 - lost)), [])
    assert answer.outcome is Outcome.NOT_ENOUGH
    assert answer.needs is not None
    assert answer.needs.startswith("80 % of the time with data; it has ")


@pytest.mark.parametrize(("dose", "outcome"), [(0.96, Outcome.NOT_ENOUGH), (0.94, Outcome.NONE)])
def test_a_dose_that_was_nearly_one_but_for_lost_time_is_left_open(dose: float, outcome: Outcome) -> None:
    """12 s were lost beside the hold; at 20 degrees they are a twentieth of the longest hold of 240 s."""
    lost = np.where(np.arange(90) == 29, 12.0, 0.0)
    today = day(minutes(90, dose=doses(90, m30=dose), covered_s=60.0 - lost))
    answer = flexion.detect(SUSTAINED, today, [])
    assert answer.outcome is outcome
    if outcome is Outcome.NOT_ENOUGH:
        assert answer.needs is not None
        assert answer.needs.startswith("the 12 s of ")


def test_a_small_dose_beside_a_long_loss_is_no_doubt() -> None:
    lost = np.where((np.arange(90) >= 31) & (np.arange(90) < 40), 60.0, 0.0)
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, m30=0.4), covered_s=60.0 - lost)), [])
    assert answer.outcome is Outcome.NONE


@pytest.mark.parametrize(("bent_s", "outcome"), [(40.0, Outcome.FOUND), (52.0, Outcome.NOT_ENOUGH)])
def test_who_seems_bent_all_day_was_not_calibrated_upright(bent_s: float, outcome: Outcome) -> None:
    lying = np.where(np.arange(90) < 20, 60.0, 0.0)
    bent = {20: np.where(lying > 0, 0.0, bent_s)}
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, m30=1.6), above_s=bent, lying_s=lying)), [])
    assert answer.outcome is outcome
    if outcome is not Outcome.FOUND:
        assert answer.needs == (
            "an upright pose that is calibrated anew; by the present one the trunk was bent for 87 % of the time"
        )


def test_own_habit_of_doses() -> None:
    history = [past(back + 1, dose_max=0.5 + 0.1 * (back % 3)) for back in range(14)]
    answer = flexion.detect(SUSTAINED, day(minutes(90, dose=doses(90, m30=1.6))), history)
    # five of .5, five of .6, four of .7: median .6, MAD .1, z = .6745 x 10
    assert answer.baseline is not None
    assert (answer.baseline.median, answer.baseline.mad) == (pytest.approx(0.6), pytest.approx(0.1))
    assert answer.baseline.robust_z == pytest.approx(6.745)
    assert answer.grade is Grade.RED
    short = flexion.detect(SUSTAINED, day(minutes(40, dose=doses(40, m30=1.6))), history)
    assert (short.outcome, short.grade) == (Outcome.FOUND, Grade.AMBER)  # forty minutes are no day to compare


@drawn(st.lists(st.floats(0.0, 0.9), min_size=70, max_size=70), st.lists(st.floats(0.0, 1.0), min_size=70, max_size=70))
def test_lost_time_finds_no_dose(held: list[float], kept: list[float]) -> None:
    """By brute force: ten minutes in a row with more than 1, however little of the day is seen."""
    worst = max(sum(held[first : first + 10]) for first in range(70))
    seen = [dose * share for dose, share in zip(held, kept, strict=True)]
    whole = flexion.detect(SUSTAINED, day(minutes(70, dose=held)), [])
    assert whole.outcome is (Outcome.FOUND if worst > 1.0 + 1e-9 else Outcome.NONE)
    part = flexion.detect(SUSTAINED, day(minutes(70, dose=seen, covered_s=60.0 * np.array(kept))), [])
    assert not (whole.outcome is Outcome.NONE and part.outcome is Outcome.FOUND)


# 100 minutes upright make a limit of 5 minutes.
@pytest.mark.parametrize(("deep_min", "found"), [(4.0, False), (5.0, False), (5.1, True), (6.0, True), (0.0, False)])
def test_the_share_of_deep_flexion(deep_min: float, found: bool) -> None:
    deep = np.zeros(150)
    deep[20:30] = deep_min * 6.0
    lying = np.where(np.arange(150) >= 100, 60.0, 0.0)
    above = {45: 2.0 * deep, 60: deep, 90: 0.1 * deep}
    answer = deep_flexion.detect(DEEP, day(minutes(150, lying_s=lying, above_s=above)), [])
    assert answer.outcome is (Outcome.FOUND if found else Outcome.NONE)
    assert answer.values["deep_share"] == pytest.approx(deep_min / 100.0)
    assert answer.values["deep_min"] == pytest.approx(deep_min)


def test_much_deep_flexion_is_found_with_its_evidence() -> None:
    deep = np.zeros(120)
    deep[[10, 11, 12, 14, 40, 80]] = 60.0
    deep[60] = 36.0
    answer = deep_flexion.detect(DEEP, day(minutes(120, above_s={45: deep * 1.5, 60: deep, 90: deep / 4})), [])
    assert answer.statement == (
        "You were bent by 60 degrees or more for 5.5 % of 2 h worn. More than 5.0 % counts as much."
    )
    assert [(each.start_utc_s - START) / 60.0 for each in answer.windows] == [10.0, 40.0, 60.0, 80.0]
    assert answer.windows[0].end_utc_s == START + 15 * 60.0
    assert (answer.grade, answer.flags[0].threshold) == (Grade.AMBER, DEEP["share"])
    assert answer.limits[0] == (
        "An error of a few degrees is usual; the share at 55 or 65 degrees is not known. "
        "It lies between 1.4 % and 8.2 %, the shares at the next angles that are counted."
    )


def test_a_share_of_a_day_that_goes_on_is_not_found_yet() -> None:
    deep = {60: np.full(120, 6.0)}
    answer = deep_flexion.detect(DEEP, day(minutes(120, above_s=deep), over=False), [])
    assert answer.needs == "the end of the day; so far it is 10 % of 2 h"
    assert deep_flexion.detect(DEEP, day(minutes(120, above_s=deep)), []).outcome is Outcome.FOUND
    none = deep_flexion.detect(DEEP, day(minutes(120), over=False), [])
    assert (none.outcome, none.statement.endswith("worn so far.")) == (Outcome.NONE, True)


def test_a_share_that_hangs_on_what_was_lost_is_left_open() -> None:
    """5.4 % of what was seen; 4.86 % of the day had the trunk been upright in the tenth that was lost."""
    today = day(minutes(100, covered_s=54.0, above_s={60: 0.054 * 54.0}))
    answer = deep_flexion.detect(DEEP, today, [])
    assert answer.needs == "the 10 min of 1 h 40 min that carry no data; the limit lies within what they may hold"


def test_lying_is_not_worn_time_for_a_share() -> None:
    answer = deep_flexion.detect(DEEP, day(minutes(480, lying_s=np.where(np.arange(480) < 430, 60.0, 0.0))), [])
    assert answer.needs == "1 h with the sensor on, not lying; it has 50 min"


def test_an_angle_that_is_not_counted_is_refused() -> None:
    with pytest.raises(AnalysisError, match="minutes count 20, 30, 45, 60, 90"):
        deep_flexion.detect(limits(Kind.DEEP_FLEXION, angle_deg=55.0), day(minutes(90)), [])


@pytest.mark.parametrize(
    ("lost_share", "times", "outcome"),
    [
        (0.0, 0.99, "none"),
        (0.02, 0.95, "none"),
        (0.1, 0.8, "none"),
        (0.1, 0.95, "not_enough"),
        (0.19, 0.9, "not_enough"),
    ],
)
def test_lost_time_hides_no_share_that_may_have_passed(lost_share: float, times: float, outcome: str) -> None:
    """With the lost time twice as deep as the rest, the limit would be passed."""
    covered_s = 60.0 * (1.0 - lost_share)
    worn = minutes(480, covered_s=covered_s, above_s={60: 0.05 * times * covered_s})
    answer = deep_flexion.detect(DEEP, day(worn), [])
    assert answer.outcome == outcome
    assert answer.needs is None or "carry no data" in answer.needs


@pytest.mark.parametrize("module", [flexion, deep_flexion])
@pytest.mark.parametrize(
    ("today", "needs"),
    [
        (day(None), "a trunk sensor (chest, upper back or lower back)"),
        (day(minutes(0)), "a trunk sensor (chest, upper back or lower back)"),
        (day(minutes(100, covered_s=42.0)), "80 % of the time with data; it has 70 %"),
        (
            day(minutes(100, covered_s=42.0, displaced_s=18.0)),
            "a sensor that sits as it was calibrated; it sat otherwise for 30 min of 1 h 40 min",
        ),
    ],
)
def test_what_a_day_lacks_is_said(module: object, today: Day, needs: str) -> None:
    kind = Kind.SUSTAINED_FLEXION if module is flexion else Kind.DEEP_FLEXION
    answer = module.detect(limits(kind), today, [])  # type: ignore[attr-defined]
    assert (answer.kind, answer.outcome, answer.needs) == (kind, Outcome.NOT_ENOUGH, needs)


shares = st.lists(st.integers(0, 12), min_size=70, max_size=70)


@drawn(shares, st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0]), min_size=70, max_size=70))
def test_lost_time_finds_no_share(deep: list[int], kept: list[float]) -> None:
    """Whatever is lost, deep or not: what is no finding with all of the day is none with part of it."""
    whole = np.array(deep, dtype=np.float64)
    truth = whole.sum() / (70 * 60.0) > 0.05
    found = deep_flexion.detect(DEEP, day(minutes(70, above_s={60: whole})), [])
    assert found.outcome is (Outcome.FOUND if truth else Outcome.NONE)
    covered = 60.0 * np.array(kept)
    part = day(minutes(70, covered_s=covered, above_s={60: np.minimum(whole, covered)}))
    assert truth or deep_flexion.detect(DEEP, part, []).outcome is not Outcome.FOUND


def recorded(angle_deg: FloatArray, lost_share: float) -> Day:
    """Lose packets of .4 s at random, and let the stream itself tell the day."""
    random = np.random.default_rng(7)
    acc, gyr = hinge(angle_deg, RATE_HZ, seed=7, noise=True)
    lost = np.repeat(random.uniform(size=len(acc) // 10) < lost_share, 10)
    lost[:125] = False
    acc[lost], gyr[lost] = np.nan, np.nan
    result = analyse_recording("lower_back", chunks(acc, gyr, RATE_HZ), AnalysisParams())
    rows = [("s", 1000.0 + row.start_s, row) for row in result.minutes]
    return day_of(TODAY, 0.0, 86400.0, True, {"lower_back": minutes_of(rows)})


def held(stretches: list[tuple[float, float, float]], duration_s: float) -> FloatArray:
    """Return an angle that is 0 but for (start_s, length_s, angle_deg), come to and left within 2 s."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    angle = np.zeros_like(t)
    for start, length, high in stretches:
        rise = np.clip((t - start) / 2.0, 0.0, 1.0) * np.clip((start + length - t) / 2.0, 0.0, 1.0)
        angle = np.maximum(angle, high / 2.0 * (1.0 - np.cos(np.pi * rise)))
    return angle


@pytest.mark.parametrize("lost_share", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("times_limit", [0.8, 1.2])
def test_near_misses_as_the_stream_measures_them(times_limit: float, lost_share: float) -> None:
    """40 degrees may be held for 150 s (ISO 11226); 20 minutes have 60 s of them as their share of 5 %."""
    long_hold = recorded(held([(300.0, 150.0 * times_limit, 40.0)], 1200.0), lost_share)
    # On the way to 80 degrees the trunk passes 60 after two thirds of the 2 s; so does the way back.
    each = 15.0 * times_limit + 2.0 * 2.0 * (2.0 / 3.0)
    deep = recorded(held([(120.0 + 240.0 * n, each, 80.0) for n in range(4)], 1200.0), lost_share)
    truth = Outcome.NOT_ENOUGH if lost_share > 0.1 else Outcome.FOUND if times_limit > 1 else Outcome.NONE
    assert flexion.detect(limits(Kind.SUSTAINED_FLEXION, worn_min=15.0), long_hold, []).outcome is truth
    assert deep_flexion.detect(limits(Kind.DEEP_FLEXION, worn_min=15.0), deep, []).outcome is truth
