"""Recording integrity: what of a stream arrived, how well it is timed, and whether it can be a body's movement.

Counts are exact, on the recording's own sample grid, and do not depend on how the stream is cut. What the samples
cannot tell (duplicates, drift, full scale) comes with each chunk as its `Reception`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.clipping import ClippingState, add_clipping, clipped_share
from coach.analysis.nonwear import NonwearParams, NonwearState, add_nonwear, nonwear
from coach.analysis.quality import BoolArray, runs
from coach.analysis.types import NotComputable
from devices.types import NO_RECEPTION, FloatArray, Reception

# Upper bounds of the classes of gap length in s, the last class has none (own choice: a few packets, a hiccup, a link
# that came back, a link that was away).
GAP_CLASSES_S = (0.1, 1.0, 10.0, 60.0)
# The smallest full scales in use are 2 g and 125 deg/s (vendors' documents); just below, because of calibrated scales.
_ACC_RANGE_MIN_MPS2 = 19.0
_GYR_RANGE_MIN_RADPS = 2.1
_SUMS = ("duplicates", "late", "damaged", "unjoined", "restarts")
_NEWEST = ("sampling_rate_hz", "drift_ppm", "clock_uncertainty_s", "acc_limit_mps2", "gyr_limit_radps")


@dataclass(frozen=True, slots=True)
class IntegrityParams:
    """gaps_kept: the longest gaps are told with their times, the others only counted (own choice)."""

    gaps_kept: int = 20
    nonwear: NonwearParams = field(default_factory=NonwearParams)


DEFAULT_PARAMS = IntegrityParams()


@dataclass(frozen=True, slots=True)
class IntegrityState:
    """Counts since the stream's first sample. open_gap: where the gap under way began, -1 when there is none.

    gaps: the longest ones as (start, count), gaps_by_class: closed gaps of each class of length, lost: samples in all
    gaps but the open one. duplicates .. restarts: sums over the chunks; the rates and limits are the newest known.
    """

    rate_hz: float = 0.0
    samples: int = 0
    lost: int = 0
    open_gap: int = -1
    gaps: tuple[tuple[int, int], ...] = ()
    gaps_by_class: tuple[int, ...] = (0,) * (len(GAP_CLASSES_S) + 1)
    duplicates: int = 0
    late: int = 0
    damaged: int = 0
    unjoined: int = 0
    restarts: int = 0
    sampling_rate_hz: float | None = None
    drift_ppm: float | None = None
    clock_uncertainty_s: float | None = None
    acc_limit_mps2: float | None = None
    gyr_limit_radps: float | None = None
    acc: ClippingState = field(default_factory=ClippingState)
    gyr: ClippingState = field(default_factory=ClippingState)
    nonwear: NonwearState = field(default_factory=NonwearState)


@dataclass(frozen=True, slots=True)
class GapSpan:
    """start_s: from the stream's first sample."""

    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Integrity:
    """How whole and how well timed one sensor's recording is. Shares 0..1; None: cannot be told, see `not_computable`.

    effective_rate_hz: samples that arrived per second of UTC; sampling_rate_hz: samples the device took per second of
    UTC. coverage_share: received / expected. gaps: the longest, longest first; gaps_by_class: (longest in s, count),
    None for the class without a bound. acc_clipped_share, gyr_clipped_share: of received rows with a value at the full
    scale; limits_known: whether the product told it, else flat tops are counted. nonwear_share: published rule over
    60 min; still_share: the short variant over 5 min; loose_since_s: a strap may have come loose (own heuristics).
    """

    duration_s: float
    rate_hz: float
    sampling_rate_hz: float | None
    effective_rate_hz: float
    expected: int
    received: int
    lost: int
    duplicates: int
    late: int
    damaged: int
    unjoined: int
    restarts: int
    coverage_share: float
    gaps: tuple[GapSpan, ...]
    gaps_by_class: tuple[tuple[float | None, int], ...]
    drift_ppm: float | None
    clock_uncertainty_s: float | None
    acc_clipped_share: float | None
    gyr_clipped_share: float | None
    limits_known: bool
    nonwear_share: float | None
    still_share: float | None
    loose_s: float
    loose_since_s: float | None
    calibration_age_s: float | None
    not_computable: tuple[NotComputable, ...]

    @property
    def gaps_count(self) -> int:
        """Return how many gaps there were."""
        return sum(count for _, count in self.gaps_by_class)


def add_integrity(
    params: IntegrityParams,
    state: IntegrityState,
    rate_hz: float,
    acc_mps2: FloatArray,
    gyr_radps: FloatArray,
    valid: BoolArray,
    reception: Reception = NO_RECEPTION,
) -> IntegrityState:
    """Take the next rows of the grid; a pause between two chunks is given as rows of NaN.

    acc_mps2, gyr_radps: (n, 3). valid: (n,) True where the row arrived, which is where acc is finite; gyr may be NaN
    there. reception: of the chunk, with its first rows only; NO_RECEPTION with the others.
    """
    if reception is not NO_RECEPTION:
        state = _add_reception(state, reception)
    n = valid.size
    if not n:
        return state
    whole = bool(valid.all())
    if not whole or state.open_gap >= 0:
        state = _add_gaps(params, replace(state, rate_hz=rate_hz), valid)
    has_gyr = np.isfinite(gyr_radps[:, 0])
    return replace(
        state,
        rate_hz=rate_hz,
        samples=state.samples + n,
        acc=add_clipping(state.acc, acc_mps2, state.acc_limit_mps2, _ACC_RANGE_MIN_MPS2, None if whole else valid),
        gyr=add_clipping(
            state.gyr, gyr_radps, state.gyr_limit_radps, _GYR_RANGE_MIN_RADPS, None if has_gyr.all() else has_gyr
        ),
        nonwear=add_nonwear(params.nonwear, state.nonwear, rate_hz, state.samples, acc_mps2, valid),
    )


