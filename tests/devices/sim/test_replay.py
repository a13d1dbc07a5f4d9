"""A recording as a motion source: the rate changes, the signal does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from devices.errors import UnknownFormat
from devices.sim.replay import RecordingMotion
from devices.sim.resample import resampled

OFFERED = (1, 4, 10, 12, 15, 20, 30, 60)


def sine(frequency_hz: float, rate_hz: float, duration_s: float = 60.0) -> np.ndarray:
    t_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * t_s + 0.7)[:, None]


@pytest.mark.parametrize(("rate_hz", "new_hz"), [(25.0, 30.0), (25.0, 60.0), (100.0, 60.0), (2000 / 7, 60.0), (50, 20)])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.8])
def test_a_sine_in_the_band_is_kept(rate_hz: float, new_hz: float, share: float) -> None:
    frequency_hz = share * min(rate_hz, new_hz) / 2
    out = resampled(sine(frequency_hz, rate_hz), rate_hz, new_hz)
    expected = sine(frequency_hz, new_hz)[: len(out)]
    inner = slice(int(2 * new_hz), -int(2 * new_hz))
    assert len(out) == pytest.approx(60 * new_hz, abs=1)
    assert np.abs(out - expected)[inner].max() < 1e-3


@pytest.mark.parametrize(("rate_hz", "new_hz"), [(100.0, 60.0), (2000 / 7, 60.0), (50.0, 20.0), (100.0, 12.0)])
@pytest.mark.parametrize("share", [1.0, 1.3])
def test_a_sine_beyond_the_band_is_gone(rate_hz: float, new_hz: float, share: float) -> None:
    out = resampled(sine(share * new_hz / 2, rate_hz), rate_hz, new_hz)
    assert np.abs(out[int(4 * new_hz) : -int(4 * new_hz)]).max() < 1e-4


def test_a_constant_stays_itself_to_the_ends() -> None:
    out = resampled(np.full((250, 2), 9.81), 25.0, 30.0)
    assert out.shape == (300, 2)
    np.testing.assert_allclose(out, 9.81, rtol=1e-12)


def tilted(degrees: float) -> np.ndarray:
    return 9.81 * np.array([np.sin(np.radians(degrees)), 0.0, np.cos(np.radians(degrees))])


def slow_lean(count: int = 1000, rate_hz: float = 25.0) -> RecordingMotion:
    """Forty seconds that end 20 degrees from where they began, with the gyroscope that belongs to it."""
    angle = np.linspace(0, 20, count)
    acc = np.array([tilted(one) for one in angle])
    # Leaning by a in the x-z plane turns the sensor about -y: up moves towards +x in sensor axes.
    gyr = np.tile([0.0, -np.radians(20) / (count - 1) * rate_hz, 0.0], (count, 1))
    return RecordingMotion(acc, gyr, rate_hz, repeat_to_s=130.0)


def test_repeats_fill_the_time_and_tell_their_joins() -> None:
    motion = slow_lean()
    assert motion.duration_s == 130.0
    assert motion.joins_s == (38.0, 76.0, 114.0)
    acc, _ = motion.samples(0, 10_000, 25.0)
    assert acc.shape == (3250, 3)
    # Away from the joins every copy is the recording itself.
    np.testing.assert_array_equal(acc[:950], np.array([tilted(one) for one in np.linspace(0, 20, 1000)])[:950])
    np.testing.assert_array_equal(acc[1000:1900], acc[50:950])


def test_joins_turn_the_gyroscope_with_the_accelerometer() -> None:
    motion = slow_lean()
    acc, gyr = motion.samples(0, 3250, 25.0)
    across_join = slice(900, 1100)
    lean = np.degrees(np.arctan2(acc[across_join, 0], acc[across_join, 2]))
    turned = -np.degrees(np.cumsum(gyr[across_join, 1]) / 25.0)
    assert np.ptp(lean) > 15
    assert np.abs((turned - turned[0]) - (lean - lean[0])).max() < 3


def test_rates_are_chosen_among_the_offered() -> None:
    still = np.tile(tilted(0), (500, 1))
    assert RecordingMotion(still, 0 * still, 25.0).nearest_rate_hz(OFFERED) == 30
    assert RecordingMotion(still, 0 * still, 100.0).nearest_rate_hz(OFFERED) == 60
    assert RecordingMotion(still, 0 * still, 20.0).nearest_rate_hz(OFFERED) == 20


def save(path: Path, **other: np.ndarray | float) -> Path:
    still = np.tile(tilted(0), (500, 1))
    np.savez(path, **{"fs": 25.0, "chest_acc": still, "chest_gyr": 0 * still, **other})
    return path


def test_a_file_is_read_and_short_holes_are_bridged(tmp_path: Path) -> None:
    holed = np.tile(tilted(0), (500, 1))
    holed[100:102] = np.nan
    motion = RecordingMotion.from_npz(save(tmp_path / "one.npz", chest_acc=holed))
    acc, _ = motion.samples(0, 600, 30.0)
    np.testing.assert_allclose(acc, np.tile(tilted(0), (600, 1)), atol=1e-5)


def test_files_that_cannot_be_replayed_say_why(tmp_path: Path) -> None:
    holed = np.tile(tilted(0), (500, 1))
    holed[100:140] = np.nan
    cases = {
        "40 samples in a row": save(tmp_path / "a.npz", chest_acc=holed),
        "there is no 'foot'": save(tmp_path / "b.npz"),
        "no such file": tmp_path / "c.npz",
    }
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04 not a recording")
    cases["npz"] = tmp_path / "d.npz"
    for told, path in cases.items():
        with pytest.raises(UnknownFormat, match=told):
            RecordingMotion.from_npz(path, "foot" if told.endswith("'foot'") else "chest")


@pytest.mark.recordings
def test_real_trunk_bends_keep_their_shape(recordings: Path) -> None:
    path = recordings / "pted" / "s2_e2_test.npz"
    with np.load(path) as file:
        acc = file["chest_acc"].astype(float)
    motion = RecordingMotion.from_npz(path, "chest", repeat_to_s=720.0)
    out, _ = motion.samples(0, 30_000, 30.0)
    assert len(out) == 720 * 30
    # Every sixth sample at 30 Hz falls on every fifth at 25 Hz.
    np.testing.assert_allclose(out[0:6000:6], acc[0:5000:5], atol=0.6)
    assert np.sqrt(np.mean((out[60:6000:6] - acc[50:5000:5]) ** 2)) < 0.05
