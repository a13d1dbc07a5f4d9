"""Timed holds against known edges: a plain hinge with its formula, and the simulated battery with its own truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.assessment_types import SPECS, AssessmentTest, HoldPhase, Method, TrialOutcome
from coach.analysis.endurance import TARGETS, HoldState, begin_hold, finish_hold, hold_progress, watch_hold
from coach.analysis.errors import AnalysisError
from devices.sim.battery import EXTENSOR, FLEXOR, READY_S, SIDE_BRIDGE_RIGHT, HoldForm, HoldMotion, HoldPlan
from devices.types import FloatArray
from tests.coach.analysis.holding import EXPECTED, POSES, of_motion, simulated, watched
from tests.coach.analysis.motion import body_axis, chunks, worn

RATE = 50.0


def level_hold(
    hold_s: float,
    rate_hz: float = RATE,
    drop_deg: float = 15.0,
    seed: int = 1,
    tilt_noise_deg: float = 0.5,
    gyroscope: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Return a trunk held level from the first sample on, then dropped along a straight line over 1 s."""
    t = np.arange(round((hold_s + 12.0) * rate_hz)) / rate_hz
    flexion = 90.0 + drop_deg * np.clip(t - hold_s, 0.0, 1.0)
    acc, gyr = worn(flexion, np.zeros_like(t), rate_hz, seed)
    random = np.random.default_rng(seed)
    acc = acc + random.normal(scale=9.81 * math.radians(tilt_noise_deg), size=acc.shape)
    gyr = gyr + random.normal(scale=0.003, size=gyr.shape) + np.array([0.01, -0.008, 0.005])
    return acc, gyr if gyroscope else np.full_like(gyr, np.nan)


def of_hinge(test: AssessmentTest = AssessmentTest.EXTENSOR, seed: int = 1, place: str = "chest") -> HoldState:
    return begin_hold(test, place, body_axis(seed, up=1.0), body_axis(seed, front=1.0))


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
@pytest.mark.parametrize("gyroscope", [True, False])
def test_a_minute_of_stillness_and_a_drop(rate_hz: float, gyroscope: bool) -> None:
    acc, gyr = level_hold(60.0, rate_hz, gyroscope=gyroscope)
    _, trial = watched(of_hinge(), chunks(acc, gyr, rate_hz))
    assert trial.outcome is TrialOutcome.HELD
    assert trial.value == pytest.approx(60.0, abs=0.5)
    assert trial.counts
    assert not trial.at_least
    assert trial.evidence["end_s"] == pytest.approx(60.0, abs=0.5)
    assert trial.coverage_share == pytest.approx(1.0, abs=0.02)


SHAPES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "straight": lambda share: share,
    "cosine": lambda share: (1.0 - np.cos(np.pi * share)) / 2.0,
    "fast start": lambda share: 1.0 - (1.0 - share) ** 2,
    "fast end": lambda share: share**2,
}


@pytest.mark.parametrize("rises", list(SHAPES))
@pytest.mark.parametrize("drops", list(SHAPES))
@pytest.mark.parametrize("rise_s", [1.0, 3.0])
def test_whatever_the_way_into_the_pose_and_out_of_it(rises: str, drops: str, rise_s: float) -> None:
    t = np.arange(round(45.0 * RATE)) / RATE
    rise = SHAPES[rises](np.clip((t - 5.0) / rise_s, 0.0, 1.0))
    drop = SHAPES[drops](np.clip(t - 5.0 - rise_s - 20.0, 0.0, 1.0))
    sway = 0.5 * np.sin(2 * np.pi * 0.35 * t)
    acc, gyr = worn(122.0 - 32.0 * rise + 18.0 * drop + sway, 0.4 * np.cos(2 * np.pi * 0.2 * t), RATE, noise=True)
    trial = watched(of_hinge(), chunks(acc, gyr, RATE))[1]
    assert trial.outcome is TrialOutcome.HELD
    assert trial.value == pytest.approx(20.0, abs=0.5)


