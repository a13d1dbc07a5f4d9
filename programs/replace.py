"""From the sessions that are planned to those of a changed plan, with the fewest moves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from programs.errors import ProgramError
from programs.types import PlannedSession


@dataclass(frozen=True, slots=True)
class Held:
    """A session that is planned now. key: the caller's own; slot and due_at as in PlannedSession."""

    key: str
    slot: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Replaced:
    """What becomes of each session. kept: same moment, whatever it asks for. moved: another moment.

    Every held session is in one of kept, moved, cancelled; every new one in one of kept, moved, added.
    """

    kept: tuple[tuple[Held, PlannedSession], ...]
    moved: tuple[tuple[Held, PlannedSession], ...]
    added: tuple[PlannedSession, ...]
    cancelled: tuple[Held, ...]


def replace_sessions(old: Sequence[Held], new: Sequence[PlannedSession]) -> Replaced:
    """Return how the old sessions become the new ones: as many as can be stay, the fewest others are touched.

    Who has the same slot and moment stays; a slot whose time changes keeps its session; the rest moves in order of
    time, earliest to earliest, and what is left over is added or cancelled. Raises ProgramError for a slot named twice.
    Source: own; in order of time the moves are shortest together (sorting solves one-dimensional assignment).
    """
    _check_once([held.slot for held in old])
    _check_once([session.slot for session in new])
    by_slot = {session.slot: session for session in new}
    same = [(held, by_slot[held.slot]) for held in old if held.slot in by_slot]
    kept = tuple(pair for pair in same if pair[0].due_at == pair[1].due_at)
    shifted = [pair for pair in same if pair[0].due_at != pair[1].due_at]
    slots = {held.slot for held in old}
    going = sorted((held for held in old if held.slot not in by_slot), key=lambda held: (held.due_at, held.key))
    coming = sorted((one for one in new if one.slot not in slots), key=lambda one: (one.due_at, one.slot))
    both = min(len(going), len(coming))
    moved = (*shifted, *zip(going[:both], coming[:both], strict=True))
    return Replaced(kept, moved, tuple(coming[both:]), tuple(going[both:]))


def _check_once(slots: Collection[str]) -> None:
    twice = sorted({slot for slot in slots if list(slots).count(slot) > 1})
    if twice:
        raise ProgramError(f"The slot {twice[0]} has two sessions; a slot holds one.")
