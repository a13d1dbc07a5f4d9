"""Run the pure analysis over stored chunks and put what it says into rows. No database in here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from coach.analysis.bouts import repetition_to_plain, swing_to_plain
from coach.analysis.detectors.assemble import bending_stretch
from coach.analysis.rotation import YawLine
from coach.analysis.stream import AnalysisState, Update, analyse, finish, new_state
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import ALGORITHM_NAME, ALGORITHM_VERSION, AnalysisParams, ChangeKind
from coach.logs import about
from coach.service.canonical import plain
from coach.service.charts import key_of
from coach.service.lines import thin
from coach.store.rows import Row
from devices.codec import decode_chunk
from devices.types import Chunk

_log = logging.getLogger(__name__)
# A chunk whose number is missing is waited for this long after the next one came. Own choice: a sender keeps its order,
# so that a hole is a chunk that its sender has lost.
HOLE_WAIT = timedelta(seconds=60)

# s. A minute of UTC.
_MINUTE_S = 60.0
_NONE: Mapping[int, Chunk] = {}


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows of exposure and stretch."""

    minutes: list[dict[str, Any]]
    stretches: list[dict[str, Any]]


@dataclass(slots=True)
class Analysed:
    """What some chunks of one stream came to. at_once: a stretch of bending began or ended; its day need not wait."""

    state: AnalysisState
    last_seq: int
    first_index: int | None
    chunks: int = 0
    features: list[dict[str, Any]] = field(default_factory=list)
    minutes: list[dict[str, Any]] = field(default_factory=list)
    stretches: list[dict[str, Any]] = field(default_factory=list)
    at_once: bool = False
    set_aside: list[tuple[int, str]] = field(default_factory=list)

    def take(self, update: Update, feature: dict[str, Any], seen: Seen) -> None:
        """Take what an update settled."""
        self.state = update.state
        self.features.append(feature)
        self.minutes.extend(seen.minutes)
        self.stretches.extend(seen.stretches)
        self.at_once |= any(change is not ChangeKind.CHANGED for change, _ in update.bending)

    def begun_utc_s(self) -> set[float]:
        """Return when the minutes and stretches began: their days are to be judged anew."""
        return {each["start_utc_s"] for each in (*self.minutes, *self.stretches)}

    def cursor_values(self, now: datetime) -> dict[str, Any]:
        """Return the columns of stream_state."""
        source = self.state.reference.source
        return {
            "last_seq": self.last_seq,
            "first_index": self.first_index,
            "state": self.state.to_bytes(),
            "algorithm_name": ALGORITHM_NAME,
            "algorithm_version": ALGORITHM_VERSION,
            "reference": source.value if source else None,
            "updated_at": now,
            "settled_at": None,
        }


def load_state(stream: Row, params: Callable[[], AnalysisParams]) -> AnalysisState | None:
    """Return the stream's state, a new one for a stream that has none, None when the stored one cannot be used.

    params: of a stream that begins; they stay with its state.
    """
    if stream["state"] is None:
        return begun_state(stream, params())
    try:
        return AnalysisState.from_bytes(bytes(stream["state"]))
    except ValueError:
        with about(athlete=stream["athlete_id"], stream=stream["id"]):
            _log.warning("the analysis state of stream %s cannot be used, it is analysed anew", stream["id"])
        return None


def begun_state(stream: Row, params: AnalysisParams) -> AnalysisState:
    """Return the state of a stream that begins, as its wearable was worn."""
    upright, forward = (tuple(stream[name]) if stream[name] else None for name in ("upright", "forward"))
    return new_state(stream["placement"], params, upright, forward)


def stroke_of(stream: Row | None) -> SwingKind | None:
    """Return which swings or throws a recording was analysed for; None for none, and where its state tells nothing."""
    if stream is None or stream["state"] is None:
        return None
    try:
        return AnalysisState.from_bytes(bytes(stream["state"])).params.swing
    except ValueError:
        return None


def analysed_chunks(
    state: AnalysisState, stream: Row, chunks: Sequence[Row], now: datetime, decoded: Mapping[int, Chunk] = _NONE
) -> Analysed:
    """Analyse chunks in order, up to a hole that is still waited for. A chunk that cannot be analysed is set aside.

    decoded: what is decoded already, by number.
    """
    done = Analysed(state, stream["last_seq"], stream["first_index"])
    for row in chunks:
        if row["seq"] != done.last_seq + 1 and abs(now - row["received_at"]) < HOLE_WAIT:
            break
        first_index = row["start_index"] if done.first_index is None else done.first_index
        try:
            _time_of(stream, row, row["start_index"])  # a time that no calendar has must not reach a finding later
            update = analyse(done.state, decoded.get(row["seq"]) or decode_chunk(bytes(row["blob"])))
            feature = feature_row(stream, row["id"], row, first_index, update, now)
            seen = seen_rows(stream, row, first_index, update)
        except Exception as error:  # noqa: BLE001 - whatever one chunk does, the stream goes on without it
            with about(athlete=stream["athlete_id"], stream=stream["id"], chunk=row["id"]):
                _log.warning("chunk %s of stream %s is set aside: %s", row["seq"], stream["id"], error)
            done.set_aside.append((row["id"], f"{type(error).__name__}: {error}"))
        else:
            done.first_index = first_index
            done.take(update, feature, seen)
        done.chunks += 1
        done.last_seq = row["seq"]
    return done


