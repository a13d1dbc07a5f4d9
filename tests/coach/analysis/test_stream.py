"""The analysis of a stream: known answers, any cut, gaps, and a state that survives as bytes."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.errors import AnalysisError
from coach.analysis.frames import Vector
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.rotation import GAP
from coach.analysis.stream import AnalysisState, Update, analyse, finish, new_state
from coach.analysis.summary import current_findings, summarise
from coach.analysis.types import AnalysisParams, BendingParams, Reference, ReferenceParams
from devices.types import Chunk, FloatArray
from tests.coach.analysis.motion import bends, body_axis, chunks, hinge, upright_axis, worn

PARAMS = AnalysisParams()
RATE = 50.0


def run(
    parts: list[Chunk],
    place: str = "chest",
    params: AnalysisParams = PARAMS,
    as_bytes: bool = False,
    upright: Vector | None = None,
    forward: Vector | None = None,
) -> list[Update]:
    state, updates = new_state(place, params, upright, forward), []
    for part in parts:
        updates.append(analyse(state, part))
        state = updates[-1].state
        if as_bytes:
            state = AnalysisState.from_bytes(state.to_bytes())
    updates.append(finish(state))
    return updates


def series(updates: list[Update], name: str) -> FloatArray:
    return np.concatenate([getattr(update.features, name) for update in updates])


def whole(angle: FloatArray, rate: float = RATE, **options: object) -> RecordingResult:
    acc, gyr = hinge(angle, rate)
    return analyse_recording("chest", chunks(acc, gyr, rate), PARAMS, keep_series=True, **options)  # type: ignore[arg-type]


def exposure_angle(rate: float, periods: int) -> FloatArray:
    t = np.arange(round(periods * 5 * rate)) / rate
    return 35 * (1 - np.cos(2 * np.pi * t / 5))


@pytest.mark.parametrize("rate", [25.0, 60.0, 100.0, 285.714])
def test_exposure_shares_of_a_known_angle(rate: float) -> None:
    # T9: the shares follow from the angle by hand: 1 - arccos((35 - threshold) / 35) / pi.
    result = whole(exposure_angle(rate, 24), rate, upright=upright_axis())
    expected = {20.0: 0.6410, 30.0: 0.5456, 45.0: 0.4078, 60.0: 0.2468, 90.0: 0.0}
    assert result.summary.posture.share_above == pytest.approx(expected, abs=0.005)
    assert result.summary.reference is Reference.CALIBRATION
    assert len(result.bends) / (result.summary.duration_s / 60) == pytest.approx(12, abs=0.01)
    large = {size: count for size, count in result.summary.cycles if size >= 20}
    assert set(large) <= {69.0, 70.0}
    assert sum(large.values()) == 24


def test_shifted_thresholds_bracket_the_share() -> None:
    result = whole(exposure_angle(RATE, 24), upright=upright_axis())
    for threshold, share in result.summary.posture.share_above.items():
        less, more = result.summary.posture.share_above_shifted[threshold]
        expected = [1 - np.arccos(max((35 - t) / 35, -1.0)) / np.pi for t in (threshold - 5, threshold + 5)]
        assert more < share < less or threshold > 70
        assert (less, more) == pytest.approx(tuple(expected), abs=0.006)


@pytest.mark.parametrize("rate", [25.0, 60.0, 200.0])
def test_repetition_times_of_known_bends(rate: float) -> None:
    angle = bends([10.0, 20.0, 24.0], 30.0, rate)
    result = whole(angle, rate)
    assert result.summary.reference is Reference.STILL
    # A raised cosine of 2 s passes a tenth of its height arccos(0.8)/pi = 0.205 s after its start.
    for repetition, start in zip(result.bends, (10.0, 20.0, 24.0), strict=True):
        assert repetition.start_s == pytest.approx(start + 0.205, abs=0.06)
        assert repetition.peak_s == pytest.approx(start + 1.0, abs=0.06)
        assert repetition.end_s == pytest.approx(start + 1.795, abs=0.06)
        assert repetition.rom_deg == pytest.approx(50, abs=1.0)


def test_inclination_does_not_depend_on_the_mounting() -> None:
    angle = bends([6.0, 12.0], 20.0, RATE)
    for seed in range(4):
        acc, gyr = hinge(angle, RATE, seed=seed)
        result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, keep_series=True)
        assert result.inclination_deg == pytest.approx(angle, abs=1.5)


def test_a_bend_of_less_than_twenty_degrees_is_none() -> None:
    assert whole(bends([5.0, 10.0], 20.0, RATE, depth_deg=18.0)).bends == ()
    assert len(whole(bends([5.0, 10.0], 20.0, RATE, depth_deg=22.0)).bends) == 2


@pytest.mark.proof
@settings(max_examples=1500 if os.environ.get("PROOF") else 40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([25.0, 59.94, 100.0]),
    cuts=st.lists(st.integers(1, 2999), max_size=40),
    gaps=st.lists(st.tuples(st.integers(0, 2999), st.integers(1, 700)), max_size=4),
    dropped=st.integers(0, 30),
)
def test_any_cut_gives_the_same(
    seed: int, rate: float, cuts: list[int], gaps: list[tuple[int, int]], dropped: int
) -> None:
    """Cut at random, with gaps inside and between chunks, the state as bytes in between: equal to one run."""
    random = np.random.default_rng(seed)
    starts = np.cumsum(random.uniform(2.0, 9.0, size=20)).tolist()
    angle = bends([s for s in starts if s < 3000 / rate - 2], 3000 / rate, rate, depth_deg=random.uniform(15, 70))
    acc, gyr = hinge(angle[:3000] + 3 * np.sin(np.arange(3000) / rate), rate, seed=seed % 7 + 1, noise=True)
    for start, count in gaps:
        acc[start : start + count] = np.nan
        gyr[start : start + count] = np.nan
    params = replace(
        PARAMS,
        reference=ReferenceParams(search_s=float(random.choice([4.0, 15.0, 300.0]))),
        bending=BendingParams(min_duration_s=20.0, rate_per_min=3.0, min_range_deg=float(random.choice([20.0, 12.0]))),
    )
    parts = chunks(acc, gyr, rate, cuts)
    if dropped and len(parts) > 2:
        del parts[dropped % (len(parts) - 2) + 1]
    one = run(_joined(parts, rate), params=params)
    cut = run(parts, params=params, as_bytes=True)
    np.testing.assert_allclose(series(one, "inclination_deg"), series(cut, "inclination_deg"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(series(one, "quat"), series(cut, "quat"), rtol=0, atol=1e-9)
    assert [r for u in one for r in u.features.bends] == [r for u in cut for r in u.features.bends]
    assert [c for u in one for c in u.changes] == [c for u in cut for c in u.changes]
    assert summarise(one[-1].state) == summarise(cut[-1].state)
    assert current_findings(one[-1].state) == current_findings(cut[-1].state)
    assert sum(u.features.expected for u in one) == sum(u.features.expected for u in cut) == len(acc)
    assert one[-1].state.to_bytes() == cut[-1].state.to_bytes()


@pytest.mark.proof
@settings(max_examples=800 if os.environ.get("PROOF") else 25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([25.0, 59.94, 200.0]),
    poses=st.lists(
        st.tuples(
            st.sampled_from([(0, 0), (40, 5), (85, 0), (-85, 0), (0, 80), (65, -30), (120, 0)]), st.floats(2, 60)
        ),
        min_size=1,
        max_size=8,
    ),
    known=st.sampled_from(["nothing", "upright", "front"]),
    gyroscope=st.sampled_from(["all along", "never", "from 7 s on"]),
    cuts=st.lists(st.integers(1, 5000), max_size=30),
    gaps=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 700)), max_size=3),
)
def test_any_cut_gives_the_same_of_lying_leaning_walking_and_tilt(
    seed: int,
    rate: float,
    poses: list[tuple[tuple[int, int], float]],
    known: str,
    gyroscope: str,
    cuts: list[int],
    gaps: list[tuple[int, int]],
) -> None:
    """Everything that is decided at some sample of the stream is decided at the same one, however it is cut."""
    random = np.random.default_rng(seed)
    targets = np.concatenate([np.tile(pose, (round(duration * rate), 1)) for pose, duration in poses])[:5000]
    smooth = np.cumsum(targets - targets[0], axis=0)
    width = round(rate)  # from pose to pose in about a second, with some swing all along
    smooth = targets[0] + (smooth[width:] - smooth[:-width]) / width if len(smooth) > width else targets
    t = np.arange(len(smooth)) / rate
    acc, gyr = worn(smooth[:, 0] + 25 * np.sin(t) ** 8, smooth[:, 1], rate, seed % 5 + 1, noise=True)
    steps = (t % 40.0 > 20.0)[:, None]
    acc = acc * (1 + 0.25 * steps * np.sin(2 * np.pi * 1.9 * t)[:, None])
    for start, count in gaps:
        acc[start : start + count] = np.nan
        gyr[start : start + count] = np.nan
    gyr[: {"all along": 0, "never": len(gyr), "from 7 s on": round(7 * rate)}[gyroscope]] = np.nan
    mount = seed % 5 + 1
    upright = body_axis(mount, up=1.0) if known != "nothing" else None
    front = body_axis(mount, front=1.0) if known == "front" else None
    params = replace(PARAMS, reference=ReferenceParams(search_s=float(random.choice([4.0, 300.0]))))
    one = run(chunks(acc, gyr, rate, []), params=params, upright=upright, forward=front)
    cut = run(chunks(acc, gyr, rate, cuts), params=params, upright=upright, forward=front, as_bytes=True)
    np.testing.assert_allclose(series(one, "inclination_deg"), series(cut, "inclination_deg"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(series(one, "quat"), series(cut, "quat"), rtol=0, atol=1e-9)
    for name in ("lying", "static_holds", "bends"):
        first, second = ([item for u in updates for item in getattr(u.features, name)] for updates in (one, cut))
        assert first == second
    for threshold in PARAMS.posture_thresholds_deg:
        assert sum(u.features.above[threshold] for u in one) == sum(u.features.above[threshold] for u in cut)
    assert summarise(one[-1].state) == summarise(cut[-1].state)
    assert one[-1].state.to_bytes() == cut[-1].state.to_bytes()


def _joined(parts: list[Chunk], rate: float) -> list[Chunk]:
    """Return the same samples as one chunk; what lies between the parts is NaN."""
    end = parts[-1].start_index + len(parts[-1])
    acc, gyr = np.full((end, 3), np.nan), np.full((end, 3), np.nan)
    for part in parts:
        rows = slice(part.start_index, part.start_index + len(part))
        acc[rows], gyr[rows] = part.acc_mps2, part.gyr_radps
    return chunks(acc, gyr, rate, [])


def test_single_samples_give_the_same_as_one_run() -> None:
    acc, gyr = hinge(bends([3.0, 7.0], 12.0, 25.0), 25.0, noise=True)
    acc[150:152], gyr[200:230] = np.nan, np.nan
    one, cut = run(chunks(acc, gyr, 25.0, [])), run(chunks(acc, gyr, 25.0, list(range(300))), as_bytes=True)
    assert one[-1].state.to_bytes() == cut[-1].state.to_bytes()
    np.testing.assert_array_equal(series(one, "inclination_deg"), series(cut, "inclination_deg"))


def test_blocks_and_the_whole_agree_beyond_one_block() -> None:
    acc, gyr = hinge(exposure_angle(100.0, 60), 100.0, noise=True)
    one = run(chunks(acc, gyr, 100.0, []))
    cut = run(chunks(acc, gyr, 100.0), as_bytes=True)
    assert one[-1].state.to_bytes() == cut[-1].state.to_bytes()


def test_the_old_state_is_unchanged() -> None:
    acc, gyr = hinge(bends([3.0], 10.0, RATE), RATE)
    first, second = chunks(acc, gyr, RATE)
    state = analyse(new_state("chest", PARAMS), first).state
    before = state.to_bytes()
    once, again = analyse(state, second), analyse(state, second)
    assert state.to_bytes() == before
    assert once.state.to_bytes() == again.state.to_bytes()


def test_state_is_small_and_versioned() -> None:
    acc, gyr = hinge(bends([3.0], 10.0, RATE), RATE)
    state = analyse(new_state("chest", PARAMS), chunks(acc, gyr, RATE)[0]).state
    data = state.to_bytes()
    assert AnalysisState.from_bytes(data).to_bytes() == data
    with pytest.raises(AnalysisError, match="is not one"):
        AnalysisState.from_bytes(b"something else")
    with pytest.raises(AnalysisError, match="version 9"):
        AnalysisState.from_bytes(data[:4] + b"\x09\x00" + data[6:])
    for length in range(10, len(data), 97):
        with pytest.raises(AnalysisError, match="damaged"):
            AnalysisState.from_bytes(data[:length])


def test_short_gap_is_held_and_long_gap_restarts() -> None:
    angle = bends([8.0], 20.0, RATE)
    acc, gyr = hinge(angle, RATE)
    acc[420:428], gyr[420:428] = np.nan, np.nan  # 0.16 s in the rise
    acc[600:700], gyr[600:700] = np.nan, np.nan
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, keep_series=True)
    assert result.inclination_deg is not None
    missing = np.isnan(result.inclination_deg)
    assert np.flatnonzero(missing).tolist() == [*range(420, 428), *range(600, 700)]
    assert result.summary.coverage_share == pytest.approx(1 - 108 / 1000)
    assert len(result.bends) == 1
    np.testing.assert_allclose(result.inclination_deg[~missing], angle[~missing], atol=3.0)


def test_a_repetition_does_not_span_a_long_gap() -> None:
    acc, gyr = hinge(bends([8.0], 40.0, RATE) + np.where(np.arange(2000) >= 450, 0, 0), RATE)
    acc[450:1100], gyr[450:1100] = np.nan, np.nan  # from the top of the bend, for 13 s
    assert analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS).bends == ()


def test_nothing_but_gaps_is_not_computable() -> None:
    acc = np.full((200, 3), np.nan)
    result = analyse_recording("chest", chunks(acc, acc, RATE), PARAMS, keep_series=True)
    assert result.summary.reference is None
    assert result.summary.coverage_share == 0.0
    assert result.summary.posture.share_above == {}
    assert {item.what for item in result.summary.not_computable} >= {"repeated_bending", "posture", "cycles"}


@pytest.mark.parametrize("samples", [1, 2, 25, 50])
def test_very_short_recordings_work(samples: int) -> None:
    acc, gyr = hinge(np.zeros(samples), RATE)
    result = analyse_recording("chest", chunks(acc, gyr, RATE), PARAMS, keep_series=True)
    assert result.summary.reference is Reference.SETTLED
    assert result.inclination_deg == pytest.approx(np.zeros(samples), abs=0.01)


def test_reference_is_the_first_still_stretch() -> None:
    # Swinging for 20 s, then still at 30 degrees: that pose is the reference, also for what came before.
    t = np.arange(round(30 * RATE)) / RATE
    angle = np.where(t < 20, 30 + 20 * np.sin(2 * np.pi * t / 2), 30.0)
    result = whole(angle)
    assert result.summary.reference is Reference.STILL
    assert result.inclination_deg == pytest.approx(np.abs(angle - 30), abs=2.5)


def test_without_stillness_the_first_settled_second_counts() -> None:
    t = np.arange(round(60 * RATE)) / RATE
    acc, gyr = hinge(20 * np.sin(2 * np.pi * t / 2), RATE)
    params = replace(PARAMS, reference=ReferenceParams(search_s=30.0))
    updates = run(chunks(acc, gyr, RATE), params=params)
    assert updates[-1].state.reference.source is Reference.SETTLED
    lengths = [update.features.inclination_deg.size for update in updates]
    assert lengths[:5] == [0] * 5  # waits until 30 s have been searched
    assert lengths[5] == 30 * RATE
    assert sum(lengths) == len(acc)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate_hz": 60.0}, "rate changed from 50 to 60"),
        ({"start_index": 100}, "250 comes next"),
        ({"start_index": 10**12}, "days after the one before"),
        ({"acc_mps2": np.zeros((250, 2))}, r"shape \(n, 3\)"),
    ],
)
def test_what_does_not_follow_is_refused(change: dict[str, object], sentence: str) -> None:
    acc, gyr = hinge(np.zeros(500), RATE)
    first, second = chunks(acc, gyr, RATE)
    state = analyse(new_state("chest", PARAMS), first).state
    with pytest.raises(AnalysisError, match=sentence):
        analyse(state, replace(second, **change))  # type: ignore[arg-type]


def test_hours_between_two_chunks_are_counted_but_not_returned() -> None:
    acc, gyr = hinge(np.zeros(500), RATE)
    first, second = chunks(acc, gyr, RATE)
    state = analyse(new_state("chest", PARAMS), first).state
    away = round(2 * 3600 * RATE)
    update = analyse(state, replace(second, start_index=250 + away))
    assert update.features.start_index == 250 + away
    assert update.features.inclination_deg.size == 250
    assert update.features.expected == away + 250
    assert update.features.covered == 250
    assert summarise(update.state).coverage_share == pytest.approx(500 / (500 + away))


def test_the_line_of_yaw_goes_on_after_hours_and_keeps_what_was_before() -> None:
    acc, gyr = hinge(np.zeros(4000), RATE)
    parts = chunks(acc, gyr, RATE)
    away = round(2 * 3600 * RATE)
    parts = [part if seq < 8 else replace(part, start_index=part.start_index + away) for seq, part in enumerate(parts)]
    lines = [update.features.yaw_line for update in run(parts)]
    assert max(line.tenths.size for line in lines if line) < 3600 * 10
    told = np.concatenate(
        [line.start_s + np.flatnonzero(line.tenths != GAP) / line.rate_hz for line in lines if line is not None]
    )
    # Every value once, but for the one that a pause begins in and the samples that bridge it.
    before, after = told[told < 3600.0], told[told >= 3600.0]
    np.testing.assert_allclose(before[:400], 0.08 + np.arange(400) / 10, atol=1e-6)
    assert 400 <= before.size <= 403
    np.testing.assert_allclose(after, 7240.08 + np.arange(400) / 10, atol=1e-6)


def test_a_stream_may_begin_anywhere_on_the_grid() -> None:
    acc, gyr = hinge(bends([5.0], 10.0, RATE), RATE)
    plain = run(chunks(acc, gyr, RATE))
    moved = run([replace(c, start_index=c.start_index + 10**9) for c in chunks(acc, gyr, RATE)])
    assert moved[0].features.start_index == 10**9
    assert [r for u in plain for r in u.features.bends] == [r for u in moved for r in u.features.bends]


def test_upright_without_direction_is_refused() -> None:
    with pytest.raises(AnalysisError, match="no length"):
        new_state("chest", PARAMS, (0.0, 0.0, 0.0))
