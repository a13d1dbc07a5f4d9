"""What pages show of a spasm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from programs.acute import Feels
from programs.phases import Guidance
from programs.types import Phase


class Comfort(StrEnum):
    """What is put on for comfort, and for how long a timer runs."""

    COLD = "cold"
    WARMTH = "warmth"


@dataclass(frozen=True, slots=True)
class ToldView:
    """One answer. pain: in motion, 0 to 10, None when its check-in was deleted. after_h: when it was asked."""

    at: datetime
    after_h: int | None
    feels: Feels
    pain: int | None


@dataclass(frozen=True, slots=True)
class SpasmView:
    """Where somebody stands.

    answered: the safety questions were answered for it. now: what holds in the phase. next_title: of the phase that a
    yes would begin, None while it waits for something. due_h: hours after the beginning of the question that waits.
    told: newest first. doctor: offer the way to one. comfort_until: aware UTC; past it, the timer has run out.
    may_undo: it may have been a press by mistake. gave_way: a program of the athlete's has given way. sport_share: of
    the usual count in the sport, by the trainings told since the last phase began; None before it.
    """

    spasm_id: str
    athlete_id: str
    begun_at: datetime
    phase: Phase
    phase_since: datetime
    answered: bool
    now: Guidance
    next_title: str | None
    due_h: int | None
    told: tuple[ToldView, ...]
    doctor: bool
    comfort: Comfort | None
    comfort_until: datetime | None
    may_undo: bool
    gave_way: bool
    sport_share: float | None
