"""The inclination as a thin line: what is kept for charts of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.types import FloatArray

# Hz. A bend lasts a second and more; five points a second show its peak within a few degrees. Own choice.
LINE_RATE_HZ = 5.0
# deg per count: int16 then spans +-327 deg at a hundredth of a degree.
_STEP_DEG = 0.01
_GAP = -32768


@dataclass(frozen=True, slots=True)
class Line:
    """offset: samples from the block's first one to the line's first point. rate_hz: of the line. data: int16."""

    offset: int
    rate_hz: float
    data: bytes


def thin(inclination_deg: FloatArray, start_index: int, rate_hz: float) -> Line:
    """Keep every n-th sample of the recording's grid, so that the cuts between chunks do not matter.

    inclination_deg: (n,), NaN in gaps. start_index: grid number of its first sample.
    """
    step = max(1, round(rate_hz / LINE_RATE_HZ))
    offset = -start_index % step
    points = inclination_deg[offset::step]
    counts = np.full(points.shape, _GAP, dtype="<i2")
    known = np.isfinite(points)
    counts[known] = np.round(points[known] / _STEP_DEG).astype("<i2")
    return Line(offset, rate_hz / step, counts.tobytes())


def thick(data: bytes) -> FloatArray:
    """Return the points of a line in deg, NaN in gaps."""
    counts = np.frombuffer(data, dtype="<i2")
    return np.where(counts == _GAP, np.nan, counts * _STEP_DEG)


def envelope(t_utc_s: FloatArray, values: FloatArray, points: int) -> tuple[FloatArray, FloatArray]:
    """Thin a line to at most `points`, keeping lowest and highest of each stretch, so that no bend is lost.

    t_utc_s, values: (n,), ascending; values NaN in gaps. A stretch without any value is two NaN.
    """
    if t_utc_s.size <= points:
        return t_utc_s, values
    bins = points // 2
    start_utc_s = t_utc_s[0]
    width = (t_utc_s[-1] - start_utc_s) / bins
    number = np.clip(((t_utc_s - start_utc_s) / width).astype(np.int64), 0, bins - 1)
    firsts = np.flatnonzero(np.r_[True, np.diff(number) > 0])
    low = np.fmin.reduceat(values, firsts)
    high = np.fmax.reduceat(values, firsts)
    middle = start_utc_s + (number[firsts] + 0.5) * width
    # Lowest a quarter of the stretch early, highest a quarter late: two points with a fixed order in time.
    return (
        np.column_stack([middle - width / 4, middle + width / 4]).ravel(),
        np.column_stack([low, high]).ravel(),
    )


def with_gaps(t_utc_s: FloatArray, values: FloatArray, longest_s: float) -> tuple[FloatArray, FloatArray]:
    """Put a NaN into every pause that is longer than longest_s, so that a chart does not bridge it."""
    if t_utc_s.size < 2:
        return t_utc_s, values
    breaks = np.flatnonzero(np.diff(t_utc_s) > longest_s) + 1
    return np.insert(t_utc_s, breaks, t_utc_s[breaks - 1] + longest_s / 2), np.insert(values, breaks, np.nan)
