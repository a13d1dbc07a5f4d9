"""Samples with time stamps, accelerometer and gyroscope apart or together -> one even grid, with its gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.errors import UnknownFormat
from devices.files.recording import MAX_SAMPLES, RATE_RANGE_HZ, SensorSamples
from devices.files.units import ACC_MAX_MPS2, GYR_MAX_RADPS, check_units
from devices.types import FloatArray, IntArray

# Two neighbours further apart than so many samples have a gap between them (own heuristic; as in devices/joining.py).
GAP_SAMPLES = 2.5
# Time stamps this near to the grid, in samples, are taken as the grid's; others are interpolated (own heuristic).
_ON_GRID_SAMPLES = 0.25
# A rate that is told to a thousandth is kept; this near to a whole number it is that number (own heuristic).
_WHOLE_SHARE = 0.002
STANDARD_GRAVITY_MPS2 = 9.80665
# Samples that are interpolated in one go: of a day of them, what is needed beside the result is as large again.
_AT_ONCE = 1_000_000
# Times of samples that differ by less are the same: Unix time in float64 knows 0.24 us.
_SAME_S = 1e-6


@dataclass(slots=True)
class Stream:
    """One sensor's samples: t_s (n,) on any origin, values (n, 3)."""

    t_s: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Grid:
    """rate_hz, samples; first_s: time of sample 0 on the stream's origin; notes as of RecordingFile."""

    rate_hz: float
    samples: int
    first_s: float
    sensor: SensorSamples
    t_s: FloatArray
    row_index: IntArray
    notes: tuple[str, ...]


def on_grid(where: str, place: str, acc: Stream, gyr: Stream | None) -> Grid:
    """Lay a sensor's samples on an even grid at the rate of its accelerometer.

    A gap stays a gap. The angular rate is interpolated to the accelerometer's times; where it is missing the row is.
    Raises UnknownFormat for fewer than two samples, a rate outside the range, or units that cannot be.
    """
    notes: list[str] = []
    acc = _ordered(where, "accelerometer", acc, ACC_MAX_MPS2, notes)
    rate_hz = rate_of(where, acc.t_s)
    first_s = float(acc.t_s[0])
    samples = round((float(acc.t_s[-1]) - first_s) * rate_hz) + 1
    if samples > MAX_SAMPLES:
        raise UnknownFormat(f"{where}: {samples:,} samples from first to last, more than {MAX_SAMPLES:,}; cut it.")
    since_s = acc.t_s - first_s
    index = np.rint(since_s * rate_hz).astype(np.int64)
    off = np.abs(since_s * rate_hz - index)
    even = bool(off.max() <= _ON_GRID_SAMPLES) and bool((np.diff(index) > 0).all())
    times_s = np.arange(samples) / rate_hz
    if even:
        placed = np.full((samples, 3), np.nan)
        placed[index] = acc.values
    else:
        placed = interpolated(since_s, acc.values, times_s, GAP_SAMPLES / rate_hz)
        notes.append(f"Time stamps jitter by up to {off.max() / rate_hz * 1000:.0f} ms; samples were interpolated.")
    turning = np.full((samples, 3), np.nan)
    if gyr is not None:
        gyr = _ordered(where, "gyroscope", gyr, GYR_MAX_RADPS, notes)
        reach_s = GAP_SAMPLES / rate_of(where, gyr.t_s) if len(gyr.t_s) > 1 else 0.0
        turning = interpolated(gyr.t_s - first_s, gyr.values, times_s, reach_s)
        missing = np.isnan(turning[:, 0])
        if missing.all():
            raise UnknownFormat(f"{where}: accelerometer and gyroscope were not recorded at the same time.")
        placed[missing] = np.nan
        turning[np.isnan(placed[:, 0])] = np.nan
    valid = np.isfinite(placed[:, 0])
    check_units(where, place, placed[valid], turning[valid], rate_hz)
    sensor = SensorSamples(placed.astype(np.float32), turning.astype(np.float32))
    return Grid(rate_hz, samples, first_s, sensor, since_s, index, tuple(notes))


def acc_factor(acc: FloatArray) -> tuple[float, str | None]:
    """Return what turns acceleration (n, 3) into m/s^2, told from gravity, and its unit where it was g or mg."""
    known = acc[np.isfinite(acc).all(axis=1)]
    with np.errstate(over="ignore"):
        length = float(np.median(np.linalg.norm(known, axis=1))) if len(known) else 0.0
    for unit, low, high, factor in (("g", 0.4, 2.5, 1.0), ("mg", 400.0, 2500.0, 1e-3)):
        if low <= length <= high:
            return factor * STANDARD_GRAVITY_MPS2, unit
    return 1.0, None


