"""The payload modes of a simulated Movella DOT: what each measures and how it writes it.

An encoder of its own: it shares nothing but UUIDs with devices/profiles. Source: vendor document XD0506P (28 October
2021), section 3.5; mode 26 from public clients of later firmware, with gravity in its acceleration (unconfirmed).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.profiles import movella_dot_uuids as dot
from devices.sim.body import GRAVITY_MPS2
from devices.sim.fusion import Fusion, euler_deg, rotated
from devices.types import FloatArray, IntArray

# Full scale: 16 g and 2000 deg/s. Source: user manual XD0502P, sensor components.
ACC_RANGE_MPS2 = 16 * 9.80665
GYR_RANGE_RADPS = float(np.radians(2000))

# Each characteristic pads its notifications with zeros to its own size.
_SHORT, _MEDIUM, _LONG = (dot.SHORT_PAYLOAD, 20), (dot.MEDIUM_PAYLOAD, 40), (dot.LONG_PAYLOAD, 63)
# How a quantity is written.
_KINDS = {
    "q": "<f4",
    "euler": "<f4",
    "free": "<f4",
    "acc": "<f4",
    "gyr": "<f4",
    "dq": "<f4",
    "dv": "<f4",
    "mag": "<i2",
    "status": "<u2",
    "clips": "u1",
}
# Mode -> where it goes, and the quantities behind the time stamp. 1, 17 and 25 are closed encodings.
MODES: dict[int, tuple[tuple[str, int], tuple[str, ...]]] = {
    2: (_MEDIUM, ("q", "free", "status", "clips")),
    3: (_MEDIUM, ("q", "free")),
    4: (_SHORT, ("euler",)),
    5: (_SHORT, ("q",)),
    6: (_SHORT, ("free",)),
    7: (_MEDIUM, ("euler", "free", "status", "clips")),
    16: (_MEDIUM, ("euler", "free")),
    18: (_MEDIUM, ("dq", "dv", "mag")),
    19: (_MEDIUM, ("dq", "dv")),
    20: (_MEDIUM, ("acc", "gyr", "mag")),
    21: (_MEDIUM, ("acc", "gyr")),
    22: (_MEDIUM, ("euler", "free", "gyr")),
    23: (_MEDIUM, ("euler", "free", "mag")),
    24: (_MEDIUM, ("q", "gyr")),
    26: (_LONG, ("q", "acc", "gyr")),
}
# What needs no fusion.
_PLAIN = {"acc", "gyr", "mag"}
# The earth's field in 1/4096 of its strength, along sensor axes: constant, since nobody here looks at it.
_MAG_RAW = np.array([1800, 0, -3600])
_TIME_BYTES = 4


def write_frames(mode: int, device_us: IntArray, values: dict[str, FloatArray]) -> NDArray[np.uint8]:
    """Return notifications (n, size): the time stamp in us modulo 2^32, the mode's quantities (n, k), zeros."""
    (_, size), quantities = MODES[mode]
    frames = np.zeros((len(device_us), size), dtype=np.uint8)
    frames[:, :_TIME_BYTES] = (device_us % 2**32).astype("<u4")[:, None].view(np.uint8)
    at = _TIME_BYTES
    for name in quantities:
        part = np.ascontiguousarray(values[name], dtype=_KINDS[name]).view(np.uint8)
        frames[:, at : at + part.shape[1]] = part
        at += part.shape[1]
    return frames


def measure(
    mode: int, acc_mps2: FloatArray, gyr_radps: FloatArray, rate_hz: float, fusion: Fusion
) -> dict[str, FloatArray]:
    """Return the quantities (n, k) of a mode for these samples, in its units."""
    wanted = set(MODES[mode][1])
    values = {"acc": acc_mps2, "gyr": np.degrees(gyr_radps), "mag": np.tile(_MAG_RAW, (len(acc_mps2), 1))}
    if wanted <= _PLAIN:
        return values
    poses, turns = fusion.follow(acc_mps2, gyr_radps, rate_hz)
    acc_full, gyr_full = np.abs(acc_mps2) >= ACC_RANGE_MPS2, np.abs(gyr_radps) >= GYR_RANGE_RADPS
    # Bits 0 to 2: acc x y z at full scale, 3 to 5: gyr.
    status = (np.concatenate([acc_full, gyr_full], axis=1) << np.arange(6)).sum(axis=1)
    return values | {
        "q": poses,
        "euler": euler_deg(poses),
        "free": rotated(poses, acc_mps2) - np.array([0.0, 0.0, GRAVITY_MPS2]),
        "dq": turns,
        "dv": acc_mps2 / rate_hz,
        "status": status[:, None],
        "clips": np.stack([acc_full.any(axis=1), gyr_full.any(axis=1)], axis=1),
    }
