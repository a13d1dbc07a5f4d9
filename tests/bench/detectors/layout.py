"""Lay out a worn day: blocks of what is to be done in any order, and ordinary moving about between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from devices.types import FloatArray
from tests.bench.detectors.course import Bout, Course, step_inverse
from tests.bench.detectors.limits import REPEATED_PER_MIN, REPEATED_S

# Own heuristics on how people move: one bend takes a second and a half there and back each, work that repeats comes
# evenly to a sixth, what is done now and then comes by chance.
MOVE_S = (0.9, 1.5)
BEND_RANGE_DEG = (26.0, 44.0)
PACE_SPREAD, ALIKE_SPREAD = 0.15, 0.06
# H: a bout is told from 25 on, and its first fifth held against its last.
BOUT_LEAST, FIFTH = 25, 0.2
WALK_S = (20.0, 180.0)
# The pose for the calibration at the start, and the least pause between two blocks: the product takes what is repeated
# within three minutes for one bout (its stated limit), and whoever goes on with another job needs as long.
BEGIN_S, PAUSE_S = 40.0, 200.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody moves without anything special: ordinary bends an hour, share of time walked, trunk when seated."""

    bends_per_h: float
    walks_share: float
    sits_deg: float


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that is done for a while. All arrays as in Course, with times from the block's start."""

    duration_s: float
    stoops: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    turns: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    strokes: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    works: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    bout: Bout | None = None


def bending(count: int, per_min: float, sits_deg: float, draw: np.random.Generator) -> Block:
    """Return work that bends the trunk evenly, so many times a minute, each time nearly alike.

    How often is near the limit, how far is not: ranges of 26 degrees and more are clear of 20.
    """
    each = 60.0 / per_min
    starts = 2.0 + np.cumsum(np.clip(draw.normal(each, PACE_SPREAD * each, count), 0.5 * each, 1.5 * each))
    alike = [
        draw.uniform(*usual) * draw.normal(1.0, ALIKE_SPREAD, count) for usual in (MOVE_S, (0.4, 1.5), BEND_RANGE_DEG)
    ]
    rows = np.stack((starts, *alike), axis=1) + np.array([0.0, 0.0, 0.0, sits_deg])
    # Repeated is what comes more than 4 times a minute (RULA): what comes less often is no bout of one movement.
    bout = _bout(rows, sits_deg) if per_min > REPEATED_PER_MIN else None
    return Block(float(starts[-1]) + 8.0, rows, works=_worked(starts, per_min), bout=bout)


def lifting(count: int, slower: float, smaller: float, sits_deg: float, draw: np.random.Generator) -> Block:
    """Return a movement of the trunk repeated evenly that ends slower and smaller by these shares than it begins."""
    part = _fifth(count)
    tired = np.interp(np.arange(count), (part - 1, count - part), (0.0, 1.0))
    ranges = draw.uniform(32.0, 44.0) * (1 - smaller * tired)
    move = draw.uniform(0.9, 1.1) * (1 - smaller * tired) / (1 - slower * tired)
    each = 60.0 / float(draw.uniform(9.0, 12.0))
    starts = 2.0 + each * np.arange(count)
    # Durations vary by a sixteenth, at the end as at the beginning.
    lasts = draw.normal(1.0, ALIKE_SPREAD, count)
    for span in (slice(0, part), slice(count - part, count)):
        lasts[span] = 1.0 + _even_noise(part, ALIKE_SPREAD, draw)
    rows = np.stack((starts, move * lasts, 0.4 * lasts, sits_deg + ranges), axis=1)
    return Block(float(starts[-1]) + 8.0, rows, bout=_bout(rows, sits_deg))


def _even_noise(count: int, spread: float, draw: np.random.Generator) -> FloatArray:
    """Return noise (count,) whose mean is 0 and whose standard deviation is exactly `spread`."""
    noise = np.clip(draw.normal(size=count), -2.0, 2.0)
    return np.asarray(spread * (noise - noise.mean()) / noise.std(ddof=1))


