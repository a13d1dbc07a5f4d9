"""Motion with a known answer: what a sensor on a hinge measures, from the angle alone. No product code."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from devices.types import Chunk, FloatArray, Gap

G = 9.81


def mounting(seed: int) -> FloatArray:
    """Return a random rotation matrix: no axis of the sensor points anywhere in particular."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else q[:, [1, 0, 2]]


def hinge(angle_deg: FloatArray, rate_hz: float, seed: int = 1, noise: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return acc (m/s^2) and gyr (rad/s) of a slow hinge that leans by `angle_deg` from the vertical."""
    theta = np.radians(angle_deg)
    zero = np.zeros_like(theta)
    # Leaning by theta about x: "up" moves from z towards y in the body's axes.
    up = np.stack([zero, np.sin(theta), np.cos(theta)], axis=1)
    speed = np.gradient(theta) * rate_hz if theta.size > 1 else zero
    rate = np.stack([speed, zero, zero], axis=1)
    turn = mounting(seed)
    acc, gyr = G * up @ turn.T, rate @ turn.T
    if noise:
        random = np.random.default_rng(seed + 100)
        acc = acc + random.normal(scale=0.05, size=acc.shape)
        gyr = gyr + random.normal(scale=0.003, size=gyr.shape) + np.array([0.01, -0.008, 0.005])
    return acc, gyr


def worn(
    flexion_deg: FloatArray, lean_deg: FloatArray, rate_hz: float, seed: int = 1, noise: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr of a sensor mounted at random on a trunk. Body axes here: x front, y left, z up.

    The trunk tilts by `flexion_deg` about y and by `lean_deg` (to the right) about x, the two at once as one rotation
    vector; the angular rate is the difference of the rotation matrices.
    """
    vectors = np.radians(np.stack([lean_deg, flexion_deg, np.zeros_like(flexion_deg)], axis=1))
    turns = _rotations(vectors)
    up = turns[:, 2, :]  # the earth's z in body axes: the third row
    steps = np.einsum("nji,njk->nik", turns[:-1], turns[1:])
    rates = np.stack([steps[:, 2, 1], steps[:, 0, 2], steps[:, 1, 0]], axis=1) * rate_hz
    gyr = np.concatenate([np.zeros((1, 3)), rates])
    acc, gyr = G * up @ mounting(seed).T, gyr @ mounting(seed).T
    if noise:
        random = np.random.default_rng(seed + 100)
        acc = acc + random.normal(scale=0.05, size=acc.shape)
        gyr = gyr + random.normal(scale=0.003, size=gyr.shape) + np.array([0.01, -0.008, 0.005])
    return acc, gyr


def _rotations(vectors: FloatArray) -> FloatArray:
    """Return the rotation matrices (n, 3, 3) of rotation vectors (n, 3) in rad, by Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, :, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def body_axis(seed: int, front: float = 0.0, left: float = 0.0, up: float = 0.0) -> tuple[float, float, float]:
    """Return a direction of the body of `worn` in sensor axes."""
    x, y, z = (float(v) for v in mounting(seed) @ np.array([front, left, up]))
    return x, y, z


def upright_axis(seed: int = 1) -> tuple[float, float, float]:
    """Return the sensor direction that is vertical at angle 0 of `hinge`."""
    x, y, z = (float(v) for v in mounting(seed) @ np.array([0.0, 0.0, 1.0]))
    return x, y, z


def bends(times_s: list[float], duration_s: float, rate_hz: float, depth_deg: float = 50.0) -> FloatArray:
    """Return an angle that is 0 but for one raised cosine of 2 s from each of the times on."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    angle = np.zeros_like(t)
    for start in times_s:
        inside = (t >= start) & (t < start + 2.0)
        angle[inside] = depth_deg / 2 * (1 - np.cos(np.pi * (t[inside] - start)))
    return angle


def chunks(acc: FloatArray, gyr: FloatArray, rate_hz: float, cuts: list[int] | None = None) -> list[Chunk]:
    """Cut a recording at the given samples (default: every 5 s). Rows of NaN become gaps."""
    n = len(acc)
    edges = cuts if cuts is not None else list(range(0, n, max(round(5 * rate_hz), 1)))
    edges = sorted({0, n, *(c for c in edges if 0 < c < n)})
    out = []
    for seq, (a, b) in enumerate(pairwise(edges)):
        missing = np.flatnonzero(np.isnan(acc[a:b, 0]))
        gaps = tuple(Gap(int(i), 1) for i in missing)
        out.append(Chunk("dev", "rec", seq, 1000.0 + a / rate_hz, a, rate_hz, acc[a:b], gyr[a:b], gaps))
    return out
