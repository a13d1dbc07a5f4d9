"""What one sensor saw in each minute of UTC: time recorded, lying and bent, and how often things happened.

A minute is told once, when nothing in it can change any more. Until then it is kept in seconds, so that what turns out
later (that the trunk lay, that the sensor had come loose) can still be taken out of it. Thresholds are those of
ISO 11226, RULA and REBA (20, 60), Villumsen 2016 (30), Jansen 2004 (45) and Hoogendoorn 2000 (60); 90 describes only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from coach.analysis.lying import FREE, LYING, PENDING
from coach.analysis.motion_types import Repetition
from coach.analysis.quality import BoolArray, runs_of
from coach.analysis.swing_types import Swing, Turn
from coach.analysis.types import StaticHold
from devices.types import FloatArray, IntArray

# The module's own words; not those of the configuration, so that days of all athletes count the same.
THRESHOLDS_DEG = (20, 30, 45, 60, 90)
MINUTE_S = 60
# Own heuristic: so many minutes of nothing are told as such; of a longer pause the rest is left out.
EMPTY_MINUTES = 60
# How a second counts: worn as it should be, moving on its own, sitting otherwise than calibrated (wearing.py).
WORN, LOOSE, DISPLACED = 0, 1, 2

ByteArray = NDArray[np.uint8]


class Column(IntEnum):
    """What is counted in each second. Looks: 25 to 50 a second (posture.look_every). HELD: may yet be lying."""

    EXPECTED = 0
    COVERED = 1
    LYING = 2
    ABOVE = 3  # and the next four: one for each threshold
    BENDS = 8
    TURNS_LEFT = 9
    TURNS_RIGHT = 10
    STROKES_LEFT = 11
    STROKES_RIGHT = 12
    STROKES_UNKNOWN = 13
    REPETITIONS = 14
    HELD = 15
    HELD_ABOVE = 16  # and the next four
    HELD_BENDS = 21


COLUMNS = 22
_STROKES = {Turn.LEFT: Column.STROKES_LEFT, Turn.RIGHT: Column.STROKES_RIGHT, None: Column.STROKES_UNKNOWN}


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """One minute of one stream; the first and the last may be shorter.

    number: of the stream's own minutes, 0 is the minute of UTC in which it began. start_s: from the stream's first
    sample. expected_s: the recording ran. covered_s: a sample was there, whose angle was known and whose sensor was
    worn as it should be. lying_s and above_s (threshold in deg -> s at or above it, not lying) are parts of covered_s.
    bends: cycles of inclination that had come down by then. turns_left, turns_right: fast turns (rotation.py). dose:
    of the static holds that ended in it, in longest holds of ISO 11226. strokes_*: swings or throws, by where the body
    turned. repetitions: of exercise, by their far poses. loose_s, displaced_s: not in covered_s, and nothing that
    happened in them is counted.
    """

    number: int
    start_s: float
    expected_s: float
    covered_s: float
    lying_s: float
    above_s: Mapping[int, float]
    bends: int
    turns_left: int
    turns_right: int
    dose: float
    strokes_left: int
    strokes_right: int
    strokes_unknown: int
    repetitions: int
    loose_s: float = 0.0
    displaced_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ExposureState:
    """phase_s: s from the last whole minute of UTC to the stream's first sample. mode: of the newest look.

    first: number of the first second kept, always that of a minute; seconds count from the beginning of minute 0.
    counts: (COLUMNS, n) of each second. doses: (n,). empty: minutes of nothing before these.
    """

    phase_s: float = 0.0
    mode: int = FREE
    first: int = 0
    counts: ByteArray = field(default_factory=lambda: np.zeros((COLUMNS, 0), dtype=np.uint8))
    doses: FloatArray = field(default_factory=lambda: np.zeros(0))
    empty: int = 0


def begin_exposure(start_utc_s: float) -> ExposureState:
    """Begin with the first sample of a stream."""
    return ExposureState(start_utc_s % MINUTE_S)


def add_looks(
    state: ExposureState,
    rate_hz: float,
    at: IntArray,
    angle_deg: FloatArray,
    present: BoolArray | None,
    modes: IntArray | None,
    bent_at: Sequence[int],
) -> ExposureState:
    """Take the next looks at the inclination.

    at: (n,) sample numbers. angle_deg: (n,) low-passed. present: (n,) where a sample was, None for everywhere. modes:
    (n,) what the trunk did (lying.FREE, PENDING, LYING), None where it was free. bent_at: sample numbers, of these, at
    which a bend counted.
    """
    if not at.size:
        return state
    seconds = np.floor(state.phase_s + at / rate_hz).astype(np.int64)
    grown = _grown(state, int(seconds[-1]) + 1)
    tally = _Tally(grown.counts, seconds - grown.first, angle_deg, present)
    bends = np.searchsorted(at, bent_at).tolist() if len(bent_at) else []
    mode = state.mode
    for first, end in [(0, at.size)] if modes is None or not modes.any() else runs_of(modes):
        now = FREE if modes is None else int(modes[first])
        if mode == PENDING and now != PENDING:
            tally.decide(now)
        tally.spend(first, end, now, [place for place in bends if first <= place < end])
        mode = now
    return ExposureState(grown.phase_s, mode, grown.first, grown.counts, grown.doses, grown.empty)


def add_events(state: ExposureState, column: Column, times_s: Iterable[float]) -> ExposureState:
    """Count events. times_s: from the stream's first sample."""
    seconds = [math.floor(state.phase_s + time_s) for time_s in times_s]
    if not seconds:
        return state
    grown = _grown(state, max(seconds) + 1)
    for second in seconds:
        grown.counts[column, max(second - grown.first, 0)] += 1
    return grown


