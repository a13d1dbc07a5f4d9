"""What a recording says about itself: equal to what was injected, and the same however the stream is cut."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.integrity import (
    GAP_CLASSES_S,
    GapSpan,
    Integrity,
    IntegrityParams,
    IntegrityState,
    add_integrity,
    integrity,
)
from coach.analysis.nonwear import NonwearParams
from coach.analysis.state_bytes import decode, encode
from devices.files.npz import read_npz
from devices.sim.loose import LooseSensor
from devices.sim.motions import lifting
from devices.types import FloatArray, Reception

G_MPS2 = 9.80665
RATE_HZ = 50.0
PARAMS = IntegrityParams()


def run(
    acc: FloatArray,
    gyr: FloatArray,
    cuts: list[int] | None = None,
    reception: Reception | None = None,
    rate_hz: float = RATE_HZ,
    params: IntegrityParams = PARAMS,
) -> Integrity:
    state = IntegrityState()
    valid = np.isfinite(acc[:, 0])
    for part, (start, end) in enumerate(pairwise([0, *sorted(cuts or []), len(acc)])):
        rows = slice(start, end)
        more = {} if reception is None or part else {"reception": reception}
        state = add_integrity(params, state, rate_hz, acc[rows], gyr[rows], valid[rows], **more)
        state = decode(IntegrityState, encode(state, 1), 1)
    return integrity(state, params)


def motion(n: int, seed: int = 1, size_g: float = 0.3) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, size_g * G_MPS2, (n, 3)) + np.array([0, 0, G_MPS2]), rng.normal(0, 1, (n, 3))


def still(n: int, seed: int = 2, noise_mg: float = 2.0, up: tuple[float, float, float] = (0, 0, 1)) -> FloatArray:
    return np.random.default_rng(seed).normal(0, noise_mg * G_MPS2 / 1000, (n, 3)) + np.array(up) * G_MPS2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_gaps_and_counts_are_the_injected_ones_however_the_stream_is_cut(data: st.DataObject) -> None:
    lengths = st.sampled_from([1, 2, 5, 6, 40, 50, 51, 300, 700, 3500])
    pieces = data.draw(st.lists(st.tuples(st.integers(1, 400), lengths), min_size=1, max_size=30))
    there = np.concatenate([np.repeat([True, False], pair) for pair in pieces])
    there = there[: data.draw(st.sampled_from([len(there), len(there) - pieces[-1][1]]))]
    acc, gyr = motion(len(there))
    acc[~there] = gyr[~there] = np.nan
    reception = Reception(3, 2, 1, 4, 1, 49.9, -31.0, 0.001, 156.9, 34.9)
    result = run(acc, gyr, data.draw(st.lists(st.integers(0, len(acc)), max_size=10)), reception)
    # The truth, found sample by sample.
    gaps, at = [], 0
    while at < len(there):
        end = at + 1
        while end < len(there) and there[end] == there[at]:
            end += 1
        if not there[at]:
            gaps.append((at, end - at))
        at = end
    lost = sum(count for _, count in gaps)
    assert (result.expected, result.received, result.lost) == (len(there), len(there) - lost, lost)
    assert result.coverage_share == pytest.approx(there.mean())
    assert result.effective_rate_hz == pytest.approx(49.9 * there.mean())
    told = (result.duplicates, result.late, result.damaged, result.unjoined, result.restarts)
    assert told == (3, 2, 1, 4, 1)
    assert (result.sampling_rate_hz, result.drift_ppm, result.clock_uncertainty_s) == (49.9, -31.0, 0.001)
    longest = sorted(gaps, key=lambda gap: (-gap[1], gap[0]))[:20]
    assert result.gaps == tuple(GapSpan(start / RATE_HZ, count / RATE_HZ) for start, count in longest)
    bounds = (0.0, *GAP_CLASSES_S, np.inf)
    assert [count for _, count in result.gaps_by_class] == [
        sum(low < count / RATE_HZ <= high for _, count in gaps) for low, high in pairwise(bounds)
    ]
    assert result.gaps_count == len(gaps)
    assert result == run(acc, gyr, None, reception)


def naive_nonwear(acc: FloatArray, window_s: float, step_s: float, rate_hz: float) -> float:
    """Return the share of steps inside a window that meets the rule; straight from its words, on whole arrays."""
    step, per_window = round(step_s * rate_hz), round(window_s / step_s)
    steps = len(acc) // step
    flagged = np.zeros(steps, dtype=bool)
    for first in range(steps - per_window + 1):
        window = acc[first * step : (first + per_window) * step] / G_MPS2 * 1000
        if ((window.std(axis=0) < 13) & (np.ptp(window, axis=0) < 50)).sum() >= 2:
            flagged[first : first + per_window] = True
    return float(flagged.mean())


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_nonwear_is_the_published_rule(data: st.DataObject) -> None:
    """Quiet and busy stretches in any order, and wanderings that only the range or only the deviation notices."""
    rate_hz = 5.0
    kinds = st.sampled_from(["still", "busy", "knock", "creep", "one axis"])
    parts = []
    for seed, kind in enumerate(data.draw(st.lists(kinds, min_size=6, max_size=14))):
        part = still(round(600 * rate_hz), seed)
        if kind == "busy":
            part = motion(len(part), seed)[0]
        if kind == "knock":
            part[len(part) // 2] += 0.06 * G_MPS2
        if kind == "creep":
            part += np.linspace(0, 0.045 * G_MPS2, len(part))[:, None]
        if kind == "one axis":
            part[:, 1] += np.random.default_rng(seed).normal(0, G_MPS2, len(part))
        parts.append(part)
    acc = np.concatenate(parts)
    result = run(acc, np.zeros_like(acc), data.draw(st.lists(st.integers(0, len(acc)), max_size=8)), rate_hz=rate_hz)
    assert result.nonwear_share == pytest.approx(naive_nonwear(acc, 3600, 900, rate_hz))
    assert result.still_share == pytest.approx(naive_nonwear(acc, 300, 30, rate_hz))


def test_nonwear_is_not_said_of_less_than_its_window() -> None:
    acc = still(round(59 * 60 * 5.0))
    result = run(acc, np.zeros_like(acc), rate_hz=5.0)
    assert result.nonwear_share is None
    assert result.still_share == 1.0
    assert "60 min" in next(each.needs for each in result.not_computable if each.what == "non-wear")
    assert run(acc[:1000], np.zeros((1000, 3)), rate_hz=5.0).still_share is None


def test_a_window_with_too_few_samples_is_not_judged() -> None:
    acc = still(round(2 * 3600 * 5.0))
    acc[round(1800 * 5.0) : round(5400 * 5.0)] = np.nan
    result = run(acc, np.zeros_like(acc), rate_hz=5.0)
    # An hour is missing in the middle: half an hour on each side is no window of an hour.
    assert result.nonwear_share == 0.0
    assert result.still_share == 1.0


def test_clipping_at_the_stated_full_scale_is_counted_row_by_row() -> None:
    acc, gyr = motion(5000)
    limit = 4 * G_MPS2
    acc = acc.clip(-0.9 * limit, 0.9 * limit)
    acc[100:110, 0] = limit
    acc[105:120, 2] = -limit
    gyr[40, 1] = 8.726 * 0.9995
    result = run(acc, gyr, [103, 107, 2500], Reception(acc_limit_mps2=limit, gyr_limit_radps=8.726))
    assert result.limits_known
    assert result.acc_clipped_share == pytest.approx(20 / 5000)
    assert result.gyr_clipped_share == pytest.approx(1 / 5000)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_flat_tops_are_found_where_no_limit_is_stated(data: st.DataObject) -> None:
    acc, gyr = motion(4000, size_g=0.3)
    acc = acc.clip(-18, 18)
    at, length = data.draw(st.integers(0, 3900)), data.draw(st.integers(1, 60))
    sign = data.draw(st.sampled_from([-1.0, 1.0]))
    acc[at : at + length, 1] = sign * 2 * G_MPS2
    result = run(acc, gyr.clip(-2, 2), data.draw(st.lists(st.integers(0, 4000), max_size=8)))
    assert not result.limits_known
    assert result.acc_clipped_share == pytest.approx((length if length >= 3 else 0) / 4000)
    assert result.gyr_clipped_share == 0.0


def test_a_larger_peak_later_takes_the_flat_top_back() -> None:
    acc, gyr = motion(4000)
    acc = acc.clip(-18, 18)
    acc[500:520, 0] = 25.0
    acc[900, 0] = 31.0
    assert run(acc, gyr.clip(-2, 2)).acc_clipped_share == 0.0


def test_without_a_gyroscope_nothing_is_said_of_it() -> None:
    acc, gyr = motion(3000)
    result = run(acc, np.full_like(gyr, np.nan))
    assert (result.received, result.gyr_clipped_share) == (3000, None)
    assert "clipping of the gyroscope" in [each.what for each in result.not_computable]


def test_a_strap_that_comes_loose_is_noticed_and_lying_still_as_worn_is_not() -> None:
    worn = motion(round(150 * RATE_HZ))[0]
    falls = still(round(150 * RATE_HZ), up=(1, 0, 0))
    rests = still(round(150 * RATE_HZ))
    none = np.zeros((len(worn) + len(falls), 3))
    result = run(np.concatenate([worn, falls]), none)
    assert result.loose_since_s == 150.0
    assert result.loose_s == 150.0
    # Standing still the same way up as before is standing still.
    assert run(np.concatenate([worn, rests]), none).loose_since_s is None
    # A minute is needed; and something must have been worn before.
    assert (
        run(np.concatenate([worn, falls[: round(50 * RATE_HZ)]]), none[: -round(100 * RATE_HZ)]).loose_since_s is None
    )
    assert run(falls, none[: len(falls)]).loose_since_s is None


def test_calibration_age_is_passed_on_and_missed() -> None:
    state = add_integrity(PARAMS, IntegrityState(), RATE_HZ, *motion(10), np.ones(10, dtype=bool))
    assert integrity(state, calibration_age_s=3600.0).calibration_age_s == 3600.0
    assert "calibration age" in [each.what for each in integrity(state).not_computable]


def test_nothing_received_is_said_without_numbers_made_up() -> None:
    empty = integrity(IntegrityState())
    assert (empty.expected, empty.coverage_share, empty.effective_rate_hz) == (0, 0.0, 0.0)
    assert empty.acc_clipped_share is None


def test_parameters_are_free() -> None:
    params = replace(PARAMS, gaps_kept=1, nonwear=NonwearParams(short_window_s=60.0))
    acc = still(round(120 * RATE_HZ))
    acc[[10, 20, 21]] = np.nan
    result = run(acc, np.zeros_like(acc), params=params)
    assert result.gaps == (GapSpan(20 / RATE_HZ, 2 / RATE_HZ),)
    assert result.still_share == 1.0


def test_the_simulated_strap_that_comes_loose_is_noticed() -> None:
    """It swings for a quarter of a minute, then lies on another side; the cells of 30 s are the rule's own."""
    rate_hz = 60.0
    worn_acc, worn_gyr = lifting(7).samples(0, round(180 * rate_hz), rate_hz)
    loose_acc, loose_gyr = LooseSensor(7, worn_acc[-1]).samples(0, round(120 * rate_hz), rate_hz)
    acc, gyr = np.concatenate([worn_acc, loose_acc]), np.concatenate([worn_gyr, loose_gyr])
    told = run(acc, gyr, rate_hz=rate_hz)
    assert told.loose_since_s == pytest.approx(180.0 + 30.0, abs=30.0)
    assert run(worn_acc, worn_gyr, rate_hz=rate_hz).loose_since_s is None


@pytest.mark.recordings
def test_on_worn_sensors_of_real_people_the_heuristics_keep_quiet(
    recordings: Path, figure: Callable[[str, object, str], None]
) -> None:
    """Every third sensor of every set; all were worn, so what fires is false."""
    seen = loose = quiet = 0
    for index in sorted(recordings.glob("*/index.csv")):
        with index.open(encoding="utf-8", newline="") as file:
            names = [row["file"] for row in csv.DictReader(file)][::3]
        for name in names:
            source = read_npz(index.parent / name)
            for sensor in source.sensors.values():
                acc, gyr = sensor.acc_mps2.astype(np.float64), sensor.gyr_radps.astype(np.float64)
                told = run(acc, gyr, rate_hz=source.rate_hz)
                seen, loose = seen + 1, loose + (told.loose_since_s is not None)
                quiet += bool(told.still_share)
    figure("worn sensors said to be loose", loose, f"of {seen}")
    figure("worn sensors said to lie still", quiet, f"of {seen}")
    assert seen > 0
    assert loose <= 0.02 * seen
    assert quiet <= 0.05 * seen