@pytest.mark.proof
@pytest.mark.parametrize("test", list(POSES))
def test_hold_time_of_the_simulated_battery(
    test: AssessmentTest, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    errors = []
    for seed in range(full_or_quick(60, 10)):
        random = np.random.default_rng(1000 + seed)
        plan = HoldPlan(
            POSES[test],
            hold_s=float(random.uniform(6.0, 40.0)),
            drop_deg=float(random.uniform(13.0, 25.0)),
            drop_s=float(random.uniform(0.5, 1.5)),
            tired_deg=float(random.uniform(0.0, 1.5)),
        )
        rate_hz = float(random.choice([25.0, 30.0, 50.0, 60.0, 100.0]))
        motion, trial = simulated(test, plan, seed, rate_hz)
        truth = motion.holds(1e6)[0]
        assert trial.outcome is TrialOutcome.HELD, (seed, trial.statement)
        assert trial.value is not None
        errors.append(trial.value - (truth.end_s - truth.start_s))
    figure(f"largest error of the hold time, {test.value}", round(float(np.abs(errors).max()), 2), "s")
    assert np.abs(errors).max() <= 0.5


@pytest.mark.parametrize(("noise", "bias_degps"), [(0.0, 2.0), (1.0, 1.0)])
def test_a_noisy_sensor_with_a_bias_times_no_worse(noise: float, bias_degps: float) -> None:
    for seed, (test, pose) in enumerate(POSES.items()):
        plan = HoldPlan(pose, hold_s=9.0 + seed)
        trial = simulated(test, plan, 80 + seed, noise=noise, bias_degps=bias_degps)[1]
        assert trial.outcome is TrialOutcome.HELD
        assert trial.value == pytest.approx(plan.hold_s, abs=0.5)


@pytest.mark.proof
def test_forms_of_hold_are_told_apart(
    full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    told: Counter[tuple[str, str]] = Counter()
    for test, pose in POSES.items():
        # In a side bridge that is not lifted, hardly anything moves.
        off_deg = 12.0 if test.startswith("side") else 22.0
        for form in HoldForm:
            for seed in range(full_or_quick(12, 1)):
                plan = HoldPlan(pose, form, hold_s=20.0 + 5.0 * (seed % 4), off_deg=off_deg)
                _, trial = simulated(test, plan, 50 + seed)
                told[(EXPECTED[form].value, trial.outcome.value)] += 1
    figure("forms of hold told right", f"{sum(n for (a, b), n in told.items() if a == b)} of {told.total()}", "")
    assert {pair: n for pair, n in told.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize("pace_degps", [0.15, 0.5, 1.0])
def test_sinking_gives_the_time_until_ten_degrees_are_lost(pace_degps: float) -> None:
    t = np.arange(round((20.0 + 14.0 / pace_degps) * RATE)) / RATE
    acc, gyr = worn(90.0 + np.clip(pace_degps * (t - 5.0), 0.0, 13.0), np.zeros_like(t), RATE, noise=True)
    _, trial = watched(of_hinge(), chunks(acc, gyr, RATE))
    assert trial.outcome is TrialOutcome.SINKING
    assert trial.counts
    assert trial.value == pytest.approx(5.0 + 10.0 / pace_degps, abs=0.5)


def test_a_drift_that_stops_before_the_limit_is_a_hold_until_its_drop() -> None:
    t = np.arange(round(70.0 * RATE)) / RATE
    flexion = 90.0 + 6.0 * np.clip(t / 40.0, 0.0, 1.0) + 15.0 * np.clip(t - 55.0, 0.0, 1.0)
    acc, gyr = worn(flexion, np.zeros_like(t), RATE, noise=True)
    _, trial = watched(of_hinge(), chunks(acc, gyr, RATE))
    assert trial.outcome is TrialOutcome.HELD
    assert trial.value == pytest.approx(55.0, abs=0.5)
    assert trial.evidence["drift_deg"] == pytest.approx(6.5, abs=1.5)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 2300), max_size=12), st.sampled_from([HoldForm.STEADY, HoldForm.COMING_BACK]))
def test_the_cut_does_not_matter(cuts: list[int], form: HoldForm) -> None:
    motion = HoldMotion(4, HoldPlan(EXTENSOR, form, hold_s=9.0))
    acc, gyr = motion.samples(0, 2400, RATE)
    acc[1700:1713], gyr[1700:1713] = np.nan, np.nan
    state = of_motion(AssessmentTest.EXTENSOR, motion, acc, gyr, RATE)
    whole = watched(state, chunks(acc, gyr, RATE, []))[1]
    for block in chunks(acc, gyr, RATE, cuts):
        state = HoldState.from_bytes(watch_hold(state, block)[0].to_bytes())
    cut = finish_hold(state)
    assert (cut.outcome, cut.statement) == (whole.outcome, whole.statement)
    assert cut.value == pytest.approx(whole.value, abs=1e-9)
    assert set(cut.evidence) == set(whole.evidence)
    for name, value in whole.evidence.items():
        assert cut.evidence[name] == (pytest.approx(value, rel=1e-6, abs=1e-6) if isinstance(value, float) else value)


