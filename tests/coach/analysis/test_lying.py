"""Lying: known angles, what decides it, what it leaves out; and the real recordings of lying, sitting and standing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.alignment import Alignment, Pose, estimate_alignment
from coach.analysis.frames import unit
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.types import AnalysisParams, BendingParams, LyingSide, QualityFlag
from devices.files.npz import read_npz
from devices.types import FloatArray
from tests.coach.analysis.motion import body_axis, chunks, worn

PARAMS = AnalysisParams()
RATE = 25.0


def held(*steps: tuple[float, float, float]) -> tuple[FloatArray, FloatArray]:
    """Return flexion and lean that stay at each (flexion_deg, lean_deg, duration_s), with 2 s from one to the next."""
    ease = ((1 - np.cos(np.pi * np.arange(round(2 * RATE)) / (2 * RATE))) / 2)[:, None]
    parts, before = [], np.array(steps[0][:2])
    for flexion, lean, duration in steps:
        now = np.array([flexion, lean])
        parts += [before + (now - before) * ease, np.tile(now, (round(duration * RATE), 1))]
        before = now
    flexion_deg, lean_deg = np.concatenate(parts).T
    return flexion_deg, lean_deg


def analysed(flexion: FloatArray, lean: FloatArray, seed: int = 1, bow: bool = True) -> RecordingResult:
    acc, gyr = worn(flexion, lean, RATE, seed, noise=True)
    upright, front = body_axis(seed, up=1.0), body_axis(seed, front=1.0)
    return analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, upright, front if bow else None)


@pytest.mark.parametrize(
    ("flexion", "lean", "side"),
    [
        (85.0, 0.0, LyingSide.PRONE),
        (-80.0, 5.0, LyingSide.SUPINE),
        (10.0, -85.0, LyingSide.LEFT),
        (-10.0, 80.0, LyingSide.RIGHT),
    ],
)
def test_each_side_is_told_and_counts_in_no_exposure(flexion: float, lean: float, side: LyingSide) -> None:
    result = analysed(*held((0, 0, 20), (flexion, lean, 120), (0, 0, 20), (40, 0, 20), (0, 0, 10)), seed=3)
    (stretch,) = result.lying
    assert stretch.side is side
    assert stretch.start_s == pytest.approx(24.0, abs=1.5)
    assert stretch.end_s == pytest.approx(145.0, abs=1.5)
    told = result.summary.lying
    assert told is not None
    assert told.duration_s == {side: pytest.approx(stretch.end_s - stretch.start_s, abs=0.5)}
    posture = result.summary.posture
    assert posture.covered_s == pytest.approx(result.summary.duration_s - told.duration_s[side], abs=0.5)
    # The bend of 40 degrees alone, but for the moment of lying down and getting up.
    assert posture.share_above[30.0] * posture.covered_s == pytest.approx(20 + 1.3, abs=2.5)
    assert posture.share_above[60.0] * posture.covered_s < 0.5
    assert posture.excursions_per_h[30.0] * posture.covered_s / 3600 == pytest.approx(1)
    assert posture.excursions_per_h[60.0] == 0
    assert [round(hold.angle_deg) for hold in result.static_holds] == [pytest.approx(40, abs=5)]
    # The way into lying is followed up to about 60 degrees, where the trunk counts as level.
    assert all(size < 79 for size, _ in result.summary.cycles)


def test_a_stoop_that_moves_is_a_stoop() -> None:
    flexion, lean = held((0, 0, 10), (75, 0, 120), (0, 0, 10))
    t = np.arange(flexion.size) / RATE
    flexion = flexion + np.where(flexion > 70, 8 * np.sin(2 * np.pi * t / 6), 0.0)
    result = analysed(flexion, lean)
    assert result.lying == ()
    assert result.summary.posture.share_above[60.0] == pytest.approx(120 / 146, abs=0.03)


def test_a_short_stoop_counts_and_half_a_still_minute_on_the_front_is_lying() -> None:
    short = analysed(*held((0, 0, 10), (80, 0, 20), (0, 0, 10)))
    assert short.lying == ()
    assert short.summary.posture.share_above[60.0] * short.summary.posture.covered_s == pytest.approx(21, abs=1)
    assert len(analysed(*held((0, 0, 10), (80, 0, 40), (0, 0, 10))).lying) == 1
    # Without a front nothing is known of the side, and the back takes as long as the front.
    back = held((0, 0, 10), (-80, 0, 20), (0, 0, 10))
    assert len(analysed(*back).lying) == 1
    assert analysed(*back, bow=False).lying == ()


def test_without_an_upright_pose_lying_cannot_be_told() -> None:
    flexion, lean = held((0, 0, 10), (85, 0, 60), (0, 0, 10))
    acc, gyr = worn(flexion, lean, RATE, 2, noise=True)
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS)
    assert result.summary.lying is None
    (needs,) = [item.needs for item in result.summary.not_computable if item.what == "lying"]
    assert needs.startswith("an upright pose")


def walking(duration_s: float, steps_per_s: float, swing_g: float) -> FloatArray:
    """Return |acc| / g of steps."""
    t = np.arange(round(duration_s * RATE)) / RATE
    return 1 + swing_g * np.sin(2 * np.pi * steps_per_s * t)


@pytest.mark.parametrize(("pace", "told"), [(1.8, True), (0.6, False)])
def test_ten_seconds_of_walking_tell_what_is_upright(pace: float, told: bool) -> None:
    """The recording begins on the back, so that its first still pose is not upright: that is said."""
    flexion, lean = held((-85, 0, 30), (0, 0, 20), (85, 0, 60), (0, 0, 5))
    acc, gyr = worn(flexion, lean, RATE, 5, noise=True)
    upright = slice(round(36 * RATE), round(52 * RATE))
    acc[upright] *= walking(16, pace, 0.25)[:, None]
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS)
    assert (result.summary.lying is not None) is told
    if result.summary.lying is None:
        return
    assert 45.0 < result.summary.lying.known_since_s < 53.0
    assert result.summary.lying.duration_s == {LyingSide.UNKNOWN: pytest.approx(61, abs=2)}
    (item,) = [item for item in result.summary.quality if item.flag is QualityFlag.REFERENCE_NOT_UPRIGHT]
    assert "85 degrees" in item.what or "84 degrees" in item.what
    assert not item.fatal


def test_lying_is_not_carried_over_a_long_gap() -> None:
    flexion, lean = held((0, 0, 10), (-85, 0, 40), (-85, 0, 140), (-85, 0, 40), (0, 0, 5))
    acc, gyr = worn(flexion, lean, RATE, 5, noise=True)
    acc[round(54 * RATE) : round(190 * RATE)] = np.nan
    upright, front = body_axis(5, up=1.0), body_axis(5, front=1.0)
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, upright, front)
    assert len(result.lying) == 2
    assert result.lying[0].end_s == pytest.approx(54.0, abs=0.5)
    assert result.lying[1].start_s == pytest.approx(190.0, abs=0.5)


def seated_alignment(recordings: Path, subject: str) -> Alignment:
    """Return how the chest sensor sat in the seated bends: the pose and the bow that their marks show."""
    with (recordings / "pted" / "index.csv").open(encoding="utf-8") as file:
        marked = (r for r in csv.DictReader(file) if r["exercise"] == "e2" and r["template1_start_s"])
        row = next(r for r in marked if r["subject"] == subject)
    recording = read_npz(recordings / "pted" / row["file"])
    sensor, rate = recording.sensors["chest"], recording.rate_hz
    start, end = (round(float(row[f"template1_{edge}_s"]) * rate) for edge in ("start", "end"))
    x, y, z = (float(v) for v in sensor.acc_mps2[end - round(0.3 * rate) : end + round(0.5 * rate)].mean(axis=0))
    pose = Pose(unit((x, y, z)), None, 0.0)
    return estimate_alignment(rate, pose, sensor.acc_mps2[start:end], sensor.gyr_radps[start:end])


LYING = {"e3": LyingSide.SUPINE, "e4": LyingSide.LEFT, "e5": LyingSide.PRONE, "e8": LyingSide.PRONE}


@pytest.mark.recordings
def test_lying_sitting_and_standing_people(recordings: Path) -> None:
    """Lying lasts all of each recording made lying and none of the others; the side may be wrong once in a while."""
    with (recordings / "pted" / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    alignments: dict[str, Alignment] = {}
    right = total = 0
    for row in rows:
        found = alignments.setdefault(row["subject"], seated_alignment(recordings, row["subject"]))
        recording = read_npz(recordings / "pted" / row["file"])
        parts = recording.chunks("chest", 60.0)
        result = analyse_recording("chest", parts, PARAMS, found.upright, found.forward)
        told = result.summary.lying
        assert told is not None
        lain = sum(told.duration_s.values())
        if row["exercise"] not in LYING:
            assert lain == 0.0, row["file"]
            continue
        assert lain > 0.97 * recording.duration_s, row["file"]
        assert sum(result.summary.posture.share_above.values()) == 0.0, row["file"]
        total += 1
        right += max(told.duration_s, key=told.duration_s.__getitem__) is LYING[row["exercise"]]
        alone = analyse_recording("chest", recording.chunks("chest", 60.0), PARAMS).summary
        assert alone.lying is None
    assert total >= 8
    assert right >= 0.9 * total


def _situps(depth_deg: float, front: bool, lies_s: float) -> RecordingResult:
    """Return what is said of thirty repetitions that begin and end on the back, after standing and lying down."""
    t = np.arange(0.0, 120.0, 1 / RATE)
    repeated = -90.0 + depth_deg * (1 - np.cos(2 * np.pi * t / 4.0)) / 2
    down, up = np.linspace(0.0, -90.0, round(2 * RATE)), np.linspace(-90.0, 0.0, round(2 * RATE))
    flat = np.full(round(lies_s * RATE), -90.0)
    flexion = np.concatenate((np.zeros(round(15 * RATE)), down, flat, repeated, flat, up, np.zeros(round(20 * RATE))))
    acc, gyr = worn(flexion, np.zeros_like(flexion), RATE, 3, noise=True)
    params = AnalysisParams(bending=BendingParams(min_duration_s=60.0))
    upright, ahead = body_axis(3, up=1.0), body_axis(3, front=1.0)
    return analyse_recording("chest", chunks(acc, gyr, RATE), params, upright, ahead if front else None)


@pytest.mark.parametrize("depth_deg", [30.0, 45.0, 60.0, 85.0, 105.0])
@pytest.mark.parametrize(("front", "lies_s"), [(True, 20.0), (False, 125.0)])
def test_what_starts_and_ends_lying_is_no_bend(depth_deg: float, front: bool, lies_s: float) -> None:
    """Curl-ups and sit-ups; without the front known, lying is sure after two minutes only."""
    result = _situps(depth_deg, front, lies_s)
    assert result.findings == ()
    assert len(result.bends) <= 1
    assert all(item.what != "repeated_bending" for item in result.summary.not_computable)


def test_bends_right_after_getting_up_count() -> None:
    """A rise from lying, and then bends in standing: the rise and lying down are none, the bends are all there."""
    flexion, lean = held((0, 0, 10), (-85, 0, 60), (0, 0, 12), *(((70, 0, 1), (0, 0, 3)) * 8), (0, 0, 5))
    result = analysed(flexion, lean, seed=2)
    assert len(result.bends) == 8
    assert len(result.lying) == 1
