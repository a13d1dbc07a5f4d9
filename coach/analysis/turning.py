"""A movement along one axis, and where it turns.

An axis is a direction in the space of unit quaternions. Unlike an angle about a body's axis or the direction of
gravity, the projection onto it neither wraps nor folds back within a turn of 360 degrees, and it sees a turn about the
vertical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.analysis.motion_types import Stretch
from devices.types import FloatArray, IntArray

# A unit quaternion's components change by half the angle: this turns a chord between two of them into degrees.
CHORD_DEG = float(np.degrees(2.0))


def turning_points(values: FloatArray, threshold: float) -> IntArray:
    """Return the indices where `values` (n,) turns, alternating high and low, each at least `threshold` from the next.

    The first and the last may lie at the edge. Empty when nothing moves that far.
    """
    if values.size < 2:
        return np.empty(0, dtype=np.int64)
    rising = values[1:] > values[:-1]
    local = np.flatnonzero(rising[1:] != rising[:-1]) + 1
    places = [0, *local.tolist(), values.size - 1]
    turns: list[int] = []
    direction, high, low, high_at, low_at = 0, values[0], values[0], 0, 0
    for at, value in zip(places, values[places].tolist(), strict=True):
        if value > high:
            high, high_at = value, at
        if value < low:
            low, low_at = value, at
        if direction >= 0 and high - value >= threshold:
            turns.append(high_at)
            direction, low, low_at = -1, value, at
        elif direction <= 0 and value - low >= threshold:
            turns.append(low_at)
            direction, high, high_at = 1, value, at
    if direction:
        turns.append(high_at if direction > 0 else low_at)
    return np.array(turns, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Course:
    """A stretch seen along one axis, with m turning points and the m - 1 strokes between them.

    along_deg: (n,) projection. turns: (m,) indices; poses: (m, 4) there; times_s: (m,). stroke_deg: (m - 1,) angle of
    each stroke in space, straight_deg along the axis. log_moving: (2, m - 1) logarithm of the time in which a stroke
    really moves, by two measures.
    """

    stretch: Stretch
    axis: FloatArray
    along_deg: FloatArray
    turns: IntArray
    poses: FloatArray
    times_s: FloatArray
    stroke_deg: FloatArray
    straight_deg: FloatArray
    log_moving: FloatArray


def follow(stretch: Stretch, axis: FloatArray, threshold_deg: float) -> Course | None:
    """Follow a stretch along an axis (4,). Returns None when it turns less than three times."""
    along = CHORD_DEG * (stretch.quat @ axis)
    turns = turning_points(along, threshold_deg)
    if turns.size < 3:
        return None
    poses = stretch.quat[turns]
    strokes = poses[1:] - poses[:-1]
    speed = np.abs(np.diff(along))
    squared = speed * speed
    first = turns[:-1]
    path, energy, fourth = (np.add.reduceat(x, first) for x in (speed, squared, squared * squared))
    # Participation: as many samples as a stroke of even speed would need; a rest before or after it adds nothing.
    moving = np.stack((path * path / energy, energy * energy / fourth)) / stretch.rate_hz
    return Course(
        stretch,
        axis,
        along,
        turns,
        poses,
        turns / stretch.rate_hz,
        CHORD_DEG * np.sqrt(np.vecdot(strokes, strokes)),
        np.abs(np.diff(along[turns])),
        np.log(moving),
    )


def moving_log(course: Course, first: int, last: int) -> float:
    """Return the first measure of `log_moving` for the samples `first` to `last`."""
    speed = np.abs(np.diff(course.along_deg[first : last + 1]))
    energy = float(speed @ speed)
    path = float(speed.sum())
    return float(np.log(path * path / energy / course.stretch.rate_hz)) if energy > 0 else -np.inf
