"""What an athlete's signals of a stretch of time look like: the line of the trunk, its minutes, and the raw samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

import numpy as np

from coach.analysis.detectors.assemble import choose_strokes, choose_trunk
from coach.analysis.detectors.types import Minutes
from coach.analysis.exposure import MINUTE_S
from coach.errors import InvalidInput, NoSuch
from coach.service import charts
from coach.service.day_rows import minutes_by_place
from coach.service.day_signals import moments_of
from coach.service.ground import Ground
from coach.service.local_days import bounds_of, day_of
from coach.service.types import SignalWindow
from coach.store import athletes, exposures, signals
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.codec import decode_chunk
from devices.types import Chunk, FloatArray

# The longest local day: an athlete who flies west has one of up to 49 h. Own bound.
SPAN_MAX_S = 50 * 3600.0
# A shorter stretch holds no sample of a slow sensor. Own bound.
SPAN_MIN_S = 1.0
# Raw samples are told up to this length. Own choice: one repetition fills a phone's width several times over.
RAW_MAX_S = 60.0
# Single repetitions and swings are told up to this length. Own choice: more ticks than that stand one on another.
MARKS_MAX_S = 600.0
# Rows of one answer: a minute at 200 Hz. Own bound.
RAW_ROWS_MAX = 12_000
# A chunk begins at most this long before what it reaches into (codec: 120 s at most).
_CHUNK_S = 120.0
# The two angles between which ISO 11226 limits how long a bend may be held.
BENT_DEG, FAR_DEG = 20, 60


@dataclass(frozen=True, slots=True)
class MinuteLanes:
    """What was counted minute by minute, each field (n,). start_utc_s: begin of each minute.

    covered_s: seconds with data, of which lying_s lying, bent_s at 20 to 60 degrees and far_s beyond. bends: of the
    trunk. strokes: swings or throws of the place that tells them best.
    """

    start_utc_s: tuple[float, ...]
    covered_s: tuple[float, ...]
    lying_s: tuple[float, ...]
    bent_s: tuple[float, ...]
    far_s: tuple[float, ...]
    bends: tuple[int, ...]
    strokes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RawSignal:
    """Samples as the sensor sent them, in its own axes. acc_mps2, gyr_radps: x, y, z, each (n,), None in gaps."""

    placement: str
    rate_hz: float
    t_utc_s: tuple[float, ...]
    acc_mps2: tuple[tuple[float | None, ...], ...]
    gyr_radps: tuple[tuple[float | None, ...], ...] | None


@dataclass(frozen=True, slots=True)
class SignalPart:
    """A stretch of time. places: where sensors were worn in it. raw: None where it is too long or the samples are gone.

    raw_gone: there was a recording, whose samples were forgotten by the rules of keeping.
    """

    end_utc_s: float
    line: SignalWindow
    minutes: MinuteLanes
    places: tuple[str, ...]
    raw: RawSignal | None
    raw_gone: bool


@dataclass(frozen=True, slots=True)
class HourLine:
    """An hour's sums: what the chart of a day says, as numbers. seconds of data, and of lying and bent in it."""

    start_utc_s: float
    covered_s: float
    lying_s: float
    bent_s: float
    far_s: float
    bends: int
    strokes: int


@dataclass(frozen=True, slots=True)
class SignalDay:
    """A local day. last_before, first_after: the nearest days with any signal, None where there is none."""

    start_utc_s: float
    end_utc_s: float
    hours: tuple[HourLine, ...]
    counts_strokes: bool
    last_before: date | None
    first_after: date | None


