"""What befalls a worn sensor: mounted otherwise, slack, sliding, hanging, fallen. Each changes a sound signal so.

Everything is done to the signal of a sound sensor, as one rotation against the body with its own angular rate added.
Nothing here knows how it is detected; every figure is an own heuristic of what straps and clips do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from devices.types import FloatArray

Signal = tuple[FloatArray, FloatArray]
G_MPS2 = 9.80665
# A sensor is kicked when the body's rate passes this, and not again for a while; and, on a slack strap, by each step.
KICK_RADPS, KICK_EACH_S, STEP_MPS2 = 0.35, 0.4, 2.0
# After so many times its fading time nothing is left of a movement.
FADED = 12.0


def quarter_turn(axis: int, quarters: int = 1) -> FloatArray:
    """Return the rotation matrix of so many quarter turns about an axis of the sensor (0, 1 or 2)."""
    vector = np.zeros((1, 3))
    vector[0, axis] = np.pi / 2 * quarters
    return np.asarray(np.rint(rotations(vector)[0]))


def mounted(signal: Signal, turn: FloatArray, from_row: int = 0) -> Signal:
    """Return what the sensor tells if it sits turned by a matrix (3, 3) from some row on."""
    acc, gyr = (part.copy() for part in signal)
    acc[from_row:], gyr[from_row:] = acc[from_row:] @ turn.T, gyr[from_row:] @ turn.T
    return acc, gyr


def slack(
    signal: Signal,
    rate_hz: float,
    draw: np.random.Generator,
    wobble_deg: float,
    pace_hz: float,
    axis: FloatArray | None = None,
) -> Signal:
    """Let the sensor ring on its strap after each movement and step, with that amplitude and pace, for a second.

    axis: (3,) that it rings about, in sensor axes; None draws one.
    """
    about = draw.normal(size=3) if axis is None else axis
    kicks = _kicks(signal, rate_hz)
    ring = _ringing(len(signal[0]), kicks, rate_hz, draw, np.radians(wobble_deg), pace_hz, 1.0, about)
    return _turned(signal, ring, rate_hz)


def bouncing(signal: Signal, rate_hz: float, draw: np.random.Generator, times: float = 2.0) -> Signal:
    """Let a heavy sensor bounce late after each step: up and down by some times the body's own shaking, and nod."""
    acc, gyr = signal
    size = np.linalg.norm(acc, axis=1) - G_MPS2
    late = round(0.08 * rate_hz)
    bounce = times * np.concatenate((np.zeros(late), size[: len(size) - late]))
    direction = acc / np.maximum(np.linalg.norm(acc, axis=1), 1e-9)[:, None]
    kicks = _kicks(signal, rate_hz)
    nod = _ringing(len(acc), kicks, rate_hz, draw, np.radians(12.0), 3.0, 0.4, draw.normal(size=3))
    return _turned((acc + bounce[:, None] * direction, gyr), nod, rate_hz)


def sliding(signal: Signal, rate_hz: float, draw: np.random.Generator, deg: float, over_s: float) -> Signal:
    """Let the sensor slide down and turn by an angle in jerks over some time, about an axis level at first."""
    n = len(signal[0])
    jerks = np.sort(draw.uniform(0.0, over_s * rate_hz, size=12))
    share = np.zeros(n)
    for jerk in jerks:
        share += np.clip((np.arange(n) - jerk) / (0.5 * rate_hz), 0.0, 1.0) / len(jerks)
    return _turned(signal, np.radians(deg) * share[:, None] * _level_axis(signal[0], draw), rate_hz)


def hanging(signal: Signal, rate_hz: float, draw: np.random.Generator) -> Signal:
    """Let the sensor hang on its strap: a pendulum of a third of a metre that movement sets going, turning freely."""
    acc, _ = signal
    n = len(acc)
    kicks = _kicks(signal, rate_hz)
    pace_hz = np.sqrt(G_MPS2 / 0.33) / (2 * np.pi)
    swing = _ringing(n, kicks, rate_hz, draw, np.radians(25.0), pace_hz, 6.0, draw.normal(size=3))
    up = _up(acc)
    # Torsion: every kick turns it further one way or the other, and friction stops it within ten seconds.
    speed = np.zeros(n)
    for kick in kicks:
        rows = slice(kick, kick + round(FADED * 4.0 * rate_hz))
        speed[rows] += draw.normal(0.0, 4.0) * np.exp(-np.arange(speed[rows].size) / rate_hz / 4.0)
    still = (np.tile(up * G_MPS2, (n, 1)), np.zeros((n, 3)))
    hung = _turned(still, np.cumsum(np.clip(speed, -12, 12))[:, None] / rate_hz * up, rate_hz)
    acc, gyr = _turned(hung, swing, rate_hz)
    return acc + draw.normal(scale=0.05, size=acc.shape), gyr + draw.normal(scale=0.01, size=gyr.shape)


