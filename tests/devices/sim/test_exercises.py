"""Exercises and sports: what the sensor measures, read by plain physics, agrees with what they say they did."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from devices.sim.exercises import STANDS_S, bird_dogs, curl_ups, seated_bends, side_bridges, squats
from devices.sim.sports import STEP_HZ, lying, strong_arm, swings, throws, walking, weak_arm
from devices.sim.synthetic import SyntheticMotion

RATE_HZ = 100.0
LONG_S = 200.0


def measured(motion: SyntheticMotion, seconds: float = LONG_S) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    acc, gyr = motion.samples(0, int(seconds * RATE_HZ), RATE_HZ)
    return np.arange(len(acc)) / RATE_HZ, acc, gyr


def tilt_deg(motion: SyntheticMotion, acc: np.ndarray) -> np.ndarray:
    """Return the angle between gravity now and gravity when upright, by the accelerometer alone."""
    share = acc @ motion.upright_in_sensor() / np.linalg.norm(acc, axis=1)
    return np.degrees(np.arccos(np.clip(share, -1, 1)))


@pytest.mark.parametrize(
    ("make", "rest_deg", "sign", "repetitions"),
    [(seated_bends, 0.0, 1, 10), (curl_ups, 90.0, -1, 10), (side_bridges, 85.0, -1, 7), (bird_dogs, None, 0, 9)],
)
def test_holds_are_held_where_and_when_they_are_said(
    make: object, rest_deg: float | None, sign: int, repetitions: int
) -> None:
    motion: SyntheticMotion = make(5)  # type: ignore[operator]
    t_s, acc, gyr = measured(motion)
    angle = tilt_deg(motion, acc)
    bends, holds = motion.truth(LONG_S), motion.holds(LONG_S)
    assert len(bends) == repetitions
    assert len(holds) - len(bends) in (0, 1)
    for bend, hold in zip(bends, holds, strict=False):
        assert bend.start_s < hold.start_s <= bend.peak_s <= hold.end_s < bend.end_s
        within = (t_s > hold.start_s) & (t_s < hold.end_s)
        assert np.linalg.norm(gyr[within], axis=1).max() < np.radians(8), "a hold is still"
        moving = (t_s > bend.start_s) & (t_s < hold.start_s)
        if rest_deg is not None:
            assert angle[within].mean() == pytest.approx(rest_deg + sign * bend.rom_deg, abs=2.0)
            assert np.linalg.norm(gyr[moving], axis=1).max() > np.radians(10)
    before = t_s < STANDS_S
    assert angle[before].max() < 5, "it begins upright"


def test_bird_dogs_tip_to_one_side_and_the_other() -> None:
    motion = bird_dogs(5)
    t_s, acc, _ = measured(motion)
    assert tilt_deg(motion, acc)[t_s > 30].mean() == pytest.approx(82, abs=2)
    right = np.array([1.0, 0.0, 0.0]) @ motion.mount
    sides = [
        float((acc[(t_s > hold.start_s) & (t_s < hold.end_s)] @ right).mean()) for hold in motion.holds(LONG_S)[:6]
    ]
    assert all(a * b < 0 for a, b in pairwise(sides))


def test_squats_go_down_and_up_again_as_often_as_said() -> None:
    motion = squats(5)
    t_s, acc, _ = measured(motion)
    bends = motion.truth(LONG_S)
    assert len(bends) == 20
    assert bends[10].start_s - bends[9].start_s == pytest.approx(64.0), "a minute between the sets"
    for bend in bends:
        # The trunk is slowed down at the bottom: more than gravity there, less on the way down.
        around = acc[(t_s > bend.start_s) & (t_s < bend.peak_s)]
        force = np.linalg.norm(around, axis=1)
        assert force.argmin() < force.argmax()
        assert force.max() > 9.80665 + 0.5 > 9.80665 - 0.5 > force.min()
        assert motion.inclination_deg(np.array([bend.peak_s]))[0] == pytest.approx(bend.rom_deg, abs=2.0)
        assert 31 < bend.rom_deg < 35.1


@pytest.mark.parametrize(("make", "count"), [(swings, 30), (throws, 23)])
def test_bursts_are_fastest_when_they_are_said_to_be(make: object, count: int) -> None:
    motion: SyntheticMotion = make(5)  # type: ignore[operator]
    t_s, _, gyr = measured(motion)
    bends = motion.truth(LONG_S)
    assert len(bends) == count
    speed = np.linalg.norm(gyr, axis=1)
    for bend in bends:
        around = (t_s >= bend.start_s) & (t_s <= bend.end_s)
        assert t_s[around][speed[around].argmax()] == pytest.approx(bend.peak_s, abs=0.03)
        assert speed[around].max() > np.radians(350)


def test_a_swing_turns_by_its_range() -> None:
    motion = swings(5)
    t_s, _, gyr = measured(motion)
    about = gyr @ motion.upright_in_sensor()
    for bend in motion.truth(LONG_S)[:10]:
        around = (t_s >= bend.start_s) & (t_s <= bend.end_s)
        assert abs(np.degrees(about[around].sum() / RATE_HZ)) == pytest.approx(bend.rom_deg, abs=3.0)


def test_walking_shakes_in_time_with_the_steps() -> None:
    _, acc, _ = measured(walking(5))
    force = np.linalg.norm(acc[3000:], axis=1)
    power = np.abs(np.fft.rfft(force - force.mean()))
    frequency_hz = np.fft.rfftfreq(len(force), 1 / RATE_HZ)
    assert frequency_hz[power.argmax()] == pytest.approx(STEP_HZ, abs=0.02)


def test_lying_shows_gravity_from_the_side_that_is_up() -> None:
    motion = lying(5)
    t_s, acc, _ = measured(motion)
    right, front = (np.eye(3)[axis] @ motion.mount for axis in (0, 1))
    up = {"supine": front, "prone": -front, "left": right, "right": -right}
    lain = motion.positions(LONG_S)
    assert [one.position for one in lain] == ["supine", "left", "prone", "right"]
    for one in lain:
        within = acc[(t_s > one.start_s) & (t_s < one.end_s)]
        assert (within @ up[one.position]).min() > 9.5


def test_the_weaker_arm_goes_less_far_and_slower() -> None:
    pair = [make(5) for make in (strong_arm, weak_arm)]
    strong, weak = (motion.truth(LONG_S) for motion in pair)
    assert len(strong) == len(weak) == 20
    assert [a.start_s for a in strong] == [b.start_s for b in weak]
    ratio = np.array([b.rom_deg / a.rom_deg for a, b in zip(strong, weak, strict=True)])
    np.testing.assert_allclose(ratio, 0.8)
    highest = [tilt_deg(motion, measured(motion, 60.0)[1]).max() for motion in pair]
    assert highest[0] == pytest.approx(90, abs=6)
    assert highest[1] == pytest.approx(72, abs=6)