def add_strokes(state: ExposureState, swings: Iterable[Swing]) -> ExposureState:
    """Count swings or throws by the way the body turned."""
    for swing in swings:
        state = add_events(state, _STROKES[swing.turn], [swing.time_s])
    return state


def add_repetitions(state: ExposureState, repetitions: Iterable[Repetition]) -> ExposureState:
    """Count repetitions of exercise by their far poses."""
    return add_events(state, Column.REPETITIONS, [each.peak_s for each in repetitions])


def add_holds(state: ExposureState, holds: Iterable[StaticHold]) -> ExposureState:
    """Add the doses of static holds where they ended."""
    for hold in holds:
        second = math.floor(state.phase_s + hold.end_s)
        state = _grown(state, second + 1)
        state.doses[max(second - state.first, 0)] += hold.dose
    return state


def held_from_s(state: ExposureState) -> float | None:
    """Return when the first second begins of which it is open whether the trunk lay, s from the first sample."""
    if state.mode != PENDING:
        return None
    return state.first + int((state.counts[Column.HELD] > 0).argmax()) - state.phase_s


def minute_due(state: ExposureState, rate_hz: float, until: int) -> bool:
    """Tell whether a minute that is kept ends at or before sample `until`."""
    return math.floor(state.phase_s + until / rate_hz) - state.first >= MINUTE_S