@pytest.mark.parametrize(("missing_s", "void"), [(0.1, False), (0.9, False), (1.2, True), (30.0, True)])
@pytest.mark.parametrize("as_gap_between_blocks", [True, False])
def test_a_gap_of_more_than_a_second_voids(missing_s: float, void: bool, as_gap_between_blocks: bool) -> None:
    acc, gyr = level_hold(60.0)
    first, end = round(20.0 * RATE), round((20.0 + missing_s) * RATE)
    blocks = chunks(acc, gyr, RATE, [first, end])
    if as_gap_between_blocks:
        blocks = [block for block in blocks if block.start_index != first]
    else:
        blocks[1].acc_mps2[:], blocks[1].gyr_radps[:] = np.nan, np.nan
    state, trial = watched(of_hinge(), blocks)
    assert trial.outcome is (TrialOutcome.INTERRUPTED if void else TrialOutcome.HELD)
    if void:
        assert trial.value is None
        assert not trial.counts
        assert trial.needs
        assert state.over
    else:
        assert trial.value == pytest.approx(60.0, abs=0.5)


def test_a_gap_before_the_pose_voids_nothing() -> None:
    motion = HoldMotion(7, HoldPlan(FLEXOR, hold_s=12.0))
    acc, gyr = motion.samples(0, round(60 * RATE), RATE)
    state = of_motion(AssessmentTest.FLEXOR, motion, acc, gyr, RATE)
    gap = slice(round(22 * RATE), round(29 * RATE))
    acc[gap], gyr[gap] = np.nan, np.nan
    trial = watched(state, chunks(acc, gyr, RATE))[1]
    assert trial.outcome is TrialOutcome.HELD
    assert trial.value == pytest.approx(12.0, abs=0.5)


def test_the_page_is_told_to_stop_at_240_s() -> None:
    acc, gyr = level_hold(250.0)
    state, phases = of_hinge(), []
    for block in chunks(acc, gyr, RATE, list(range(0, len(acc), 50))):
        state, progress = watch_hold(state, block)
        phases.append((progress.phase, progress.must_stop))
        assert progress.must_stop == (progress.phase is HoldPhase.OVER)
    stopped = [number for number, (_, stop) in enumerate(phases) if stop]
    assert stopped[0] in (239, 240, 241), "one block a second"
    trial = finish_hold(state)
    assert (trial.outcome, trial.value, trial.at_least) == (TrialOutcome.STOPPED_AT_LIMIT, 240.0, True)
    assert trial.counts


def test_the_page_sees_the_hold_begin_and_end() -> None:
    motion = HoldMotion(5, HoldPlan(EXTENSOR, hold_s=10.0))
    acc, gyr = motion.samples(0, round(56 * RATE), RATE)
    state = of_motion(AssessmentTest.EXTENSOR, motion, acc, gyr, RATE)
    seen: list[tuple[float, HoldPhase, float]] = []
    first = round(READY_S * RATE)
    for block in chunks(acc, gyr, RATE, list(range(first, len(acc), 12)))[1:]:
        state, progress = watch_hold(state, block)
        assert progress == hold_progress(state)
        seen.append(((block.start_index + len(block)) / RATE, progress.phase, progress.held_s))
    order = [phase for number, (_, phase, _) in enumerate(seen) if not number or seen[number - 1][1] is not phase]
    assert order == [HoldPhase.WAITING, HoldPhase.HOLDING, HoldPhase.LEFT, HoldPhase.OVER]
    began = next(at for at, phase, _ in seen if phase is HoldPhase.HOLDING)
    assert motion.reached_s < began < motion.reached_s + 1.6
    running = [(at, held_s) for at, phase, held_s in seen if phase is HoldPhase.HOLDING]
    for at, held_s in running[4:]:
        if at < motion.reached_s + 10.0:
            assert held_s == pytest.approx(at - motion.reached_s, abs=0.5)


def test_a_hold_that_nobody_saw_end_is_cut_short() -> None:
    acc, gyr = level_hold(60.0)
    trial = watched(of_hinge(), chunks(acc[: round(30 * RATE)], gyr[: round(30 * RATE)], RATE))[1]
    assert trial.outcome is TrialOutcome.CUT_SHORT
    assert trial.at_least
    assert not trial.counts
    assert trial.value == pytest.approx(30.0, abs=0.3)