def in_mps2(acc: FloatArray) -> tuple[FloatArray, str | None]:
    """Return acceleration (n, 3) in m/s^2, told from gravity, and a note where it was in g or mg."""
    factor, unit = acc_factor(acc)
    return (acc, None) if unit is None else (acc * factor, f"Acceleration was in {unit}; it was converted to m/s².")


def _ordered(where: str, what: str, stream: Stream, most: float, notes: list[str]) -> Stream:
    """Return the samples in order of time, without those that carry no number up to `most` or a time of before."""
    finite = np.isfinite(stream.t_s) & (np.abs(stream.values) <= most).all(axis=1)
    if not finite.all():
        notes.append(f"{np.count_nonzero(~finite)} rows of the {what} hold no numbers and were left out.")
        stream = Stream(stream.t_s[finite], stream.values[finite])
    steps = np.diff(stream.t_s)
    if (steps < 0).any():
        notes.append(f"{np.count_nonzero(steps < 0)} rows of the {what} went back in time and were put in order.")
        order = np.argsort(stream.t_s, kind="stable")
        stream = Stream(stream.t_s[order], stream.values[order])
        steps = np.diff(stream.t_s)
    again = np.flatnonzero(steps == 0) + 1
    if again.size:
        notes.append(f"{again.size} rows of the {what} repeat the time before and were left out.")
        stream = Stream(np.delete(stream.t_s, again), np.delete(stream.values, again, axis=0))
    if len(stream.t_s) < 2:
        raise UnknownFormat(f"{where}: the {what} has {len(stream.t_s)} samples; it takes two to tell a rate.")
    return stream


def rate_of(where: str, t_s: FloatArray) -> float:
    """Return the samples per second, without the gaps: the steps of up to two and a half usual ones."""
    steps = np.diff(t_s)
    usual_s = float(np.median(steps))
    near = steps[steps <= GAP_SAMPLES * usual_s]
    counts = np.rint(near / usual_s)
    # A step twice as long is a lost sample, unless the time stamps jitter so much that it may be one late sample.
    if float(np.percentile(np.abs(near / usual_s - counts), 90)) > _ON_GRID_SAMPLES / 2:
        counts = np.ones(near.size)
    rate_hz = float(counts.sum() / near.sum())
    whole = round(rate_hz)
    if whole and abs(rate_hz / whole - 1) < _WHOLE_SHARE and abs(float(t_s[-1] - t_s[0])) * abs(rate_hz - whole) < 0.25:
        rate_hz = float(whole)
    low, high = RATE_RANGE_HZ
    if not low <= rate_hz <= high:
        raise UnknownFormat(
            f"{where}: its time stamps show {rate_hz:.4g} samples a second; it takes {low:g} to {high:g}."
        )
    return rate_hz


def interpolated(t_s: FloatArray, values: FloatArray, at_s: FloatArray, reach_s: float) -> FloatArray:
    """Return values (n, 3) at other times (m,), NaN outside and where the neighbours are further apart than reach_s."""
    out = np.empty((len(at_s), 3))
    for first in range(0, len(at_s), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        low = max(int(np.searchsorted(t_s, at_s[part].min())) - 1, 0)
        near = slice(min(low, len(t_s) - 2), max(int(np.searchsorted(t_s, at_s[part].max())) + 1, low + 2))
        _interpolate(t_s[near], values[near], at_s[part], reach_s, out[part])
    return out


def _interpolate(t_s: FloatArray, values: FloatArray, at_s: FloatArray, reach_s: float, out: FloatArray) -> None:
    right = np.clip(np.searchsorted(t_s, at_s), 1, len(t_s) - 1)
    apart = t_s[right] - t_s[right - 1]
    # A hair of tolerance, so that a time on the last sample is not outside by rounding.
    inside = (at_s >= t_s[0] - _SAME_S) & (at_s <= t_s[-1] + _SAME_S)
    exact = (np.abs(at_s - t_s[right]) <= _SAME_S) | (np.abs(at_s - t_s[right - 1]) <= _SAME_S)
    for axis in range(3):
        out[:, axis] = np.interp(at_s, t_s, values[:, axis])
    out[~(inside & ((apart <= reach_s) | exact))] = np.nan
