"""From rows of minutes, as stored or straight from the analysis, to the day that the detectors judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby

import numpy as np

from coach.analysis.detectors.types import BendingStretch, Bout, Day, Entered, Minutes
from coach.analysis.exposure import MINUTE_S, THRESHOLDS_DEG, MinuteRow
from coach.analysis.findings import TRUNK_PLACES
from coach.analysis.relative import RelativeTurns
from coach.analysis.strain import BendingRun, median_deg
from devices.types import FloatArray, IntArray

# A row of a stream: its id, when the minute began in UTC (as well as that is known), and what was seen in it.
StreamMinute = tuple[str, float, MinuteRow]
# Own heuristic: clocks of two recordings that follow each other may disagree by so much of a minute.
OVERLAP_S = 1.0
# Own heuristic: a sensor that counts strokes has to be worn at least for this share of the longest worn one's time.
WORN_SHARE = 0.5
# Own heuristic: the pelvis has to be seen for most of the time for which the trunk is, or turns are of the trunk alone.
BOTH_SHARE = 0.8


def minutes_of(rows: Iterable[StreamMinute]) -> Minutes:
    """Put the minutes of one place onto UTC's own minutes, ascending.

    A recording's first minute begins somewhere within one; the others are rounded to the nearest, for a clock drifts.
    Where one recording ends and the next begins, both are summed. Where two recordings ran at once, the minute of the
    one that saw more of it counts, for what happened once would be counted twice.
    """
    placed = sorted(((_utc_minute(start, row), stream, row) for stream, start, row in rows), key=lambda each: each[:2])
    grouped = [(number, list(same)) for number, same in groupby(placed, key=lambda each: each[0])]
    merged = [(number, *_merged([(stream, row) for _, stream, row in same])) for number, same in grouped]
    found = [row for _, _, row in merged]
    return Minutes(
        stream_id=tuple(stream for _, stream, _ in merged),
        start_utc_s=np.array([number * MINUTE_S for number, _, _ in merged], dtype=np.float64),
        expected_s=_floats(row.expected_s for row in found),
        covered_s=_floats(row.covered_s for row in found),
        lying_s=_floats(row.lying_s for row in found),
        above_s={each: _floats(row.above_s[each] for row in found) for each in THRESHOLDS_DEG},
        bends=_counts(row.bends for row in found),
        turns_left=_counts(row.turns_left for row in found),
        turns_right=_counts(row.turns_right for row in found),
        dose=_floats(row.dose for row in found),
        strokes_left=_counts(row.strokes_left for row in found),
        strokes_right=_counts(row.strokes_right for row in found),
        strokes_unknown=_counts(row.strokes_unknown for row in found),
        repetitions=_counts(row.repetitions for row in found),
        loose_s=_floats(row.loose_s for row in found),
        displaced_s=_floats(row.displaced_s for row in found),
    )


def bending_stretch(stream_id: str, origin_utc_s: float, rate_hz: float, run: BendingRun) -> BendingStretch:
    """Return a stretch of repeated bending in UTC. origin_utc_s: of the stream's first sample."""
    minutes = run.covered / rate_hz / 60.0
    return BendingStretch(
        stream_id,
        origin_utc_s + run.first,
        origin_utc_s + run.end,
        run.cycles,
        run.cycles / minutes if minutes else 0.0,
        run.rate_max_per_min,
        median_deg(run),
        run.covered / run.expected if run.expected else 0.0,
    )


def choose_trunk(by_place: Mapping[str, Minutes]) -> tuple[str, Minutes] | None:
    """Return the place of the trunk with more usable time, and its minutes; None when there is none."""
    found = [(place, by_place[place]) for place in sorted(by_place) if place in TRUNK_PLACES]
    return max(found, key=lambda each: each[1].covered_s.sum(), default=None)


def choose_strokes(by_place: Mapping[str, Minutes]) -> tuple[str, Minutes] | None:
    """Return the place that tells strokes best: a wrist, else an upper arm, else the trunk, of those worn long enough.

    Of two arms the one that made more of them.
    """
    found = [(place, by_place[place]) for place in sorted(by_place) if _tells_strokes(place) < 3]
    longest_s = max((float(minutes.covered_s.sum()) for _, minutes in found), default=0.0)
    worn = [each for each in found if each[1].covered_s.sum() >= WORN_SHARE * longest_s]
    return min(worn, key=lambda each: (_tells_strokes(each[0]), -_strokes(each[1])), default=None)


