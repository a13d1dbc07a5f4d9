"""Swings and throws against the athlete's own days: how many, and how many of them to one side.

Source: own heuristics throughout. No validated cap of swings or strokes is known for golf or tennis, and sports that
are played to one side are one-sided in everybody who plays them; so a day is compared with the own days only. Work with
two sides to it (shovelling) has a share of its own, heuristic as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coach.analysis.detectors.baseline import Compared, Quantity, compare
from coach.analysis.detectors.rolling import windows_where
from coach.analysis.detectors.seen import TRUNK_NEEDED, coverage_lacking, grade_of, more_of, seen, shown, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Minutes, Outcome, Thresholds
from coach.analysis.detectors.wording import percent

SIDES_THRESHOLDS: Mapping[str, str] = {
    "least_count": "events",
    "known_share": "share",
    "two_sided_share": "share",
    "rise_share": "share",
    "baseline_z": "z",
}
COUNT_THRESHOLDS: Mapping[str, str] = {"least_count": "strokes", "surplus_share": "share", "baseline_z": "z"}
# Own heuristic: hardly anybody plays on 14 days of 28, so days of play are looked for in twelve weeks.
LOOK_BACK_DAYS = 84
# Own heuristic: of the days of play, the newest make the habit.
DAYS_MAX = 28

# Own heuristic, as of short recovery: a pause of less than 5 minutes parts nothing.
PAUSE_S = 300.0

COUNT = Quantity("strokes", "swings or throws", "Swings and throws", worn=False)
SHARE = Quantity("strokes_share", "of all", "The share of one side", worn=False)
SENSOR_NEEDED = "a sensor that counts swings or throws (wrist or arm, or the trunk), worn since this profile was chosen"
HIDDEN = "the sides of what was lost or unclear; the limit lies within what they may be"
SIDES_LIMITS = (
    "The side is the way the body turned, not the hand that was used.",
    "Sports that are played to one side are one-sided; this says only that today was more so than your own days.",
)
TURNS_LIMITS = (
    "The side is the way the trunk turned fast; what was carried or thrown is not seen.",
    "Turning back as fast counts for the other side, so only work with a slow way back shows its side.",
)
COUNT_LIMITS = (
    "No validated limit of swings or strokes is known; this compares with your own days of play.",
    "Soft strokes (putts, chips, lobs) are not counted.",
)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Events by side. what: their name in a sentence. lost: about so many more in the time without data."""

    left: int
    right: int
    unknown: int
    what: str
    lost: float

    @property
    def known(self) -> int:
        return self.left + self.right

    @property
    def side(self) -> str:
        return "left" if self.left >= self.right else "right"

    @property
    def share(self) -> float:
        """Return the share of the side with more, of those with a side."""
        return max(self.left, self.right) / self.known

    @property
    def share_between(self) -> tuple[float, float]:
        """Return that share if all that is unknown or lost went to the other side, and if all went to this one."""
        most, hidden = max(self.left, self.right), self.unknown + self.lost
        return most / (self.known + hidden), (most + hidden) / (self.known + hidden)


