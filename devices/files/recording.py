"""A recording that came from a file, whatever its format: sensors on one grid, and what is known of where and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from devices.errors import UnknownFormat
from devices.rows import gaps_of
from devices.types import Chunk, FloatArray, IntArray

# Own limits: 4 days at 100 Hz of one sensor.
MAX_SAMPLES = 40_000_000
# Rates outside are no motion recording: 1 Hz shows no bend, and no wearable sends more than some kHz.
RATE_RANGE_HZ = (1.0, 10_000.0)
CHUNK_S = 5.0

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SensorSamples:
    """acc_mps2, gyr_radps: (n, 3) on the recording's grid; a row that is missing in either is NaN in both.

    A sensor without a gyroscope has NaN in all of `gyr_radps`.
    """

    acc_mps2: Samples
    gyr_radps: Samples

    @property
    def covered(self) -> int:
        """Return the number of samples that carry a value."""
        return int(np.count_nonzero(np.isfinite(self.acc_mps2[:, 0])))

    @property
    def has_gyroscope(self) -> bool:
        """Tell whether any row carries an angular rate."""
        return bool(np.isfinite(self.gyr_radps[:, 0]).any())


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """What a file holds. sensors: by place, in the order of the file; all on one grid of `samples` at `rate_hz`.

    t_s: (rows,) time of each row of the file, s from the first. row_index: (rows,) its number on the grid.
    format: in words. start_utc_s: Unix time of the first sample, None where the file does not tell; start_local: what
    it tells without a time zone. device: an id the file gives, may be empty. notes: what was converted, left out or
    assumed, one sentence each.
    """

    path: Path
    rate_hz: float
    samples: int
    sensors: Mapping[str, SensorSamples]
    t_s: FloatArray
    row_index: IntArray
    format: str = "Backstop .npz"
    start_utc_s: float | None = None
    start_local: datetime | None = None
    device: str = ""
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return self.samples / self.rate_hz

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(self.sensors)

    def chunks(self, place: str, duration_s: float = CHUNK_S, start_utc_s: float | None = None) -> Iterator[Chunk]:
        """Yield one sensor's samples as chunks; they begin at `start_utc_s`, else at the file's own start, else at 0.

        Raises UnknownFormat when the file has no such place.
        """
        if place not in self.sensors:
            raise UnknownFormat(f"{self.path}: no sensor at {place!r}; the file has {', '.join(self.places)}.")
        origin = start_utc_s if start_utc_s is not None else self.start_utc_s or 0.0
        sensor, count = self.sensors[place], max(round(duration_s * self.rate_hz), 1)
        for seq, first in enumerate(range(0, self.samples, count)):
            rows = slice(first, first + count)
            acc, gyr = sensor.acc_mps2[rows].astype(np.float64), sensor.gyr_radps[rows].astype(np.float64)
            start = origin + first / self.rate_hz
            yield Chunk(self.path.stem, place, seq, start, first, self.rate_hz, acc, gyr, gaps_of(np.isnan(acc[:, 0])))
