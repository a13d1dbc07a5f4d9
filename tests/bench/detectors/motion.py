"""The raw signal of a course: what sensors on trunk, pelvis and wrist measure at 50 Hz. From mechanics alone.

A rigid trunk above a pelvis that goes along by half in bending and not at all in turning; an arm that strokes about an
axis of its own. All figures are own heuristics, chosen to look like people; none is tuned to a detector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.sim.body import GRAVITY_MPS2, TrunkAngles, measured
from devices.types import FloatArray
from tests.bench.detectors.course import Course, step

RATE_HZ = 50.0
# Noise and bias of a consumer sensor, and its usual full scales.
ACC_NOISE_MPS2, GYR_NOISE_RADPS, GYR_BIAS_RADPS = 0.03, 0.002, 0.004
ACC_LIMIT_MPS2, GYR_LIMIT_RADPS = 16 * GRAVITY_MPS2, float(np.radians(2000.0))
# Above the hip's axis of bending.
LEVER_M = {"chest": 0.40, "hip": 0.05}
# Share of the trunk's bending, of its turning and of its sway that a place takes part in.
FOLLOWS = {"chest": (1.0, 1.0, 1.0), "hip": (0.5, 0.05, 0.4)}
# Sway of somebody who stands or sits is slow and comes by chance.
SWAY_HZ, SWAY_MOST_HZ = 0.05, 2.0
STEP_HZ, STEP_MPS2 = (1.6, 2.0), (1.5, 3.0)
# A trunk turns at a third of the rate of the arm that strokes, and the pelvis at half of that.
STROKE_SHARE = {"chest": 0.38, "hip": 0.19}
# The calibration pose at the start of a day.
STANDS_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """acc_mps2, gyr_radps: (n, 3) in sensor axes. upright, forward: in the same, as calibrated."""

    place: str
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    upright: FloatArray
    forward: FloatArray


def trunk_signal(course: Course, place: str, rate_hz: float, draw: np.random.Generator) -> Signal:
    """Return what a sensor on the trunk or the pelvis measures of the whole day. rate_hz: as its clock really runs."""
    numbers = np.arange(-1, round(course.worn_s * rate_hz) + 1)
    t = numbers / rate_hz
    bends, turns, sways = FOLLOWS[place]
    starts = step((t - STANDS_S) / 5.0)
    flexion = np.radians(course.sits_deg) * bends * starts
    lean, turn, lift = (np.zeros_like(t) for _ in range(3))
    for begin, move_s, hold_s, depth_deg in course.stoops.tolist():
        _add_move(flexion, t, begin, move_s, hold_s, np.radians(depth_deg * bends - course.sits_deg * bends))
    for begin, move_s, angle_deg, side in course.turns.tolist():
        _add_move(turn, t, begin, move_s, 0.15, side * np.radians(angle_deg) * turns)
    for at, peak_degps, side, forward_s in course.strokes.tolist():
        _add_stroke(turn, t, at, side * np.radians(peak_degps) * STROKE_SHARE[place], forward_s * 1.5)
    for begin, end in course.walks.tolist():
        _add_walk((lean, turn, lift), t, begin, end, draw)
    for angle, size_deg in ((flexion, 0.8), (lean, 1.0), (turn, 4.0)):
        _add_sway(angle, t, size_deg * sways, draw)
    angles = TrunkAngles(
        flexion, np.gradient(flexion, 1 / rate_hz), lean, np.gradient(lean, 1 / rate_hz),
        np.gradient(turn, 1 / rate_hz), lift,
    )  # fmt: skip
    acc, gyr = measured(angles, rate_hz, LEVER_M[place])
    return _worn(place, acc, gyr, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]), draw)


def arm_signal(course: Course, place: str, rate_hz: float, draw: np.random.Generator) -> Signal:
    """Return what a sensor on the wrist measures: strokes about one tilted axis, steps, and handling between them."""
    n = round(course.worn_s * rate_hz)
    t = np.arange(n) / rate_hz
    angle = np.zeros(n)
    for at, peak_degps, side, forward_s in course.strokes.tolist():
        _add_stroke(angle, t, at, side * np.radians(peak_degps), forward_s)
    lift = np.zeros(n)
    for begin, end in course.walks.tolist():
        _add_arm_swing(angle, lift, t, begin, end, draw)
    _add_sway(angle, t, 20.0, draw)
    tilt, around = np.radians(draw.uniform(10.0, 50.0)), draw.uniform(0, 2 * np.pi)
    axis = np.array([np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), np.cos(tilt)])
    rate = np.gradient(angle, 1 / rate_hz)
    up = _turned_up(axis, angle)
    # The wrist goes round the axis at half an arm's length.
    side = np.cross(axis, np.array([0.0, 0.0, 1.0]))
    side /= np.linalg.norm(side)
    radius_m = draw.uniform(0.3, 0.6)
    acc = (GRAVITY_MPS2 + lift)[:, None] * up - radius_m * (rate**2)[:, None] * side
    acc += radius_m * np.gradient(rate, 1 / rate_hz)[:, None] * np.cross(axis, side)
    gyr = rate[:, None] * axis
    return _worn(place, acc, gyr, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]), draw)


def _turned_up(axis: FloatArray, angle: FloatArray) -> FloatArray:
    """Return the world's up (n, 3) in axes that have turned about `axis` by `angle` (Rodrigues)."""
    up = np.array([0.0, 0.0, 1.0])
    along = axis * (axis @ up)
    return np.asarray(np.cos(angle)[:, None] * (up - along) - np.sin(angle)[:, None] * np.cross(axis, up) + along)


