"""Movement that degrades within a bout of repetitions or strokes: slower, smaller, less smooth, less even.

Source: velocity loss, Pareja-Blanco 2017; the other signs and that two of them make a flag are own heuristics
(docs/algorithms.md, fatigue). It suggests ending the set earlier, and diagnoses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.seen import coverage_lacking, grade_of, seen, seen_between, shown, unanswered
from coach.analysis.detectors.types import Answer, Bout, Day, DayValues, Flag, Kind, Outcome, Thresholds, Window
from coach.analysis.detectors.wording import percent
from coach.analysis.fatigue import Sign

THRESHOLDS: Mapping[str, str] = {
    "velocity_loss_share": "share",
    "rom_loss_share": "share",
    "sparc_loss": "1",
    "duration_cv_ratio": "1",
    "signs": "signs",
    "looked": "signs",
}
LIMITS = (
    "Slower and smaller on purpose looks the same: a drill that eases off, or a lighter last set.",
    "Movements are told apart by their range only, not by name.",
)
WOULD_CHANGE = "Shorter sets, or a longer rest between them, would change this."
NEEDED = "a bout of one movement that is long enough (25 repetitions or strokes), with the sensor on the moving part"
# The limit of each sign, in the order in which a sentence names them.
_LIMIT_OF = {
    Sign.SLOWER: "velocity_loss_share",
    Sign.SMALLER: "rom_loss_share",
    Sign.JERKIER: "sparc_loss",
    Sign.IRREGULAR: "duration_cv_ratio",
}


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether a bout of the day ended differently from how it began: enough of the four signs at once.

    One flag for repetitions and one for strokes, of the bout with the most signs. Where some of them were lost the rest
    looks uneven, so that a bout counts only if its sensor was there for it. thresholds: THRESHOLDS and seen.LEAST.
    """
    answer = unanswered(Kind.DEGRADING_MOVEMENT, thresholds, None, WOULD_CHANGE, LIMITS)
    looked, needed = round(thresholds["looked"].value), round(thresholds["signs"].value)
    long_enough = [each for each in day.bouts if _looked(each) >= looked]
    lacks = [_lacks(each, day, thresholds) for each in long_enough]
    bouts = [each for each, lacking in zip(long_enough, lacks, strict=True) if lacking is None]
    if not bouts:
        return replace(answer, needs=next(iter(lacks), None) or NEEDED)
    signs = {id(each): _signs(each, thresholds) for each in bouts}
    degraded = [each for each in bouts if len(signs[id(each)]) >= needed]
    values = {"bouts": len(bouts), "bouts_degraded": len(degraded)}
    if not degraded:
        statement = f"{_bouts(len(bouts))} of repeated movement; none ended clearly differently from how it began."
        return replace(answer, outcome=Outcome.NONE, statement=statement, values=values)
    worst: dict[str, Bout] = {}
    for each in sorted(degraded, key=lambda bout: (-len(signs[id(bout)]), bout.start_utc_s)):
        worst.setdefault(each.movement, each)
    flags = tuple(
        Flag(f"degrading_{movement}", len(signs[id(each)]), thresholds["signs"], _sentence(each, signs[id(each)]))
        for movement, each in sorted(worst.items())
    )
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=" ".join((*(flag.statement for flag in flags), "Consider ending such a set earlier.")),
        grade=grade_of(flags),
        flags=flags,
        windows=shown([Window(each.start_utc_s, each.end_utc_s, each.stream_id) for each in degraded]),
        values=values | {"signs": {movement: list(signs[id(each)]) for movement, each in sorted(worst.items())}},
    )


def _lacks(bout: Bout, day: Day, thresholds: Thresholds) -> str | None:
    """Return what the bout's own sensor lacked meanwhile; None for nothing, or where its minutes are not known."""
    for minutes in (day.trunk, day.strokes):
        if minutes is not None and bout.stream_id in minutes.stream_id:
            day_long = seen(minutes)
            if day_long.loose_s + day_long.displaced_s > 0:
                # A strap slips before it is noticed, and a movement seems to change with it.
                return "a sensor that sat firmly all day; it moved on its own or sat otherwise than calibrated"
            return coverage_lacking(seen_between(minutes, bout.start_utc_s, bout.end_utc_s), thresholds)
    return None


def _changes(bout: Bout) -> dict[Sign, float | None]:
    return {
        Sign.SLOWER: bout.velocity_loss_share,
        Sign.SMALLER: bout.rom_loss_share,
        Sign.JERKIER: bout.sparc_loss,
        Sign.IRREGULAR: bout.duration_cv_ratio,
    }


def _looked(bout: Bout) -> int:
    return sum(value is not None for value in _changes(bout).values())


def _signs(bout: Bout, thresholds: Thresholds) -> tuple[str, ...]:
    # A hair of tolerance, so that a loss of exactly the limit counts whatever the rounding.
    return tuple(
        sign.value
        for sign, value in _changes(bout).items()
        if value is not None and value >= thresholds[_LIMIT_OF[sign]].value - 1e-9
    )


def _sentence(bout: Bout, signs: Sequence[str]) -> str:
    told = list(signs)
    if bout.velocity_loss_share is not None and Sign.SLOWER in told:
        told[told.index(Sign.SLOWER)] = f"{percent(bout.velocity_loss_share)} slower"
    listed = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    return f"Towards the end of {bout.count} {bout.movement} they came {listed} than at the beginning."


def _bouts(count: int) -> str:
    return f"{count} bout" if count == 1 else f"{count} bouts"
