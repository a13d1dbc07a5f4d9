"""What the analysis says of the real recordings with truth, by their index. Nothing is read from a file's name."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coach.analysis.motion_types import Motion
from coach.analysis.recording import analyse_recording
from coach.analysis.stream import BLOCK
from coach.analysis.types import AnalysisParams
from devices.types import Chunk, FloatArray

# Which sensor works in each physiotherapy exercise; from the data set's own README.
WORKING = {"e1": "ankle_right", "e2": "chest", "e3": "ankle_right", "e4": "ankle_right", "e5": "ankle_right"}
WORKING |= {"e6": "wrist_right", "e7": "wrist_right", "e8": "wrist_right"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """row: the recording's line of the index. acc_mps2, gyr_radps: (n, 3) of the sensor that works."""

    row: dict[str, str]
    place: str
    rate_hz: float
    acc_mps2: FloatArray
    gyr_radps: FloatArray

    @property
    def duration_s(self) -> float:
        return len(self.acc_mps2) / self.rate_hz

    def motion(self, params: AnalysisParams | None = None) -> Motion:
        """Analyse the whole recording."""
        chunks = (
            Chunk("bench", "r", seq, 0.0, first, self.rate_hz, self.acc_mps2[rows], self.gyr_radps[rows])
            for seq, first in enumerate(range(0, len(self.acc_mps2), BLOCK))
            for rows in (slice(first, first + BLOCK),)
        )
        return analyse_recording(self.place, chunks, params or AnalysisParams()).motion


def recordings(folder: Path, data_set: str) -> Iterator[Recorded]:
    """Yield the recordings of a data set, in the order of its index."""
    with (folder / data_set / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        with np.load(folder / data_set / row["file"]) as arrays:
            place = WORKING[row["exercise"]] if data_set == "pted" else row["sensors"].split()[0]
            acc, gyr = (arrays[f"{place}_{kind}"].astype(np.float64) for kind in ("acc", "gyr"))
            yield Recorded(row, place, float(arrays["fs"]), acc, gyr)
