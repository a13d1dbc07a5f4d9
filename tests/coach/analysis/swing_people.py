"""Swings and throws of people who never lived: a rigid arm or trunk that turns about a tilted axis, from its mechanics.

There are hardly any open recordings of swings with truth, so this is the proof, and it is synthetic (docs/algorithms.md
says so). It imports nothing of the analysis. Peak rates, times and radii span what sports biomechanics reports; each
person draws speed, tempo, plane, radius, mounting, noise, range, rate and habits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.types import FloatArray

G_MPS2 = 9.81
# Own heuristic, after published swing kinematics: peak rate (deg/s) and duration (s) of the forward swing at the wrist,
# tilt of its axis from the vertical (deg), and whether it ends in a blow.
KINDS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float], bool]] = {
    "golf": ((900, 1900), (0.24, 0.36), (35, 60), True),
    "bat": ((900, 2100), (0.16, 0.30), (10, 40), True),
    "tennis": ((700, 1700), (0.18, 0.36), (10, 60), True),
    "throw": ((1000, 2600), (0.12, 0.26), (20, 70), False),
}
# Own heuristic: a trunk turns at a third to a half of what its wrist does.
TRUNK_SHARE = (0.33, 0.5)


@dataclass(frozen=True, slots=True)
class Session:
    """acc_mps2, gyr_radps: (n, 3) in sensor axes. peaks_s, peaks_degps, lefts: truth of each swing, in order.

    lefts: +1 where the body turns to the left (anticlockwise from above), -1 to the right. clipped: beyond full scale.
    """

    rate_hz: float
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    peaks_s: tuple[float, ...]
    peaks_degps: tuple[float, ...]
    lefts: tuple[int, ...]
    clipped: tuple[bool, ...]
    axis_tilt_deg: float


@dataclass(slots=True)
class _Course:
    """Angle of turn about the swing's axis and what else moves, sampled finely. All (n,)."""

    rate: FloatArray
    blow: FloatArray
    walk: FloatArray


def _bump(t: FloatArray, start: float, duration: float) -> FloatArray:
    """Return the speed of a minimum-jerk movement of unit size (Flash and Hogan 1985)."""
    u = np.clip((t - start) / duration, 0, 1)
    return 30 * u**2 * (1 - u) ** 2 / duration


def play(kind: str, seed: int, swings: int = 20, trunk: bool = False) -> Session:
    """Return one person's session: swings with waggles, steps and pauses between, as one sensor measures it."""
    draw = np.random.default_rng([seed, list(KINDS).index(kind), int(trunk)])
    (low, high), (quick, slow), tilt, struck = KINDS[kind]
    rate_hz = float(draw.choice([60, 100, 200]))
    side = int(draw.choice([-1, 1]))
    typical = draw.uniform(low, high) * (draw.uniform(*TRUNK_SHARE) if trunk else 1.0)
    forward_s = draw.uniform(quick, slow) * (1.6 if trunk else 1.0)
    gaps = draw.uniform(3.5, 14.0, swings)
    starts = 4.0 + np.cumsum(gaps)
    t = np.arange(round((starts[-1] + 6) * rate_hz)) / rate_hz
    course = _Course(np.zeros_like(t), np.zeros_like(t), np.zeros_like(t))
    peaks_s, peaks_degps, lefts = [], [], []
    for start, gap in zip(starts, gaps, strict=True):
        peak = typical * draw.uniform(0.85, 1.12)
        lefts.append(side)
        duration = forward_s * draw.uniform(0.92, 1.08)
        peaks_s.append(_swing(course, t, draw, start, duration, np.radians(peak) * side, struck))
        peaks_degps.append(peak)
        _between(course, t, draw, start - gap + 2.0, start - 1.6, np.radians(typical))
    axis_tilt_deg = float(draw.uniform(*tilt)) * (0.5 if trunk else 1.0)
    radius_m = draw.uniform(0.05, 0.12) if trunk else draw.uniform(0.35, 0.7)
    acc, gyr = _measured(course, t, rate_hz, draw, axis_tilt_deg, radius_m)
    limit = np.radians(float(draw.choice([1000, 2000])) if trunk else 2000.0)
    clipped = tuple(bool(np.radians(peak) * 1.02 > limit) for peak in peaks_degps)
    return Session(
        rate_hz,
        np.clip(acc, -16 * 9.80665, 16 * 9.80665),
        np.clip(gyr, -limit, limit),
        tuple(peaks_s),
        tuple(peaks_degps),
        tuple(lefts),
        clipped,
        axis_tilt_deg,
    )


