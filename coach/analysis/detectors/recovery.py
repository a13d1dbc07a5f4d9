"""Short recovery: a pause between two bouts of repeated work that is shorter than the work before it asks for.

Source: NIOSH 94-110, revision 9/2021, recovery pattern of lifting: work of up to 1 h goes with a recovery of 1.0 times
its length, up to 2 h with 0.3 times. Using it for bending, turning and strokes, keeping 0.3 beyond 2 h (where there is
none), and what parts two bouts are own heuristics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from coach.analysis.detectors import bending
from coach.analysis.detectors.repeating import repeating
from coach.analysis.detectors.seen import (
    MINUTE_S,
    coverage_lacking,
    grade_of,
    lacking,
    more_of,
    seen,
    seen_in,
    shown,
    unanswered,
)
from coach.analysis.detectors.types import (
    Answer,
    Day,
    DayValues,
    Flag,
    Kind,
    Minutes,
    Outcome,
    Threshold,
    Thresholds,
    Window,
)
from coach.analysis.detectors.wording import duration
from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray, IntArray

THRESHOLDS: Mapping[str, str] = {
    "rate_per_min": "per min",
    "duration_min": "min",
    "pause_min": "min",
    "short_work_min": "min",
    "short_recovery_ratio": "1",
    "long_work_min": "min",
    "long_recovery_ratio": "1",
}
# Own heuristic: within a stretch, a minute with half the repetitive rate is work; the windows that make a stretch reach
# beyond the work itself.
WORK_SHARE = 0.5
# Own heuristic: a minute with this share of the usual count was worked through.
FULL_SHARE = 0.8
# A bout's edges are known to a minute each, so that its length may be on the other side of the limit of short work.
EDGES_MIN = 2.0
LIMITS = (
    "The pattern is of lifting; using it for repeated bending, turning and strokes is Backstop's own heuristic.",
    "Other work in a pause, such as carrying or standing bent, is not told from rest; a sensor that is off sees none.",
)


@dataclass(frozen=True, slots=True)
class Work:
    """A bout of repeated work. sources: who saw it, "trunk" or "strokes"."""

    start_utc_s: float
    end_utc_s: float
    stream_id: str
    sources: frozenset[str]

    @property
    def length_min(self) -> float:
        return (self.end_utc_s - self.start_utc_s) / MINUTE_S


@dataclass(frozen=True, slots=True)
class Pause:
    """Between `before` and the bout that begins at end_utc_s. seen_min: of it, with data.

    needs_min: least and most that the pattern asks for; they differ where the length of the work does not tell which
    of its two ratios holds.
    """

    before: Work
    end_utc_s: float
    seen_min: float
    needs_min: tuple[float, float]

    @property
    def length_min(self) -> float:
        return (self.end_utc_s - self.before.end_utc_s) / MINUTE_S

    @property
    def is_short(self) -> bool:
        return self.length_min < self.needs_min[0] - 1e-6

    @property
    def is_long_enough(self) -> bool:
        return self.seen_min >= self.needs_min[1] - 1e-6


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether a pause between bouts was short. thresholds: THRESHOLDS and seen.LEAST.

    Rest that was seen counts. Time without data is neither rest nor work: a pause that is short even with it is found,
    one that is long only with it is not enough data.
    """
    would_change = (
        f"Pauses as long as the work before them, or {thresholds['long_recovery_ratio'].value:g} times it after more "
        f"than {duration(thresholds['short_work_min'].value * MINUTE_S)}, would change this."
    )
    open_answer = unanswered(Kind.SHORT_RECOVERY, thresholds, day.trunk, would_change, LIMITS)
    pieces, needs = _pieces(thresholds, day)
    bouts = _joined(pieces, thresholds["pause_min"].value * MINUTE_S)
    pauses = _pauses(thresholds, day, bouts)
    short = [each for each in pauses if each.is_short]
    if short:
        return _found(open_answer, bouts, short)
    unseen = next((each for each in pauses if not each.is_long_enough), None)
    needs = lacking(day.trunk, thresholds, day.over) or needs
    if needs is None and unseen is not None:
        needs = (
            f"data of the pause of {duration(unseen.length_min * MINUTE_S)} after "
            f"{duration(unseen.before.length_min * MINUTE_S)} of work; {duration(unseen.seen_min * MINUTE_S)} were seen"
        )
    if needs is not None:
        return replace(open_answer, needs=needs)
    so_far = "" if day.over else " so far"
    count = {0: "No bout", 1: "1 bout"}.get(len(bouts), f"{len(bouts)} bouts")
    pattern = ", each followed by a pause that matches it" if pauses else ""
    statement = f"{count} of repeated work{so_far}{pattern}."
    return replace(open_answer, outcome=Outcome.NONE, statement=statement, values={"bouts": len(bouts)})


