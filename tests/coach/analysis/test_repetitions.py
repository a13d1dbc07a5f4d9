"""Repetitions against known answers: what was asked for at acceptance, and what usually goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.errors import AnalysisError
from coach.analysis.guided import GUIDES, Side, guided_params, sides
from coach.analysis.motion_types import ActivityKind, Motion, MotionParams
from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams
from devices.types import FloatArray
from tests.coach.analysis.limb import LEVEL, UPRIGHT, limb, repeated, strokes, walking, wandering
from tests.coach.analysis.motion import chunks

RATE = 50.0
STILL = [(4.0, 0.0)]


def told(acc: FloatArray, gyr: FloatArray, rate_hz: float = RATE, motion: MotionParams | None = None) -> Motion:
    params = AnalysisParams(motion=motion or MotionParams())
    return analyse_recording("wrist_left", chunks(acc, gyr, rate_hz), params).motion


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 100.0, 200.0])
@pytest.mark.parametrize("seed", [1, 4])
def test_ten_repetitions_at_any_rate_and_mounting(rate_hz: float, seed: int) -> None:
    parts = repeated(10, 1.2, 0.0, 1.5, 0.3, 60.0)
    lasts = [round(seconds * rate_hz) / rate_hz for seconds, _ in parts[:4]]
    angle = strokes(rate_hz, *STILL, *parts, *STILL)
    motion = told(*limb(angle, rate_hz, lever_m=0.3, seed=seed, noise_share=0.05), rate_hz)
    assert len(motion.repetitions) == 10
    assert [segment.count for segment in motion.segments] == [10]
    for number, each in enumerate(motion.repetitions):
        start_s = 4.0 + sum(lasts) * number
        assert each.start_s == pytest.approx(start_s, abs=0.3)
        assert each.peak_s == pytest.approx(start_s + lasts[0], abs=0.25)
        assert each.end_s == pytest.approx(start_s + sum(lasts[:3]), abs=0.3)
        assert each.rom_deg == pytest.approx(60.0, abs=2.5)
        assert each.up_s + each.hold_s + each.down_s == pytest.approx(each.end_s - each.start_s)
        assert each.whole


@pytest.mark.parametrize("seed", range(6))
def test_uneven_periods_cost_one_at_most(seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [part for length in 3.0 * random.uniform(0.8, 1.2, 10) for part in ((length / 2, 60.0), (length / 2, 0.0))]
    angle = strokes(RATE, *STILL, *parts, *STILL)
    assert abs(len(told(*limb(angle, RATE, seed=seed % 3 + 1, noise_share=0.05)).repetitions) - 10) <= 1


def test_the_first_and_the_last_repetition_are_measured_as_whole_as_the_others() -> None:
    """Who comes from somewhere and goes on to something else turns elsewhere than at the pose between repetitions."""
    parts = repeated(8, 1.2, 0.4, 1.2, 2.0, 40.0)
    angle = strokes(RATE, *STILL, (2.0, -9.0), (2.0, 0.0), *parts, (2.0, -9.0), (3.0, 4.0), *STILL)
    reps = told(*limb(angle, RATE, noise_share=0.01)).repetitions
    assert len(reps) == 8
    for each in (reps[0], reps[-1]):
        assert each.rom_deg == pytest.approx(40.0, abs=2.0)
        assert each.up_s == pytest.approx(reps[3].up_s, abs=0.13)
        assert each.down_s == pytest.approx(reps[3].down_s, abs=0.13)


def test_tempo_is_that_of_the_movement() -> None:
    angle = strokes(RATE, *STILL, *repeated(6, 1.0, 2.0, 3.0, 1.0, 70.0), *STILL)
    for each in told(*limb(angle, RATE)).repetitions:
        assert each.up_s == pytest.approx(1.0, abs=0.35)
        assert each.down_s == pytest.approx(3.0, abs=0.7)
        # Fastest in the middle of the way up: half of pi times the mean.
        assert each.peak_rate_degps == pytest.approx(70.0 * np.pi / 2, rel=0.05)


def test_a_turn_about_the_vertical_counts() -> None:
    angle = strokes(RATE, *STILL, *repeated(10, 0.8, 0.0, 0.8, 0.2, 50.0), *STILL)
    assert len(told(*limb(angle, RATE, axis=UPRIGHT)).repetitions) == 10


def test_small_repetitions_of_a_person_who_turns() -> None:
    angle = strokes(RATE, *STILL, *repeated(12, 1.0, 3.0, 1.0, 1.0, 9.0), *STILL)
    motion = told(*limb(angle, RATE, turning_degps=1.0))
    assert len(motion.repetitions) == 12


def test_a_swing_to_both_sides_is_one_repetition() -> None:
    t = np.arange(round(20 * 1.1 * RATE)) / RATE
    motion = told(*limb(40 * np.sin(2 * np.pi * t / 1.1), RATE, lever_m=0.6))
    assert len(motion.repetitions) in (19, 20)
    assert not [segment for segment in motion.segments if segment.kind is ActivityKind.WALKING]


def test_fast_and_nearly_a_half_turn() -> None:
    angle = strokes(RATE, *STILL, *repeated(20, 0.58, 0.0, 0.58, 0.0, 164.0), *STILL)
    assert len(told(*limb(angle, RATE, lever_m=0.2)).repetitions) == 20


@pytest.mark.parametrize("small_deg", [20.0, 30.0, 42.0])
def test_two_bumps_in_each_repetition_are_not_counted_twice(small_deg: float) -> None:
    """A press turns the wrist on the way up and once more on the way down: half the period is the classic error."""
    bumps = [part for _ in range(10) for part in ((1.1, 50.0), (1.1, 0.0), (0.6, small_deg), (0.6, 0.0))]
    motion = told(*limb(strokes(RATE, *STILL, *bumps, *STILL), RATE, noise_share=0.02))
    assert abs(len(motion.repetitions) - 10) <= 1


def test_low_and_high_repetitions_in_turn_without_two_bumps_are_counted_each() -> None:
    parts = [part for deg in [60, 52, 63, 55, 58, 61, 50, 62, 57, 54] for part in ((1.2, float(deg)), (1.2, 0.0))]
    assert len(told(*limb(strokes(RATE, *STILL, *parts, *STILL), RATE)).repetitions) == 10


@pytest.mark.parametrize("cut_s", [0.4, 1.0, 1.6, 2.2])
def test_a_recording_cut_within_repetitions(cut_s: float) -> None:
    angle = strokes(RATE, *repeated(12, 1.2, 0.0, 1.2, 0.0, 60.0))
    acc, gyr = limb(angle, RATE)
    rows = slice(round(cut_s * RATE), len(angle) - round((2.4 - cut_s) * RATE))
    assert len(told(acc[rows], gyr[rows]).repetitions) in (11, 12)


def test_stillness_is_none() -> None:
    motion = told(*limb(np.zeros(round(60 * RATE)), RATE))
    assert motion == Motion()


@pytest.mark.parametrize(("swing_deg", "lever_m"), [(25.0, 0.6), (40.0, 0.6), (6.0, 0.1)])
@pytest.mark.parametrize("steps_hz", [1.6, 1.9])
def test_walking_is_none(swing_deg: float, lever_m: float, steps_hz: float) -> None:
    angle, lift = walking(60.0, RATE, swing_deg, steps_hz)
    motion = told(*limb(angle, RATE, lever_m=lever_m, lift_mps2=lift))
    assert motion.repetitions == ()
    (walk,) = motion.segments
    assert walk.kind is ActivityKind.WALKING
    assert walk.per_min == pytest.approx(60 * steps_hz, rel=0.03)
    assert walk.end_s - walk.start_s > 50.0


@pytest.mark.parametrize("seed", range(3))
def test_handling_is_hardly_ever_one(seed: int) -> None:
    """Ten minutes of an arm that goes anywhere, slow and far or fast and near, without coming back on purpose."""
    assert len(told(*wandering(600.0, RATE, seed)).repetitions) <= 1


def test_nothing_is_counted_across_a_gap() -> None:
    angle = strokes(RATE, *STILL, *repeated(12, 1.2, 0.0, 1.2, 0.6, 60.0), *STILL)
    acc, gyr = limb(angle, RATE)
    hole = slice(round(19.0 * RATE), round(22.5 * RATE))
    acc[hole], gyr[hole] = np.nan, np.nan
    motion = told(acc, gyr)
    assert 9 <= len(motion.repetitions) <= 11
    assert all(each.end_s <= 19.0 or each.start_s >= 22.4 for each in motion.repetitions)
    assert len(motion.segments) == 2


def test_a_lost_packet_is_nothing() -> None:
    angle = strokes(RATE, *STILL, *repeated(10, 1.2, 0.0, 1.2, 0.6, 60.0), *STILL)
    acc, gyr = limb(angle, RATE)
    acc[900:907], gyr[900:907] = np.nan, np.nan
    motion = told(acc, gyr)
    assert len(motion.repetitions) == 10
    assert len(motion.segments) == 1


@pytest.mark.parametrize("lost", [1, 4, 30])
def test_a_stream_that_begins_with_lost_samples(lost: int) -> None:
    acc, gyr = limb(strokes(RATE, *STILL, *repeated(5, 1.2, 0.0, 1.2, 0.6, 60.0), *STILL), RATE)
    whole = told(acc.copy(), gyr.copy()).repetitions
    acc[:lost] = gyr[:lost] = np.nan
    lossy = told(acc, gyr).repetitions
    assert len(lossy) == 5
    assert [each.peak_s for each in lossy] == pytest.approx([each.peak_s for each in whole], abs=0.05)


def test_a_lost_packet_cuts_into_no_stroke() -> None:
    """A tenth of a second is lost on the way there or back of every repetition, each time somewhere else."""
    acc, gyr = limb(strokes(RATE, *STILL, *repeated(10, 1.2, 0.5, 1.5, 0.8, 60.0), *STILL), RATE)
    whole = told(acc.copy(), gyr.copy()).repetitions
    for number in range(10):
        into_s = 0.1 + 0.11 * number + (1.7 if number % 2 else 0.0)
        first = round((4.0 + 4.0 * number + into_s) * RATE)
        acc[first : first + 5] = gyr[first : first + 5] = np.nan
    lossy = told(acc, gyr).repetitions
    assert len(lossy) == len(whole) == 10
    for one, other in zip(lossy, whole, strict=True):
        assert one.rom_deg == pytest.approx(other.rom_deg, abs=1.0)
        assert (one.up_s, one.down_s) == pytest.approx((other.up_s, other.down_s), abs=0.13)


def test_an_accelerometer_alone_counts_slow_repetitions() -> None:
    angle = strokes(RATE, *STILL, *repeated(10, 1.5, 1.0, 1.5, 1.0, 60.0), *STILL)
    acc, gyr = limb(angle, RATE)
    motion = told(acc, np.full_like(gyr, np.nan))
    assert len(motion.repetitions) == 10
    assert motion.repetitions[0].start_s == pytest.approx(4.0, abs=0.4)


def test_a_set_longer_than_what_is_kept_is_one_set() -> None:
    angle = strokes(25.0, *STILL, *repeated(150, 1.2, 0.0, 1.3, 0.5, 60.0), *STILL)
    motion = told(*limb(angle, 25.0, noise_share=0.03), 25.0)
    assert len(motion.repetitions) == 150
    assert {each.number_of_set for each in motion.repetitions} == {1}
    assert [segment.count for segment in motion.segments] == [150]
    ends = [each.end_s for each in motion.repetitions]
    assert all(each.start_s >= end - 0.1 for each, end in zip(motion.repetitions[1:], ends, strict=False))


def test_two_exercises_are_two_sets() -> None:
    one = strokes(RATE, *STILL, *repeated(8, 1.0, 0.0, 1.0, 0.5, 60.0), (20.0, 0.0))
    other = strokes(RATE, *STILL, *repeated(6, 1.0, 0.0, 1.0, 0.5, 40.0), *STILL)
    parts = [limb(one, RATE), limb(other, RATE, axis=np.array([0.2, 1.0, 0.0]))]
    motion = told(*(np.concatenate(pair) for pair in zip(*parts, strict=True)))
    assert [segment.count for segment in motion.segments] == [8, 6]
    assert [each.number_of_set for each in motion.repetitions] == [1] * 8 + [2] * 6


def test_a_known_exercise_needs_no_second_repetition() -> None:
    angle = strokes(RATE, *STILL, *repeated(1, 1.5, 5.0, 1.5, 0.0, 40.0), *STILL)
    acc, gyr = limb(angle, RATE)
    assert told(acc, gyr).repetitions == ()
    (only,) = told(acc, gyr, motion=guided_params("trunk_bend")).repetitions
    assert only.rom_deg == pytest.approx(40.0, abs=2.0)
    assert only.hold_s == pytest.approx(5.5, abs=0.5)
    small = limb(strokes(RATE, *STILL, *repeated(1, 1.5, 5.0, 1.5, 0.0, 8.0), *STILL), RATE)
    assert told(*small, motion=guided_params("trunk_bend")).repetitions == ()


def test_every_guide_can_be_followed_and_others_are_refused() -> None:
    for name, guide in GUIDES.items():
        angle = strokes(RATE, *STILL, *repeated(3, 1.6, guide.hold_s, 1.6, 0.5, 2.0 * guide.min_rom_deg), *STILL)
        assert len(told(*limb(angle, RATE), motion=guided_params(name)).repetitions) == 3, name
    with pytest.raises(AnalysisError, match="no guide to the exercise 'juggling'; choose one of bird_dog"):
        guided_params("juggling")


def test_the_side_that_worked() -> None:
    angle = strokes(RATE, *STILL, *repeated(5, 1.0, 0.0, 1.0, 0.5, 60.0), (16.0, 0.0), *STILL)
    other = strokes(RATE, *STILL, (16.0, 0.0), *repeated(5, 1.0, 0.0, 1.0, 0.5, 60.0), *STILL)
    both = strokes(RATE, *repeated(5, 1.0, 0.0, 1.0, 0.5, 60.0), *STILL)
    left = told(*limb(np.concatenate((angle, both)), RATE))
    right = told(*limb(np.concatenate((other, both)), RATE, axis=-LEVEL, seed=2))
    assert sides(left, right) == ((Side.LEFT,) * 5 + (Side.BOTH,) * 5, (Side.RIGHT,) * 5 + (Side.BOTH,) * 5)
