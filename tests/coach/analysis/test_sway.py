"""Sway of a tilt with known spread, drift and jerk."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.sway import estimate_sway, tilt_components_deg

STEP = 0.02
T = np.arange(3000) * STEP


def test_a_sine_on_a_drift() -> None:
    tilt = np.stack([2.0 * np.sin(2 * np.pi * 0.5 * T) + 0.1 * T, np.zeros_like(T)], axis=1)
    found = estimate_sway(T, tilt, np.zeros((T.size, 3)), STEP)
    assert found is not None
    assert found.rms_deg == pytest.approx(2.0 / np.sqrt(2.0), rel=0.01)
    assert found.drift_deg == pytest.approx(6.0, abs=0.2)
    assert found.ellipse_95_deg2 == pytest.approx(0.0, abs=0.01), "a line has no area"
    assert found.jerk_rms_mps3 == 0.0


def test_the_ellipse_of_a_normal_tilt() -> None:
    tilt = np.random.default_rng(1).normal(size=(T.size, 2)) * np.array([1.0, 0.5])
    found = estimate_sway(T, tilt, np.zeros((T.size, 3)), STEP)
    assert found is not None
    assert found.ellipse_95_deg2 == pytest.approx(np.pi * 5.9915 * 1.0 * 0.5, rel=0.06)
    assert found.first_third_deg == pytest.approx(found.last_third_deg, rel=0.1)


def test_thirds_and_jerk() -> None:
    tilt = np.stack([np.where(T > 40.0, 3.0, 1.0) * np.sin(2 * np.pi * T), np.zeros_like(T)], axis=1)
    acc = np.stack([np.sin(2 * np.pi * 0.5 * T), np.zeros_like(T), np.full_like(T, 9.81)], axis=1)
    found = estimate_sway(T, tilt, acc, STEP)
    assert found is not None
    assert found.last_third_deg / found.first_third_deg == pytest.approx(3.0, rel=0.05)
    assert found.jerk_rms_mps3 == pytest.approx(np.pi / np.sqrt(2.0), rel=0.01)


def test_too_short_has_no_sway() -> None:
    assert estimate_sway(T[:29], np.zeros((29, 2)), np.zeros((29, 3)), STEP) is None


def test_components_keep_the_angle() -> None:
    for angle in (0.0, 0.5, 30.0, 89.0, 120.0):
        for way in np.radians([0.0, 40.0, 200.0]):
            up = np.array([[np.sin(np.radians(angle)) * np.cos(way), np.sin(np.radians(angle)) * np.sin(way),
                            np.cos(np.radians(angle))]])  # fmt: skip
            tilt = tilt_components_deg(up, (0.0, 0.0, 1.0))
            assert np.hypot(*tilt[0]) == pytest.approx(angle, abs=1e-9)
