"""A whole recording of one sensor: the stream's own function over all its chunks, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coach.analysis.frames import Vector
from coach.analysis.stream import analyse, current_findings, finish, new_state, summarise
from coach.analysis.types import AnalysisParams, Features, Finding, Repetition, SensorSummary
from devices.types import Chunk, FloatArray


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """inclination_deg (n,) and quat (n, 4) begin at grid number `start_index`; None if not kept."""

    summary: SensorSummary
    repetitions: tuple[Repetition, ...]
    findings: tuple[Finding, ...]
    start_index: int = 0
    inclination_deg: FloatArray | None = None
    quat: FloatArray | None = None


def analyse_recording(
    place: str,
    chunks: Iterable[Chunk],
    params: AnalysisParams,
    upright: Vector | None = None,
    keep_series: bool = False,
) -> RecordingResult:
    """Analyse all chunks of one sensor's recording, in order. Raises AnalysisError like `analyse`.

    keep_series: also return the orientation and the inclination of every sample (40 bytes each).
    """
    state = new_state(place, params, upright)
    kept: list[Features] = []
    repetitions: list[Repetition] = []
    for chunk in chunks:
        update = analyse(state, chunk)
        state = update.state
        repetitions.extend(update.features.repetitions)
        if keep_series:
            kept.append(update.features)
    update = finish(state)
    repetitions.extend(update.features.repetitions)
    summary, findings = summarise(update.state), current_findings(update.state)
    if not keep_series:
        return RecordingResult(summary, tuple(repetitions), findings)
    kept = [features for features in (*kept, update.features) if features.inclination_deg.size]
    return RecordingResult(
        summary,
        tuple(repetitions),
        findings,
        kept[0].start_index if kept else 0,
        np.concatenate([features.inclination_deg for features in kept] or [np.empty(0)]),
        np.concatenate([features.quat for features in kept] or [np.empty((0, 4))]),
    )