def _span(t: FloatArray, begin: float, end: float) -> slice:
    """Return the samples from one time to another."""
    return slice(*np.searchsorted(t, (begin, end)).tolist())


def _add_move(angle: FloatArray, t: FloatArray, begin: float, move_s: float, hold_s: float, size: float) -> None:
    within = _span(t, begin, begin + 2 * move_s + hold_s)
    since = t[within] - begin
    angle[within] += size * (step(since / move_s) - step((since - move_s - hold_s) / move_s))


def _add_stroke(angle: FloatArray, t: FloatArray, at: float, peak: float, forward_s: float) -> None:
    """Add backswing, forward stroke with its fastest moment at `at`, and the slow way back."""
    size = peak * forward_s / 1.875  # a minimum-jerk movement's peak speed is 1.875 times its mean
    begin = at - forward_s / 2
    within = _span(t, begin - 1.1, begin + forward_s + 2.0)
    since = t[within] - begin
    angle[within] += size * (
        -0.5 * step((since + 1.0) / 0.85) + step(since / forward_s) - 0.5 * step((since - forward_s - 0.3) / 1.5)
    )


def _add_walk(
    parts: tuple[FloatArray, FloatArray, FloatArray], t: FloatArray, begin: float, end: float, draw: np.random.Generator
) -> None:
    lean, turn, lift = parts
    within = _span(t, begin, end)
    since = t[within] - begin
    fades = np.minimum(step(since / 2.0), step((end - begin - since) / 2.0))
    pace, bounce = draw.uniform(*STEP_HZ), draw.uniform(*STEP_MPS2)
    lift[within] += bounce * fades * np.sin(2 * np.pi * pace * since)
    lean[within] += np.radians(2.0) * fades * np.sin(np.pi * pace * since)
    turn[within] += np.radians(5.0) * fades * np.sin(np.pi * pace * since)


def _add_arm_swing(
    angle: FloatArray, lift: FloatArray, t: FloatArray, begin: float, end: float, draw: np.random.Generator
) -> None:
    """Swing the arm once every two steps; each step shakes the wrist up and down like the trunk."""
    within = _span(t, begin, end)
    since = t[within] - begin
    fades = np.minimum(step(since / 2.0), step((end - begin - since) / 2.0))
    pace, bounce = draw.uniform(*STEP_HZ), draw.uniform(*STEP_MPS2)
    angle[within] += np.radians(15.0) * fades * np.sin(np.pi * pace * since)
    lift[within] += bounce * fades * np.sin(2 * np.pi * pace * since)


def _add_sway(angle: FloatArray, t: FloatArray, size_deg: float, draw: np.random.Generator) -> None:
    """Add a wandering that never repeats: random phases, falling with the square of the frequency above SWAY_HZ."""
    n = t.size
    frequency = np.fft.rfftfreq(n, t[1] - t[0])
    few = int(np.searchsorted(frequency, SWAY_MOST_HZ))
    size = 1.0 / (1.0 + (frequency[1:few] / SWAY_HZ) ** 2)
    spectrum = np.zeros(frequency.size, dtype=np.complex128)
    spectrum[1:few] = size * np.exp(2j * np.pi * draw.uniform(size=few - 1))
    wander = np.fft.irfft(spectrum, n)
    angle += np.radians(size_deg) * wander / wander.std()


def _worn(
    place: str, acc: FloatArray, gyr: FloatArray, upright: FloatArray, forward: FloatArray, draw: np.random.Generator
) -> Signal:
    """Mount the sensor at random, add noise and bias, and keep to its full scale."""
    mount, factor = np.linalg.qr(draw.normal(size=(3, 3)))
    mount = mount * np.sign(np.diag(factor))
    if np.linalg.det(mount) < 0:
        mount[:, 0] = -mount[:, 0]
    acc = acc @ mount + draw.normal(scale=ACC_NOISE_MPS2, size=acc.shape)
    gyr = gyr @ mount + draw.normal(scale=GYR_NOISE_RADPS, size=gyr.shape) + draw.normal(scale=GYR_BIAS_RADPS, size=3)
    return Signal(
        place,
        np.clip(acc, -ACC_LIMIT_MPS2, ACC_LIMIT_MPS2),
        np.clip(gyr, -GYR_LIMIT_RADPS, GYR_LIMIT_RADPS),
        upright @ mount,
        forward @ mount,
    )