def _pieces(thresholds: Thresholds, day: Day) -> tuple[list[Work], str | None]:
    """Return pieces of work in no order, and what was lacking to know whether there were more."""
    pieces = [
        Work(each.start_utc_s, each.end_utc_s, each.stream_id, frozenset({"strokes"}))
        for each in day.bouts
        if each.movement == "strokes"
    ]
    needs = None if day.strokes is None else coverage_lacking(seen(day.strokes), thresholds)
    if day.trunk is None or not day.trunk.start_utc_s.size:
        return pieces, needs
    trunk, rate = day.trunk, thresholds["rate_per_min"].value
    inside: BoolArray = np.zeros(trunk.start_utc_s.size, dtype=np.bool_)
    for stretch in day.bending:
        lacks = bending.stretch_lacks(thresholds, trunk, stretch)
        needs = needs or lacks
        if lacks is None:
            starts = trunk.start_utc_s
            inside |= (starts > stretch.start_utc_s - MINUTE_S) & (starts < stretch.end_utc_s)
    found = inside & _works(trunk, trunk.bends, rate)
    pieces += _trunk_pieces(trunk, found, trunk.bends)
    least = thresholds["coverage_share"].value
    turned = trunk.turns_left + trunk.turns_right
    turning = repeating(trunk, turned, rate, thresholds["duration_min"].value, least)
    if turning.perhaps is not None and needs is None:
        needs = more_of(seen_in(trunk, turning.perhaps))
    often: BoolArray = np.zeros_like(inside)
    for part in turning.stretches:
        often[part] = _works(trunk, turned, rate)[part]
    return pieces + _trunk_pieces(trunk, often, turned), needs


def _trunk_pieces(trunk: Minutes, works: BoolArray, counts: IntArray) -> list[Work]:
    """Return each run of minutes of work, from where in a minute it began to where in a minute it ended.

    works: (n,) True for such minutes; counts: (n,) of what is repeated.
    """
    starts, per_s = trunk.start_utc_s, counts / np.maximum(trunk.covered_s, 1e-9)
    pieces = []
    for first, after in runs(works):
        parted = np.flatnonzero(np.diff(starts[first:after]) > MINUTE_S + 1e-6) + first + 1
        for a, b in pairwise((first, *parted.tolist(), after)):
            usual = float(np.median(per_s[a:b]))
            before, behind = _beside(starts, per_s, a, -1), _beside(starts, per_s, b - 1, 1)
            begins = float(starts[a]) - MINUTE_S * _over_edge(before / usual, float(per_s[a]) / usual)
            ends = float(starts[b - 1]) + MINUTE_S * (1.0 + _over_edge(behind / usual, float(per_s[b - 1]) / usual))
            pieces.append(Work(begins, ends, trunk.stream_id[a], frozenset({"trunk"})))
    return pieces


def _beside(starts: FloatArray, per_s: FloatArray, place: int, step: int) -> float:
    """Return by how much the minute beside `place` was busier than the next one out; 0 where one of them is missing."""
    near, far = place + step, place + 2 * step
    if min(near, far) < 0 or max(near, far) >= starts.size or abs(starts[far] - starts[place]) > 2 * MINUTE_S + 1e-6:
        return 0.0
    return max(float(per_s[near] - per_s[far]), 0.0)


def _over_edge(beyond: float, last: float) -> float:
    """Return by how many minutes work reaches beyond its outermost minute; less than 0 where it does not fill it.

    beyond, last: what the minute after that one has more than the next, and the count of that outermost minute, over
    what is usual in this work. What comes evenly fills the minute in which it begins or ends by the share of the usual
    count. Source: own heuristic.
    """
    return min(beyond, WORK_SHARE) if last >= FULL_SHARE else min(last, 1.0) - 1.0