def against_pelvis(trunk: Minutes, turns: RelativeTurns) -> Minutes | None:
    """Return the minutes with the turns of the trunk against the pelvis in place of those in the room.

    None where the two were not seen at once for BOTH_SHARE of the trunk's covered time.
    """
    _, here, there = np.intersect1d(trunk.start_utc_s, turns.start_utc_s, assume_unique=True, return_indices=True)
    both_s = np.minimum(trunk.covered_s[here], turns.seen_s[there])
    if not here.size or both_s.sum() < BOTH_SHARE * trunk.covered_s.sum():
        return None
    left, right = np.zeros_like(trunk.turns_left), np.zeros_like(trunk.turns_right)
    worn = both_s > 0.0
    left[here[worn]], right[here[worn]] = turns.left[there[worn]], turns.right[there[worn]]
    return replace(trunk, turns_left=left, turns_right=right)


def day_of(
    ordinal: int,
    start_utc_s: float,
    end_utc_s: float,
    over: bool,
    by_place: Mapping[str, Minutes],
    counts_strokes: bool = False,
    bending: Iterable[BendingStretch] = (),
    bouts: Iterable[Bout] = (),
    entered: Entered | None = None,
    rmssd_s: float | None = None,
    turns: RelativeTurns | None = None,
) -> Day:
    """Put together what is known of one local day. by_place: its minutes, per place that a sensor was worn at.

    counts_strokes: the recordings were analysed for some sport, so that no stroke means none and not unknown. turns: of
    the chosen trunk sensor against the pelvis; they count where both were seen for most of the trunk's time.
    """
    trunk = choose_trunk(by_place)
    against = against_pelvis(trunk[1], turns) if trunk and turns is not None else None
    strokes = choose_strokes(by_place) if counts_strokes else None
    return Day(
        ordinal=ordinal,
        start_utc_s=start_utc_s,
        end_utc_s=end_utc_s,
        over=over,
        trunk=against or (trunk[1] if trunk else None),
        trunk_place=trunk[0] if trunk else None,
        turns_from_two=against is not None,
        strokes=strokes[1] if strokes else None,
        strokes_place=strokes[0] if strokes else None,
        bending=_seen_once(bending, trunk[1]) if trunk else (),
        bouts=tuple(sorted(bouts, key=lambda each: (each.start_utc_s, each.stream_id))),
        entered=entered or Entered(),
        rmssd_s=rmssd_s,
    )


def _seen_once(stretches: Iterable[BendingStretch], trunk: Minutes) -> tuple[BendingStretch, ...]:
    """Return the stretches of the place that counts; of two recordings that saw one at once the one that saw more."""
    streams = frozenset(trunk.stream_id)
    kept: list[BendingStretch] = []
    for each in sorted(stretches, key=lambda each: (-_covered_s(each), each.start_utc_s, each.stream_id)):
        again = any(
            other.stream_id != each.stream_id
            and other.start_utc_s < each.end_utc_s - OVERLAP_S
            and each.start_utc_s < other.end_utc_s - OVERLAP_S
            for other in kept
        )
        if each.stream_id in streams and not again:
            kept.append(each)
    return tuple(sorted(kept, key=lambda each: (each.start_utc_s, each.stream_id)))


def _covered_s(stretch: BendingStretch) -> float:
    return (stretch.end_utc_s - stretch.start_utc_s) * stretch.coverage_share


def _utc_minute(start_utc_s: float, row: MinuteRow) -> int:
    return int(start_utc_s // MINUTE_S) if row.number == 0 else round(start_utc_s / MINUTE_S)


def _merged(same: list[tuple[str, MinuteRow]]) -> tuple[str, MinuteRow]:
    stream, most = max(same, key=lambda each: each[1].covered_s)
    if len(same) == 1 or sum(row.expected_s for _, row in same) > MINUTE_S + OVERLAP_S:
        return stream, most
    total = same[0][1]
    for _, row in same[1:]:
        total = _sum(total, row)
    return stream, total


def _sum(one: MinuteRow, other: MinuteRow) -> MinuteRow:
    above = {each: one.above_s[each] + other.above_s[each] for each in THRESHOLDS_DEG}
    return replace(
        one,
        above_s=above,
        **{name: getattr(one, name) + getattr(other, name) for name in _SUMMED},
    )


_SUMMED = tuple(name for name in MinuteRow.__dataclass_fields__ if name not in ("number", "start_s", "above_s"))


def _tells_strokes(place: str) -> int:
    """Return 0 for the best place, 3 for one that tells nothing of them."""
    if place.startswith("wrist_"):
        return 0
    if place.startswith("upper_arm_"):
        return 1
    return 2 if place in TRUNK_PLACES else 3


def _strokes(minutes: Minutes) -> int:
    return int(minutes.strokes_left.sum() + minutes.strokes_right.sum() + minutes.strokes_unknown.sum())


def _floats(values: Iterable[float]) -> FloatArray:
    return np.fromiter(values, dtype=np.float64)


def _counts(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, dtype=np.int64)