def integrity(
    state: IntegrityState, params: IntegrityParams = DEFAULT_PARAMS, calibration_age_s: float | None = None
) -> Integrity:
    """Say how whole the stream is so far. calibration_age_s: s since the sensor was calibrated, None for never."""
    rate_hz = state.rate_hz
    lost = state.lost + (state.samples - state.open_gap if state.open_gap >= 0 else 0)
    received = state.samples - lost
    gaps, by_class = state.gaps, state.gaps_by_class
    if state.open_gap >= 0:
        gaps, by_class = _noted(params, gaps, by_class, rate_hz, state.open_gap, state.samples - state.open_gap)
    share = received / state.samples if state.samples else 0.0
    body = nonwear(params.nonwear, state.nonwear, rate_hz, state.samples)
    return Integrity(
        duration_s=state.samples / rate_hz if rate_hz else 0.0,
        rate_hz=rate_hz,
        sampling_rate_hz=state.sampling_rate_hz,
        effective_rate_hz=share * (state.sampling_rate_hz or rate_hz),
        expected=state.samples,
        received=received,
        lost=lost,
        duplicates=state.duplicates,
        late=state.late,
        damaged=state.damaged,
        unjoined=state.unjoined,
        restarts=state.restarts,
        coverage_share=share,
        gaps=tuple(GapSpan(start / rate_hz, count / rate_hz) for start, count in gaps),
        gaps_by_class=tuple(zip((*GAP_CLASSES_S, None), by_class, strict=True)),
        drift_ppm=state.drift_ppm,
        clock_uncertainty_s=state.clock_uncertainty_s,
        acc_clipped_share=clipped_share(state.acc),
        gyr_clipped_share=clipped_share(state.gyr),
        limits_known=state.acc_limit_mps2 is not None,
        nonwear_share=body.share_long,
        still_share=body.share_short,
        loose_s=body.loose_s,
        loose_since_s=body.loose_since_s,
        calibration_age_s=calibration_age_s,
        not_computable=_not_computable(params, state, body.share_long, body.share_short, calibration_age_s),
    )


def _add_reception(state: IntegrityState, reception: Reception) -> IntegrityState:
    """Add the counts of a chunk; of what is measured, the newest known value stays."""
    newest = {name: value for name in _NEWEST if (value := getattr(reception, name)) is not None}
    sums = {name: getattr(state, name) + getattr(reception, name) for name in _SUMS}
    return replace(state, **sums, **newest)


def _add_gaps(params: IntegrityParams, state: IntegrityState, valid: BoolArray) -> IntegrityState:
    """Follow the runs of rows that did not arrive."""
    spans = runs(~valid)
    gaps, by_class, open_gap, lost = state.gaps, state.gaps_by_class, state.open_gap, state.lost
    if open_gap >= 0 and valid[0]:
        # The gap before ended with the last row of the call before.
        spans = [(0, 0), *spans]
    for first, end in spans:
        start = open_gap if first == 0 and open_gap >= 0 else state.samples + first
        if end == valid.size:
            open_gap = start
            break
        open_gap = -1
        count = state.samples + end - start
        lost += count
        gaps, by_class = _noted(params, gaps, by_class, state.rate_hz, start, count)
    return replace(state, gaps=gaps, gaps_by_class=by_class, open_gap=open_gap, lost=lost)


def _noted(
    params: IntegrityParams,
    gaps: tuple[tuple[int, int], ...],
    by_class: tuple[int, ...],
    rate_hz: float,
    start: int,
    count: int,
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Count a closed gap, and keep it if it is among the longest; of equal ones the earlier stays."""
    at = bisect_left(GAP_CLASSES_S, count / rate_hz)
    by_class = (*by_class[:at], by_class[at] + 1, *by_class[at + 1 :])
    if len(gaps) == params.gaps_kept and count <= gaps[-1][1]:
        return gaps, by_class
    return tuple(sorted((*gaps, (start, count)), key=lambda gap: (-gap[1], gap[0]))[: params.gaps_kept]), by_class


def _not_computable(
    params: IntegrityParams,
    state: IntegrityState,
    long: float | None,
    short: float | None,
    calibration_age_s: float | None,
) -> tuple[NotComputable, ...]:
    rules = params.nonwear
    missing = []
    if state.drift_ppm is None:
        missing.append(NotComputable("clock drift", "a wearable with a clock of its own, linked for 20 s or longer"))
    if long is None:
        missing.append(NotComputable("non-wear", f"{rules.long_window_s / 60:g} min of samples"))
    if short is None:
        missing.append(NotComputable("non-wear, short rule", f"{rules.short_window_s / 60:g} min of samples"))
    if not state.gyr.received:
        missing.append(NotComputable("clipping of the gyroscope", "a gyroscope"))
    if calibration_age_s is None:
        missing.append(NotComputable("calibration age", "a calibration: the upright pose of the pairing page"))
    return tuple(missing)
