"""Repeated bending: when it fires, when it must not, and what it says."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.bends import Counted
from coach.analysis.recording import analyse_recording
from coach.analysis.strain import BendingState, detect_bending, finish_bending
from coach.analysis.stream import analyse, finish, new_state
from coach.analysis.summary import current_findings
from coach.analysis.types import AnalysisParams, BendingParams, ChangeKind, Finding, FindingChange, Grade
from devices.types import FloatArray
from tests.coach.analysis.motion import bends, chunks, hinge

RATE = 25.0
PARAMS = AnalysisParams()


def bending(per_min: float, minutes: float, offset_s: float = 5.0, depth_deg: float = 50.0) -> FloatArray:
    starts = np.arange(offset_s, minutes * 60 - 2, 60 / per_min).tolist()
    return bends(starts, minutes * 60, RATE, depth_deg)


def stream(angle: FloatArray, missing: FloatArray | None = None, place: str = "chest") -> list[FindingChange]:
    acc, gyr = hinge(angle, RATE)
    if missing is not None:
        acc[missing], gyr[missing] = np.nan, np.nan
    state, changes = new_state(place, PARAMS), []
    for chunk in chunks(acc, gyr, RATE):
        update = analyse(state, chunk)
        state = update.state
        changes.extend(update.changes)
    update = finish(state)
    return [*changes, *update.changes]


def findings(angle: FloatArray, missing: FloatArray | None = None) -> tuple[Finding, ...]:
    acc, gyr = hinge(angle, RATE)
    if missing is not None:
        acc[missing], gyr[missing] = np.nan, np.nan
    return analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS).findings


def test_fires_above_four_a_minute_for_ten_minutes() -> None:
    (finding,) = findings(bending(7.0, 12.0))
    assert finding.grade is Grade.AMBER
    assert (finding.start_s, finding.end_s) == (0.0, 720.0)
    values = finding.because["values"]
    assert values["bends"] == 84
    assert values["rate_mean_per_min"] == pytest.approx(7.0, abs=0.01)
    assert values["rate_max_per_min"] == pytest.approx(7.0, abs=0.11)
    assert values["range_median_deg"] == pytest.approx(50, abs=1)
    assert finding.statement.startswith("You bent forward 84 times in 12 minutes, 7.0 times a minute.")
    assert finding.because["window"] == {"start_s": 0.0, "end_s": 720.0}
    assert finding.because["threshold"]["rate_per_min"] == 4.0
    assert "RULA" in finding.because["source"]
    assert "heuristic" in finding.because["source"]
    assert finding.because["algorithm"]["name"] == "backstop"
    assert finding.coverage_share == finding.because["coverage_share"] == 1.0
    json.dumps(finding.because, allow_nan=False)


@pytest.mark.parametrize(
    ("per_min", "minutes", "fires"),
    [
        (4.1, 12.0, True),
        (3.9, 12.0, False),
        (4.0, 20.0, False),
        (7.0, 9.0, False),
        (7.0, 10.0, True),
        (7.0, 9.99, False),
    ],
)
def test_threshold_and_duration(per_min: float, minutes: float, fires: bool) -> None:
    assert bool(findings(bending(per_min, minutes))) is fires


def test_bends_of_less_than_twenty_degrees_do_not_count() -> None:
    assert findings(bending(8.0, 12.0, depth_deg=18.0)) == ()


@pytest.mark.parametrize(("share", "fires"), [(0.85, True), (0.7, False)])
def test_coverage(share: float, fires: bool) -> None:
    angle = bending(8.0, 12.0)
    # 10 s blocks: the first part of each is there, the rest is missing.
    at = np.arange(angle.size) % round(10 * RATE)
    missing = at >= share * 10 * RATE
    found = findings(angle, missing)
    assert bool(found) is fires
    if fires:
        assert found[0].coverage_share == pytest.approx(share, abs=0.01)


def test_low_coverage_is_said() -> None:
    angle = bending(8.0, 12.0)
    acc, gyr = hinge(angle, RATE)
    missing = np.arange(angle.size) % 250 >= 175
    acc[missing], gyr[missing] = np.nan, np.nan
    missing_results = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS).summary.not_computable
    (item,) = [item for item in missing_results if item.what == "repeated_bending"]
    assert "80%" in item.needs
    assert "70%" in item.needs


def test_not_computable_is_said_with_what_it_needs() -> None:
    acc, gyr = hinge(bending(8.0, 9.0), RATE)
    missing_results = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS).summary.not_computable
    (item,) = [item for item in missing_results if item.what == "repeated_bending"]
    assert item.needs == "a recording of at least 600 s; this one has 540.0 s"
    result = analyse_recording("wrist_left", chunks(acc, gyr, RATE), PARAMS)
    assert "trunk" in result.summary.not_computable[0].needs
    assert result.findings == ()


def uneven(per_min: float, minutes: float, seed: int) -> FloatArray:
    """Return bends that come by chance (exponential intervals, none nearer than a bend takes)."""
    random = np.random.default_rng(seed)
    starts = 5.0 + np.cumsum(2.5 + random.exponential(60 / per_min - 2.5, size=round(per_min * minutes * 2)))
    return bends([s for s in starts.tolist() if s < minutes * 60 - 3], minutes * 60, RATE, 50.0)


def test_a_rate_just_passed_by_chance_is_none_and_an_even_one_is() -> None:
    """At 4.2 bends a minute evenly is repeated; at 3.8 by chance is not, though some ten minutes hold over 40."""
    assert len(findings(bending(4.2, 15.0))) == 1
    loose = replace(PARAMS, bending=replace(PARAMS.bending, sureness=0.0))
    passed = 0
    for seed in range(4):
        acc, gyr = hinge(uneven(3.8, 45.0, seed), RATE)
        assert analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS).findings == ()
        passed += bool(analyse_recording("chest", chunks(acc, gyr, RATE), loose).findings)
    assert passed >= 2  # the rate alone would have been found


def test_one_run_is_one_finding_that_opens_changes_and_closes() -> None:
    quiet = np.zeros(round(25 * 60 * RATE))
    changes = stream(np.concatenate((bending(8.0, 15.0), quiet)))
    kinds = [change.change for change in changes]
    assert kinds[0] is ChangeKind.OPENED
    assert kinds[-1] is ChangeKind.CLOSED
    assert set(kinds[1:-1]) == {ChangeKind.CHANGED}
    assert len({change.finding.key for change in changes}) == 1
    assert changes[0].finding.end_s == 600.0
    last = changes[-1].finding
    # 120 bends; the rate over ten minutes falls to 4 when 40 of them are left in the window.
    assert last.because["values"]["bends"] == 120
    assert last.end_s == pytest.approx(15 * 60 + 300, abs=12)
    assert [c.finding.end_s - 600 for c in changes[1:-1]] == [60.0 * k for k in range(1, len(changes) - 1)]


def test_a_pause_within_the_window_does_not_split_the_run() -> None:
    angle = np.concatenate((bending(8.0, 12.0), np.zeros(round(8 * 60 * RATE)), bending(8.0, 12.0)))
    assert len(findings(angle)) == 1


def test_runs_that_share_no_second_are_two_findings() -> None:
    angle = np.concatenate((bending(8.0, 12.0), np.zeros(round(40 * 60 * RATE)), bending(8.0, 12.0)))
    first, second = findings(angle)
    assert first.end_s < second.start_s
    assert first.key != second.key


def test_a_day_long_gap_closes_the_finding() -> None:
    acc, gyr = hinge(bending(8.0, 12.0), RATE)
    parts = chunks(acc, gyr, RATE)
    state, changes = new_state("chest", PARAMS), []
    for part in parts:
        update = analyse(state, part)
        state = update.state
        changes.extend(update.changes)
    update = analyse(state, replace(parts[0], start_index=parts[0].start_index + round(86400 * RATE)))
    assert changes[0].change is ChangeKind.OPENED
    # The first two minutes of the gap still leave windows with enough coverage.
    assert update.changes[-1].change is ChangeKind.CLOSED
    assert {c.change for c in update.changes[:-1]} <= {ChangeKind.CHANGED}
    assert len(current_findings(update.state)) == 1


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_windows_agree_with_a_plain_count(data: st.DataObject) -> None:
    """Against a direct reading of the rule, second by second, for odd rates and any cut."""
    rate = data.draw(st.sampled_from([1.0, 7.3, 25.0]))
    seconds, window = 60, 12
    n = round(seconds * rate)
    random = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    valid = np.repeat(random.random(n // 5 + 1) < 0.85, 5)[:n]
    marks = np.sort(random.choice(n, size=data.draw(st.integers(0, min(n, 20))), replace=False))
    sureness = data.draw(st.sampled_from([0.0, 0.7, 1.645]))
    params = BendingParams(rate_per_min=12.0, min_duration_s=float(window), coverage_share=0.7, sureness=sureness)
    state, changes = BendingState(), []
    cuts = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=6))})
    for a, b in pairwise(cuts):
        counted = [Counted(int(i), 30.0) for i in marks if a <= i < b]
        state, more = detect_bending(params, state, rate, valid[a:b], counted)
        changes.extend(more)
    state, more = finish_bending(params, state, rate)
    changes.extend(more)
    expected = _plain_runs(params, rate, valid, marks, window)
    assert [(run.first, run.end, run.cycles) for run in state.closed] == expected
    assert sum(kind is ChangeKind.OPENED for kind, _ in changes) == len(expected)
    assert sum(kind is ChangeKind.CLOSED for kind, _ in changes) == len(expected)


def _plain_runs(
    params: BendingParams, rate: float, valid: FloatArray, marks: FloatArray, window: int
) -> list[tuple[int, int, int]]:
    second = np.floor(np.arange(valid.size) / rate + 1e-9).astype(int)
    of_mark = second[marks] if marks.size else np.empty(0, int)
    complete = int(np.floor(valid.size / rate + 1e-9))
    runs: list[list[int]] = []
    for end in range(window, complete + 1):
        inside = (second >= end - window) & (second < end)
        covered = int(valid[inside].sum())
        cycles = int(((of_mark >= end - window) & (of_mark < end)).sum())
        if covered < params.coverage_share * inside.sum() - 1e-9:
            continue
        if cycles <= params.rate_per_min * covered / rate / 60 + 1e-9:
            continue
        apart = np.diff(of_mark[(of_mark >= end - window) & (of_mark < end)]).tolist()
        variation = 1.0
        if len(apart) >= 4:
            variation = 2 * statistics.median([abs(a - b) / max(a + b, 1) for a, b in pairwise(apart)])
        least = cycles * (1 - params.sureness * variation / cycles**0.5)
        if least <= params.rate_per_min * covered / rate / 60 + 1e-9:
            continue
        if runs and end - window < runs[-1][1]:
            runs[-1][1] = end
        else:
            runs.append([end - window, end])
    return [(a, b, int(((of_mark >= a) & (of_mark < b)).sum())) for a, b in runs]
