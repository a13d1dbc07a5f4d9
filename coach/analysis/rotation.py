"""Fast turns about the vertical, of one sensor in the room or of the trunk against the pelvis.

Without a magnetometer a heading drifts, so that only what changes within some seconds can be told: the angular rate
about the vertical is integrated and high-passed at 0.01 Hz at once, which is a linear filter, so that the difference of
two lines is the high-passed difference. A turn goes at least 30 degrees away (Hoogendoorn 2000, Spine 25:3087,
counts time spent beyond that angle); the way back is no turn of its own. How fast it has to be, what stands still, what
is the way back, and the high-pass are own heuristics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.quality import runs
from coach.analysis.types import TurnParams
from devices.types import FloatArray

# Corner of the high-pass: the slowest change that two drifting headings can tell. Own heuristic.
CORNER_HZ = 0.01
# Own heuristic: the line keeps about so many values a second; a trunk that turns changes its rate in no less time.
LINE_HZ = 10.0
# Own heuristic: a turn and the way back are one action, as a bend and its rise are. What goes away from where the line
# rests (the high-pass makes its mean 0) ends far on that side; the way back ends by less than about half of it beyond.
BACK_SHARE = 0.45
# Own heuristic: what follows a turn at once is the other half of the same movement, as a stroke is of its backswing.
AT_ONCE_S = 0.5
NEVER = -(10**12)
# A value of the line: tenths of a degree, and what stands where there is none.
PER_DEG = 10.0
GAP = -32768
MOST = 32767
# As for the orientation (orientation.py): so long the rate is taken to stay; after more the line begins anew at 0.
BRIDGE_S = 0.2

# Where turning is followed: the trunk, and the pelvis to set it against.
PELVIS = "hip"
TURNING_PLACES = TRUNK_PLACES | {PELVIS}

LineArray = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class YawLine:
    """High-passed yaw, left (anticlockwise from above) positive.

    tenths: (n,) int16, in 0.1 deg, GAP where there is none; beyond 3276.7 deg it stays there. start_s: of the first
    value, from the stream's first sample; rate_hz: of the values.
    """

    start_s: float
    rate_hz: float
    tenths: LineArray


@dataclass(frozen=True, slots=True)
class Turn:
    """A fast turn. index: of the value of the line at which it was certain. left: anticlockwise from above."""

    index: int
    left: bool


@dataclass(frozen=True, slots=True)
class TurnState:
    """Where a line stands. way: 1 while it turns to the left, -1 to the right, 0 while it does not.

    angle_deg: turned so far; fastest_deg: from value to value. told: it has counted. began: number of the value with
    which this way began; ended: of the one after the newest turn that counted.
    """

    way: int = 0
    angle_deg: float = 0.0
    fastest_deg: float = 0.0
    told: bool = False
    began: int = 0
    ended: int = NEVER


@dataclass(frozen=True, slots=True)
class YawState:
    """yaw_deg: the newest value, NaN before the first and in a gap. rates: rad/s, of the samples since.

    rate_radps: the newest known one, and samples missing since. turns: of the line.
    """

    yaw_deg: float = math.nan
    rates: tuple[float, ...] = ()
    rate_radps: float = math.nan
    missing: int = 0
    turns: TurnState = field(default_factory=TurnState)


def line_every(rate_hz: float) -> int:
    """Return how many samples of the stream make one value of the line."""
    return max(round(rate_hz / LINE_HZ), 1)


def value_at_s(rate_hz: float, index: int) -> float:
    """Return the time of a value of the line: that of the last of its samples, from the stream's first."""
    every = line_every(rate_hz)
    return (index * every + every - 1) / rate_hz


def follow_yaw(
    params: TurnParams, state: YawState, rate_hz: float, start: int, rates_radps: FloatArray
) -> tuple[YawState, YawLine | None, list[Turn]]:
    """Take consecutive samples of the grid.

    start: number of the first. rates_radps: (n,) angular rate about the vertical, NaN where missing. Returns the values
    of the line that these samples gave, and the fast turns, by numbers of the line's values (times line_every they are
    numbers of samples).
    """
    every = line_every(rate_hz)
    rates, newest, missing = rates_radps, state.rate_radps, state.missing
    if not rates.size:
        return state, None, []
    if np.isfinite(rates).all():
        newest, missing = float(rates[-1]), 0
    else:
        rates, newest, missing = _bridged(rates, newest, missing, round(BRIDGE_S * rate_hz))
    # A value is that of `every` samples; of the first one some are lacking where the gyroscope began in the middle.
    waiting = state.rates if len(state.rates) == start % every else (math.nan,) * (start % every)
    rates = np.concatenate((waiting, rates))
    count, first = rates.size // every, (start - len(waiting)) // every
    left = tuple(rates[count * every :].tolist())
    if not count:
        return YawState(state.yaw_deg, left, newest, missing, state.turns), None, []
    turned_deg = rates[: count * every].reshape(count, every).sum(axis=1) * math.degrees(1.0 / rate_hz)
    yaw_deg = _high_passed(rate_hz / every, state.yaw_deg, turned_deg)
    turns, found = follow_turns(params, state.turns, rate_hz / every, turned_deg, yaw_deg, first)
    line = YawLine(value_at_s(rate_hz, first), rate_hz / every, _tenths(yaw_deg))
    return YawState(float(yaw_deg[-1]), left, newest, missing, turns), line, found


