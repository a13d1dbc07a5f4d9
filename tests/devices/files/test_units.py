"""Units that a file does not name: refused when they are wrong, on real motion and on made one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from devices.errors import UnknownFormat
from devices.files.npz import read_npz
from devices.files.units import check_units

RATE_HZ = 50.0


def nodding(peak_deg: float, period_s: float, duration_s: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Return acc in m/s^2 and gyr in rad/s of a sensor that tilts to and fro about one axis, from the formula."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    theta = np.radians(peak_deg) / 2 * (1 - np.cos(2 * np.pi * t / period_s))
    rate = np.radians(peak_deg) / 2 * 2 * np.pi / period_s * np.sin(2 * np.pi * t / period_s)
    zero = np.zeros_like(t)
    acc = np.stack([zero, 9.81 * np.sin(theta), 9.81 * np.cos(theta)], axis=1)
    return acc, np.stack([rate, zero, zero], axis=1)


def test_radians_pass_and_degrees_are_refused_even_when_slow() -> None:
    acc, gyr = nodding(40.0, 6.0)
    assert np.degrees(np.abs(gyr)).max() < 35.0, "slow enough that no single value gives the unit away"
    check_units(Path("a.npz"), "chest", acc, gyr, RATE_HZ)
    with pytest.raises(UnknownFormat, match=r"'chest_gyr'.*deg/s"):
        check_units(Path("a.npz"), "chest", acc, np.degrees(gyr), RATE_HZ)


def test_stillness_tells_no_unit() -> None:
    random = np.random.default_rng(3)
    acc = np.array([0.0, 0.0, 9.81]) + random.normal(scale=0.02, size=(3000, 3))
    gyr = random.normal(scale=0.2, size=(3000, 3))
    check_units(Path("a.npz"), "chest", acc, gyr, RATE_HZ)


@pytest.mark.recordings
def test_every_real_recording_passes_and_most_are_refused_in_degrees(recordings: Path) -> None:
    told = total = 0
    for path in sorted(recordings.glob("*/*.npz")):
        file = read_npz(path)
        for place, sensor in file.sensors.items():
            whole = np.isfinite(sensor.acc_mps2).all(axis=1)
            acc, gyr = sensor.acc_mps2[whole], np.degrees(sensor.gyr_radps[whole])
            if np.sqrt(np.mean(np.sum(gyr**2, axis=1))) < 20.0:
                continue  # hardly moves
            total += 1
            try:
                check_units(path, place, acc, gyr, file.rate_hz)
            except UnknownFormat:
                told += 1
    assert total > 100
    assert told / total > 0.9
