"""People who sit or walk do no endurance test: real recordings in which no clock may start.

The mean direction of gravity is taken for upright; the front is unknown, so that every front is tried.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.assessment_types import AssessmentTest, TrialOutcome
from coach.analysis.endurance import TARGETS, begin_hold, finish_hold, watch_hold
from coach.analysis.frames import Vector, body_axes, unit
from devices.types import Chunk, FloatArray

TRUNK = ("chest", "lower_back", "back_upper", "back_lower")
# Which recordings are of somebody seated or on foot throughout, by the words of their index.
UPRIGHT = ("seated", "walk", "gait", "stand", "turn")


def trunk_recordings(folder: Path) -> Iterator[tuple[float, FloatArray, FloatArray]]:
    for data_set in ("pted", "gait"):
        with (folder / data_set / "index.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                places = [place for place in row["sensors"].split() if place in TRUNK]
                words = " ".join(row.values()).lower()
                if not places or not (data_set == "gait" or any(word in words for word in UPRIGHT)):
                    continue
                with np.load(folder / data_set / row["file"]) as arrays:
                    acc, gyr = (arrays[f"{places[0]}_{kind}"].astype(np.float64) for kind in ("acc", "gyr"))
                    yield float(arrays["fs"]), acc, gyr


def fronts(upright: Vector) -> list[Vector]:
    """Return four fronts a quarter turn apart."""
    axes = body_axes(upright, None)
    opposite = [unit((-each[0], -each[1], -each[2])) for each in (axes.pa, axes.ml)]
    return [axes.pa, axes.ml, *opposite]


@pytest.mark.recordings
def test_sitting_and_walking_start_no_clock(recordings: Path) -> None:
    seen = 0
    for rate_hz, acc, gyr in trunk_recordings(recordings):
        upright = unit(tuple(float(part) for part in np.median(acc, axis=0)))  # type: ignore[arg-type]
        chunk = Chunk("dev", "rec", 0, 0.0, 0, rate_hz, acc, gyr)
        for test in TARGETS:
            # A flexor hold leans back by 30 degrees, which a bow forward is to a sensor worn back to front.
            for front in fronts(upright) if test is not AssessmentTest.FLEXOR else ():
                state = watch_hold(begin_hold(test, "chest", upright, front), chunk)[0]
                trial = finish_hold(state)
                assert trial.outcome is TrialOutcome.NEVER_STARTED, (test, trial.statement)
                assert trial.value is None
        seen += 1
    assert seen >= 3
