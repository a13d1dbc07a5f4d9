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
class GapState:
    """open: where the gap under way began, -1 when there is none. lost: samples in all gaps but that one.

    longest: closed ones as (start, count); by_class: closed ones of each class of length.
    """

    open: int = -1
    lost: int = 0
    longest: tuple[tuple[int, int], ...] = ()
    by_class: tuple[int, ...] = (0,) * (len(GAP_CLASSES_S) + 1)


@dataclass(frozen=True, slots=True)
class IntegrityState:
    """Counts since the stream's first sample. reception: counts summed over the chunks, the rest the newest known."""

    rate_hz: float = 0.0
    samples: int = 0
    gaps: GapState = field(default_factory=GapState)
    reception: Reception = NO_RECEPTION
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
    known = state.reception if reception is NO_RECEPTION else _joined(state.reception, reception)
    if not valid.size:
        return replace(state, reception=known)
    gaps, there, has_gyr = state.gaps, None, np.isfinite(gyr_radps[:, 0])
    if np.count_nonzero(valid) < valid.size:
        there = valid
    if there is not None or gaps.open >= 0:
        gaps = _add_gaps(params, gaps, rate_hz, state.samples, valid)
    turns = None if np.count_nonzero(has_gyr) == has_gyr.size else has_gyr
    return IntegrityState(
        rate_hz,
        state.samples + valid.size,
        gaps,
        known,
        add_clipping(state.acc, acc_mps2, known.acc_limit_mps2, _ACC_RANGE_MIN_MPS2, there),
        add_clipping(state.gyr, gyr_radps, known.gyr_limit_radps, _GYR_RANGE_MIN_RADPS, turns),
        add_nonwear(params.nonwear, state.nonwear, rate_hz, state.samples, acc_mps2, there),
    )


def integrity(
    state: IntegrityState, params: IntegrityParams = DEFAULT_PARAMS, calibration_age_s: float | None = None
) -> Integrity:
    """Say how whole the stream is so far. calibration_age_s: s since the sensor was calibrated, None for never."""
    rate_hz, known, gaps = state.rate_hz, state.reception, state.gaps
    if gaps.open >= 0:
        gaps = _noted(params, gaps, rate_hz, gaps.open, state.samples - gaps.open)
    received = received_samples(state)
    share = received / state.samples if state.samples else 0.0
    body = nonwear(params.nonwear, state.nonwear, rate_hz, state.samples)
    return Integrity(
        duration_s=state.samples / rate_hz if rate_hz else 0.0,
        rate_hz=rate_hz,
        sampling_rate_hz=known.sampling_rate_hz,
        effective_rate_hz=share * (known.sampling_rate_hz or rate_hz),
        expected=state.samples,
        received=received,
        lost=gaps.lost,
        duplicates=known.duplicates,
        late=known.late,
        damaged=known.damaged,
        unjoined=known.unjoined,
        restarts=known.restarts,
        coverage_share=share,
        gaps=tuple(GapSpan(start / rate_hz, count / rate_hz) for start, count in gaps.longest),
        gaps_by_class=tuple(zip((*GAP_CLASSES_S, None), gaps.by_class, strict=True)),
        drift_ppm=known.drift_ppm,
        clock_uncertainty_s=known.clock_uncertainty_s,
        acc_clipped_share=clipped_share(state.acc),
        gyr_clipped_share=clipped_share(state.gyr),
        limits_known=known.acc_limit_mps2 is not None,
        nonwear_share=body.share_long,
        still_share=body.share_short,
        loose_s=body.loose_s,
        loose_since_s=body.loose_since_s,
        calibration_age_s=calibration_age_s,
        not_computable=_not_computable(params, state, body.share_long, body.share_short, calibration_age_s),
    )


def received_samples(state: IntegrityState) -> int:
    """Return how many samples arrived so far."""
    missing = state.samples - state.gaps.open if state.gaps.open >= 0 else 0  # of a gap that is not over
    return state.samples - state.gaps.lost - missing


def _joined(known: Reception, reception: Reception) -> Reception:
    """Add the counts of a chunk; of what is measured, the newest known value stays."""
    newest = {name: value for name in _NEWEST if (value := getattr(reception, name)) is not None}
    sums = {name: getattr(known, name) + getattr(reception, name) for name in _SUMS}
    return replace(known, **sums, **newest)


def _add_gaps(params: IntegrityParams, gaps: GapState, rate_hz: float, samples: int, valid: BoolArray) -> GapState:
    """Follow the runs of rows that did not arrive, after so many samples."""
    spans = runs(~valid)
    if gaps.open >= 0 and valid[0]:
        # The gap before ended with the last row of the call before.
        spans = [(0, 0), *spans]
    for first, end in spans:
        start = gaps.open if first == 0 and gaps.open >= 0 else samples + first
        if end == valid.size:
            return replace(gaps, open=start)
        gaps = _noted(params, gaps, rate_hz, start, samples + end - start)
    return gaps


def _noted(params: IntegrityParams, gaps: GapState, rate_hz: float, start: int, count: int) -> GapState:
    """Count a gap that is closed, and keep it if it is among the longest; of equal ones the earlier stays."""
    at = bisect_left(GAP_CLASSES_S, count / rate_hz)
    by_class = (*gaps.by_class[:at], gaps.by_class[at] + 1, *gaps.by_class[at + 1 :])
    longest = gaps.longest
    if len(longest) < params.gaps_kept or count > longest[-1][1]:
        longest = tuple(sorted((*longest, (start, count)), key=lambda gap: (-gap[1], gap[0]))[: params.gaps_kept])
    return GapState(-1, gaps.lost + count, longest, by_class)


def _not_computable(
    params: IntegrityParams,
    state: IntegrityState,
    long: float | None,
    short: float | None,
    calibration_age_s: float | None,
) -> tuple[NotComputable, ...]:
    rules = params.nonwear
    missing = []
    if state.reception.drift_ppm is None:
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
