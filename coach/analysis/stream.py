"""The order of the analysis, for one sensor: a state and a chunk in, a state and what it settled out.

A whole recording is the same function over all its chunks, and any other cutting of the stream gives the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.cycles import CycleState, add_cycles, histogram
from coach.analysis.errors import AnalysisError
from coach.analysis.filters import LowPassState, delay_s, low_pass
from coach.analysis.findings import TRUNK_PLACES, bending_finding, bending_not_computable
from coach.analysis.frames import Vector, inclination_deg, unit
from coach.analysis.orientation import OrientationParams, OrientationState, Oriented, estimate_orientation
from coach.analysis.posture import PostureState, add_posture, share_above, share_above_shifted
from coach.analysis.quality import CoverageState, add_coverage, coverage_share, runs
from coach.analysis.reference import ReferenceState, Released, finish_reference, settle_reference
from coach.analysis.repetitions import Counted, RepetitionState, detect_repetitions, finish_repetitions
from coach.analysis.state_bytes import decode, encode
from coach.analysis.strain import BendingRun, BendingState, detect_bending, finish_bending
from coach.analysis.types import (
    AnalysisParams,
    ChangeKind,
    Features,
    Finding,
    FindingChange,
    NotComputable,
    Reference,
    Repetition,
    RepetitionParams,
    SensorSummary,
)
from devices.types import Chunk, FloatArray

STATE_VERSION = 1
# Rows worked on at a time: few enough to stay in the processor's cache.
BLOCK = 8192
# Own heuristic: a longer pause between two chunks is counted, but not returned as rows of nothing.
MAX_GAP_ROWS_S = 3600.0
# Own heuristic: a longer one is a mistake in the numbering, not a pause.
MAX_GAP_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """All that is kept between two chunks of one sensor's recording.

    origin: grid number of the stream's first sample, -1 before; next_index: the sample expected next; released:
    samples whose reference is known. All three on the recording's grid, the rest counts from the origin.
    bending is None where the place is not on the trunk.
    """

    place: str
    params: AnalysisParams
    rate_hz: float = 0.0
    origin: int = -1
    next_index: int = -1
    released: int = -1
    orientation: OrientationState = field(default_factory=OrientationState)
    reference: ReferenceState = field(default_factory=ReferenceState)
    low_pass: LowPassState = field(default_factory=LowPassState)
    coverage: CoverageState = field(default_factory=CoverageState)
    posture: PostureState = field(default_factory=PostureState)
    cycles: CycleState = field(default_factory=CycleState)
    repetitions: RepetitionState = field(default_factory=RepetitionState)
    repetitions_count: int = 0
    bends: RepetitionState | None = None
    bending: BendingState | None = None

    def to_bytes(self) -> bytes:
        """Return the state as bytes: about 10 kB, and 17 bytes for each sample that waits for a reference pose."""
        return encode(self, STATE_VERSION)

    @classmethod
    def from_bytes(cls, data: bytes) -> AnalysisState:
        """Return the state that `to_bytes` wrote. Raises AnalysisError for anything else."""
        return decode(cls, data, STATE_VERSION)


@dataclass(frozen=True, slots=True)
class Update:
    """state: to be kept for the next chunk. features: what was settled. changes: of findings, in order."""

    state: AnalysisState
    features: Features
    changes: tuple[FindingChange, ...]


def new_state(place: str, params: AnalysisParams, upright: Vector | None = None) -> AnalysisState:
    """Begin a stream.

    place: where the sensor is worn (devices.types.Placement, or any name in a file). upright: unit vector of sensor
    axes that points up in the calibrated pose, None without calibration. Raises AnalysisError if it has no direction.
    """
    reference = ReferenceState()
    if upright is not None:
        reference = ReferenceState(unit(upright), Reference.CALIBRATION)
    bending = BendingState() if place in TRUNK_PLACES else None
    # The detector may ask for another range than a repetition; it then follows the signal on its own.
    own = bending is not None and params.bending.min_range_deg != params.repetition.min_range_deg
    return AnalysisState(place, params, reference=reference, bends=RepetitionState() if own else None, bending=bending)


def analyse(state: AnalysisState, chunk: Chunk) -> Update:
    """Take the next chunk of the recording.

    Samples missing inside the chunk or between it and the one before are a gap. Returns the new state (the old one is
    unchanged), the features that this chunk settled and the findings that opened, changed or closed.
    Raises AnalysisError when the chunk does not follow (order, rate) or has the wrong shape.
    """
    state = _begun(state, chunk)
    gap = chunk.start_index - state.next_index
    collected = _Collected()
    for count in _pieces(gap):
        nothing = np.full((count, 3), np.nan)
        state = _advance(state, nothing, nothing, collected)
    if gap > MAX_GAP_ROWS_S * state.rate_hz:
        collected.drop_rows()
    for first in range(0, len(chunk), BLOCK):
        rows = slice(first, first + BLOCK)
        state = _advance(state, chunk.acc_mps2[rows], chunk.gyr_radps[rows], collected)
    return _update(state, collected)


def finish(state: AnalysisState) -> Update:
    """End the stream: settle what waited, emit the repetition under way if it counted, close open findings."""
    collected = _Collected()
    if state.origin >= 0:
        reference, released = finish_reference(state.reference, state.rate_hz)
        state = _use(replace(state, reference=reference), released, collected)
        late_s = delay_s(state.rate_hz)
        repetitions, last = finish_repetitions(state.repetitions, state.rate_hz, late_s)
        collected.repetitions.extend(last)
        state = replace(state, repetitions=repetitions, repetitions_count=state.repetitions_count + len(last))
    if state.bending is not None:
        bending, changes = finish_bending(state.bending)
        collected.changes.extend(changes)
        state = replace(state, bending=bending)
    return _update(state, collected)


def summarise(state: AnalysisState) -> SensorSummary:
    """Say everything about the sensor so far. Samples that wait for a reference are added by `finish`."""
    expected = state.next_index - state.origin
    duration_s = expected / state.rate_hz if state.rate_hz else 0.0
    thresholds = state.params.posture_thresholds_deg
    missing = bending_not_computable(state.params.bending, state.place, duration_s, state.bending)
    if not state.posture.covered:
        needs = "samples with a known reference pose; there are none so far"
        missing += (NotComputable("posture", needs), NotComputable("cycles", needs))
    return SensorSummary(
        rate_hz=state.rate_hz,
        duration_s=duration_s,
        coverage_share=coverage_share(state.coverage),
        reference=state.reference.source,
        repetitions_count=state.repetitions_count,
        share_above_deg=share_above(thresholds, state.posture),
        cycles=histogram(state.cycles),
        not_computable=missing,
        share_above_shifted_deg=share_above_shifted(thresholds, state.posture),
    )


def current_findings(state: AnalysisState) -> tuple[Finding, ...]:
    """Return every finding of the stream so far, in order: the closed ones, then the open one."""
    if state.bending is None:
        return ()
    found = (*state.bending.closed, state.bending.open)
    return tuple(_finding(state, run) for run in found if run is not None)


class _Collected:
    """What one call gathers on its way through the blocks."""

    def __init__(self) -> None:
        self.start = -1
        self.quat: list[FloatArray] = []
        self.inclination: list[FloatArray] = []
        self.repetitions: list[Repetition] = []
        self.changes: list[tuple[ChangeKind, BendingRun]] = []
        self.expected = 0
        self.covered = 0

    def add_rows(self, start: int, oriented: Oriented, inclination: FloatArray) -> None:
        if not inclination.size:
            return
        if self.start < 0:
            self.start = start
        self.quat.append(oriented.quat)
        self.inclination.append(inclination)
        self.expected += inclination.size
        self.covered += int(np.count_nonzero(oriented.valid))

    def drop_rows(self) -> None:
        self.start, self.quat, self.inclination = -1, [], []


def _begun(state: AnalysisState, chunk: Chunk) -> AnalysisState:
    shape = (len(chunk), 3)
    if chunk.acc_mps2.shape != shape or chunk.gyr_radps.shape != shape:
        raise AnalysisError(f"Chunk {chunk.key}: acc and gyr must both have the shape (n, 3); send them so.")
    if state.origin < 0:
        if not (math.isfinite(chunk.rate_hz) and chunk.rate_hz > 0.0):
            raise AnalysisError(f"Chunk {chunk.key}: a rate of {chunk.rate_hz} Hz cannot be; give samples per second.")
        start = chunk.start_index
        return replace(state, rate_hz=float(chunk.rate_hz), origin=start, next_index=start, released=start)
    if chunk.rate_hz != state.rate_hz:
        raise AnalysisError(
            f"Chunk {chunk.key}: the rate changed from {state.rate_hz:g} to {chunk.rate_hz:g} Hz; "
            "begin a new recording for a new rate."
        )
    if chunk.start_index < state.next_index:
        raise AnalysisError(
            f"Chunk {chunk.key}: it starts at sample {chunk.start_index}, but {state.next_index} comes next; "
            "give each chunk once and in order."
        )
    if chunk.start_index - state.next_index > MAX_GAP_S * state.rate_hz:
        raise AnalysisError(
            f"Chunk {chunk.key}: it starts {(chunk.start_index - state.next_index) / state.rate_hz / 86400:.0f} days "
            "after the one before; begin a new recording after a pause that long."
        )
    return state


def _pieces(count: int) -> list[int]:
    whole, rest = divmod(max(count, 0), BLOCK)
    return [BLOCK] * whole + ([rest] if rest else [])


def _advance(state: AnalysisState, acc: FloatArray, gyr: FloatArray, collected: _Collected) -> AnalysisState:
    orientation, oriented = estimate_orientation(OrientationParams(), state.orientation, state.rate_hz, acc, gyr)
    reference, released = settle_reference(
        state.params.reference, state.reference, state.rate_hz, state.next_index - state.origin, oriented, gyr
    )
    state = replace(
        state, orientation=orientation, reference=reference, next_index=state.next_index + oriented.valid.size
    )
    return _use(state, released, collected)


def _use(state: AnalysisState, released: Released, collected: _Collected) -> AnalysisState:
    """Run everything that needs the reference over samples that are released."""
    oriented = released.oriented
    if not oriented.valid.size:
        return state
    upright = state.reference.upright or (0.0, 0.0, 1.0)  # only NaN is released before it is known
    inclination = inclination_deg(oriented.quat, upright)
    memory, smooth = low_pass(state.low_pass, state.rate_hz, inclination, oriented.valid)
    cycles = add_cycles(state.cycles, smooth if oriented.valid.all() else smooth[oriented.valid])
    repetitions, found, counted = _repetitions(state.params.repetition, state.repetitions, state, smooth, released)
    bends = state.bends
    if bends is not None:
        own = RepetitionParams(state.params.bending.min_range_deg)
        bends, _, counted = _repetitions(own, bends, state, smooth, released)
    bending = state.bending
    if bending is not None:
        bending, changes = detect_bending(state.params.bending, bending, state.rate_hz, oriented.valid, counted)
        collected.changes.extend(changes)
    collected.repetitions.extend(found)
    posture = add_posture(state.params.posture_thresholds_deg, state.posture, smooth, oriented.valid)
    coverage = add_coverage(state.coverage, oriented.valid)
    collected.add_rows(state.released, oriented, inclination)
    return replace(
        state,
        released=state.released + oriented.valid.size,
        low_pass=memory,
        coverage=coverage,
        posture=posture,
        cycles=cycles,
        repetitions=repetitions,
        repetitions_count=state.repetitions_count + len(found),
        bends=bends,
        bending=bending,
    )


def _repetitions(
    params: RepetitionParams, kept: RepetitionState, state: AnalysisState, smooth: FloatArray, released: Released
) -> tuple[RepetitionState, list[Repetition], list[Counted]]:
    found: list[Repetition] = []
    counted: list[Counted] = []
    late_s = delay_s(state.rate_hz)
    for first, end in runs(released.oriented.valid):
        kept, more, cycles = detect_repetitions(
            params, kept, state.rate_hz, late_s, smooth[first:end], released.start + first
        )
        found.extend(more)
        counted.extend(cycles)
    return kept, found, counted


def _update(state: AnalysisState, collected: _Collected) -> Update:
    features = Features(
        start_index=collected.start if collected.start >= 0 else max(state.released, 0),
        rate_hz=state.rate_hz,
        inclination_deg=np.concatenate(collected.inclination) if collected.inclination else np.empty(0),
        quat=np.concatenate(collected.quat) if collected.quat else np.empty((0, 4)),
        repetitions=tuple(collected.repetitions),
        expected=collected.expected,
        covered=collected.covered,
    )
    changes = tuple(FindingChange(kind, _finding(state, run)) for kind, run in collected.changes)
    return Update(state, features, changes)


def _finding(state: AnalysisState, run: BendingRun) -> Finding:
    return bending_finding(state.params.bending, state.place, state.rate_hz, run)
