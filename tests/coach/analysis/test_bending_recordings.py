"""Repeated bending on real people: found where it is, not found where it is not, with the detector able to answer.

Recordings are chosen by the index of their data set. The detector's window is set to the length of the file.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.detectors.assemble import bending_stretch, day_of, minutes_of
from coach.analysis.detectors.bending import detect
from coach.analysis.detectors.types import Answer, Day, Kind, Outcome, Threshold
from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.frames import Vector
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.types import AnalysisParams, BendingParams
from devices.files.npz import read_npz
from devices.types import Chunk, FloatArray, Gap
from tests.coach.analysis.detectors.shipped import limits
from tests.coach.analysis.test_lying import seated_alignment

pytestmark = pytest.mark.recordings
BEGAN_UTC_S = 1_700_000_000.0
CHUNK_S = 5.0
# Seconds that a radio is away at once.
BURST_S = 1.5


@dataclass(frozen=True, slots=True)
class Worn:
    """One sensor of one recording. row: its line of the index."""

    data_set: str
    row: dict[str, str]
    place: str
    rate_hz: float
    acc_mps2: FloatArray
    gyr_radps: FloatArray

    @property
    def duration_s(self) -> float:
        return len(self.acc_mps2) / self.rate_hz

    def __str__(self) -> str:
        return f"{self.data_set} {self.row['file']} {self.place}"

    def turned(self, seed: int) -> Worn:
        """Return the same worn with other axes: nothing may assume a mounting."""
        q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
        q = q * np.sign(np.diag(r))
        q = q if np.linalg.det(q) > 0 else q[:, [1, 0, 2]]
        return replace(self, acc_mps2=self.acc_mps2 @ q.T, gyr_radps=self.gyr_radps @ q.T)

    def paced(self, factor: float) -> Worn:
        """Return the same person moving faster; what acceleration it takes is left as it was."""
        return replace(self, rate_hz=self.rate_hz * factor, gyr_radps=self.gyr_radps * factor)

    def chunks(self, lost_share: float = 0.0, seed: int = 1) -> Iterator[Chunk]:
        """Yield chunks of five seconds, with bursts of samples lost."""
        acc, gyr = self.acc_mps2.copy(), self.gyr_radps.copy()
        burst, draw = round(BURST_S * self.rate_hz), np.random.default_rng(seed)
        slots = len(acc) // burst
        for slot in draw.permutation(slots)[: round(lost_share * slots)]:
            acc[slot * burst : (slot + 1) * burst], gyr[slot * burst : (slot + 1) * burst] = np.nan, np.nan
        step = round(CHUNK_S * self.rate_hz)
        for seq, first in enumerate(range(0, len(acc), step)):
            rows = slice(first, first + step)
            gaps = tuple(Gap(place, 1) for place in np.flatnonzero(np.isnan(acc[rows, 0])).tolist())
            start_utc_s = BEGAN_UTC_S + first / self.rate_hz
            yield Chunk("d", "r", seq, start_utc_s, first, self.rate_hz, acc[rows], gyr[rows], gaps)


def sensors(recordings: Path, data_set: str) -> Iterator[Worn]:
    """Yield every sensor of a data set."""
    with (recordings / data_set / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        recording = read_npz(recordings / data_set / row["file"])
        for place in row["sensors"].split():
            sensor = recording.sensors[place]
            yield Worn(data_set, row, place, recording.rate_hz, sensor.acc_mps2, sensor.gyr_radps)


def chests(recordings: Path) -> list[Worn]:
    return [worn for worn in sensors(recordings, "pted") if worn.place == "chest"]


def bent(recordings: Path) -> list[Worn]:
    """Return the whole recordings of repeated bending."""
    found = [worn for worn in chests(recordings) if worn.row["exercise"] == "e2" and worn.row["reps"] == "30"]
    assert len(found) >= 2
    return found


def sound(recordings: Path) -> list[Worn]:
    """Return all trunk sensors of people who did not bend repeatedly: seated, standing, lying, walking, at chores."""
    seated_or_lying = [worn for worn in chests(recordings) if worn.row["exercise"] != "e2"]
    others = [worn for name in ("gait", "fullbody") for worn in sensors(recordings, name) if worn.place in TRUNK_PLACES]
    assert {worn.row["exercise"] for worn in seated_or_lying} == {"e1", "e3", "e4", "e5", "e6", "e7", "e8"}
    assert {worn.place for worn in others} >= {"lower_back", "upper_back"}
    return seated_or_lying + others


def analysed(
    worn: Worn, lost_share: float = 0.0, upright: Vector | None = None, forward: Vector | None = None
) -> RecordingResult:
    params = AnalysisParams(bending=BendingParams(min_duration_s=float(math.floor(worn.duration_s))))
    return analyse_recording(worn.place, worn.chunks(lost_share), params, upright, forward)


def judged(worn: Worn, result: RecordingResult) -> Answer:
    """Return what the day's detector says of a day with nothing but this recording, its limits set to its length."""
    rows = [("s", BEGAN_UTC_S + row.start_s, row) for row in result.minutes]
    stretches = [bending_stretch("s", BEGAN_UTC_S, worn.rate_hz, run) for run in result.bending]
    day = day_of(0, BEGAN_UTC_S, BEGAN_UTC_S + 86400, True, {worn.place: minutes_of(rows)}, bending=stretches)
    return _detected(day, math.floor(worn.duration_s))


