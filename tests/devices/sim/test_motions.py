"""Synthetic bodies: what they measure agrees with what they say they did."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.sim.motions import MOTIONS, bows, desk, idle, lifting
from devices.sim.randomness import bell, uniform

RATE_HZ = 60.0
G = 9.80665


@pytest.mark.parametrize("name", sorted(MOTIONS))
@given(cuts=st.lists(st.integers(1, 900), min_size=1, max_size=6), seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_any_stretch_equals_the_whole(name: str, cuts: list[int], seed: int) -> None:
    motion = MOTIONS[name](seed)
    whole_acc, whole_gyr = motion.samples(1000, sum(cuts), RATE_HZ)
    at = 0
    for count in cuts:
        acc, gyr = MOTIONS[name](seed).samples(1000 + at, count, RATE_HZ)
        np.testing.assert_array_equal(acc, whole_acc[at : at + count])
        np.testing.assert_array_equal(gyr, whole_gyr[at : at + count])
        at += count


def test_seeds_differ_and_repeat() -> None:
    one, same, other = (lifting(seed).samples(0, 60, RATE_HZ)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1.0, "another seed wears the sensor another way"


def test_bows_equal_their_formula() -> None:
    motion = bows(3)
    t_s = np.arange(1200) / RATE_HZ
    theta_deg = 35 * (1 - np.cos(2 * np.pi * t_s / 5))
    np.testing.assert_allclose(motion.inclination_deg(t_s), theta_deg, atol=1e-5)
    acc, gyr = motion.samples(0, 1200, RATE_HZ)
    speed_radps = np.radians(35) * 2 * np.pi / 5 * np.abs(np.sin(2 * np.pi * t_s / 5))
    np.testing.assert_allclose(np.linalg.norm(gyr, axis=1), speed_radps, atol=1e-12)
    # Gravity aside, a point 0.4 m from the axis feels r w' across and r w^2 along.
    upright = motion.upright_in_sensor()
    turning = (2 * np.pi / 5) ** 2 * np.radians(35) * np.cos(2 * np.pi * t_s / 5)
    along = G * np.cos(np.radians(theta_deg)) - 0.4 * speed_radps**2
    np.testing.assert_allclose(acc @ upright, along, atol=1e-9)
    across = G * np.sin(np.radians(theta_deg)) - 0.4 * turning
    np.testing.assert_allclose(np.linalg.norm(acc - along[:, None] * upright, axis=1), np.abs(across), atol=2e-3)
    bends = motion.truth(21.0)
    assert [(bend.start_s, bend.peak_s, bend.end_s, bend.rom_deg) for bend in bends] == [
        (at, at + 2.5, at + 5.0, 70.0) for at in (0.0, 5.0, 10.0, 15.0)
    ]


@pytest.mark.parametrize("make", [lifting, desk])
def test_gyroscope_integrates_to_the_inclination(make: object) -> None:
    motion = make(5)  # type: ignore[operator]
    count = 3600
    # The same sensor on somebody who stands still shows its bias, a quarter degree per second.
    gyr = motion.samples(0, count, RATE_HZ)[1] - idle(5).samples(0, 72_000, RATE_HZ)[1].mean(axis=0)
    # Turn the sensor's idea of up with the angular rate alone, by Rodrigues' formula, midpoint rule.
    up = motion.samples(0, 1, RATE_HZ)[0][0]
    up = up / np.linalg.norm(up)
    seen = []
    for before, after in pairwise(gyr):
        seen.append(np.degrees(np.arccos(np.clip(up @ motion.upright_in_sensor(), -1, 1))))
        turn = -(before + after) / 2 / RATE_HZ
        angle = float(np.linalg.norm(turn))
        axis = turn / angle
        up = up * np.cos(angle) + np.cross(axis, up) * np.sin(angle) + axis * (axis @ up) * (1 - np.cos(angle))
    true = motion.inclination_deg(np.arange(count - 1) / RATE_HZ)
    assert true.max() > 30
    assert np.abs(np.array(seen) - true).max() < 2.0


@pytest.mark.parametrize("make", [lifting, desk, idle])
def test_the_first_seconds_are_still_and_upright(make: object) -> None:
    for seed in range(5):
        motion = make(seed)  # type: ignore[operator]
        acc, gyr = motion.samples(0, int(20 * RATE_HZ), RATE_HZ)
        assert abs(np.linalg.norm(acc, axis=1).mean() - G) < 0.02
        assert np.degrees(np.sqrt((gyr**2).sum(axis=1).mean())) < 5
        assert motion.inclination_deg(np.arange(0, 20, 0.1)).max() < 4
        direction = acc.mean(axis=0) / np.linalg.norm(acc.mean(axis=0))
        assert np.degrees(np.arccos(direction @ motion.upright_in_sensor())) < 3


def test_lifting_bends_as_often_and_as_deep_as_it_says() -> None:
    for seed in range(5):
        motion = lifting(seed)
        bends = motion.truth(3600.0)
        assert 6 <= len(bends) / 60 <= 9
        assert all(45 <= bend.rom_deg <= 75 for bend in bends)
        assert all(one.end_s < other.start_s for one, other in pairwise(bends))
        assert bends[0].start_s >= 24
        peaks = motion.inclination_deg(np.array([bend.peak_s for bend in bends]))
        assert np.abs(peaks - [bend.rom_deg for bend in bends]).max() < 3.5
        between = motion.inclination_deg(np.array([bend.end_s for bend in bends]))
        assert between.max() < 4


def test_desk_bends_rarely() -> None:
    for seed in range(5):
        motion = desk(seed)
        inclination = motion.inclination_deg(np.arange(0, 7200, 0.25))
        upward = np.count_nonzero((inclination[:-1] < 20) & (inclination[1:] >= 20))
        assert upward == len(motion.truth(7200.0))
        assert upward / 120 < 1


def test_random_numbers_are_spread_as_they_should_be() -> None:
    numbers = np.arange(200_000)
    even = uniform(9, 3, numbers, 2, 5)
    assert abs(even.mean() - 3.5) < 0.01
    assert even.min() >= 2
    assert even.max() < 5
    normal = bell(9, 4, numbers)
    assert abs(normal.mean()) < 0.01
    assert abs(normal.std() - 1) < 0.01
    assert abs(np.corrcoef(normal[:-1], normal[1:])[0, 1]) < 0.01
    assert abs(np.corrcoef(normal, bell(9, 5, numbers))[0, 1]) < 0.01