def _works(minutes: Minutes, counts: IntArray, rate_per_min: float) -> BoolArray:
    works: BoolArray = (counts > 0) & (counts >= WORK_SHARE * rate_per_min * minutes.covered_s / MINUTE_S)
    return works


def _joined(pieces: Sequence[Work], pause_s: float) -> list[Work]:
    """Return the bouts: pieces with less than a pause between them, taken together, in order."""
    bouts: list[Work] = []
    for piece in sorted(pieces, key=lambda each: (each.start_utc_s, each.end_utc_s)):
        if bouts and piece.start_utc_s - bouts[-1].end_utc_s < pause_s - 1e-6:
            last = bouts[-1]
            end = max(last.end_utc_s, piece.end_utc_s)
            bouts[-1] = replace(last, end_utc_s=end, sources=last.sources | piece.sources)
        else:
            bouts.append(piece)
    return bouts


def _pauses(thresholds: Thresholds, day: Day, bouts: Sequence[Work]) -> list[Pause]:
    by_source = {"trunk": day.trunk, "strokes": day.strokes}
    watched = [by_source[name] for name in sorted(frozenset[str]().union(*(each.sources for each in bouts)))]
    pauses = []
    for before, after in pairwise(bouts):
        rest_s = min(_covered_s(each, before.end_utc_s, after.start_utc_s) for each in watched)
        needs_min = _needs_min(thresholds, before.length_min)
        pauses.append(Pause(before, after.start_utc_s, rest_s / MINUTE_S, needs_min))
    return pauses


def _covered_s(minutes: Minutes | None, start_utc_s: float, end_utc_s: float) -> float:
    """Return how much of a stretch was covered; of a minute that is only partly in it, that part."""
    if minutes is None:
        return 0.0
    starts = minutes.start_utc_s
    within = np.minimum(starts + MINUTE_S, end_utc_s) - np.maximum(starts, start_utc_s)
    return float((minutes.covered_s * within.clip(0.0, MINUTE_S) / MINUTE_S).sum())


def _needs_min(thresholds: Thresholds, work_min: float) -> tuple[float, float]:
    """Return the least and the most that the pattern asks for after so much work."""
    border = thresholds["short_work_min"].value
    short = thresholds["short_recovery_ratio"].value * work_min
    long = thresholds["long_recovery_ratio"].value * work_min
    if work_min > border + EDGES_MIN:
        return long, long
    return (short, short) if work_min <= border - EDGES_MIN else (min(short, long), max(short, long))


def _limit(thresholds: Thresholds, pause: Pause) -> Threshold:
    """Return the ratio that the pause was held against."""
    name = "long_recovery_ratio" if pause.needs_min[0] < pause.before.length_min - 1e-6 else "short_recovery_ratio"
    limit, longest = thresholds[name], thresholds["long_work_min"].value
    if pause.before.length_min <= longest:
        return limit
    source = f"own heuristic: there is no ratio beyond {duration(longest * MINUTE_S)} of work; the last one is kept"
    return Threshold(limit.value, limit.unit, source, heuristic=True)


def _found(answer: Answer, bouts: Sequence[Work], short: Sequence[Pause]) -> Answer:
    worst = min(short, key=lambda each: each.length_min / each.needs_min[0])
    work, pause, needed = (
        duration(each * MINUTE_S) for each in (worst.before.length_min, worst.length_min, worst.needs_min[0])
    )
    often = "" if len(short) == 1 else f" {len(short)} pauses of the day were short."
    statement = (
        f"You paused for {pause} after {work} of repeated work; by the recovery pattern of NIOSH 94-110 {needed} go "
        f"with it.{often}"
    )
    ratio = round(worst.length_min / worst.before.length_min, 3)
    flags = (
        Flag(
            "short_pause", ratio, _limit(answer.thresholds, worst), f"A pause of {ratio:.2f} times the work before it."
        ),
    )
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=statement,
        flags=flags,
        grade=grade_of(flags),
        windows=shown([Window(each.before.start_utc_s, each.end_utc_s, each.before.stream_id) for each in short]),
        values={
            "bouts": len(bouts),
            "short_pauses": len(short),
            "work_min": round(worst.before.length_min, 1),
            "pause_min": round(worst.length_min, 1),
            "needs_min": round(worst.needs_min[0], 1),
        },
    )