def test_without_a_calibration_or_at_another_place_there_is_no_number() -> None:
    acc, gyr = level_hold(10.0)
    upright, front = body_axis(1, up=1.0), body_axis(1, front=1.0)
    for place, si, pa, needs in (
        ("chest", None, None, "a calibration (stand upright, one bow)"),
        ("chest", upright, None, "a calibration (stand upright, one bow)"),
        ("wrist_left", upright, front, "chest"),
    ):
        state = begin_hold(AssessmentTest.EXTENSOR, place, si, pa)
        state, progress = watch_hold(state, chunks(acc, gyr, RATE)[0])
        trial = finish_hold(state)
        assert progress.phase is HoldPhase.OVER
        assert (trial.outcome, trial.value, trial.counts) == (TrialOutcome.NOT_COMPUTABLE, None, False)
        assert trial.needs is not None
        assert needs in trial.needs
        assert trial.statement.startswith("Not enough data: needs ")


def test_no_samples_too_few_and_wrong_units_have_no_number() -> None:
    assert finish_hold(of_hinge()).outcome is TrialOutcome.NOT_COMPUTABLE
    acc, gyr = level_hold(20.0, 10.0)
    slow = watched(of_hinge(), chunks(acc, gyr, 10.0))[1]
    assert slow.outcome is TrialOutcome.NOT_COMPUTABLE
    assert "samples a second" in (slow.needs or "")
    acc, gyr = level_hold(20.0)
    none = watched(of_hinge(), chunks(np.full_like(acc, np.nan), np.full_like(gyr, np.nan), RATE))[1]
    assert none.outcome is TrialOutcome.NOT_COMPUTABLE
    assert "80% of the samples (there were 0%)" in (none.needs or "")
    in_g = watched(of_hinge(), chunks(acc / 9.81, gyr, RATE))[1]
    assert in_g.outcome is TrialOutcome.NOT_COMPUTABLE
    assert in_g.value is None


def test_other_poses_do_not_start_the_clock() -> None:
    t = np.arange(round(40.0 * RATE)) / RATE
    zero = np.zeros_like(t)
    # Lying on the back, on a side, standing, and bowing: none of them is a Sorensen hold or a flexor hold.
    for flexion, lean in ((-90.0, 0.0), (0.0, 90.0), (0.0, -90.0), (3.0, 0.0), (30.0, 0.0)):
        acc, gyr = worn(zero + flexion, zero + lean, RATE, noise=True)
        for test in (AssessmentTest.EXTENSOR, AssessmentTest.FLEXOR):
            trial = watched(of_hinge(test), chunks(acc, gyr, RATE))[1]
            assert trial.outcome is TrialOutcome.NEVER_STARTED, (flexion, lean, test, trial.statement)
            assert trial.value is None
            assert trial.needs


def test_the_other_side_is_not_this_one() -> None:
    motion = HoldMotion(3, HoldPlan(SIDE_BRIDGE_RIGHT, hold_s=10.0))
    acc, gyr = motion.samples(0, round(55 * RATE), RATE)
    trial = watched(of_motion(AssessmentTest.SIDE_BRIDGE_LEFT, motion, acc, gyr, RATE), chunks(acc, gyr, RATE))[1]
    assert trial.outcome is TrialOutcome.NEVER_STARTED
    assert "other side" in trial.statement


def test_sway_grows_with_tiredness() -> None:
    ratios = []
    for tired_deg in (0.0, 2.0):
        trial = simulated(AssessmentTest.EXTENSOR, HoldPlan(EXTENSOR, hold_s=40.0, tired_deg=tired_deg), 11)[1]
        ratios.append(trial.evidence["sway_last_third_deg"] / trial.evidence["sway_first_third_deg"])
    assert ratios[0] < 1.5 < 2.0 < ratios[1]


def test_blocks_must_follow() -> None:
    acc, gyr = level_hold(5.0)
    one, two = chunks(acc, gyr, RATE, [200])
    state = watch_hold(of_hinge(), two)[0]
    with pytest.raises(AnalysisError, match="comes next"):
        watch_hold(state, one)
    with pytest.raises(AnalysisError, match="rate changed"):
        watch_hold(state, chunks(acc, gyr, 60.0)[1])
    with pytest.raises(AnalysisError, match="no timed hold"):
        begin_hold(AssessmentTest.DYNAMOMETER_BACK, "chest", None, None)
    with pytest.raises(AnalysisError, match="stored analysis state"):
        HoldState.from_bytes(b"BSAS")


def test_every_hold_has_a_pose() -> None:
    assert set(TARGETS) == {test for test, spec in SPECS.items() if spec.method is Method.HOLD}
