"""Guided sessions as values: the sets in order, what each came to, which one is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from coach.analysis.guided_follow import guide_of
from coach.service.plain import exercises_from_plain
from coach.service.types import WearableView
from coach.store.rows import Row
from programs.dose import EXERCISE_CHANGE_S
from programs.exercises import known
from programs.types import Dose, Exercise, PrescribedExercise, SeenAs

SIDES = ("left", "right")
# Places from which the same movement is seen as well. Own heuristic: the rib cage moves as one, and so does the pelvis.
_AS_WELL = {"chest": ("chest", "upper_back"), "lower_back": ("lower_back", "hip")}


class GuidedState(StrEnum):
    """STOPPED: by pain. LEFT: nobody came back to it; its sets stay."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    LEFT = "left"


class SetState(StrEnum):
    """ENDED: the stored signal is awaited."""

    RUNNING = "running"
    ENDED = "ended"
    SETTLED = "settled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class GuidedStep:
    """One set of one side. set_number, sets: of this exercise and side, from 1. hold_s: None where it is counted.

    rest_s: after it. placement: where a wearable sees it, None where none does. min_rom_deg: a smaller one is none.
    """

    number: int
    exercise_id: str
    side: str | None
    set_number: int
    sets: int
    target: int
    hold_s: float | None
    rest_s: float
    placement: str | None
    min_rom_deg: float


@dataclass(frozen=True, slots=True)
class GuidedSet:
    """What a set came to. seen: by the live line, None without a wearable; stored: by its stored signal.

    detail: of each that was seen, its start_s, end_s, rom_deg and held_s.
    """

    number: int
    state: SetState
    by_hand: int
    seen: int | None
    stored: int | None
    wearable_id: str | None
    started_at: datetime
    ended_at: datetime | None
    detail: tuple[dict[str, float], ...] = ()

    @property
    def counted(self) -> int:
        """Return what counts: the stored signal's word, unless somebody counted by hand, who had seen it all."""
        if self.seen is None:
            return max(self.by_hand, 0)
        if self.stored is not None and self.by_hand == 0:
            return self.stored
        return max(self.seen + self.by_hand, 0)


@dataclass(frozen=True, slots=True)
class GuidedView:
    """A guided session. guided_id: None before it has begun. rest_until: of the rest that goes on, None without."""

    guided_id: str | None
    session_id: str
    athlete_id: str
    state: GuidedState | None
    steps: tuple[GuidedStep, ...]
    sets: tuple[GuidedSet, ...]
    rest_until: datetime | None = None

    @property
    def current(self) -> GuidedStep | None:
        """Return the first set that is not over, None when all are."""
        over = {each.number for each in self.sets if each.state is not SetState.RUNNING}
        return next((step for step in self.steps if step.number not in over), None)

    def set_of(self, number: int) -> GuidedSet | None:
        """Return what a set of the script came to so far."""
        return next((each for each in self.sets if each.number == number), None)


def script_of(exercises: Iterable[dict[str, Any]]) -> tuple[GuidedStep, ...]:
    """Return the sets of a session in the prescription's order. exercises: plain, as a session holds them.

    Sides alternate set by set, the weaker one first, so that the rest stands between two rounds (programs/dose.py).
    """
    steps: list[GuidedStep] = []
    items = exercises_from_plain(list(exercises))
    for place, item in enumerate(items):
        one = known(item)
        rounds = _rounds(item)
        for at, (set_number, sets, side, target) in enumerate(rounds):
            last = at == len(rounds) - 1
            same_round = not last and rounds[at + 1][0] == set_number
            rest_s = 0.0 if same_round else item.dose.rest_s
            if last:
                rest_s = EXERCISE_CHANGE_S if place < len(items) - 1 else 0.0
            steps.append(_step(len(steps), item, one, side, (set_number, sets, target), rest_s))
    return tuple(steps)


def _rounds(item: PrescribedExercise) -> list[tuple[int, int, str | None, int]]:
    """Return (set_number, sets of that side, side, target), in order."""
    counts = item.dose.repetitions
    if not item.dose.per_side:
        return [(at, len(counts), None, count) for at, count in enumerate(counts, start=1)]
    first = item.first_side if item.first_side in SIDES else SIDES[0]
    order = (first, SIDES[1 - SIDES.index(first)])
    more = item.extra_set and item.first_side is not None
    rounds: list[tuple[int, int, str | None, int]] = [
        (at, len(counts) + (1 if more and side == first else 0), side, count)
        for at, count in enumerate(counts, start=1)
        for side in order
    ]
    return [*rounds, (len(counts) + 1, len(counts) + 1, first, counts[-1])] if more else rounds


def _step(
    number: int,
    item: PrescribedExercise,
    one: Exercise | None,
    side: str | None,
    of_sets: tuple[int, int, int],
    rest_s: float,
) -> GuidedStep:
    dose: Dose = item.dose
    set_number, sets, target = of_sets
    seen = one is not None and one.seen_as in {SeenAs.REPETITION, SeenAs.HOLD} and _fits(one, dose)
    return GuidedStep(
        number=number,
        exercise_id=item.exercise_id,
        side=side,
        set_number=set_number,
        sets=sets,
        target=target,
        hold_s=dose.hold_s,
        rest_s=rest_s,
        placement=one.placement if one is not None and seen else None,
        min_rom_deg=guide_of(item.exercise_id).min_rom_deg,
    )


def _fits(one: Exercise, dose: Dose) -> bool:
    """Tell whether what is asked for is what a wearable counts of it."""
    return (one.seen_as is SeenAs.HOLD) == (dose.hold_s is not None)


def wearable_for(step: GuidedStep, worn: Sequence[WearableView]) -> WearableView | None:
    """Return the wearable that sees a set where it is worn, None where none does."""
    if step.placement is None:
        return None
    places = [*_AS_WELL.get(step.placement, (step.placement,))]
    sided = [f"{step.placement}_{side}" for side in ((step.side,) if step.side else SIDES)]
    return next((each for place in (*places, *sided) for each in worn if each.placement == place), None)


def steps_to_plain(steps: Iterable[GuidedStep]) -> list[dict[str, Any]]:
    """Return the script for its row."""
    return [asdict(step) for step in steps]


def view_of(row: Row, sets: Sequence[Row]) -> GuidedView:
    """Return a guided session from its rows."""
    steps = tuple(GuidedStep(**each) for each in row["script"])
    told = tuple(set_of(each) for each in sets)
    state = GuidedState(row["state"])
    until = _rest_until(steps, told) if state is GuidedState.RUNNING else None
    return GuidedView(row["id"], row["session_id"], row["athlete_id"], state, steps, told, until)


def _rest_until(steps: Sequence[GuidedStep], told: Sequence[GuidedSet]) -> datetime | None:
    """Return until when to rest: after the newest set that ended, unless another one has begun."""
    newest = max(told, key=lambda each: each.number, default=None)
    if newest is None or newest.ended_at is None or newest.state is SetState.SKIPPED:
        return None
    return newest.ended_at + timedelta(seconds=steps[newest.number].rest_s)


def set_of(row: Row) -> GuidedSet:
    """Return a set from its row."""
    return GuidedSet(
        number=row["number"],
        state=SetState(row["state"]),
        by_hand=row["by_hand"],
        seen=row["seen"],
        stored=row["stored"],
        wearable_id=row["wearable_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        detail=tuple(row["detail"] or ()),
    )