def _detected(day: Day, duration_s: float) -> Answer:
    known = dict(limits("general", Kind.REPEATED_BENDING))
    known["duration_min"] = Threshold(duration_s / 60.0, "min", "the length of the file", heuristic=True)
    known["worn_min"] = replace(known["duration_min"], value=0.8 * duration_s / 60.0)
    return detect(known, day, ())


def able(result: RecordingResult) -> bool:
    told = {item.what for item in result.summary.not_computable}
    return "repeated_bending" not in told and result.summary.coverage_share >= 0.8


def test_real_repeated_bending_is_found(recordings: Path) -> None:
    for worn in bent(recordings):
        for form in (worn, worn.turned(3), worn.paced(1 + 200e-6), worn.paced(0.85), worn.paced(1.2)):
            result = analysed(form)
            (finding,) = result.findings
            assert finding.kind == "repeated_bending", str(worn)
            assert 4.0 < finding.because["values"]["rate_mean_per_min"] < 12.0
            assert judged(form, result).outcome is Outcome.FOUND, str(worn)


def test_real_repeated_bending_is_found_with_the_upright_pose_and_the_front_known(recordings: Path) -> None:
    for worn in bent(recordings):
        pose = seated_alignment(recordings, worn.row["subject"])
        result = analysed(worn, 0.0, pose.upright, pose.forward)
        assert len(result.findings) == 1, str(worn)
        assert judged(worn, result).outcome is Outcome.FOUND, str(worn)


def test_nothing_is_found_of_those_who_do_not_bend_and_the_detector_can_say_so(recordings: Path) -> None:
    for worn in sound(recordings):
        for form in (worn, worn.turned(5), worn.paced(1.15)):
            result = analysed(form)
            assert able(result), str(worn)
            assert result.findings == (), str(worn)
            assert judged(form, result).outcome is Outcome.NONE, str(worn)
            assert not [item for item in result.summary.quality if item.fatal], str(worn)


def test_lying_people_do_not_bend_with_the_upright_pose_and_the_front_known(recordings: Path) -> None:
    """Here it is right because they are seen to lie: not a bend is counted, and no time of it is left out."""
    lain = {"e3", "e4", "e5", "e8"}
    people = [worn for worn in sound(recordings) if worn.row.get("exercise") in lain]
    assert len(people) >= 8
    for worn in people:
        pose = seated_alignment(recordings, worn.row["subject"])
        result = analysed(worn, 0.0, pose.upright, pose.forward)
        assert able(result)
        assert (result.findings, result.bends) == ((), ()), str(worn)
        assert judged(worn, result).outcome is Outcome.NONE, str(worn)
        assert sum(row.lying_s for row in result.minutes) > 0.95 * worn.duration_s


@pytest.mark.parametrize("lost_share", [0.02, 0.1])
def test_a_few_lost_samples_change_no_answer(recordings: Path, lost_share: float) -> None:
    for worn in bent(recordings):
        result = analysed(worn, lost_share)
        assert len(result.findings) == 1, str(worn)
        assert judged(worn, result).outcome is Outcome.FOUND, str(worn)
    answers = []
    for worn in sound(recordings)[::3]:
        result = analysed(worn, lost_share)
        assert able(result)
        assert result.findings == (), str(worn)
        answers.append(judged(worn, result).outcome)
    # Where chores come near the limit, the day's detector may ask for what was lost; it may not find anything.
    assert Outcome.FOUND not in answers
    assert answers.count(Outcome.NONE) >= 0.9 * len(answers)


def test_of_many_lost_samples_nothing_is_said(recordings: Path) -> None:
    for worn in [*bent(recordings), *sound(recordings)[::3]]:
        result = analysed(worn, 0.3)
        assert result.findings == (), str(worn)
        (needs,) = [item.needs for item in result.summary.not_computable if item.what == "repeated_bending"]
        assert "80%" in needs
        answer = judged(worn, result)
        assert answer.outcome is Outcome.NOT_ENOUGH, str(worn)
        assert answer.needs is not None
        assert "80 %" in answer.needs


def test_of_a_wrist_nothing_is_said(recordings: Path) -> None:
    """Not even of whole recordings: a day with a wrist sensor alone needs one on the trunk."""
    wrists = [worn for name in ("pted", "gym", "spar") for worn in sensors(recordings, name) if "wrist" in worn.place]
    assert len(wrists) > 50
    for worn in wrists[::10]:
        result = analysed(worn)
        assert result.findings == ()
        (needs,) = [item.needs for item in result.summary.not_computable if item.what == "repeated_bending"]
        assert "a sensor on the trunk" in needs
        answer = judged(worn, result)
        assert answer.outcome is Outcome.NOT_ENOUGH
        assert answer.needs is not None
        assert answer.needs.startswith("a trunk sensor (")
