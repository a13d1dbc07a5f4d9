"""The signal of many wearables as chunks of a second, encoded before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from devices.codec import encode_chunk
from devices.sim.motions import MOTIONS
from devices.types import Chunk, FloatArray
from tests.bench.load.club import RATE_HZ

# Bodies that the wearers share, each moving in its own way; another start in time makes them many.
_BODIES = 20
# Of twenty people that wear a sensor in a gym: lifting, at a desk, bowing, idle.
_MOTIONS = ("lifting",) * 10 + ("desk",) * 4 + ("bows",) * 4 + ("idle",) * 2


def bodies(seconds: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return acc (m/s^2) and gyr (rad/s) of each body over so many seconds."""
    return [MOTIONS[name](seed).samples(0, round(seconds * RATE_HZ), RATE_HZ) for seed, name in enumerate(_MOTIONS)]


def blobs_of(
    address: str, number: int, start_utc_s: float, seconds: int, moving: list[tuple[FloatArray, FloatArray]]
) -> Iterator[bytes]:
    """Yield the coded chunks of one wearable: a second each, from start_utc_s on. moving: of `bodies`."""
    acc, gyr = moving[number % _BODIES]
    n = round(RATE_HZ)
    # Two wearers of one body are never at the same point of its motion.
    shift = number // _BODIES * 7 % max(1, len(acc) // n - seconds + 1) * n
    for seq in range(seconds):
        rows = slice(shift + seq * n, shift + (seq + 1) * n)
        chunk = Chunk(
            address, f"load-{number}", seq, start_utc_s + seq, seq * n, RATE_HZ, np.asarray(acc[rows]), gyr[rows]
        )
        yield encode_chunk(chunk)
