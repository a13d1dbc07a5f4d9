"""What the service answers about assessments: trials, the next step, results. Frozen values; times are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from coach.analysis.assessment_types import (
    AssessmentTest,
    Change,
    CohortMean,
    Comparison,
    HoldProgress,
    Trial,
    TrialOutcome,
)
from coach.analysis.weakness import RelativeStrength
from coach.store import assessments as table
from coach.store.engine import Tx
from coach.store.rows import Row

SKIPPED = "skipped"


class Kind(StrEnum):
    """What is done in one assessment. ENTERED: nothing is guided, results are typed in."""

    TRUNK_ENDURANCE = "trunk_endurance"
    FIRST_HOLD = "first_hold"  # one of its holds, in minutes: what somebody new begins with
    TRUNK_ROTATION = "trunk_rotation"
    HIP_ROTATION_LEFT = "hip_rotation_left"
    HIP_ROTATION_RIGHT = "hip_rotation_right"
    REPETITION_SPEED = "repetition_speed"
    ENTERED = "entered"


# What the next tests are due some weeks after: both say how long a hold of the trunk lasts.
RETESTED = (Kind.TRUNK_ENDURANCE, Kind.FIRST_HOLD)


class AssessmentState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    LEFT = "left"  # given up; what was measured stays


class TrialState(StrEnum):
    RUNNING = "running"
    ENDED = "ended"  # over; its stored signal is awaited
    SETTLED = "settled"


class Source(StrEnum):
    MEASURED = "measured"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class TrialView:
    """One try of a test. live: what the live view said; result: what counts, None while awaited or when skipped."""

    trial_id: str
    assessment_id: str
    test: AssessmentTest
    source: Source
    state: TrialState
    skipped: bool
    reason: str | None
    live: Trial | None
    result: Trial | None
    started_at: datetime
    ended_at: datetime | None
    wearable_id: str | None

    @property
    def known(self) -> Trial | None:
        """Return what is known now: the result, else what the live view said."""
        return self.result or self.live

    @property
    def closes(self) -> bool:
        """Tell whether the test needs no other try: skipped, counting, or over and still to be judged."""
        awaited = self.state is TrialState.ENDED and self.known is None
        return self.skipped or awaited or (self.known is not None and self.known.counts)


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """An assessment with its trials in the order in which they began. wearable_id: None by stopwatch and hand."""

    assessment_id: str
    athlete_id: str
    kind: Kind
    state: AssessmentState
    tests: tuple[AssessmentTest, ...]
    wearable_id: str | None
    started_at: datetime
    finished_at: datetime | None
    trials: tuple[TrialView, ...]


class Stage(StrEnum):
    """What the person does now. AGAIN: the last try does not count. OVER: every test is closed."""

    READY = "ready"
    AGAIN = "again"
    REST = "rest"
    RUNNING = "running"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the live view sees of a running trial. silent: nothing arrives from the wearable."""

    progress: HoldProgress | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The one thing to do in an assessment. number: of `total`, from 1. trial: that runs, or the last one of the test.

    last: the trial before this step, to tell how it went. rest_until: when the next one may begin. seen: only while a
    trial runs that the live view watches.
    """

    stage: Stage
    test: AssessmentTest | None
    number: int
    total: int
    trial: TrialView | None = None
    last: TrialView | None = None
    rest_until: datetime | None = None
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Retest:
    """When the next battery is due. late: the day is there or over."""

    due_on: date
    after: str  # id of the assessment that it follows
    late: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """One test now against the last time before it. since: when that was."""

    change: Change
    since: datetime


@dataclass(frozen=True, slots=True)
class Results:
    """What an assessment says, against the rules and against the athlete's own earlier ones.

    trials: those that count. history: per test, what was measured when, up to this assessment, oldest first. cohorts:
    published means to look at. strength: whether back and abdominals are weak against arms, shoulders and legs.
    """

    assessment: AssessmentView
    trials: Mapping[AssessmentTest, TrialView]
    comparisons: tuple[Comparison, ...]
    changes: tuple[Changed, ...]
    history: Mapping[AssessmentTest, tuple[tuple[datetime, Trial], ...]]
    cohorts: tuple[CohortMean, ...]
    strength: tuple[RelativeStrength, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """An athlete's tests. refused: why none may begin now, for the athlete to read. past: newest first."""

    running: AssessmentView | None
    refused: str | None
    retest: Retest | None
    past: tuple[AssessmentView, ...]


def trial_to_plain(trial: Trial) -> dict[str, Any]:
    """Return JSON values of a trial."""
    plain = {field.name: getattr(trial, field.name) for field in fields(trial)}
    return plain | {name: dict(plain[name]) for name in ("evidence", "parameters")}


def trial_from_plain(plain: Mapping[str, Any]) -> Trial:
    """Return the trial that `trial_to_plain` was given."""
    test, outcome = AssessmentTest(plain["test"]), TrialOutcome(plain["outcome"])
    return Trial(**{**plain, "test": test, "outcome": outcome})


def trial_view(row: Row) -> TrialView:
    """Return what pages show of a stored trial."""
    return TrialView(
        trial_id=row["id"],
        assessment_id=row["assessment_id"],
        test=AssessmentTest(row["test"]),
        source=Source(row["source"]),
        state=TrialState(row["state"]),
        skipped=row["outcome"] == SKIPPED,
        reason=row["reason"],
        live=trial_from_plain(row["provisional"]) if row["provisional"] else None,
        result=trial_from_plain(row["result"]) if row["result"] else None,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        wearable_id=row["wearable_id"],
    )


def view_of(tx: Tx, row: Row) -> AssessmentView:
    """Return what pages show of a stored assessment."""
    return AssessmentView(
        assessment_id=row["id"],
        athlete_id=row["athlete_id"],
        kind=Kind(row["kind"]),
        state=AssessmentState(row["state"]),
        tests=tuple(AssessmentTest(each) for each in row["tests"]),
        wearable_id=row["wearable_id"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        trials=tuple(trial_view(each) for each in table.trials(tx, row["id"])),
    )