def _swing(
    course: _Course, t: FloatArray, draw: np.random.Generator, start: float, forward_s: float, peak: float, struck: bool
) -> float:
    """Add backswing, pause, forward swing, blow, follow-through and the way back; return when the rate is highest."""
    # A minimum-jerk movement's peak speed is 1.875 times its mean.
    size = peak * forward_s / 1.875
    back_s, pause_s = draw.uniform(0.5, 1.1), draw.uniform(0.02, 0.25)
    back = draw.uniform(0.4, 0.75)
    course.rate += -back * size * _bump(t, start - forward_s / 2 - pause_s - back_s, back_s)
    course.rate += size * _bump(t, start - forward_s / 2, forward_s)
    course.rate += -(1 - back) * size * _bump(t, start + forward_s / 2 + draw.uniform(0.1, 0.5), draw.uniform(0.9, 1.6))
    if struck:
        since = t - (start + draw.uniform(0.0, 0.02))
        ringing = np.exp(-np.clip(since, 0, None) / 0.015) * np.sin(2 * np.pi * draw.uniform(25, 60) * since)
        course.blow += np.where(since >= 0, draw.uniform(30, 160) * ringing, 0.0)
    return start


def _between(
    course: _Course, t: FloatArray, draw: np.random.Generator, start: float, end: float, typical: float
) -> None:
    """Fill the time before a swing with waggles, steps, or nothing."""
    habit = draw.choice(["waggle", "walk", "stand"])
    if end - start < 0.8:
        return
    if habit == "waggle":
        for at in np.arange(start, end - 0.5, draw.uniform(0.45, 0.9)):
            size = typical * draw.uniform(0.05, 0.22) * 0.2 / 1.875
            course.rate += size * (_bump(t, at, 0.2) - _bump(t, at + 0.2, 0.2))
    elif habit == "walk":
        inside = (t >= start) & (t <= end)
        course.walk += np.where(inside, np.sin(2 * np.pi * draw.uniform(1.6, 2.1) * (t - start)), 0.0)


def _measured(
    course: _Course, t: FloatArray, rate_hz: float, draw: np.random.Generator, axis_tilt_deg: float, radius_m: float
) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr (n, 3) in randomly mounted sensor axes."""
    tilt, heading = np.radians(axis_tilt_deg), draw.uniform(0, 2 * np.pi)
    axis = np.array([np.sin(tilt) * np.cos(heading), np.sin(tilt) * np.sin(heading), np.cos(tilt)])
    angle = np.cumsum(course.rate) / rate_hz
    outward = np.cross(axis, np.roll(axis, 1) + 0.1)
    outward /= np.linalg.norm(outward)
    tangent = np.cross(axis, outward)
    # Seen from the turning body the world turns back; on the body, axis and radius stand still.
    cos, sin = np.cos(-angle)[:, None], np.sin(-angle)[:, None]
    up = np.array([0.0, 0.0, 1.0])
    gravity = G_MPS2 * (up * cos + np.cross(axis, up) * sin + axis * (axis @ up) * (1 - cos))
    turning = np.gradient(course.rate, 1 / rate_hz)
    acc = gravity - radius_m * course.rate[:, None] ** 2 * outward + radius_m * turning[:, None] * tangent
    acc = acc + course.blow[:, None] * draw.normal(size=3) + 2.0 * course.walk[:, None] * up
    gyr = course.rate[:, None] * axis + 0.004 * course.blow[:, None] * draw.normal(size=3)
    gyr = gyr + 0.9 * course.walk[:, None] * np.array([0.3, 0.9, 0.1])
    mount = np.linalg.qr(draw.normal(size=(3, 3)))[0]
    if np.linalg.det(mount) < 0:
        mount[:, 0] *= -1
    noise = draw.uniform(0.5, 2.0)
    acc = acc @ mount + draw.normal(scale=0.05 * noise, size=acc.shape)
    gyr = gyr @ mount + draw.normal(scale=0.004 * noise, size=gyr.shape) + draw.normal(scale=0.01, size=3)
    return np.asarray(acc), np.asarray(gyr)
