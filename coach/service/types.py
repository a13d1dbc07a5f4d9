"""What the service answers to web, clock, worker and gateway. Frozen values; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from coach.analysis.integrity import Integrity
from coach.analysis.types import Quality
from devices.types import LinkStatus
from programs.types import Lock, Prescription, TriageLevel


class Role(StrEnum):
    OWNER = "owner"  # keeps the machine: people, settings, backups; reads no athlete
    COACH = "coach"
    ATHLETE = "athlete"
    GUARDIAN = "guardian"  # stands in for minors, and gives their consents


class Units(StrEnum):
    """In which units somebody reads and enters; rows are in SI."""

    METRIC = "metric"
    IMPERIAL = "imperial"


class Level(StrEnum):
    """How much of an athlete is shared. Each holds what the ones before hold."""

    VIEW = "view"
    PLAN = "plan"
    FULL = "full"

    def covers(self, need: Level) -> bool:
        """Tell whether this level is enough for a need."""
        order = list(Level)
        return order.index(self) >= order.index(need)


class Purpose(StrEnum):
    """What an athlete agrees to; each by itself."""

    SENSING = "sensing"
    SHARING = "sharing"
    PAIN_TEXT = "pain_text"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. athlete_id is set for athletes only. epoch: rises with every new password, ending older sessions.

    scopes: what a program that asks with this person's token may do; None where the person asks.
    language: as chosen, None while nothing is (then as the browser asks).
    """

    user_id: str
    role: Role
    name: str
    athlete_id: str | None
    epoch: int = 0
    scopes: frozenset[str] | None = None
    language: str | None = None
    units: Units = Units.METRIC


@dataclass(frozen=True, slots=True)
class AthleteView:
    """profile_id: what is looked for (coach/profiles). born_on: None where nobody has said."""

    athlete_id: str
    name: str
    time_zone: str
    sport: str
    simulated: bool
    profile_id: str
    born_on: date | None


Axis = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GatewayView:
    """How a gateway away from the server does. silent_s: since its last report. ahead_s: its clock before the server's.

    waiting, dropped: chunks on its disk, and chunks that found no room there.
    """

    present: bool
    silent_s: float
    ahead_s: float
    waiting: int
    dropped: int
    full: bool


@dataclass(frozen=True, slots=True)
class ConnectionLogView:
    """The connection log of one recording."""

    log_id: str
    wearable_id: str
    wearable_name: str
    begun_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WearableView:
    """status is None when nobody holds a link. upright, forward: unit vectors in sensor axes, as calibrated."""

    wearable_id: str
    athlete_id: str
    name: str
    family: str
    address: str
    placement: str
    simulated: bool
    calibrated_at: datetime | None
    status: LinkStatus | None
    upright: Axis | None = None
    forward: Axis | None = None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """One recording of one wearable. integrity: so far, None when `needs` says what it waits for.

    quality: what is wrong with its samples, or with how the sensor was worn.
    """

    stream_id: str
    recording_id: str
    athlete_id: str
    wearable_id: str
    placement: str
    begun_at: datetime
    last_received_at: datetime
    live: bool
    integrity: Integrity | None
    needs: str | None = None
    quality: tuple[Quality, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingView:
    """A stored finding: the days in a row that one kind was found on. because: see coach/service/evidence.py.

    statement, grade, started_at, ended_at, because: of the newest of these days; the times from its first to its last
    window. opened_at, changed_at, closed_at: of the whole, in the time of the data. superseded_by: the edition that has
    judged the same days since; None for a current finding. flags, windows, thresholds, baseline: as in because, empty
    for a finding of before editions.
    """

    finding_id: str
    athlete_id: str
    kind: str
    statement: str
    grade: str
    state: str  # open | closed
    started_at: datetime
    ended_at: datetime
    coverage_share: float | None
    because: dict[str, Any]
    placement: str | None
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    edition: str
    superseded_by: str | None = None
    outcome: str = "found"
    flags: tuple[dict[str, Any], ...] = ()
    windows: tuple[dict[str, Any], ...] = ()
    thresholds: tuple[dict[str, Any], ...] = ()
    baseline: dict[str, Any] | None = None
    needs: str | None = None
    would_change: str = ""
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a day's data say of one kind: outcome found, none, not_enough (see needs) or learning (see learning_day).

    day_over: judged after the day's end, so that it stays. until: up to where the data speak. finding_id: of the
    finding that goes on on that day.
    """

    athlete_id: str
    local_date: date
    kind: str
    outcome: str
    grade: str
    statement: str
    needs: str | None
    learning_day: int | None
    coverage_share: float | None
    because: dict[str, Any]
    edition: str
    day_over: bool
    until: datetime
    finding_id: str | None = None


@dataclass(frozen=True, slots=True)
class SaidBefore:
    """What one edition said of a day and kind. outcome: "nothing" where it made no answer.

    finding_id: of its finding that goes on on that day.
    """

    edition: str
    outcome: str
    grade: str
    statement: str
    finding_id: str | None = None


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A day and kind of which two editions say different things. what_changed: version and limits, a sentence each."""

    local_date: date
    kind: str
    before: SaidBefore
    after: SaidBefore
    what_changed: tuple[str, ...]


class PlanState(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class PlanView:
    plan_id: str
    athlete_id: str
    state: PlanState
    prescription: Prescription
    finding_ids: tuple[str, ...]
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


class SessionState(StrEnum):
    PLANNED = "planned"
    DUE = "due"  # released by the clock
    DONE = "done"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class SessionView:
    """One planned session. exercises: names, levels, doses and because as plain values for a page.

    sequence: rises with every change. fallback: walking and rest stand in for what was planned.
    """

    session_id: str
    athlete_id: str
    plan_id: str
    state: SessionState
    local_date: date
    local_time: time
    time_zone: str
    due_at: datetime
    released_at: datetime | None
    duration_min: int
    exercises: tuple[dict[str, Any], ...]
    because: str
    sequence: int = 0
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class TriageShown:
    """What one person may see of the result. A coach sees neither level nor reasons, and one message without details.

    lock: now; a lock that a clinician has lifted shows no message any more.
    """

    lock: Lock
    messages: tuple[str, ...]
    level: TriageLevel | None = None
    reasons: tuple[str, ...] = ()

    @property
    def locked(self) -> bool:
        return self.lock is not Lock.NONE


@dataclass(frozen=True, slots=True)
class TriageView:
    """State of the safety questions: result is None while they were never answered."""

    result: TriageShown | None
    answered_at: datetime | None
    cleared_by: str | None
    must_ask: bool  # never answered, or due again
    may_answer: bool  # the athlete; a coach only for an athlete who has no sign-in


@dataclass(frozen=True, slots=True)
class SignalWindow:
    """Inclination for a chart. t_utc_s and inclination_deg have one entry per point; None in a gap.

    marks_utc_s: repetitions and strokes that were counted, where they are asked for.
    """

    start_utc_s: float
    t_utc_s: tuple[float, ...]
    inclination_deg: tuple[float | None, ...]
    reference: str | None
    marks_utc_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class DayTotals:
    """Today so far, over all trunk recordings of the athlete's local day. None: not enough data (see `needs`)."""

    covered_s: float
    coverage_share: float | None
    bends: int | None
    bends_per_min: float | None
    share_above_deg: dict[float, float]
    needs: str | None