def _bridged(rates_radps: FloatArray, newest: float, missing: int, most: int) -> tuple[FloatArray, float, int]:
    """Return rates that stay as they were over up to `most` missing samples, the newest known one, and missing since.

    newest, missing: from before.
    """
    rows = np.arange(rates_radps.size)
    last = np.maximum.accumulate(np.where(np.isfinite(rates_radps), rows, -1 - missing))
    known = np.where(last >= 0, rates_radps[np.maximum(last, 0)], newest)
    since = rows - last
    return np.where(since <= most, known, np.nan), float(known[-1]), int(since[-1])


def _high_passed(line_hz: float, before_deg: float, turned_deg: FloatArray) -> FloatArray:
    """Integrate and high-pass at once: with each value what there is falls by a hair, and what was turned is added.

    turned_deg: (n,), NaN in gaps, after which the line begins anew. before_deg: the value before, NaN for none.
    """
    keep, found = kept(line_hz), np.full(turned_deg.size, np.nan)
    for first, end in runs(np.isfinite(turned_deg)):
        rest = 0.0 if first or math.isnan(before_deg) else keep * before_deg
        found[first:end] = lfilter((1.0,), (1.0, -keep), turned_deg[first:end], zi=(rest,))[0]
    return found


def _tenths(yaw_deg: FloatArray) -> LineArray:
    tenths = np.rint(yaw_deg * PER_DEG).clip(-MOST, MOST)
    tenths[np.isnan(tenths)] = GAP
    return tenths.astype(np.int16)


def joined_lines(parts: Sequence[YawLine]) -> YawLine | None:
    """Return parts of one line, in order, as one; None of none. Where nothing was told there is a gap."""
    if not parts:
        return None
    first = parts[0]
    places = [round((part.start_s - first.start_s) * first.rate_hz) for part in parts]
    if len(parts) == 1:
        return first
    tenths = np.full(places[-1] + parts[-1].tenths.size, GAP, dtype=np.int16)
    for place, part in zip(places, parts, strict=True):
        tenths[place : place + part.tenths.size] = part.tenths
    return YawLine(first.start_s, first.rate_hz, tenths)


def kept(rate_hz: float) -> float:
    """Return the share of a value of a line that the high-pass keeps from one to the next."""
    return math.exp(-2.0 * math.pi * CORNER_HZ / rate_hz)


def follow_turns(
    params: TurnParams,
    state: TurnState,
    rate_hz: float,
    turned_deg: FloatArray,
    yaw_deg: FloatArray,
    first: int = 0,
) -> tuple[TurnState, list[Turn]]:
    """Follow how far a line turned from value to value, without what the high-pass took.

    turned_deg: (n,), NaN in gaps; yaw_deg: (n,) the line itself; first: number of the first. Returns the turns that
    became certain: without standing still or turning back the line went min_deg one way, its rate, from value to value,
    reached min_peak_degps, it went away from where it had been before, not back there (BACK_SHARE), and it did not
    follow another turn at once (AT_ONCE_S).
    """
    still, fast = params.still_degps / rate_hz, params.min_peak_degps / rate_hz
    edges = _edges(state, turned_deg, still, fast)
    if not edges:
        return TurnState(ended=state.ended), []
    found: list[Turn] = []
    for begin, end in pairwise(edges):
        side = _way(turned_deg[begin], still)
        if begin or side != state.way:
            state = TurnState(side, began=first + begin, ended=first + begin if state.told else state.ended)
        if not side:
            continue
        steps = side * turned_deg[begin:end]
        angle = np.cumsum(np.concatenate(([state.angle_deg], steps)))[1:]
        fastest = np.maximum(np.maximum.accumulate(steps), state.fastest_deg)
        away = side * yaw_deg[begin:end] >= BACK_SHARE * angle
        apart = state.began - state.ended >= round(AT_ONCE_S * rate_hz)
        enough = (angle >= params.min_deg) & (fastest >= fast) & away & apart
        at = int(enough.argmax())
        if enough[at] and not state.told:
            found.append(Turn(first + begin + at, side > 0))
        told = state.told or bool(enough[at])
        state = TurnState(side, float(angle[-1]), float(fastest[-1]), told, state.began, state.ended)
    return state, found


def _edges(state: TurnState, turned_deg: FloatArray, still_deg: float, fast_deg: float) -> list[int]:
    """Return where runs of turning one way, or of none, begin and the last ends; nothing where the line ends at rest
    and nothing was fast, and only the last run where nothing was fast, for then it alone matters.
    """
    size = np.abs(turned_deg)
    if state.fastest_deg >= fast_deg or (size >= fast_deg).any():
        way = (turned_deg >= still_deg).astype(np.int64) - (turned_deg <= -still_deg)
        return [0, *(np.flatnonzero(way[1:] != way[:-1]) + 1).tolist(), way.size]
    side = _way(turned_deg[-1], still_deg)
    if not side:
        return []
    goes_on = side * turned_deg >= still_deg
    return [0 if goes_on.all() else turned_deg.size - int((~goes_on[::-1]).argmax()), turned_deg.size]


def _way(turned_deg: float, still_deg: float) -> int:
    return int(turned_deg >= still_deg) - int(turned_deg <= -still_deg)
