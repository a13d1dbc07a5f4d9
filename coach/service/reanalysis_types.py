"""What a run that analyses history anew is, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Why(StrEnum):
    """Why a run was begun."""

    NIGHTLY = "nightly"  # the clock found results of an older version
    ASKED = "asked"  # somebody wanted it


class Part(StrEnum):
    """What an item of a run is. signal: recordings that began on a local day. judging: an athlete's days, in order."""

    SIGNAL = "signal"
    JUDGING = "judging"


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class DayState(StrEnum):
    """held: judging waits for the athlete's signal."""

    HELD = "held"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FailedDay:
    """An item that failed. local_date: of judging the first day."""

    athlete_id: str
    athlete_name: str
    part: Part
    local_date: date
    reason: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and how far it is.

    athlete_name: whose, None for everybody. asked_by: name of whoever asked, None for the clock and the terminal.
    days, days_done: athlete-days of signal, and how many of them are done or failed. athletes, athletes_done: whose
    days are judged at the end. failed: of both. gone: recordings whose raw signal was forgotten: what was seen stays.
    share: 0 to 1. days_per_min (of both), left_s: None while nothing was done in the last minute. rests: a nightly run
    that goes on in the next night.
    """

    run_id: str
    why: Why
    state: RunState
    athlete_name: str | None
    asked_by: str | None
    since: date | None
    algorithm_version: str
    begun_at: datetime
    ended_at: datetime | None
    days: int
    days_done: int
    athletes: int
    athletes_done: int
    failed: int
    recordings: int
    gone: int
    chunks: int
    days_judged: int
    share: float
    days_per_min: float | None
    left_s: float | None
    rests: bool
    failed_days: tuple[FailedDay, ...]
