"""Fast turns about the vertical, of one sensor in the room or of the trunk against the pelvis.

Without a magnetometer a heading drifts, so that only what changes within some seconds can be told: the angular rate
about the vertical is integrated and high-passed at 0.01 Hz at once, which is a linear filter, so that the difference of
two lines is the high-passed difference. A turn goes at least 30 degrees one way (Hoogendoorn 2000, Spine 25:3087,
counts time spent beyond that angle). How fast it has to be, what stands still and the high-pass are own heuristics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.quality import runs, runs_of
from coach.analysis.types import TurnParams
from devices.types import FloatArray

# Corner of the high-pass: the slowest change that two drifting headings can tell. Own heuristic.
CORNER_HZ = 0.01
# Own heuristic: the line keeps about so many values a second; a trunk that turns changes its rate in no less time.
LINE_HZ = 10.0
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
    """A fast turn. index: value of the line at which it was certain. left: anticlockwise from above."""

    index: int
    left: bool


@dataclass(frozen=True, slots=True)
class TurnState:
    """Where a line stands. way: 1 while it turns to the left, -1 to the right, 0 while it does not.

    angle_deg: turned so far; fastest_deg: from value to value. told: it has counted. last: the newest value in tenths,
    NaN before any.
    """

    way: int = 0
    angle_deg: float = 0.0
    fastest_deg: float = 0.0
    told: bool = False
    last: float = math.nan


@dataclass(frozen=True, slots=True)
class YawState:
    """memory: what the filter keeps, empty before the first value and in a gap. rate_radps: the newest. missing: since.

    turns: of the line.
    """

    memory: tuple[float, ...] = ()
    rate_radps: float = 0.0
    missing: int = 0
    turns: TurnState = field(default_factory=TurnState)


def line_every(rate_hz: float) -> int:
    """Return how many samples of the stream make one value of the line."""
    return max(round(rate_hz / LINE_HZ), 1)


def follow_yaw(
    params: TurnParams, state: YawState, rate_hz: float, start: int, gyr_radps: FloatArray, up: FloatArray
) -> tuple[YawState, YawLine | None, list[Turn]]:
    """Take consecutive samples of the grid.

    start: number of the first. gyr_radps: (n, 3), NaN where missing. up: (3, n) unit vectors of sensor axes that point
    up. Returns the values of the line that these samples gave, and the fast turns, by numbers of the line's values
    (times line_every they are numbers of samples).
    """
    if not len(gyr_radps):
        return state, None, []
    rate = gyr_radps[:, 0] * up[0] + gyr_radps[:, 1] * up[1] + gyr_radps[:, 2] * up[2]
    state, yaw_deg = _high_passed(state, rate_hz, rate)
    every = line_every(rate_hz)
    values = yaw_deg[-start % every :: every]
    if not values.size:
        return state, None, []
    tenths = np.full(values.size, GAP, dtype=np.int16)
    np.rint(np.clip(values * PER_DEG, -MOST, MOST), out=tenths, casting="unsafe", where=~np.isnan(values))
    first = (start + every - 1) // every
    turns, found = follow_turns(params, state.turns, rate_hz / every, tenths, first)
    return replace(state, turns=turns), YawLine(first * every / rate_hz, rate_hz / every, tenths), found


def _high_passed(state: YawState, rate_hz: float, rate_radps: FloatArray) -> tuple[YawState, FloatArray]:
    """Integrate and high-pass at once: with each sample what there is falls by a hair and the angle turned is added.

    Returns the yaw (n,) in deg, NaN in gaps.
    """
    there, after = np.isfinite(rate_radps), 0
    newest = state.rate_radps
    pieces = [(0, rate_radps.size)]
    if there.all():
        newest = float(rate_radps[-1])
    else:
        rows = np.arange(rate_radps.size)
        last = np.maximum.accumulate(np.where(there, rows, -1 - state.missing))
        rate_radps = np.where(last >= 0, rate_radps[np.maximum(last, 0)], newest)
        bridged = rows - last <= round(BRIDGE_S * rate_hz)
        pieces = runs(there | bridged & ((last >= 0) | bool(state.memory)))
        newest, after = float(rate_radps[-1]), int(rows[-1] - last[-1])
    keep = _kept(rate_hz)
    yaw, memory, end = np.full(rate_radps.size, np.nan), state.memory, 0
    for first, end in pieces:
        initial = np.asarray(memory) if memory and not first else np.zeros(1)
        yaw[first:end], kept = lfilter((math.degrees(1.0 / rate_hz),), (1.0, -keep), rate_radps[first:end], zi=initial)
        memory = (float(kept[0]),)
    return YawState(memory if end == rate_radps.size else (), newest, after, state.turns), yaw


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


def follow_turns(
    params: TurnParams, state: TurnState, rate_hz: float, tenths: LineArray, first: int = 0
) -> tuple[TurnState, list[Turn]]:
    """Follow consecutive values of a line. tenths: (n,), as in YawLine; first: number of the first.

    Returns the turns that became certain: without standing still or turning back the line went min_deg one way, and
    its rate, from value to value, reached min_peak_degps.
    """
    found: list[Turn] = []
    values, end = tenths.astype(np.float64), 0
    for begin, end in runs(tenths != GAP):
        if begin:
            state = TurnState()
        before = values[begin] if math.isnan(state.last) else state.last
        # What the high-pass took away since the value before is given back, so that who stands still does not turn.
        turned = values[begin:end] - _kept(rate_hz) * np.concatenate(([before], values[begin : end - 1]))
        if math.isnan(state.last):
            turned[0] = 0.0
        state, more = _bursts(params, state, rate_hz, turned / PER_DEG, first + begin)
        state = replace(state, last=float(values[end - 1]))
        found.extend(more)
    return state if end == tenths.size else TurnState(), found


def _kept(rate_hz: float) -> float:
    """Return the share of a value that the high-pass keeps from one value to the next."""
    return math.exp(-2.0 * math.pi * CORNER_HZ / rate_hz)


def _bursts(
    params: TurnParams, state: TurnState, rate_hz: float, turned_deg: FloatArray, first: int
) -> tuple[TurnState, list[Turn]]:
    """Walk over runs of turning one way. turned_deg: (n,) from value to value; first: number of the first."""
    still, fast = params.still_degps / rate_hz, params.min_peak_degps / rate_hz
    way = (turned_deg >= still).astype(np.int64) - (turned_deg <= -still)
    pieces = runs_of(way)
    # Few go far enough; the first goes on with what was, the last may go on.
    sums = np.abs(np.add.reduceat(turned_deg, [a for a, _ in pieces]))
    wanted = {0, len(pieces) - 1, *np.flatnonzero(sums >= params.min_deg - 1.0).tolist()}
    found: list[Turn] = []
    for place in sorted(wanted):
        begin, end = pieces[place]
        side = int(way[begin])
        if begin or side != state.way:
            state = TurnState(side)
        if not side:
            continue
        steps = side * turned_deg[begin:end]
        angle = np.cumsum(np.concatenate(([state.angle_deg], steps)))[1:]
        fastest = np.maximum(np.maximum.accumulate(steps), state.fastest_deg)
        enough = (angle >= params.min_deg) & (fastest >= fast)
        at = int(enough.argmax())
        if enough[at] and not state.told:
            found.append(Turn(first + begin + at, side > 0))
        state = TurnState(side, float(angle[-1]), float(fastest[-1]), state.told or bool(enough[at]))
    return state, found
