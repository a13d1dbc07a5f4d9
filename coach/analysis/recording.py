"""A whole recording of one sensor: the stream's own function over all its chunks, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from coach.analysis.exposure import MinuteRow
from coach.analysis.frames import Vector
from coach.analysis.motion_types import Motion
from coach.analysis.rotation import YawLine, joined_lines
from coach.analysis.strain import BendingRun
from coach.analysis.stream import AnalysisState, Update, analyse, finish, new_state
from coach.analysis.summary import current_findings, summarise
from coach.analysis.swing_types import Swing
from coach.analysis.types import (
    AnalysisParams,
    Bend,
    Features,
    Finding,
    LyingStretch,
    SensorSummary,
    StaticHold,
)
from devices.types import Chunk, FloatArray


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What there is to say of a recording; events of any kind are left out where the samples are unsound.

    bending: the stretches behind the findings of repeated bending. minutes: all of them, in order. yaw_line: of the
    whole recording, None where turning is not followed.
    inclination_deg (n,) and quat (n, 4) begin at grid number `start_index`; None if not kept.
    """

    summary: SensorSummary
    bends: tuple[Bend, ...]
    findings: tuple[Finding, ...]
    lying: tuple[LyingStretch, ...] = ()
    static_holds: tuple[StaticHold, ...] = ()
    motion: Motion = field(default_factory=Motion)
    swings: tuple[Swing, ...] = ()
    bending: tuple[BendingRun, ...] = ()
    minutes: tuple[MinuteRow, ...] = ()
    yaw_line: YawLine | None = None
    start_index: int = 0
    inclination_deg: FloatArray | None = None
    quat: FloatArray | None = None


def analyse_recording(
    place: str,
    chunks: Iterable[Chunk],
    params: AnalysisParams,
    upright: Vector | None = None,
    forward: Vector | None = None,
    keep_series: bool = False,
) -> RecordingResult:
    """Analyse all chunks of one sensor's recording, in order. Raises AnalysisError like `analyse`.

    upright, forward: of a calibration (alignment.py). keep_series: also return the orientation and the inclination of
    every sample (40 bytes each).
    """
    state = new_state(place, params, upright, forward)
    told: list[Features] = []
    for update in _updates(state, chunks):
        told.append(update.features if keep_series else _without_series(update.features))
        state = update.state
    result = _result(state, told)
    kept = [features for features in told if features.inclination_deg.size]
    if not keep_series:
        return result
    return replace(
        result,
        start_index=kept[0].start_index if kept else 0,
        inclination_deg=np.concatenate([features.inclination_deg for features in kept] or [np.empty(0)]),
        quat=np.concatenate([features.quat for features in kept] or [np.empty((0, 4))]),
    )


def _without_series(features: Features) -> Features:
    return replace(features, inclination_deg=np.empty(0), quat=np.empty((0, 4)))


def _result(state: AnalysisState, told: list[Features]) -> RecordingResult:
    """Return what was told, without events where the samples are unsound."""
    summary, findings = summarise(state), current_findings(state)
    minutes = tuple(each for features in told for each in features.minutes)
    if any(item.fatal for item in summary.quality):
        return RecordingResult(summary, (), findings, minutes=minutes)
    motion = Motion()
    for features in told:
        motion = motion.followed_by(features.motion)
    return RecordingResult(
        summary,
        tuple(each for features in told for each in features.bends),
        findings,
        tuple(each for features in told for each in features.lying),
        tuple(each for features in told for each in features.static_holds),
        motion,
        tuple(each for features in told for each in features.swings),
        state.bending.closed if state.bending is not None else (),
        minutes,
        joined_lines([features.yaw_line for features in told if features.yaw_line is not None]),
    )


def _updates(state: AnalysisState, chunks: Iterable[Chunk]) -> Iterator[Update]:
    for chunk in chunks:
        update = analyse(state, chunk)
        state = update.state
        yield update
    yield finish(state)
