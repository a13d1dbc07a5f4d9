"""Stored features as lines and sums of a local day."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coach.service.lines import LINE_RATE_HZ, envelope, thick, with_gaps
from coach.service.types import DayTotals, SignalWindow
from coach.store import signals
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.types import FloatArray, Placement

# Placements whose inclination is that of the trunk. The first with most data speaks for the day.
TRUNK = (Placement.CHEST.value, Placement.UPPER_BACK.value, Placement.LOWER_BACK.value)
# Points of a chart; more than the pixels of a wide screen add nothing. Own choice.
POINTS_MAX = 2000
# Recordings that overlap by no more s than this follow each other: the fit of their clocks moves them. Own choice.
NEXT_S = 1.0
# s of data from which a day's sums are said. Own choice: less says nothing about a rate per minute.
ENOUGH_S = 60.0


def trunk_pieces(pieces: Sequence[Row]) -> list[Row]:
    """Return the pieces that speak for the trunk: two wearables at once must not count a bend twice.

    Of two recordings that ran at once at one placement, the piece of the one that covered more; of the placements the
    one that covered most. pieces: see coach.store.signals.pieces_between.
    """
    kept: dict[tuple[str, int], list[Row]] = {}
    for each in sorted(pieces, key=lambda piece: (-piece["covered_s"], piece["first_utc_s"], piece["stream_id"])):
        same = kept.setdefault((each["placement"], each["piece"]), [])
        if not any(_at_once(each, other) for other in same):
            same.append(each)
    seen = [each for same in kept.values() for each in same]
    covered_s: dict[str, float] = {}
    for each in seen:
        covered_s[each["placement"]] = covered_s.get(each["placement"], 0.0) + each["covered_s"]
    chosen = max(covered_s, key=lambda placement: (covered_s[placement], placement), default=None)
    return [each for each in seen if each["placement"] == chosen]


def _at_once(one: Row, other: Row) -> bool:
    both_s = min(one["end_utc_s"], other["end_utc_s"]) - max(one["first_utc_s"], other["first_utc_s"])
    return bool(both_s > NEXT_S)


def trunk_lines(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> list[Row]:
    """Return the trunk's lines of features that begin within [start, end), in order of time."""
    asked = tx, athlete_id, TRUNK, start_utc_s, end_utc_s
    chosen = {(each["stream_id"], each["piece"]) for each in trunk_pieces(signals.pieces_between(*asked))}
    return [row for row in signals.lines_between(*asked) if (row["stream_id"], row["piece"]) in chosen]


def points_of(rows: Sequence[Row]) -> tuple[FloatArray, FloatArray]:
    """Return Unix times (n,) in order and inclinations in deg (n,), NaN in gaps, of all points of the rows' lines."""
    values = thick(b"".join(row["line"] for row in rows))
    counts = np.array([len(row["line"]) // 2 for row in rows], dtype=np.int64)
    start_utc_s = np.array([row["line_start_utc_s"] for row in rows], dtype=np.float64)
    rate_hz = np.array([row["line_rate_hz"] for row in rows], dtype=np.float64)
    number = np.arange(values.size) - np.repeat(np.cumsum(counts) - counts, counts)
    t_utc_s = np.repeat(start_utc_s, counts) + number / np.repeat(rate_hz, counts)
    order = np.argsort(t_utc_s, kind="stable")
    return t_utc_s[order], values[order]


def line_of(
    rows: Sequence[Row], start_utc_s: float, end_utc_s: float, reference: str | None, points: int = POINTS_MAX
) -> SignalWindow:
    """Return the rows' line within [start, end] in at most `points` points, None in gaps."""
    t_utc_s, values = points_of(rows)
    inside = (t_utc_s >= start_utc_s) & (t_utc_s <= end_utc_s)
    t_utc_s, values = t_utc_s[inside], values[inside]
    # A pause of three points is a gap; the clock's fit moves a point by far less.
    t_utc_s, values = with_gaps(t_utc_s, values, 3.0 / LINE_RATE_HZ)
    if t_utc_s.size > points:
        # A tenth of the points is kept for the gaps.
        step_s = (t_utc_s[-1] - t_utc_s[0]) / (0.45 * points)
        t_utc_s, values = envelope(t_utc_s, values, round(0.9 * points))
        t_utc_s, values = with_gaps(t_utc_s, values, 2 * step_s)
    return SignalWindow(
        start_utc_s=start_utc_s,
        t_utc_s=tuple(round(float(t), 3) for t in t_utc_s[:points]),
        inclination_deg=tuple(None if math.isnan(value) else round(float(value), 2) for value in values[:points]),
        reference=reference,
    )


def totals_of(pieces: Sequence[Row], thresholds_deg: Sequence[float]) -> DayTotals:
    """Return a day's sums. pieces: those that speak for the trunk, with a column per threshold."""
    covered_s, expected_s = (sum(each[name] for each in pieces) for name in ("covered_s", "expected_s"))
    coverage = covered_s / expected_s if expected_s else None
    if covered_s < ENOUGH_S:
        needs = f"a minute of wear today; there are {covered_s:.0f} s so far" if covered_s else "a wearable worn today"
        return DayTotals(covered_s, coverage, None, None, {}, needs)
    bends = sum(each["bends"] for each in pieces)
    above_s = {each: sum(piece[key_of(each)] or 0.0 for piece in pieces) for each in thresholds_deg}
    above = {threshold: min(1.0, seconds / covered_s) for threshold, seconds in above_s.items()}
    return DayTotals(covered_s, coverage, bends, 60.0 * bends / covered_s, above, None)


def key_of(threshold_deg: float) -> str:
    """Return the key of a threshold in a feature's seconds above it."""
    return f"{threshold_deg:g}"
