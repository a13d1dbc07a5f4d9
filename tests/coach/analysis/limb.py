"""A sensor on a limb that turns about one axis, with a known answer. No product code."""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray
from tests.coach.analysis.motion import G, mounting

LEVEL, UPRIGHT = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def limb(
    angle_deg: FloatArray,
    rate_hz: float,
    axis: FloatArray = LEVEL,
    lever_m: float = 0.0,
    seed: int = 1,
    noise_share: float = 0.0,
    lift_mps2: FloatArray | None = None,
    turning_degps: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return acc (m/s^2) and gyr (rad/s) of a sensor `lever_m` from a fixed joint.

    axis: in the earth's axes, z up. noise_share: deviation of the noise as a share of each signal's own.
    lift_mps2: (n,) up and down of the joint. turning_degps: of the whole body about the vertical.
    """
    angle = np.radians(angle_deg)
    body = _about(UPRIGHT, np.radians(turning_degps) * np.arange(angle.size) / rate_hz)
    turn = body @ _about(axis / np.linalg.norm(axis), angle) @ mounting(seed)
    return _measured(turn, rate_hz, lever_m, seed, noise_share, lift_mps2)


def wandering(seconds: float, rate_hz: float, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return what a sensor on an arm measures that wanders about all three axes: the faster, the less far."""
    random = np.random.default_rng(seed)
    n = round(seconds * rate_hz)
    frequency = np.fft.rfftfreq(n, 1 / rate_hz)
    shape = np.where((frequency > 0.03) & (frequency < 3.0), 1.0 / np.maximum(frequency, 0.03), 0.0)
    angles = np.fft.irfft(np.fft.rfft(random.normal(size=(3, n))) * shape, n)
    angles *= np.radians(25.0) / angles.std()
    turn = np.eye(3)
    for axis, angle in zip(np.eye(3), angles, strict=True):
        turn = turn @ _about(axis, angle)
    return _measured(turn, rate_hz, 0.3, seed + 1, 0.0, None)


def _measured(
    turn: FloatArray, rate_hz: float, lever_m: float, seed: int, noise_share: float, lift_mps2: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    place = turn @ (mounting(seed).T @ np.array([0.0, lever_m, -lever_m / 2]))
    push = np.gradient(np.gradient(place, axis=0), axis=0) * rate_hz**2 + [0.0, 0.0, G]
    if lift_mps2 is not None:
        push[:, 2] += lift_mps2
    acc = np.einsum("nji,nj->ni", turn, push)
    step = np.einsum("nji,njk->nik", turn[:-1], turn[1:])
    rates = np.stack([step[:, 2, 1] - step[:, 1, 2], step[:, 0, 2] - step[:, 2, 0], step[:, 1, 0] - step[:, 0, 1]], 1)
    gyr = np.concatenate([np.zeros((1, 3)), rates * rate_hz / 2])
    random = np.random.default_rng(seed + 50)
    if noise_share:
        acc = acc + random.normal(scale=noise_share * np.sqrt(acc.var(axis=0).sum()), size=acc.shape)
        gyr = gyr + random.normal(scale=noise_share * np.sqrt(gyr.var(axis=0).sum()), size=gyr.shape)
    return acc + random.normal(scale=0.03, size=acc.shape), gyr + random.normal(scale=0.003, size=gyr.shape) + 0.004


def strokes(rate_hz: float, *parts: tuple[float, float]) -> FloatArray:
    """Return an angle in deg that goes in (seconds) to (deg), part after part, from 0; each as a smooth stroke."""
    angle, out = 0.0, []
    for seconds, target in parts:
        share = np.arange(round(seconds * rate_hz)) / max(round(seconds * rate_hz), 1)
        out.append(angle + (target - angle) * (1 - np.cos(np.pi * share)) / 2)
        angle = target
    return np.concatenate(out)


def repeated(
    count: int, up_s: float, hold_s: float, down_s: float, rest_s: float, deg: float
) -> list[tuple[float, float]]:
    """Return the parts of `count` repetitions for `strokes`."""
    return [part for _ in range(count) for part in ((up_s, deg), (hold_s, deg), (down_s, 0.0), (rest_s, 0.0))]


def walking(seconds: float, rate_hz: float, swing_deg: float, steps_hz: float) -> tuple[FloatArray, FloatArray]:
    """Return the angle of a swinging limb and the up and down of the body, twice as often."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    lift = 2.2 * np.sin(2 * np.pi * steps_hz * t) + 0.8 * np.sin(4 * np.pi * steps_hz * t + 1.0)
    return swing_deg * np.sin(np.pi * steps_hz * t), lift


def _about(axis: FloatArray, angle: FloatArray) -> FloatArray:
    """Return rotation matrices (n, 3, 3) about one axis."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)
