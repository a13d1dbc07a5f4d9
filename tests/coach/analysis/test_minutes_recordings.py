"""Minutes of real people: the same however the stream is cut, the sums of the whole, and no turning where nobody turns.

Recordings are chosen by the index of their data set.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.rotation import TURNING_PLACES
from coach.analysis.stream import BLOCK
from coach.analysis.types import AnalysisParams
from devices.types import Chunk, FloatArray

pytestmark = pytest.mark.recordings
BEGAN_UTC_S = 1_700_000_017.3
CHUNK_S = 5.0
# One in so many is cut into chunks of five seconds, too.
CUT_EVERY = 4


@dataclass(frozen=True, slots=True)
class Worn:
    row: dict[str, str]
    place: str
    rate_hz: float
    acc_mps2: FloatArray
    gyr_radps: FloatArray

    def analysed(self, count: int) -> RecordingResult:
        parts = (
            Chunk(
                "d",
                "r",
                seq,
                BEGAN_UTC_S + first / self.rate_hz,
                first,
                self.rate_hz,
                self.acc_mps2[first : first + count],
                self.gyr_radps[first : first + count],
            )
            for seq, first in enumerate(range(0, len(self.acc_mps2), count))
        )
        return analyse_recording(self.place, parts, AnalysisParams())


def trunks(folder: Path) -> Iterator[Worn]:
    for data_set in ("pted", "gait", "fullbody"):
        with (folder / data_set / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            with np.load(folder / data_set / row["file"]) as arrays:
                for place in sorted(TURNING_PLACES & set(row["sensors"].split())):
                    acc, gyr = (arrays[f"{place}_{kind}"].astype(np.float64) for kind in ("acc", "gyr"))
                    yield Worn({**row, "data_set": data_set}, place, float(arrays["fs"]), acc, gyr)


def test_minutes_are_the_whole_in_parts_and_the_same_in_chunks(recordings: Path) -> None:
    seen = 0
    for number, worn in enumerate(trunks(recordings)):
        whole = worn.analysed(BLOCK)
        rows = whole.minutes
        duration_s = len(worn.acc_mps2) / worn.rate_hz
        assert sum(row.expected_s for row in rows) == pytest.approx(duration_s, abs=0.1)
        worn_s = sum(row.covered_s + row.loose_s + row.displaced_s for row in rows)
        assert worn_s == pytest.approx(duration_s * whole.summary.coverage_share, abs=0.1)
        assert [row.start_s for row in rows[1:]] == pytest.approx(
            [22.7 + 60 * n for n in range(len(rows) - 1)], abs=1e-3
        )
        assert sum(row.repetitions for row in rows) <= len(whole.motion.repetitions)
        if not number % CUT_EVERY:
            cut = worn.analysed(round(CHUNK_S * worn.rate_hz))
            assert cut.minutes == rows
            assert whole.yaw_line is not None
            assert cut.yaw_line is not None
            np.testing.assert_array_equal(cut.yaw_line.tenths, whole.yaw_line.tenths)
        seen += 1
    assert seen


def test_who_exercises_a_leg_sitting_or_lying_turns_less_than_once_a_minute(recordings: Path) -> None:
    rates = []
    for worn in trunks(recordings):
        if worn.row["data_set"] == "pted" and worn.row["exercise"] in ("e1", "e3", "e4", "e5"):
            rows = worn.analysed(BLOCK).minutes
            turns = sum(row.turns_left + row.turns_right for row in rows)
            rates.append(turns / (sum(row.covered_s for row in rows) / 60.0))
    assert rates
    assert max(rates) < 1.0
