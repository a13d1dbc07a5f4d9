"""Alignment from a pose and a bow: a known mounting is found, what cannot be used is refused with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.alignment import AlignmentRefused, estimate_alignment, estimate_upright
from devices.types import FloatArray
from tests.coach.analysis.motion import G, mounting, worn

RATE = 50.0


def bow(depth_deg: float, seconds: float = 4.0, rate: float = RATE) -> FloatArray:
    t = np.arange(round(seconds * rate)) / rate
    return depth_deg / 2 * (1 - np.cos(2 * np.pi * t / seconds))


def still(seed: int, seconds: float = 3.0) -> tuple[FloatArray, FloatArray]:
    zero = np.zeros(round(seconds * RATE))
    return worn(zero, zero, RATE, seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("gyroscope", [True, False])
def test_any_mounting_is_found(seed: int, gyroscope: bool) -> None:
    pose = estimate_upright(RATE, *still(seed))
    acc, gyr = worn(bow(45.0), 0.0 * bow(45.0), RATE, seed)
    found = estimate_alignment(RATE, pose, acc, gyr if gyroscope else np.full_like(gyr, np.nan))
    np.testing.assert_allclose(found.upright, mounting(seed) @ [0.0, 0.0, 1.0], atol=0.01)
    np.testing.assert_allclose(found.forward, mounting(seed) @ [1.0, 0.0, 0.0], atol=0.02)
    assert np.dot(found.forward, found.upright) == pytest.approx(0.0, abs=1e-9)
    assert found.bow_deg == pytest.approx(45.0, abs=1.5 if gyroscope else 4.0)
    assert found.spread_deg < 1.0


def test_a_slightly_crooked_bow_gives_its_mean_direction() -> None:
    angle = bow(40.0)
    pose = estimate_upright(RATE, *still(3))
    found = estimate_alignment(RATE, pose, *worn(angle, 0.1 * angle, RATE, 3))
    error_deg = np.degrees(np.arccos(np.dot(found.forward, mounting(3) @ [1.0, 0.0, 0.0])))
    assert error_deg == pytest.approx(np.degrees(np.arctan(0.1)), abs=1.0)


def test_what_is_missing_is_left_out() -> None:
    acc, gyr = still(2, 4.0)
    acc[50:80], gyr[150:160] = np.nan, np.nan
    assert estimate_upright(RATE, acc, gyr).upright == pytest.approx(tuple(mounting(2) @ [0.0, 0.0, 1.0]), abs=1e-6)


def test_a_pose_that_is_none_is_refused() -> None:
    acc, gyr = still(1)
    with pytest.raises(AlignmentRefused, match=r"1\.0 s of data"):
        estimate_upright(RATE, acc[:50], gyr[:50])
    with pytest.raises(AlignmentRefused, match="turned at 5"):
        estimate_upright(RATE, acc, gyr + np.radians(3.0))
    estimate_upright(RATE, acc, gyr + np.radians(2.8))
    shaken = acc * (1 + 0.1 * np.sin(np.arange(len(acc)))[:, None])
    for turning in (gyr, np.full_like(gyr, np.nan)):
        with pytest.raises(AlignmentRefused, match="away from gravity"):
            estimate_upright(RATE, shaken, turning)
    with pytest.raises(AlignmentRefused, match="away from gravity"):
        estimate_upright(RATE, acc / G, gyr)


def test_a_bow_that_is_none_is_refused() -> None:
    pose = estimate_upright(RATE, *still(1))
    with pytest.raises(AlignmentRefused, match="15 degrees deep"):
        estimate_alignment(RATE, pose, *worn(bow(15.0), 0.0 * bow(15.0), RATE, 1))
    half = bow(40.0)
    crooked = np.concatenate([half, 0.0 * half]), np.concatenate([0.0 * half, half])  # forward, then to the side
    with pytest.raises(AlignmentRefused, match="not straight"):
        estimate_alignment(RATE, pose, *worn(*crooked, RATE, 1))
    swayed = np.concatenate([half, -half])
    with pytest.raises(AlignmentRefused, match="not straight"):
        estimate_alignment(RATE, pose, *worn(swayed, 0.0 * swayed, RATE, 1))
    acc, gyr = worn(half, 0.0 * half, RATE, 1)
    with pytest.raises(AlignmentRefused, match=r"0\.8 s of data"):
        estimate_alignment(RATE, pose, acc[:40], gyr[:40])
