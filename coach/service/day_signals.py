"""What of a local day has to be read from stored signal: bouts, turns against the pelvis, heart-rate variability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from coach.analysis.bouts import BoutParams, bouts_of, repetition_from_plain, swing_from_plain
from coach.analysis.detectors.assemble import choose_trunk
from coach.analysis.detectors.types import Bout, Minutes
from coach.analysis.motion_types import Repetition
from coach.analysis.relative import LinePart, RelativeTurns, relative_turns
from coach.analysis.rotation import PELVIS
from coach.analysis.swing_types import Swing
from coach.analysis.types import TurnParams
from coach.service.hearts import rmssd_s_of
from coach.store import signals
from coach.store.engine import Tx
from coach.store.rows import Row

_BOUTS = BoutParams()


@dataclass(frozen=True, slots=True)
class FromSignal:
    """turns: None where trunk and pelvis were not worn at once. rmssd_s: None where nothing allowed it."""

    bouts: tuple[Bout, ...]
    turns: RelativeTurns | None
    rmssd_s: float | None


def read_signals(
    tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float, by_place: Mapping[str, Minutes], params: TurnParams
) -> FromSignal:
    """Read what features that begin within [start, end) tell. by_place: the day's minutes."""
    bounds = (start_utc_s, end_utc_s)
    return FromSignal(
        _bouts(tx, athlete_id, bounds, by_place),
        _turns(tx, athlete_id, bounds, by_place, params),
        rmssd_s_of(tx, athlete_id, *bounds),
    )


def _bouts(tx: Tx, athlete_id: str, bounds: tuple[float, float], by_place: Mapping[str, Minutes]) -> tuple[Bout, ...]:
    """Return the day's bouts. Most days hold no exercise, which their minutes tell without any signal being read."""
    places = [place for place, minutes in sorted(by_place.items()) if _repeated(minutes) >= _BOUTS.min_count]
    if not places:
        return ()
    rows = signals.movements_between(tx, athlete_id, places, *bounds)
    found: list[Bout] = []
    for stream_id, parts in groupby(rows, key=lambda row: row["stream_id"]):
        repetitions: list[Repetition] = []
        swings: list[Swing] = []
        origin_utc_s: float | None = None
        for row in parts:
            origin_utc_s = _origin_utc_s(row) if origin_utc_s is None else origin_utc_s
            repetitions.extend(map(repetition_from_plain, row["repetitions"]))
            swings.extend(map(swing_from_plain, row["strokes"] or ()))
        if origin_utc_s is not None:
            found.extend(bouts_of(_BOUTS, stream_id, origin_utc_s, repetitions, swings))
    return tuple(found)


def moments_of(rows: Sequence[Row]) -> tuple[float, ...]:
    """Return Unix times of the repetitions (farthest from the pose) and strokes of features of one recording."""
    found: list[float] = []
    for row in rows:
        origin = _origin_utc_s(row)
        repetitions = [repetition_from_plain(each) for each in row["repetitions"]]
        found.extend(origin + each.peak_s for each in repetitions if each.whole)
        found.extend(origin + swing_from_plain(each).time_s for each in row["strokes"] or ())
    return tuple(sorted(found))


def _repeated(minutes: Minutes) -> int:
    strokes = minutes.strokes_left + minutes.strokes_right + minutes.strokes_unknown
    return int(max(minutes.repetitions.sum(), strokes.sum()))


def _origin_utc_s(row: Row) -> float:
    """Return when the first sample of a feature's recording was, by the feature's own time."""
    since_s: float = (row["start_index"] - row["first_index"]) / row["rate_hz"]
    return float(row["start_utc_s"]) - since_s


def _turns(
    tx: Tx, athlete_id: str, bounds: tuple[float, float], by_place: Mapping[str, Minutes], params: TurnParams
) -> RelativeTurns | None:
    trunk = choose_trunk(by_place)
    if trunk is None or PELVIS not in by_place:
        return None
    lines = [_line(signals.yaw_between(tx, athlete_id, place, *bounds), *bounds) for place in (trunk[0], PELVIS)]
    return relative_turns(params, *lines) if all(lines) else None


def _line(rows: Sequence[Row], start_utc_s: float, end_utc_s: float) -> list[LinePart]:
    """Return the parts of a line, cut to [start, end)."""
    parts = []
    for row in rows:
        begun_utc_s, rate_hz = row["yaw_start_utc_s"], row["yaw_rate_hz"]
        tenths = np.frombuffer(row["yaw"], "<i2").astype(np.int16)
        # A hair below, so that a value on the edge is on its side of it whatever the rounding of its time.
        first, end = (max(math.ceil((edge - begun_utc_s) * rate_hz - 1e-3), 0) for edge in (start_utc_s, end_utc_s))
        if tenths[first:end].size:
            parts.append(LinePart(begun_utc_s + first / rate_hz, rate_hz, tenths[first:end]))
    return parts