def _bout(stoops: FloatArray, sits_deg: float) -> Bout | None:
    """Return how the last fifth of a block's stoops differs from its first, None for too few of them.

    Speed and range of motion are of the way from where the trunk is carried, not from the vertical.
    """
    if len(stoops) < BOUT_LEAST:
        return None
    part = _fifth(len(stoops))
    ranges, lasts = stoops[:, 3] - sits_deg, 2 * stoops[:, 1] + stoops[:, 2]
    losses = (_lost(ranges / stoops[:, 1], part), _lost(ranges, part), 0.0, _uneven(lasts, part))
    return Bout(float(stoops[0, 0]), float(stoops[-1, 0] + lasts[-1]), len(stoops), losses)


def _fifth(count: int) -> int:
    """Return how many of so many lie wholly within a fifth, five at least."""
    return max(int(count * FIFTH), 5)


def _lost(values: FloatArray, part: int) -> float:
    return 1.0 - float(np.median(values[-part:]) / np.median(values[:part]))


def _uneven(values: FloatArray, part: int) -> float:
    first, last = (np.std(end, ddof=1) / np.mean(end) for end in (values[:part], values[-part:]))
    return float(last / first)


def hold(angle_deg: float, dose: float, draw: np.random.Generator) -> Block:
    """Return one static hold that takes `dose` of the longest acceptable time (ISO 11226)."""
    held_s = dose * float(np.interp(angle_deg, (20.0, 60.0), (240.0, 60.0)))
    return Block(held_s + 12.0, np.array([[2.0, float(draw.uniform(*MOVE_S)), held_s, angle_deg]]))


def deep(total_s: float, room_s: float, draw: np.random.Generator) -> Block:
    """Return short stoops beyond 60 degrees that last `total_s` together, upright between them, over `room_s`."""
    count = max(round(total_s / 2.9), 1)
    move, depth = draw.uniform(1.0, 1.4, count), draw.uniform(66.0, 78.0, count)
    on_the_way = 2 * move * (1 - step_inverse(60.0 / depth))
    held = (total_s - float(on_the_way.sum())) / count * draw.uniform(0.8, 1.2, count)
    each = np.clip(room_s / count, 16.0, 60.0) * draw.uniform(0.85, 1.15, count)
    starts = 2.0 + np.concatenate(([0.0], np.cumsum(each[1:])))
    rows = np.stack((starts, move, np.maximum(held, 0.2), depth), axis=1)
    return Block(float(starts[-1]) + 10.0, rows)


def turning(count: int, per_min: float, sides: FloatArray, draw: np.random.Generator) -> Block:
    """Return fast turns of the trunk against the pelvis, so many times a minute, to the given sides (count,)."""
    each = 60.0 / per_min
    starts = 2.0 + np.cumsum(np.clip(draw.normal(each, PACE_SPREAD * each, count), 0.6 * each, 1.4 * each))
    rows = np.stack((starts, draw.uniform(0.45, 0.65, count), draw.uniform(42.0, 58.0, count), sides), axis=1)
    return Block(float(starts[-1]) + 6.0, turns=rows, works=_worked(starts, per_min))


def two_bouts(work_s: float, pause_s: float, sits_deg: float, draw: np.random.Generator) -> Block:
    """Return two bouts of repeated bending with a quiet pause between them."""
    pace = float(draw.uniform(5.0, 6.5))
    first = bending(round(work_s / 60.0 * pace), pace, sits_deg, draw)
    second = bending(round(float(draw.uniform(11.0, 14.0)) * pace), pace, sits_deg, draw)
    begin = float(first.works[0, 1]) + pause_s - float(second.works[0, 0])
    return Block(
        begin + second.duration_s,
        np.concatenate((first.stoops, second.stoops + np.array([begin, 0.0, 0.0, 0.0]))),
        works=np.concatenate((first.works, second.works + begin)),
        bout=first.bout,
    )


def _worked(starts: FloatArray, per_min: float) -> FloatArray:
    """Return the bout, (0 or 1, 2): repeated work is more than 4 a minute for 10 minutes."""
    long = len(starts) > REPEATED_PER_MIN * REPEATED_S / 60.0 and per_min > REPEATED_PER_MIN
    return np.array([[starts[0], starts[-1] + 3.0]]) if long else np.empty((0, 2))