def detect_one_sided(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether the day was more one-sided than the own days, or, in work with two sides, than a share."""
    two_sided = thresholds["two_sided_share"].value < 1.0
    minutes = day.strokes if day.strokes is not None or not two_sided else day.trunk
    by_turns = two_sided and day.strokes is None
    open_answer = unanswered(
        Kind.ONE_SIDED_STROKES,
        thresholds,
        minutes,
        "Changing sides, or fewer to that side, would change this.",
        TURNS_LIMITS if by_turns else SIDES_LIMITS,
    )
    if minutes is None:
        return replace(open_answer, needs=TRUNK_NEEDED if by_turns else SENSOR_NEEDED)
    needs = coverage_lacking(seen(minutes), thresholds)
    if needs is not None:
        return replace(open_answer, needs=needs)
    sides = _turns(minutes) if by_turns else _strokes(minutes)
    least, known_share = round(thresholds["least_count"].value), thresholds["known_share"].value
    if sides.known + sides.unknown < least <= sides.known + sides.unknown + sides.lost:
        return replace(open_answer, needs=more_of(seen(minutes)), values=_values(sides))
    if sides.known + sides.unknown < least:
        statement = f"{sides.known + sides.unknown} {sides.what}: fewer than {least} tell no side."
        return replace(open_answer, outcome=Outcome.NONE, statement=statement, values=_values(sides))
    if sides.known < known_share * (sides.known + sides.unknown):
        share = percent(known_share)
        needs = (
            f"the side of {share} of the {sides.what}; it is known of {sides.known} of {sides.known + sides.unknown}"
        )
        return replace(open_answer, needs=needs, values=_values(sides))
    if two_sided:
        answer = _against_share(open_answer, sides)
    else:
        answer = _against_own_days(open_answer, sides, _own_shares(history, day.ordinal, sides.side, least))
    return _with_windows(answer, minutes, by_turns)


def detect_count(thresholds: Thresholds, day: Day, history: Sequence[DayValues]) -> Answer:
    """Answer whether there were clearly more swings or throws than on the own days of play."""
    open_answer = unanswered(
        Kind.STROKE_COUNT,
        thresholds,
        day.strokes,
        "Fewer swings or throws, or some weeks at this count, would change this.",
        COUNT_LIMITS,
    )
    if day.strokes is None:
        return replace(open_answer, needs=SENSOR_NEEDED)
    needs = coverage_lacking(seen(day.strokes), thresholds)
    if needs is not None:
        return replace(open_answer, needs=needs)
    sides = _strokes(day.strokes)
    count, least = sides.known + sides.unknown, thresholds["least_count"].value
    counts = [float(each.strokes or 0) for each in _days_of_play(history, day.ordinal)]
    days = [each for each in counts if each >= least]
    compared = compare(COUNT, days[-DAYS_MAX:], float(count), thresholds)
    answer = replace(open_answer, values={"strokes": count}, baseline=compared.baseline)
    if compared.baseline is None:
        return _learning(answer, compared)
    usual = compared.baseline.median
    least_found = usual * (1.0 + thresholds["surplus_share"].value) - 1e-9
    if compared.flag is None or count < least_found:
        possible = count + sides.lost
        if possible >= least_found and compare(COUNT, days[-DAYS_MAX:], possible, thresholds).flag is not None:
            return replace(answer, needs=more_of(seen(day.strokes)))
        so_far = "" if day.over else " so far"
        statement = f"{count} swings or throws{so_far}; on your days of play you usually make {usual:.0f}."
        return replace(answer, outcome=Outcome.NONE, statement=statement)
    statement = (
        f"You made {count} swings or throws, {percent(count / usual - 1.0)} more than on your usual day of play "
        f"({usual:.0f}, median of {compared.baseline.days} days). Consider an easier day next."
    )
    found = replace(
        answer, outcome=Outcome.FOUND, statement=statement, flags=(compared.flag,), grade=grade_of((compared.flag,))
    )
    return _with_windows(found, day.strokes)


def _with_windows(answer: Answer, minutes: Minutes, by_turns: bool = False) -> Answer:
    """Return a finding with where the strokes were, or the turns; any other answer as it is."""
    if answer.outcome is not Outcome.FOUND:
        return answer
    strokes = minutes.strokes_left + minutes.strokes_right + minutes.strokes_unknown
    counts = minutes.turns_left + minutes.turns_right if by_turns else strokes
    return replace(answer, windows=shown(windows_where(minutes, counts > 0, PAUSE_S)))


def _against_share(answer: Answer, sides: _Sides) -> Answer:
    limit = answer.thresholds["two_sided_share"]
    at_least, at_most = (share >= limit.value - 1e-9 for share in sides.share_between)
    if not at_least and at_most:
        return replace(answer, needs=HIDDEN, values=_values(sides))
    if not at_least:
        statement = f"Of {sides.known} {sides.what}, {percent(sides.share)} went to the {sides.side}."
        return replace(answer, outcome=Outcome.NONE, statement=statement, values=_values(sides))
    statement = (
        f"Of {sides.known} {sides.what}, {percent(sides.share)} went to the {sides.side}. "
        "Changing sides now and then shares the work."
    )
    flag = Flag("to_one_side", round(sides.share, 4), limit, statement)
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=statement,
        grade=grade_of((flag,)),
        flags=(flag,),
        values=_values(sides),
    )


def _against_own_days(answer: Answer, sides: _Sides, own: Sequence[float]) -> Answer:
    compared = compare(SHARE, own, sides.share, answer.thresholds)
    answer = replace(answer, values=_values(sides), baseline=compared.baseline)
    if compared.baseline is None:
        return _learning(answer, compared)
    usual = compared.baseline.median
    statement = (
        f"Of {sides.known} {sides.what}, {percent(sides.share)} went to the {sides.side}; usually {percent(usual)}."
    )
    rise = answer.thresholds["rise_share"].value - 1e-9
    at_least, at_most = (
        share - usual >= rise and compare(SHARE, own, share, answer.thresholds).flag is not None
        for share in sides.share_between
    )
    if not at_least and at_most:
        return replace(answer, needs=HIDDEN)
    if not at_least or compared.flag is None:
        return replace(answer, outcome=Outcome.NONE, statement=statement)
    return replace(
        answer,
        outcome=Outcome.FOUND,
        statement=f"{statement} Consider some to the other side, or fewer to this one.",
        flags=(compared.flag,),
        grade=grade_of((compared.flag,)),
    )


def _learning(answer: Answer, compared: Compared) -> Answer:
    least = round(answer.thresholds["baseline_days"].value)
    statement = f"Learning your own days of play: day {compared.learning_day} of {least}."
    return replace(answer, outcome=Outcome.LEARNING, statement=statement, learning_day=compared.learning_day)


def _days_of_play(history: Sequence[DayValues], ordinal: int) -> list[DayValues]:
    near = [each for each in history if ordinal - LOOK_BACK_DAYS <= each.ordinal < ordinal and each.strokes is not None]
    return sorted(near, key=lambda each: each.ordinal)


def _own_shares(history: Sequence[DayValues], ordinal: int, side: str, least: int) -> list[float]:
    """Return the share of that side on the own days of play with enough of known side, newest last."""
    shares = []
    for each in _days_of_play(history, ordinal):
        left, right = each.strokes_left or 0, each.strokes_right or 0
        if left + right >= least:
            shares.append((left if side == "left" else right) / (left + right))
    return shares[-DAYS_MAX:]


def _strokes(minutes: Minutes) -> _Sides:
    left, right, unknown = (
        int(each.sum()) for each in (minutes.strokes_left, minutes.strokes_right, minutes.strokes_unknown)
    )
    return _Sides(left, right, unknown, "swings or throws", _lost(minutes, left + right + unknown))


def _turns(minutes: Minutes) -> _Sides:
    left, right = int(minutes.turns_left.sum()), int(minutes.turns_right.sum())
    return _Sides(left, right, 0, "fast turns of the trunk", _lost(minutes, left + right))


def _lost(minutes: Minutes, count: int) -> float:
    """Return how many events the time without data may hold, at the rate of the rest. Own heuristic."""
    whole = seen(minutes)
    return count * (whole.expected_s - whole.covered_s) / whole.covered_s if whole.covered_s > 0 else 0.0


def _values(sides: _Sides) -> dict[str, object]:
    values: dict[str, object] = {"left": sides.left, "right": sides.right, "side_unknown": sides.unknown}
    return values | ({"side": sides.side, "share": round(sides.share, 4)} if sides.known else {})
