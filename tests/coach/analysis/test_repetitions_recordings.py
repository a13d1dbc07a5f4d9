"""Repetitions, holds and rest on real people, whole recordings, by the index; nothing is told about the exercise.

Where a mark of the project is not reached, the test holds what is (docs/algorithms.md says what stands in the way).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.guided import guided_params
from coach.analysis.motion_types import ActivityKind
from coach.analysis.types import AnalysisParams
from tests.bench import bench_accuracy
from tests.bench.bench_accuracy import Counted
from tests.bench.recorded import recordings as of_set

Figure = Callable[[str, object, str], None]


@pytest.fixture(scope="module")
def counted(recordings: Path) -> list[Counted]:
    bench_accuracy.FOLDER = recordings
    return list(bench_accuracy.count_all())


def test_sets_within_a_whole_recording(counted: list[Counted], figure: Figure) -> None:
    """The mark is 97 %. The person's own notes contradict the signal in more sets than that leaves room for."""
    off = np.array([abs(one.off) for one in counted if one.data_set == "gym"])
    figure("gym sets within one", round(float(np.mean(off <= 1)), 3), "")
    assert np.mean(off <= 1) >= 0.80
    assert np.median(off) == 0


def test_twenty_repetitions_never_halved_or_doubled(counted: list[Counted], figure: Figure) -> None:
    found = np.array([one.count + one.off for one in counted if one.data_set == "spar"])
    figure("shoulder exercises within one", round(float(np.mean(abs(found - 20) <= 1)), 3), "")
    assert np.mean(abs(found - 20) <= 1) >= 0.98
    assert found.min() > 15
    assert found.max() < 25


def test_physiotherapy_missed_and_false(counted: list[Counted], figure: Figure) -> None:
    off = np.array([one.off for one in counted if one.data_set == "pted" and one.count == 30])
    noted = 30 * off.size
    figure("physiotherapy missed, false", (-off[off < 0].sum() / noted, off[off > 0].sum() / noted), "")
    assert -off[off < 0].sum() <= 0.02 * noted
    assert off[off > 0].sum() <= 0.01 * noted


def test_trunk_bends(counted: list[Counted]) -> None:
    bends = [one for one in counted if one.data_set == "pted" and one.recorded.row["exercise"] == "e2"]
    assert bends
    for one in bends:
        assert abs(one.off) <= 1, one.recorded.row["file"]
        if one.count == 30:
            low, high = np.percentile([each.rom_deg for each in one.motion.repetitions[:10]], [25, 75])
            assert high - low <= 5.0


def test_holds_are_those_of_the_first_block(counted: list[Counted]) -> None:
    told = bench_accuracy.held_blocks(counted)
    assert np.mean([9 <= first <= 11 and later <= 1 for first, later, _ in told]) >= 0.8
    assert 2.0 <= np.median([duration for _, _, durations in told for duration in durations]) <= 6.0


def test_marked_repetitions_begin_and_end_where_they_were_marked(counted: list[Counted]) -> None:
    off = bench_accuracy.edges_off(counted)
    assert np.mean(np.isfinite(off[:, 0])) >= 0.9
    assert np.all(np.abs(np.nanmedian(off, axis=0)) <= 0.3)
    assert np.all(np.nanmean(np.abs(off) <= 0.3, axis=0) >= 0.6)


def test_idle_handling_and_walking(counted: list[Counted], figure: Figure) -> None:
    """At most one repetition in ten minutes where nobody exercises, and no set at all."""
    false, idle_s, _ = bench_accuracy.idle(counted)
    figure("false repetitions in ten minutes", round(600 * false / idle_s, 2), "")
    assert 600 * false / idle_s <= 1.0
    for one in counted:
        row = one.recorded.row
        begin, end = float(row.get("active_start_s") or 0.0), float(row.get("active_end_s") or 0.0)
        for segment in one.motion.segments:
            if one.data_set in ("gym", "gait") and segment.kind is ActivityKind.EXERCISE:
                assert min(segment.end_s, end) - max(segment.start_s, begin) > 0.5 * (segment.end_s - segment.start_s)


def test_both_sides_of_healthy_people_move_alike(recordings: Path) -> None:
    """ROM and time of the same exercise on both sides: no person differs in the median by more than people do."""
    values = defaultdict(dict)
    for recorded in of_set(recordings, "spar"):
        repetitions = [each for each in recorded.motion().repetitions if each.whole]
        key = recorded.row["subject"], recorded.row["exercise"]
        values[key][recorded.row["side"]] = np.median([each.rom_deg for each in repetitions])
    ratio = np.log([both["L"] / both["R"] for both in values.values() if len(both) == 2])
    assert abs(np.median(ratio)) < 0.1


def test_guided_mode_counts_no_worse(counted: list[Counted]) -> None:
    params = AnalysisParams(motion=guided_params("trunk_bend"))
    for one in counted:
        if one.data_set == "pted" and one.recorded.row["exercise"] == "e2":
            assert abs(len(one.recorded.motion(params).repetitions) - one.count) <= 1