def stroking(
    sides: FloatArray, each_s: tuple[float, float], slower: float, uneven: float, draw: np.random.Generator
) -> Block:
    """Return a bout of strokes to the given sides (count,) that ends slower and less even in time than it begins.

    each_s: from one to the next. slower: share by which the fastest moments fall. uneven: variation of the intervals at
    the end over that at first.
    """
    count, part, apart = sides.size, _fifth(sides.size), _fifth(sides.size - 1)
    tired = np.interp(np.arange(count), (part - 1, max(count - part, part)), (0.0, 1.0))
    peaks = float(draw.uniform(1100.0, 1500.0)) * (1 - slower * tired) * draw.normal(1.0, 0.02, count)
    # After the last stroke there is no interval: how even they are is told by those between strokes.
    intervals = draw.normal(1.0, 0.12, count - 1)
    first, last = slice(0, apart), slice(count - 1 - apart, count - 1)
    for span, spread in ((first, 0.1), (last, 0.1 * uneven)):
        intervals[span] = 1.0 + _even_noise(apart, spread, draw)
    intervals = np.maximum(intervals, 0.4) * float(draw.uniform(*each_s))
    times = 4.0 + np.concatenate(([0.0], np.cumsum(intervals)))
    rows = np.stack((times, peaks, sides, draw.uniform(0.2, 0.3, count)), axis=1)
    losses = (_lost(peaks, part), 0.0, 0.0, _uneven(intervals, apart))
    bout = Bout(float(times[0]), float(times[-1]), count, losses) if count >= BOUT_LEAST else None
    return Block(float(times[-1]) + 6.0, strokes=rows, bout=bout)


def lay_out(
    blocks: list[Block], least_s: float, habits: Habits, draw: np.random.Generator
) -> tuple[Course, tuple[Bout, ...]]:
    """Return the day and its bouts: the blocks in a drawn order, filled up to `least_s` with ordinary moving about."""
    order = [blocks[place] for place in draw.permutation(len(blocks))]
    free = max(least_s - BEGIN_S - sum(block.duration_s for block in order), PAUSE_S * (len(order) + 1))
    shares = draw.dirichlet(np.full(len(order) + 1, 2.0))
    pauses = PAUSE_S + (free - PAUSE_S * (len(order) + 1)) * shares
    at, stoops, turns, strokes, works, walks, bouts = BEGIN_S, [], [], [], [], [], list[Bout]()
    for pause, block in zip(pauses.tolist(), [*order, None], strict=True):
        gone, bent = _between(at, at + pause, habits, draw)
        walks.append(gone)
        stoops.append(bent)
        at += pause
        if block is None:
            break
        for rows, into in ((block.stoops, stoops), (block.turns, turns), (block.strokes, strokes)):
            if len(rows):
                into.append(rows + np.array([at, 0.0, 0.0, 0.0]))
        works.append(block.works + at)
        if block.bout is not None:
            bouts.append(replace(block.bout, start_s=block.bout.start_s + at, end_s=block.bout.end_s + at))
        at += block.duration_s
    kinds = ((walks, 2), (stoops, 4), (turns, 4), (strokes, 4), (works, 2))
    return Course(at, *(_joined(rows, columns) for rows, columns in kinds), habits.sits_deg), tuple(bouts)


def _between(begin: float, end: float, habits: Habits, draw: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return walks (k, 2) and ordinary bends (m, 4) of a pause, none over another."""
    walks, bends, at = [], [], begin + 3.0
    rest_s = (1 - habits.walks_share) / max(habits.walks_share, 0.01)
    while at < end - 12.0:
        walked = min(float(draw.uniform(*WALK_S)), end - 6.0 - at)
        if walked > 6.0:
            walks.append((at, at + walked))
        at += walked + 3.0
        still = min(float(draw.exponential(max(walked * rest_s, 10.0))), end - at - 3.0)
        if still > 10.0:
            count = int(draw.poisson(habits.bends_per_h * (still + walked) / 3600.0))
            slots = np.sort(draw.choice(int(still // 8), min(count, int(still // 8)), replace=False)) * 8.0
            bends += [(at + slot, float(draw.uniform(*MOVE_S)), float(draw.uniform(0.2, 2.5)),
                       habits.sits_deg + float(draw.uniform(18.0, 50.0))) for slot in slots.tolist()]  # fmt: skip
        at += max(still, 0.0) + 3.0
    return np.array(walks).reshape(-1, 2), np.array(bends).reshape(-1, 4)


def _joined(rows: list[FloatArray], columns: int) -> FloatArray:
    return np.concatenate(rows) if rows else np.empty((0, columns))
