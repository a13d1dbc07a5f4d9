"""Findings as a fold over the answers of a kind, day by day: opened, changed while it goes on, closed.

Source: own heuristic, see docs/decisions/0009. All times are times of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from coach.analysis.detectors.types import Answer, Kind, Outcome

# Own heuristic: what has not been seen for a week is not carried on; whoever wears a sensor once a week keeps it open.
UNSEEN_DAYS = 7
_DAY_S = 86400.0
LOOKED_AND_NOT_THERE = "looked for and not found"
NOT_SEEN = f"not seen for {UNSEEN_DAYS} days"


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer of one local day. end_utc_s: up to where its data speak. over: the day has ended."""

    ordinal: int
    end_utc_s: float
    over: bool
    answer: Answer


@dataclass(frozen=True, slots=True)
class Episode:
    """A finding: the days in a row on which one kind was found, days without an answer between them allowed.

    opened_ordinal: of the first found day; with the kind it is the key. opened_utc_s: where the first window of that
    day begins, else up to where its data speak. changed_utc_s: up to where the data of the newest found day speak.
    closed_utc_s, closed_because: None while open. found: ordinals of the days. answer: of the newest found day.
    """

    kind: Kind
    opened_ordinal: int
    opened_utc_s: float
    changed_utc_s: float
    found: tuple[int, ...]
    answer: Answer
    closed_utc_s: float | None = None
    closed_because: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_utc_s is None


def fold(judged: Iterable[Judged], episodes: Sequence[Episode] = ()) -> tuple[Episode, ...]:
    """Return the episodes of all answers, in order of opening; those of later days go on from `episodes`.

    judged: ascending by day, each kind at most once a day. Raises ValueError where a day comes before one already
    folded.
    """
    folded = list(episodes)
    newest = {each.kind: place for place, each in enumerate(folded)}
    last: dict[Kind, int] = {}
    for each in judged:
        kind = each.answer.kind
        place = newest.get(kind)
        before = last.get(kind, folded[place].found[-1] if place is not None else each.ordinal - 1)
        if each.ordinal <= before:
            raise ValueError(f"Day {each.ordinal} of {kind} comes after day {before}; fold the days in order.")
        last[kind] = each.ordinal
        if place is not None and folded[place].is_open:
            folded[place] = _next(folded[place], each)
        if each.answer.outcome is Outcome.FOUND and (place is None or not folded[place].is_open):
            newest[kind] = len(folded)
            folded.append(_opened(each))
    return tuple(folded)


def _next(episode: Episode, judged: Judged) -> Episode:
    """Return an open episode after one more answer of its kind."""
    if judged.ordinal - episode.found[-1] > UNSEEN_DAYS:
        closed_utc_s = episode.changed_utc_s + UNSEEN_DAYS * _DAY_S
        return replace(episode, closed_utc_s=closed_utc_s, closed_because=NOT_SEEN)
    if judged.answer.outcome is Outcome.FOUND:
        found = (*episode.found, judged.ordinal)
        return replace(episode, changed_utc_s=judged.end_utc_s, found=found, answer=judged.answer)
    if judged.answer.outcome is Outcome.NONE and judged.over:
        return replace(episode, closed_utc_s=judged.end_utc_s, closed_because=LOOKED_AND_NOT_THERE)
    return episode


def _opened(judged: Judged) -> Episode:
    answer = judged.answer
    first = min((window.start_utc_s for window in answer.windows), default=judged.end_utc_s)
    return Episode(
        answer.kind, judged.ordinal, min(first, judged.end_utc_s), judged.end_utc_s, (judged.ordinal,), answer
    )
