"""Swings: a synthetic crowd with known truth, real recordings in which nobody swings, and any cut of the stream."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.__main__ import main
from coach.analysis.orientation import OrientationParams, OrientationState, estimate_orientation
from coach.analysis.swing_types import PARAMS, Swing, SwingKind, Turn
from coach.analysis.swings import (
    RATE_MIN_HZ,
    SwingState,
    detect_swings,
    finish_swings,
    swings_not_computable,
    tally,
)
from devices.files.npz import read_npz
from devices.types import FloatArray
from tests.coach.analysis.swing_people import KINDS, Session, play


def up_of(acc: FloatArray, gyr: FloatArray, rate_hz: float) -> FloatArray:
    _, oriented = estimate_orientation(OrientationParams(), OrientationState(), rate_hz, acc, gyr)
    return np.asarray(oriented.up)


def counted(
    kind: str, place: str, acc: FloatArray, gyr: FloatArray, rate_hz: float, cuts: list[int] | None = None
) -> tuple[Swing, ...]:
    params, state, found = PARAMS[SwingKind(kind)], SwingState(), list[Swing]()
    up = up_of(acc, gyr, rate_hz)
    limit = float(np.nanmax(np.abs(gyr)))
    edges = [0, *(cuts or []), len(gyr)]
    for first, end in pairwise(edges):
        state, more = detect_swings(params, place, state, rate_hz, gyr[first:end], up[:, first:end], limit)
        found.extend(more)
    state, more = finish_swings(params, place, state, rate_hz, limit)
    found.extend(more)
    assert state.count == state.live_count == len(found)
    return tuple(found)


def compared(session: Session, found: tuple[Swing, ...]) -> tuple[int, int, int]:
    """Return how many swings were missed, invented, or turned the wrong way."""
    times = np.array([swing.time_s for swing in found])
    hit, wrong = set(), 0
    for peak_s, left in zip(session.peaks_s, session.lefts, strict=True):
        near = int(np.argmin(np.abs(times - peak_s))) if len(times) else -1
        if near >= 0 and abs(times[near] - peak_s) < 0.3:
            hit.add(near)
            wrong += found[near].turn is (Turn.RIGHT if left > 0 else Turn.LEFT)
    return len(session.peaks_s) - len(hit), len(found) - len(hit), wrong


@pytest.mark.proof
@pytest.mark.parametrize(("trunk", "recall"), [(False, 0.98), (True, 0.95)])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_crowd_that_swings(
    kind: str,
    trunk: bool,
    recall: float,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    people = full_or_quick(100, 6)
    missed = invented = wrong = total = 0
    for seed in range(people):
        session = play(kind, seed, trunk=trunk)
        found = counted(
            kind, "upper_back" if trunk else "wrist_left", session.acc_mps2, session.gyr_radps, session.rate_hz
        )
        parts = compared(session, found)
        total += len(session.peaks_s)
        missed, invented, wrong = missed + parts[0], invented + parts[1], wrong + parts[2]
    where = "trunk" if trunk else "wrist"
    figure(f"{kind}, {where}, of {people} synthetic people", f"{missed} missed, {invented} false of {total}", "swings")
    assert missed <= (1 - recall) * total
    assert invented <= (0.05 if trunk else 0.01) * total
    assert wrong == 0


def test_peak_time_between_and_full_scale_are_told() -> None:
    session = next(s for s in (play("throw", seed) for seed in range(50)) if any(s.clipped) and not all(s.clipped))
    found = counted("throw", "wrist_right", session.acc_mps2, session.gyr_radps, session.rate_hz)
    assert len(found) == len(session.peaks_s)
    for swing, peak_s, peak_degps, clipped in zip(
        found, session.peaks_s, session.peaks_degps, session.clipped, strict=True
    ):
        assert swing.time_s == pytest.approx(peak_s, abs=0.06)
        if not swing.clipped:
            assert swing.peak_degps == pytest.approx(peak_degps, rel=0.08)
        assert swing.clipped or not clipped
    assert found[0].since_last_s is None
    gaps = np.diff([swing.time_s for swing in found])
    assert [swing.since_last_s for swing in found[1:]] == pytest.approx(gaps.tolist())


def _recorded(recordings: Path) -> list[tuple[Path, str]]:
    rows = []
    for folder in ("gym", "spar", "gait"):
        with (recordings / folder / "index.csv").open() as file:
            rows += [(recordings / folder / row["file"], row.get("places", "")) for row in csv.DictReader(file)]
    return rows


@pytest.mark.recordings
def test_nobody_swings_in_the_gym(recordings: Path, figure: Callable[[str, object, str], None]) -> None:
    """Strength sets, pendulums at 29 rad/s, handling and walking: at most one false swing in ten minutes."""
    found, seconds = 0, 0.0
    for path, _ in _recorded(recordings):
        recording = read_npz(path)
        if recording.rate_hz < RATE_MIN_HZ:
            continue
        for place, sensor in recording.sensors.items():
            acc, gyr = sensor.acc_mps2.astype(np.float64), sensor.gyr_radps.astype(np.float64)
            found += len(counted("tennis", place, acc, gyr, recording.rate_hz))
            seconds += recording.duration_s
    figure("false swings", f"{found} in {seconds / 60:.0f} min", "")
    assert found <= seconds / 600


SHORT = play("bat", 3, swings=4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, len(SHORT.gyr_radps) - 1), max_size=8, unique=True))
def test_any_cut_gives_the_same(cuts: list[int]) -> None:
    acc, gyr, rate_hz = SHORT.acc_mps2, SHORT.gyr_radps, SHORT.rate_hz
    assert counted("bat", "wrist_left", acc, gyr, rate_hz, sorted(cuts)) == counted(
        "bat", "wrist_left", acc, gyr, rate_hz
    )


def test_the_live_count_comes_half_a_second_after_the_peak() -> None:
    session = play("golf", 1, swings=1)
    params, state = PARAMS[SwingKind.GOLF], SwingState()
    up = up_of(session.acc_mps2, session.gyr_radps, session.rate_hz)
    end = round((session.peaks_s[0] + 0.6) * session.rate_hz)
    state, settled = detect_swings(params, "wrist_left", state, session.rate_hz, session.gyr_radps[:end], up[:, :end])
    assert (settled, state.live_count, state.count) == ((), 1, 0)


def test_a_swing_in_a_gap_is_not_made_up() -> None:
    session = play("golf", 2, swings=2)
    gyr = session.gyr_radps.copy()
    at = round(session.peaks_s[0] * session.rate_hz)
    reach = round(0.4 * session.rate_hz)
    gyr[at - reach : at + reach] = np.nan
    found = counted("golf", "wrist_left", session.acc_mps2, gyr, session.rate_hz)
    assert [swing.time_s for swing in found] == [pytest.approx(session.peaks_s[1], abs=0.06)]


def test_days_and_weeks() -> None:
    swings = [Swing(t, 900.0 + t, False, turn, None) for t, turn in ((0, Turn.LEFT), (99.9, None), (100, Turn.RIGHT))]
    days = tally(swings, 1000.0, [1000.0, 1100.0, 1200.0, 1300.0])
    assert [(day.count, day.left, day.right, day.peak_degps) for day in days] == [
        (2, 1, 0, 999.9),
        (1, 0, 1, 1000.0),
        (0, 0, 0, None),
    ]
    assert tally(swings, 0.0, [1000.0, 1100.0])[0].count == 0


def test_what_it_takes_is_said() -> None:
    assert swings_not_computable(100.0, True) is None
    slow, deaf = swings_not_computable(25.0, True), swings_not_computable(100.0, False)
    assert slow is not None
    assert "50 Hz" in slow.needs
    assert deaf is not None
    assert "gyroscope" in deaf.needs


def test_the_stream_and_the_command_line_count_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = play("golf", 4, swings=6)
    path = tmp_path / "range.npz"
    np.savez(path, fs=session.rate_hz, wrist_left_acc=session.acc_mps2, wrist_left_gyr=session.gyr_radps)
    assert main(["analyze", str(path), "--swings", "golf", "--json"]) == 0
    (sensor,) = json.loads(capsys.readouterr().out)["sensors"].values()
    assert [swing["time_s"] for swing in sensor["swings"]] == [pytest.approx(t, abs=0.06) for t in session.peaks_s]
    assert main(["analyze", str(path), "--swings", "golf"]) == 0
    assert "6 swings or throws" in capsys.readouterr().out
    still = tmp_path / "still.npz"
    np.savez(still, fs=100.0, wrist_left_acc=np.tile((0.0, 0.0, 9.81), (3000, 1)), wrist_left_gyr=np.zeros((3000, 3)))
    assert main(["analyze", str(still), "--swings", "golf"]) == 0
    assert "no swing or throw counted (golf)" in capsys.readouterr().out
    assert main(["analyze", str(path), "--json"]) == 0
    (sensor,) = json.loads(capsys.readouterr().out)["sensors"].values()
    assert sensor["swings"] == []
    assert main(["analyze", str(path), "--swings", "cricket"]) == 2
    assert "choose one of bat, golf, tennis, throw" in capsys.readouterr().err
