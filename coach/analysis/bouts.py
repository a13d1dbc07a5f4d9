"""Bouts: stretches of one repeated movement without a long pause, and how the end of each differs from its beginning.

The signs are those of a session (fatigue.assess_session): the first fifth against the last, by medians. Source: own
heuristics, for what a pause is, for how many repetitions it takes, and for the signs (docs/algorithms.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from coach.analysis.detectors.types import Bout
from coach.analysis.fatigue import Fatigue, FatigueParams, Repeats, alike, assess_session, repeats_of
from coach.analysis.motion_types import Repetition
from coach.analysis.swing_types import Swing, Turn
from coach.analysis.types import NotComputable
from devices.types import FloatArray

REPETITIONS = "repetitions"
STROKES = "strokes"
# Own heuristic: a stroke with its backswing and its way back takes up to so long on either side of its fastest moment.
STROKE_S = 2.0
# Own heuristic: a time to the next stroke this many times as long as usual is a pause, or a stroke between was lost.
PAUSED_TIMES = 1.6
# Own heuristic: a repetition that takes this many times as long as usual had a pause in it, or was something else.
LASTED_TIMES = 2.0
# Own heuristic: a set with at most this share of the repetitions of another one no more than a pause away, and with
# none nearer than this, is what was done between, not the movement that was repeated.
BETWEEN_SHARE, BETWEEN_S = 0.2, 20.0
# Own choice: digits kept of what is stored of a repetition or stroke; far finer than either is measured.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class BoutParams:
    """Own heuristics. pause_s: a longer one ends a bout. min_count: of repetitions or strokes, so that a fifth of them
    is five (fatigue.py).
    """

    pause_s: float = 180.0
    min_count: int = 25
    fatigue: FatigueParams = field(default_factory=FatigueParams)


def bouts_of(
    params: BoutParams,
    stream_id: str,
    origin_utc_s: float,
    repetitions: Sequence[Repetition],
    swings: Sequence[Swing] = (),
) -> tuple[Bout, ...]:
    """Return the bouts of one recording, in order of time.

    origin_utc_s: of the stream's first sample. Repetitions that were not seen whole are left out, and those with a
    stroke in them, for going back for it and coming back from it look like a repetition each, and a few between long
    sets; sets make one bout when they look like one movement (fatigue.alike). Of strokes, two of the four signs can be
    looked for: the peak rate and how even the time between them is; the rate only where no peak was cut off by the
    sensor's range. Strokes before a pause, and repetitions with one in them, take no part.
    """
    found = []
    whole = sorted((each for each in repetitions if each.whole), key=lambda each: each.start_s)
    strokes_s = np.sort([each.time_s for each in swings])
    whole = [each for each in whole if not _strikes(strokes_s, each)]
    sets = [list(one) for _, one in groupby(whole, key=lambda each: each.number_of_set)]
    for moved in _movements(params, _parted(params, _without_between(params, sets))):
        same = _without_paused(moved)
        fatigue = assess_session(params.fatigue, repeats_of(same))
        if not isinstance(fatigue, NotComputable):
            times = (origin_utc_s + same[0].start_s, origin_utc_s + same[-1].end_s)
            found.append(_bout(stream_id, times, REPETITIONS, len(same), fatigue))
    for strokes in _series(params, swings):
        fatigue = assess_session(params.fatigue, _strokes_of(strokes))
        if not isinstance(fatigue, NotComputable):
            times = (origin_utc_s + strokes[0].time_s, origin_utc_s + strokes[-1].time_s)
            found.append(_bout(stream_id, times, STROKES, len(strokes), fatigue))
    return tuple(sorted(found, key=lambda each: (each.start_utc_s, each.movement)))


def _strikes(strokes_s: FloatArray, repetition: Repetition) -> bool:
    """Tell whether a stroke was within a repetition, or so near that one leads to the other."""
    first, after = strokes_s.searchsorted((repetition.start_s - STROKE_S, repetition.end_s + STROKE_S))
    return bool(after > first)


def _without_between(params: BoutParams, sets: list[list[Repetition]]) -> list[list[Repetition]]:
    """Return the sets, which follow each other, without those few repetitions that were done between long ones."""
    if len(sets) < 2:
        return sets
    begins, ends = np.array([(one[0].start_s, one[-1].end_s) for one in sets]).T
    counts = [len(one) for one in sets]
    first, after = ends.searchsorted(begins - params.pause_s), begins.searchsorted(ends + params.pause_s, side="right")
    apart_s = np.concatenate(([np.inf], begins[1:] - ends[:-1], [np.inf]))
    nearest_s = np.minimum(apart_s[:-1], apart_s[1:])
    return [
        one
        for place, one in enumerate(sets)
        if nearest_s[place] < BETWEEN_S or len(one) > BETWEEN_SHARE * max(counts[first[place] : after[place]])
    ]


def _without_paused(same: list[Repetition]) -> list[Repetition]:
    lasted_s = [each.end_s - each.start_s for each in same]
    longest_s = LASTED_TIMES * float(np.median(lasted_s))
    return [each for each, one_s in zip(same, lasted_s, strict=True) if one_s <= longest_s]


def repetition_to_plain(each: Repetition) -> list[Any]:
    """Return what is stored of a repetition, as JSON: start, peak, end and ROM first, as they always were."""
    return [
        *(round(value, _DIGITS) for value in (each.start_s, each.peak_s, each.end_s, each.rom_deg)),
        each.number_of_set,
        *(round(value, _DIGITS) for value in (each.up_s, each.hold_s, each.down_s, each.peak_rate_degps)),
        each.whole,
        *(None if value is None else round(value, _DIGITS) for value in (each.sparc, each.log_jerk)),
    ]


def repetition_from_plain(plain: Sequence[Any]) -> Repetition:
    """Return what `repetition_to_plain` was given, to four digits."""
    start_s, peak_s, end_s, rom_deg, number, *others = plain
    return Repetition(number, start_s, peak_s, end_s, rom_deg, *others)


def swing_to_plain(each: Swing) -> list[Any]:
    """Return what is stored of a swing or throw, as JSON."""
    turn = None if each.turn is None else each.turn.value
    since = None if each.since_last_s is None else round(each.since_last_s, _DIGITS)
    return [round(each.time_s, _DIGITS), round(each.peak_degps, _DIGITS), each.clipped, turn, since]


def swing_from_plain(plain: Sequence[Any]) -> Swing:
    """Return what `swing_to_plain` was given, to four digits."""
    time_s, peak_degps, clipped, turn, since = plain
    return Swing(time_s, peak_degps, clipped, None if turn is None else Turn(turn), since)


def _parted(params: BoutParams, sets: list[list[Repetition]]) -> Iterator[list[list[Repetition]]]:
    """Yield runs of sets without a long pause, also none within a set."""
    run: list[list[Repetition]] = []
    newest_s = -np.inf
    for one in sets:
        piece: list[Repetition] = []
        for each in one:
            if each.start_s - newest_s > params.pause_s and (run or piece):
                yield [*run, piece] if piece else run
                run, piece = [], []
            piece.append(each)
            newest_s = each.end_s
        run.append(piece)
    if run:
        yield run


def _movements(params: BoutParams, parts: Iterator[list[list[Repetition]]]) -> Iterator[list[Repetition]]:
    """Yield the repetitions of each movement that was repeated often enough, in each run of sets."""
    for sets in parts:
        rest = sets
        while sum(map(len, rest)) >= params.min_count:
            same = alike(rest)
            if len(same) < params.min_count:
                break
            yield same
            taken = {id(each) for each in same}
            rest = [one for one in rest if id(one[0]) not in taken]


def _series(params: BoutParams, swings: Sequence[Swing]) -> Iterator[list[Swing]]:
    """Yield runs of strokes without a long pause that are long enough."""
    run: list[Swing] = []
    for each in sorted(swings, key=lambda each: each.time_s):
        if run and each.time_s - run[-1].time_s > params.pause_s:
            if len(run) >= params.min_count:
                yield run
            run = []
        run.append(each)
    if len(run) >= params.min_count:
        yield run


def _strokes_of(strokes: Sequence[Swing]) -> Repeats:
    """Return what the signs are looked for in: the peak rate of each stroke, and the time to the next one.

    The last stroke has no next one, and a stroke before a pause tells nothing of how even the strokes are.
    """
    intervals = np.diff([each.time_s for each in strokes])
    goes_on = intervals <= PAUSED_TIMES * np.median(intervals)
    peaks = np.array([np.nan if each.clipped else each.peak_degps for each in strokes[:-1]], dtype=np.float64)
    unknown = np.full(int(goes_on.sum()), np.nan)
    return Repeats(np.radians(peaks[goes_on]), unknown, unknown, intervals[goes_on])


def _bout(stream_id: str, times: tuple[float, float], movement: str, count: int, fatigue: Fatigue) -> Bout:
    values = (
        fatigue.velocity_loss_share,
        fatigue.rom_loss_share,
        fatigue.sparc_loss,
        fatigue.duration_cv_ratio,
    )
    signs = tuple(sign.value for sign in fatigue.signs)
    looked = sum(value is not None for value in values)
    return Bout(stream_id, *times, movement, count, signs, looked, *values)
