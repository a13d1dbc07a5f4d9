"""Random numbers that need no history: the value belongs to (seed, lane, number), whatever was asked before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray, IntArray

# splitmix64 constants. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_LOW_16 = np.uint64(0xFFFF)
# Sum of four uniform numbers on 0..1 has variance 4/12.
_IRWIN_HALL_SCALE = np.sqrt(3.0)


def _bits(seed: int, lane: int, numbers: IntArray) -> NDArray[np.uint64]:
    key = np.uint64((seed * 0x632BE59BD9B4E019 + lane * 0xD1342543DE82EF95) & 0xFFFFFFFFFFFFFFFF)
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) * _GAMMA + key
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_A
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_B
        mixed = (mixed + _GAMMA) ^ (mixed >> np.uint64(31))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_A
        return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def uniform(seed: int, lane: int, numbers: IntArray, low: float = 0.0, high: float = 1.0) -> FloatArray:
    """Return one uniform number in low..high for each of `numbers` (n,)."""
    share = (_bits(seed, lane, numbers) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(low + (high - low) * share, dtype=np.float64)


def bell(seed: int, lane: int, numbers: IntArray) -> FloatArray:
    """Return one nearly normal number (mean 0, deviation 1, at most 3.5) for each of `numbers` (n,).

    Source: sum of four uniform numbers (Irwin-Hall), chosen because it costs one hash per number.
    """
    bits = _bits(seed, lane, numbers)
    total = np.zeros(len(numbers))
    for shift in (0, 16, 32, 48):
        total += ((bits >> np.uint64(shift)) & _LOW_16).astype(np.float64)
    return np.asarray((total / 65535.0 - 2.0) * _IRWIN_HALL_SCALE, dtype=np.float64)
