"""Samples on their way from a decoder to a chunk, and the runs in which there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.types import FloatArray, Gap, IntArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples in order of arrival. ticks (n,); acc_mps2, gyr_radps (n, 3); restarts: where the clock began anew."""

    ticks: IntArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray
    restarts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ticks)

    def part(self, where: slice | IntArray | BoolArray) -> Rows:
        """Return some of the rows, without the restarts."""
        return Rows(self.ticks[where], self.acc_mps2[where], self.gyr_radps[where])

    @classmethod
    def none(cls) -> Rows:
        return cls(np.empty(0, dtype=np.int64), np.empty((0, 3)), np.empty((0, 3)))

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        """Return all parts as one, restarts included."""
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else cls.none()
        restarts: list[int] = []
        at = 0
        for part in parts:
            restarts.extend(at + restart for restart in part.restarts)
            at += len(part)
        return cls(
            np.concatenate([part.ticks for part in parts]),
            np.concatenate([part.acc_mps2 for part in parts]),
            np.concatenate([part.gyr_radps for part in parts]),
            tuple(restarts),
        )


def gaps_of(missing: BoolArray) -> tuple[Gap, ...]:
    """Return the runs of True (n,)."""
    if not missing.any():
        return ()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    return tuple(Gap(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True))
