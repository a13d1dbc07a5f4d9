"""The result of a try from its stored signal: the same functions as the live view, over the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coach.analysis.assessment_entered import Way, assess_speed
from coach.analysis.assessment_types import SPECS, AssessmentTest, Method, Trial, TrialOutcome
from coach.analysis.endurance import begin_hold, finish_hold, watch_hold
from coach.analysis.errors import AnalysisError
from coach.analysis.guided import guided_params
from coach.analysis.recording import analyse_recording
from coach.analysis.rotation_rom import measure_rotation
from coach.analysis.types import AnalysisParams
from coach.service.wearables import stored_axis
from coach.store import assessments as table
from coach.store import recordings
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.codec import decode_chunk
from devices.types import Chunk, FloatArray

# s after the person's own stop in which leaving the pose still shows: the way down, and the time in which coming back
# would be fidgeting. Own choice.
_TAIL_S = 5.0
# s by which the stored signal may end before the live one did: the length of a live block. Own choice.
_SHORT_S = 0.3


def judge_stored(tx: Tx, row: Row, give_up: bool = False) -> Trial | None:
    """Return what a try gave, from its stored signal; None while that is not all there.

    give_up: judge what is there, however little.
    """
    start_utc_s, end_utc_s = _window(row)
    found = table.signal(tx, row["wearable_id"], row["started_at"], start_utc_s, end_utc_s, row["recording_id"])
    chunks = [decode_chunk(each["blob"]) for each in found]
    arrived = bool(chunks) and chunks[-1].start_utc_s + len(chunks[-1]) / chunks[-1].rate_hz >= end_utc_s - _SHORT_S
    if not arrived and not give_up:
        return None
    within = cut_chunks(chunks, start_utc_s, end_utc_s)
    if not within:
        return _none(row, "the signal of the trial, which was never stored")
    stream = recordings.find_stream(tx, within[0].device_id, within[0].recording_id)
    if stream is None:
        return _none(row, "the recording of the trial")
    try:
        return _judged(row, stream, within)
    except AnalysisError as error:
        return _none(row, f"a signal that can be read in order ({error})")


def _judged(row: Row, stream: Row, chunks: Sequence[Chunk]) -> Trial:
    test, place = AssessmentTest(row["test"]), stream["placement"]
    upright, forward = stored_axis(stream["upright"]), stored_axis(stream["forward"])
    match SPECS[test].method:
        case Method.HOLD:
            state = begin_hold(test, place, upright, forward)
            for chunk in chunks:
                state, progress = watch_hold(state, chunk)
                if progress.must_stop:
                    break
            return finish_hold(state)
        case Method.ROTATION:
            return measure_rotation(test, place, chunks[0].rate_hz, *_on_grid(chunks), upright)
        case _:
            setup = row["setup"] or {}
            params = AnalysisParams(motion=guided_params(setup["exercise"]))
            found = analyse_recording(place, chunks, params, upright, forward)
            lifting = Way(setup["lifting"])
            return assess_speed(test, found.motion.repetitions, setup["exercise"], setup["load_kg"], lifting)


def _on_grid(chunks: Sequence[Chunk]) -> tuple[FloatArray, FloatArray]:
    """Return acc and gyr (n, 3) of all chunks on the recording's grid, NaN where nothing came."""
    first, last = chunks[0].start_index, chunks[-1]
    n = last.start_index + len(last) - first
    acc, gyr = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    for chunk in chunks:
        at = chunk.start_index - first
        acc[at : at + len(chunk)], gyr[at : at + len(chunk)] = chunk.acc_mps2, chunk.gyr_radps
    return acc, gyr


def _window(row: Row) -> tuple[float, float]:
    """Return what the live view looked at, else the time between the two presses and a little more; Unix s."""
    start, end = row["signal_start_utc_s"], row["signal_end_utc_s"]
    return (
        row["started_at"].timestamp() if start is None else float(start),
        row["ended_at"].timestamp() + _TAIL_S if end is None else float(end),
    )


def cut_chunks(chunks: Sequence[Chunk], start_utc_s: float, end_utc_s: float) -> list[Chunk]:
    """Return the samples of the window, to the nearest one at both ends."""
    cut: list[Chunk] = []
    for chunk in chunks:
        first = max(0, round((start_utc_s - chunk.start_utc_s) * chunk.rate_hz))
        after = min(len(chunk), round((end_utc_s - chunk.start_utc_s) * chunk.rate_hz))
        if first < after:
            # Gaps are told by the rows that are NaN.
            cut.append(
                replace(
                    chunk,
                    start_index=chunk.start_index + first,
                    start_utc_s=chunk.start_utc_s + first / chunk.rate_hz,
                    acc_mps2=chunk.acc_mps2[first:after],
                    gyr_radps=chunk.gyr_radps[first:after],
                    gaps=(),
                )
            )
    return cut


def _none(row: Row, needs: str) -> Trial:
    test = AssessmentTest(row["test"])
    return Trial(
        test=test,
        outcome=TrialOutcome.NOT_COMPUTABLE,
        value=None,
        unit=SPECS[test].unit,
        statement=f"Not measured: needs {needs}.",
        needs=needs,
        algorithm="stored trial",
        version="1",
    )