def settled_tail(state: AnalysisState, stream: Row, last: Row, first_index: int, now: datetime) -> Analysed:
    """Return what a recording settles at its end. `state` is not changed by it: a later chunk goes on from there.

    last: its newest chunk. first_index: grid number of its first sample.
    """
    update = finish(state)
    tail = Analysed(state, last["seq"], first_index)
    feature = feature_row(stream, None, last, first_index, update, now)
    tail.take(update, feature, seen_rows(stream, last, first_index, update, tail=True))
    return tail


def feature_row(
    stream: Row, chunk_id: int | None, anchor: Row, first_index: int, update: Update, now: datetime
) -> dict[str, Any]:
    """Return the feature row of one update. anchor: the chunk whose start ties sample numbers to UTC.

    first_index: grid number of the stream's first sample.
    """
    params = update.state.params
    features = update.features
    line = thin(features.inclination_deg, features.start_index, features.rate_hz)
    start_utc_s = _utc_s(stream, anchor, features.start_index)
    smallest = params.bending.min_range_deg
    return {
        "chunk_id": chunk_id,
        "stream_id": stream["id"],
        "athlete_id": stream["athlete_id"],
        "placement": stream["placement"],
        "start_utc_s": start_utc_s,
        "start_index": features.start_index,
        "rate_hz": features.rate_hz,
        "expected": features.expected,
        "covered": features.covered,
        "bends": sum(bend.rom_deg >= smallest for bend in features.bends),
        "repetitions": [repetition_to_plain(each) for each in features.motion.repetitions],
        "strokes": [swing_to_plain(each) for each in features.swings] or None,
        "above": {key_of(each): features.above.get(each, 0) for each in params.posture_thresholds_deg},
        "line_start_utc_s": start_utc_s + line.offset / features.rate_hz,
        "line_rate_hz": line.rate_hz,
        "line": line.data,
        **_yaw_columns(stream, anchor, first_index, features.yaw_line),
        "analysed_at": now,
    }


def _yaw_columns(stream: Row, anchor: Row, first_index: int, line: YawLine | None) -> dict[str, Any]:
    if line is None:
        return {"yaw_start_utc_s": None, "yaw_rate_hz": None, "yaw": None}
    return {
        "yaw_start_utc_s": _utc_s(stream, anchor, first_index + line.start_s * stream["rate_hz"]),
        "yaw_rate_hz": line.rate_hz,
        "yaw": line.tenths.astype("<i2").tobytes(),
    }


def seen_rows(stream: Row, anchor: Row, first_index: int, update: Update, tail: bool = False) -> Seen:
    """Return the rows of the minutes that an update told and of the stretches that it began, went on with or ended.

    first_index: grid number of the stream's first sample. tail: told only because the recording seems to have ended.
    """
    whose = {"stream_id": stream["id"], "athlete_id": stream["athlete_id"], "tail": tail}
    origin_utc_s = _utc_s(stream, anchor, first_index)
    whole_minute_utc_s = origin_utc_s - update.state.exposure.phase_s
    minutes = []
    for minute in update.features.minutes:
        # Counted from the first sample, a minute of UTC is met but for the fit of the clock.
        begun_utc_s = origin_utc_s + minute.start_s if minute.number else whole_minute_utc_s
        values = {name: value for name, value in plain(minute).items() if name != "start_s"}
        start_utc_s = round(begun_utc_s / _MINUTE_S) * _MINUTE_S
        minutes.append({**whose, "placement": stream["placement"], "start_utc_s": start_utc_s, **values})
    stretches = {}
    for _, run in update.bending:
        stretch, key = bending_stretch(stream["id"], origin_utc_s, stream["rate_hz"], run), f"bending-{run.first}"
        times = {"start_utc_s": stretch.start_utc_s, "end_utc_s": stretch.end_utc_s}
        stretches[key] = {**whose, **times, "key": key, "kind": "bending", "values": plain(stretch)}
    return Seen(minutes, list(stretches.values()))


def _utc_s(stream: Row, anchor: Row, index: float) -> float:
    since_anchor_s: float = (index - anchor["start_index"]) / stream["rate_hz"]
    return float(anchor["start_utc_s"]) + since_anchor_s


def _time_of(stream: Row, anchor: Row, index: float) -> datetime:
    return datetime.fromtimestamp(_utc_s(stream, anchor, index), UTC)