def settle_minutes(
    state: ExposureState, rate_hz: float, look_s: float, until: int, codes: ByteArray | None = None
) -> tuple[ExposureState, list[MinuteRow]]:
    """Return the minutes that end at or before sample `until`, before which nothing can change any more.

    look_s: s of a look. codes: (n,) how each second kept was worn (WORN, LOOSE, DISPLACED), None for WORN.
    """
    second = math.floor(state.phase_s + until / rate_hz)
    return _told(state, look_s, (second - state.first) // MINUTE_S * MINUTE_S, codes)


def finish_minutes(
    state: ExposureState, rate_hz: float, look_s: float, samples: int, codes: ByteArray | None = None
) -> tuple[ExposureState, list[MinuteRow]]:
    """Return all that is left of a stream of so many samples, the last minute as far as it went."""
    if state.mode == PENDING:  # not decided: it counts as posture, as it does in the summary
        state = _grown(state, 0)
        _Tally(state.counts, np.empty(0, dtype=np.int64), np.empty(0), None).decide(FREE)
        state = replace(state, mode=FREE)
    count = math.floor(state.phase_s + max(samples - 1, 0) / rate_hz) - state.first + 1
    state = _grown(state, state.first + count)
    if state.doses.size > count:  # what ended with the last sample belongs to the last second
        state.counts[:, count - 1] += state.counts[:, count:].sum(axis=1, dtype=np.uint8)
        state.doses[count - 1] += state.doses[count:].sum()
        state = replace(state, counts=state.counts[:, :count], doses=state.doses[:count])
    return _told(state, look_s, count, codes)


def _grown(state: ExposureState, end: int) -> ExposureState:
    """Return a copy, to be changed, that reaches up to second `end`."""
    more = end - state.first - state.doses.size
    if more <= 0:
        counts, doses = state.counts.copy(), state.doses.copy()
    else:
        counts = np.concatenate((state.counts, np.zeros((COLUMNS, more), dtype=np.uint8)), axis=1)
        doses = np.concatenate((state.doses, np.zeros(more)))
    return ExposureState(state.phase_s, state.mode, state.first, counts, doses, state.empty)


class _Tally:
    """Counts of seconds while looks are added. places: (n,) second of each look."""

    def __init__(self, counts: ByteArray, places: IntArray, angle_deg: FloatArray, present: BoolArray | None) -> None:
        self.counts, self.places, self.angle, self.present = counts, places, angle_deg, present

    def spend(self, first: int, end: int, mode: int, bends: list[int]) -> None:
        """Count the looks first..end-1, in all of which the trunk did the same."""
        places, angle = self.places[first:end], self.angle[first:end]
        if self.present is None:
            self._add(slice(Column.EXPECTED, Column.COVERED + 1), places)
        else:
            self._add(Column.EXPECTED, places)
            there = self.present[first:end]
            places, angle = places[there], angle[there]
            self._add(Column.COVERED, places)
        if mode == LYING:
            self._add(Column.LYING, places)
            return
        held = mode == PENDING
        if held:
            self._add(Column.HELD, places)
        for place in bends:
            self.counts[Column.HELD_BENDS if held else Column.BENDS, self.places[place]] += 1
        column = Column.HELD_ABOVE if held else Column.ABOVE
        for offset, threshold in enumerate(THRESHOLDS_DEG):
            above = angle >= threshold
            if not above.any():
                break
            self._add(column + offset, places[above])

    def decide(self, mode: int) -> None:
        """Count what was held: as lying, or as what it looked like."""
        if mode == LYING:
            self.counts[Column.LYING] += self.counts[Column.HELD]
        else:
            size = len(THRESHOLDS_DEG)
            held = self.counts[Column.HELD_ABOVE : Column.HELD_ABOVE + size]
            self.counts[Column.ABOVE : Column.ABOVE + size] += held
            self.counts[Column.BENDS] += self.counts[Column.HELD_BENDS]
        self.counts[Column.HELD :] = 0

    def _add(self, column: int | slice, places: IntArray) -> None:
        if places.size:
            low, high = int(places[0]), int(places[-1]) + 1
            self.counts[column, low:high] += np.bincount(places - low, minlength=high - low).astype(np.uint8)


def _told(
    state: ExposureState, look_s: float, count: int, codes: ByteArray | None
) -> tuple[ExposureState, list[MinuteRow]]:
    """Return the first `count` seconds that are kept, minute by minute, and the state without them."""
    if count <= 0:
        return state, []
    state = _grown(state, state.first + count)
    whole, begins = state.counts[:, :count], np.arange(0, count, MINUTE_S)
    sums = _summed(whole, begins)
    worn = sums if codes is None else _summed(np.where(codes[:count] == WORN, whole, np.uint8(0)), begins)
    apart = [[0] * begins.size] * 2
    if codes is not None:
        covered = whole[Column.COVERED : Column.COVERED + 1]
        apart = [
            [minute[0] for minute in _summed(np.where(codes[:count] == code, covered, np.uint8(0)), begins)]
            for code in (LOOSE, DISPLACED)
        ]
    rows, empty = [], state.empty
    for place, first in enumerate(begins.tolist()):
        empty = 0 if sums[place][Column.COVERED] else empty + 1
        if empty <= EMPTY_MINUTES:
            part = slice(first, min(first + MINUTE_S, count))
            doses = state.doses[part]
            dose = float((doses if codes is None else doses[codes[part] == WORN]).sum()) if doses.any() else 0.0
            number, expected = (state.first + first) // MINUTE_S, sums[place][Column.EXPECTED]
            rows.append(
                _row(number, state.phase_s, look_s, expected, worn[place], dose, apart[0][place], apart[1][place])
            )
    rest = replace(
        state, first=state.first + count, counts=state.counts[:, count:], doses=state.doses[count:], empty=empty
    )
    return rest, rows


def _summed(seconds: ByteArray, begins: IntArray) -> list[list[int]]:
    """Return the sums of each minute, by column. seconds: (columns, n); begins: of the minutes in it."""
    minutes: list[list[int]] = np.add.reduceat(seconds, begins, axis=1, dtype=np.int64).T.tolist()
    return minutes


def _row(
    number: int, phase_s: float, look_s: float, expected: int, sums: list[int], dose: float, loose: int, displaced: int
) -> MinuteRow:
    """Return a minute. expected, sums, loose, displaced: looks; sums: of the seconds in which it was worn well."""
    above = sums[Column.ABOVE : Column.ABOVE + len(THRESHOLDS_DEG)]
    return MinuteRow(
        number=number,
        start_s=max(number * MINUTE_S - phase_s, 0.0),
        expected_s=expected * look_s,
        covered_s=sums[Column.COVERED] * look_s,
        lying_s=sums[Column.LYING] * look_s,
        above_s={threshold: looks * look_s for threshold, looks in zip(THRESHOLDS_DEG, above, strict=True)},
        bends=sums[Column.BENDS],
        turns_left=sums[Column.TURNS_LEFT],
        turns_right=sums[Column.TURNS_RIGHT],
        dose=dose,
        strokes_left=sums[Column.STROKES_LEFT],
        strokes_right=sums[Column.STROKES_RIGHT],
        strokes_unknown=sums[Column.STROKES_UNKNOWN],
        repetitions=sums[Column.REPETITIONS],
        loose_s=loose * look_s,
        displaced_s=displaced * look_s,
    )


def unusable(row: MinuteRow) -> MinuteRow:
    """Return a minute whose samples cannot be what they say: it was recorded, and tells nothing."""
    nothing = dict.fromkeys(THRESHOLDS_DEG, 0.0)
    return MinuteRow(row.number, row.start_s, row.expected_s, 0.0, 0.0, nothing, 0, 0, 0, 0.0, 0, 0, 0, 0)