class Signals:
    """Answer what a chart of signals asks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def bounds(self, athlete_id: str, day: date) -> tuple[float, float]:
        """Return Unix times of a local day's begin and end. Raises NoSuch."""
        with self._ground.store.read() as tx:
            return bounds_of(_athlete(tx, athlete_id), day)

    def day(self, athlete_id: str, day: date) -> SignalDay:
        """Return a local day's hours and the nearest days with signal. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = _athlete(tx, athlete_id)
            start, end = bounds_of(athlete, day)
            lanes = _lanes(tx, athlete_id, start, end)
            before, after = exposures.nearest(tx, athlete_id, start, end)
        return SignalDay(
            start_utc_s=start,
            end_utc_s=end,
            hours=_hours(lanes),
            counts_strokes=any(lanes.strokes),
            last_before=None if before is None else day_of(athlete, before),
            first_after=None if after is None else day_of(athlete, after),
        )

    def part(self, athlete_id: str, start_utc_s: float, end_utc_s: float, place: str | None = None) -> SignalPart:
        """Return the signals of [start, end], thinned to what a screen can show; raw samples up to a minute of them.

        place: whose raw samples; of the trunk's sensor, else of any, without it. Raises NoSuch, InvalidInput.
        """
        _check_span(start_utc_s, end_utc_s)
        with self._ground.store.read() as tx:
            _athlete(tx, athlete_id)
            rows = charts.trunk_lines(tx, athlete_id, start_utc_s - _CHUNK_S, end_utc_s)
            reference = signals.newest_reference(tx, athlete_id, rows[0]["placement"]) if rows else None
            lanes = _lanes(tx, athlete_id, start_utc_s, end_utc_s)
            places = signals.places_between(tx, athlete_id, start_utc_s - _CHUNK_S, end_utc_s)
            moments = _moments(tx, athlete_id, places, start_utc_s, end_utc_s)
            raw, gone = None, False
            if end_utc_s - start_utc_s <= RAW_MAX_S and places:
                shown = place if place in places else _spoken_for(places)
                raw, gone = _raw(tx, athlete_id, shown, start_utc_s, end_utc_s)
        return SignalPart(
            end_utc_s=end_utc_s,
            line=replace(charts.line_of(rows, start_utc_s, end_utc_s, reference), marks_utc_s=moments),
            minutes=lanes,
            places=tuple(places),
            raw=raw,
            raw_gone=gone,
        )


def _athlete(tx: Tx, athlete_id: str) -> Row:
    athlete = athletes.get(tx, athlete_id)
    if athlete is None:
        raise NoSuch(f"There is no athlete {athlete_id}.")
    return athlete


def _check_span(start_utc_s: float, end_utc_s: float) -> None:
    span_s = end_utc_s - start_utc_s
    if not SPAN_MIN_S <= span_s <= SPAN_MAX_S:
        raise InvalidInput(
            f"A stretch of {span_s:.0f} s cannot be shown: ask for {SPAN_MIN_S:.0f} s to {SPAN_MAX_S / 3600:.0f} h."
        )


def _moments(tx: Tx, athlete_id: str, places: Sequence[str], start_utc_s: float, end_utc_s: float) -> tuple[float, ...]:
    """Return when the repetitions and swings of the trunk, else of any place, were; none of a long stretch."""
    if end_utc_s - start_utc_s > MARKS_MAX_S or not places:
        return ()
    rows = signals.movements_between(
        tx, athlete_id, [_spoken_for(places)], start_utc_s - _CHUNK_S, end_utc_s + _CHUNK_S
    )
    found = {each for _, same in groupby(rows, key=lambda row: row["stream_id"]) for each in moments_of(list(same))}
    return tuple(sorted(each for each in found if start_utc_s <= each <= end_utc_s))


def _spoken_for(places: Sequence[str]) -> str:
    return next((each for each in charts.TRUNK if each in places), places[0])


def _lanes(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> MinuteLanes:
    rows = exposures.minutes_between(tx, athlete_id, start_utc_s - MINUTE_S, end_utc_s)
    by_place = minutes_by_place(rows)
    trunk, strokes = choose_trunk(by_place), choose_strokes(by_place)
    # A day of a wrist alone has minutes as well: what it says of data and swings, it says.
    seen = trunk or strokes
    if seen is None:
        return MinuteLanes((), (), (), (), (), (), ())
    minutes = seen[1]
    inside = (minutes.start_utc_s + MINUTE_S > start_utc_s) & (minutes.start_utc_s < end_utc_s)
    bent, far = minutes.above_s[BENT_DEG], minutes.above_s[FAR_DEG]
    # Of a wrist nobody can tell how the trunk was held.
    held = 1.0 if trunk is not None else 0.0
    return MinuteLanes(
        tuple(minutes.start_utc_s[inside].tolist()),
        _seconds(minutes.covered_s[inside]),
        _seconds(held * minutes.lying_s[inside]),
        _seconds(held * np.maximum(bent - far, 0.0)[inside]),
        _seconds(held * far[inside]),
        tuple((held * minutes.bends[inside]).astype(int).tolist()),
        _strokes(None if strokes is None else strokes[1], minutes.start_utc_s[inside]),
    )


def _seconds(values: FloatArray) -> tuple[float, ...]:
    return tuple(round(float(each), 1) for each in values)


def _strokes(told_by: Minutes | None, at_utc_s: FloatArray) -> tuple[int, ...]:
    if told_by is None:
        return (0,) * len(at_utc_s)
    counted = told_by.strokes_left + told_by.strokes_right + told_by.strokes_unknown
    by_minute = dict(zip(told_by.start_utc_s.tolist(), counted.tolist(), strict=True))
    return tuple(int(by_minute.get(each, 0)) for each in at_utc_s.tolist())


def _hours(lanes: MinuteLanes) -> tuple[HourLine, ...]:
    hours: dict[float, HourLine] = {}
    for number, at in enumerate(lanes.start_utc_s):
        begin = at - at % 3600.0
        before = hours.get(begin, HourLine(begin, 0.0, 0.0, 0.0, 0.0, 0, 0))
        hours[begin] = HourLine(
            begin,
            before.covered_s + lanes.covered_s[number],
            before.lying_s + lanes.lying_s[number],
            before.bent_s + lanes.bent_s[number],
            before.far_s + lanes.far_s[number],
            before.bends + lanes.bends[number],
            before.strokes + lanes.strokes[number],
        )
    return tuple(hours[each] for each in sorted(hours))


def _raw(tx: Tx, athlete_id: str, place: str, start_utc_s: float, end_utc_s: float) -> tuple[RawSignal | None, bool]:
    """Return the samples of a place, of the recording that has most of them; and whether they were forgotten."""
    found = signals.chunks_between(tx, athlete_id, place, start_utc_s - _CHUNK_S, end_utc_s)
    if not found:
        return None, False
    kept = [each for each in found if len(each["blob"])]
    if not kept:
        return None, True
    streams: dict[str, list[Chunk]] = {}
    for each in kept:
        streams.setdefault(each["stream_id"], []).append(decode_chunk(bytes(each["blob"])))
    cut = [_cut(same, start_utc_s, end_utc_s) for same in streams.values()]
    t_utc_s, acc, gyr, rate_hz = max(cut, key=lambda each: len(each[0]))
    if not len(t_utc_s):
        return None, False
    return (
        RawSignal(
            placement=place,
            rate_hz=round(rate_hz, 3),
            t_utc_s=tuple(round(float(each), 4) for each in t_utc_s),
            acc_mps2=tuple(_column(acc[:, axis], 3) for axis in range(3)),
            gyr_radps=None if np.isnan(gyr).all() else tuple(_column(gyr[:, axis], 4) for axis in range(3)),
        ),
        False,
    )


def _cut(
    chunks: Sequence[Chunk], start_utc_s: float, end_utc_s: float
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Return times (n,), acc (n, 3) and gyr (n, 3) within [start, end], a row of NaN in each pause, and the rate."""
    ordered = sorted(chunks, key=lambda each: each.start_utc_s)
    times = [each.start_utc_s + np.arange(len(each)) / each.rate_hz for each in ordered]
    t_utc_s = np.concatenate(times)
    acc = np.concatenate([each.acc_mps2 for each in ordered])
    gyr = np.concatenate([each.gyr_radps for each in ordered])
    inside = (t_utc_s >= start_utc_s) & (t_utc_s <= end_utc_s)
    t_utc_s, acc, gyr = t_utc_s[inside][:RAW_ROWS_MAX], acc[inside][:RAW_ROWS_MAX], gyr[inside][:RAW_ROWS_MAX]
    # A pause of three samples is a gap, as in the line.
    breaks = np.flatnonzero(np.diff(t_utc_s) > 3.0 / ordered[0].rate_hz) + 1
    middle = t_utc_s[breaks - 1] + 1.5 / ordered[0].rate_hz
    return (
        np.insert(t_utc_s, breaks, middle),
        np.insert(acc, breaks, np.nan, axis=0),
        np.insert(gyr, breaks, np.nan, axis=0),
        ordered[0].rate_hz,
    )


def _column(values: FloatArray, digits: int) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(each) else round(float(each), digits) for each in values)