def fallen(signal: Signal, rate_hz: float, draw: np.random.Generator, from_row: int) -> Signal:
    """Let the sensor fall off and lie on another side."""
    acc, gyr = (part.copy() for part in signal)
    rows = slice(from_row, None)
    axis = _level_axis(acc[max(from_row - 10, 0) : from_row + 1], draw)
    rest = G_MPS2 * np.cross(axis, _up(acc[: from_row + 1]))
    acc[rows] = rest + draw.normal(scale=0.02, size=acc[rows].shape)
    gyr[rows] = draw.normal(scale=0.002, size=gyr[rows].shape)
    return acc, gyr


def from_row(signal: Signal, row: int, mishap: Callable[[Signal], Signal]) -> Signal:
    """Let something befall the sensor from some row on."""
    before, after = ((signal[0][part], signal[1][part]) for part in (slice(0, row), slice(row, None)))
    changed = mishap(after)
    return np.concatenate((before[0], changed[0])), np.concatenate((before[1], changed[1]))


def rotations(vectors: FloatArray) -> FloatArray:
    """Return the rotation matrices (n, 3, 3) of rotation vectors (n, 3) in rad (Rodrigues' formula)."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, :, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _turned(signal: Signal, vectors: FloatArray, rate_hz: float) -> Signal:
    """Turn the sensor against the body by rotation vectors (n, 3), and add the rate of that turning."""
    turn = rotations(vectors)
    steps = np.einsum("nji,njk->nik", turn[:-1], turn[1:])
    own = np.stack([steps[:, 2, 1], steps[:, 0, 2], steps[:, 1, 0]], axis=1) * rate_hz
    acc, gyr = (np.einsum("nji,nj->ni", turn, part) for part in signal)
    return acc, gyr + np.concatenate((np.zeros((1, 3)), own))


def _kicks(signal: Signal, rate_hz: float) -> list[int]:
    """Return the rows at which the body's movement sets a slack sensor going."""
    acc, gyr = signal
    moved = np.linalg.norm(gyr, axis=1) > KICK_RADPS
    moved |= np.abs(np.linalg.norm(acc, axis=1) - G_MPS2) > STEP_MPS2
    rows, last = [], -len(acc)
    for row in np.flatnonzero(moved).tolist():
        if row - last >= KICK_EACH_S * rate_hz:
            rows.append(row)
            last = row
    return rows


def _ringing(
    n: int,
    kicks: list[int],
    rate_hz: float,
    draw: np.random.Generator,
    wobble_rad: float,
    pace_hz: float,
    fade_s: float,
    axis: FloatArray,
) -> FloatArray:
    """Return rotation vectors (n, 3): from each kick on the sensor rings about one axis of its strap, and fades."""
    axis = axis / np.linalg.norm(axis)
    angle = np.zeros(n)
    for kick in kicks:
        # A new kick takes over from the ringing before it: a strap has its limits.
        rows = slice(kick, kick + round(FADED * fade_s * rate_hz))
        t_s = np.arange(angle[rows].size) / rate_hz
        angle[rows] *= np.exp(-t_s / 0.1)
        angle[rows] += wobble_rad * draw.uniform(0.7, 1.0) * np.exp(-t_s / fade_s) * np.sin(2 * np.pi * pace_hz * t_s)
    return angle[:, None] * axis


def _up(acc: FloatArray) -> FloatArray:
    mean = acc[: max(len(acc) // 10, 1)].mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def _level_axis(acc: FloatArray, draw: np.random.Generator) -> FloatArray:
    side = np.cross(_up(acc), draw.normal(size=3))
    return np.asarray(side / np.linalg.norm(side))
