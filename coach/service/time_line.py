"""An athlete's time line: signal, findings, pain, sessions, tests and treatments over one range of time.

What whoever asks may not see is not in the answer; `not_shown` says what that is and what it would need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from coach.analysis.assessment_change import compare_change
from coach.analysis.assessment_types import AssessmentTest, Change, Trial
from coach.errors import InvalidInput
from coach.language import gettext as _
from coach.service.assessment_results import counting, values
from coach.service.assessment_views import AssessmentState, Kind, view_of
from coach.service.care_views import TreatmentKind, treatment_view
from coach.service.ground import Ground
from coach.service.local_days import bounds_of, day_of
from coach.service.permission import level_of, may_read, require_athlete
from coach.service.time_line_signal import SignalLane, Step, signal_of
from coach.service.types import Identity, Level, Purpose, SessionState
from coach.store import assessments, care, diary, plans, time_line
from coach.store.engine import Tx
from coach.store.rows import Row

# A minute is the shortest that is worth a chart; in more than 400 days no day is a pixel wide. Own bounds.
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=400)
# Assessments that are looked at; more than one a week in a range of 12 weeks. Own bound.
_TESTS_MAX = 40
_DAY = timedelta(days=1)


class Hidden(StrEnum):
    """What of a time line a coach may not see."""

    TESTS = "tests"
    TREATMENTS = "treatments"
    SPASMS = "spasms"
    PAIN_WORDS = "pain_words"  # where it hurts, and what else was told


class Lacks(StrEnum):
    """What seeing it would need: a higher level, or the athlete's consent to sharing health text."""

    LEVEL = "level"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class NotShown:
    what: Hidden
    lacks: Lacks


@dataclass(frozen=True, slots=True)
class FindingSpan:
    """A finding from the first to the last of its days. windows: [Unix start, end, number] of those with a signal.

    Only those of its newest day are known.
    """

    finding_id: str
    kind: str
    grade: str
    is_open: bool
    statement: str
    start_utc_s: float
    end_utc_s: float
    windows: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class PainPoint:
    """Pain that was told, 0 to 10, None where it was not. in_session: during or after a session, as in motion."""

    at_utc_s: float
    local_date: date
    at_rest: int | None
    in_motion: int | None
    in_session: bool
    sites: tuple[str, ...] = ()

    @property
    def worst(self) -> int:
        """Return the stronger of the two."""
        return max(each for each in (self.at_rest, self.in_motion) if each is not None)


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts. end_utc_s: None while it goes on."""

    start_utc_s: float
    end_utc_s: float | None
    name: str = ""
    kind: TreatmentKind | None = None


@dataclass(frozen=True, slots=True)
class SessionMark:
    """A planned session. missed: nobody has said that it was skipped; the clock did."""

    session_id: str
    at_utc_s: float
    local_date: date
    state: SessionState
    duration_min: int
    effort: int | None
    missed: bool
    fallback: bool


@dataclass(frozen=True, slots=True)
class TrainingMark:
    """A training of one's own, at noon of its day."""

    at_utc_s: float
    local_date: date
    what: str
    duration_min: int
    effort: int


@dataclass(frozen=True, slots=True)
class Tested:
    """An assessment that was done. trials: what was measured; changes: each against the last time before."""

    assessment_id: str
    kind: Kind
    at_utc_s: float
    trials: tuple[Trial, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TimeLineView:
    """Everything in [start, end). level: of whoever asks. tests, treatments, spasms: None where that is not seen."""

    athlete_id: str
    time_zone: str
    level: Level | None
    start_utc_s: float
    end_utc_s: float
    signal: SignalLane
    findings: tuple[FindingSpan, ...]
    pain: tuple[PainPoint, ...]
    sessions: tuple[SessionMark, ...]
    trainings: tuple[TrainingMark, ...]
    programs: tuple[Span, ...]
    spasms: tuple[Span, ...] | None
    tests: tuple[Tested, ...] | None
    treatments: tuple[Span, ...] | None
    not_shown: tuple[NotShown, ...]


class TimeLine:
    """Read what lies on the time line of an athlete."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def days(self, by: Identity, athlete_id: str, count: int) -> tuple[datetime, datetime]:
        """Return begin and end of the last local days, today's with them. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
        today = day_of(athlete, self._ground.now().timestamp())
        bounds = bounds_of(athlete, today - timedelta(days=count - 1))[0], bounds_of(athlete, today)[1]
        start, end = (datetime.fromtimestamp(each, UTC) for each in bounds)
        return start, end

    def between(self, by: Identity, athlete_id: str, start: datetime, end: datetime, points: int) -> TimeLineView:
        """Return everything in [start, end), the signal in no more than `points` points.

        Raises NoSuch, InvalidInput for a range that is turned round, shorter than a minute or longer than 400 days.
        """
        if not SHORTEST <= end - start <= LONGEST:
            raise InvalidInput(_("A time line shows a minute at least and 400 days at most: choose another range."))
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            level, reads_health = level_of(tx, by, athlete_id), may_read(tx, by, athlete_id, Purpose.PAIN_TEXT)
            sees_tests = level is not None and level.covers(Level.FULL)
            signal = signal_of(tx, athlete, start.timestamp(), end.timestamp(), points)
            sessions = time_line.sessions(tx, athlete_id, start, end)
            return TimeLineView(
                athlete_id=athlete_id,
                time_zone=athlete["time_zone"],
                level=level,
                start_utc_s=start.timestamp(),
                end_utc_s=end.timestamp(),
                signal=signal,
                findings=tuple(map(_finding, time_line.findings(tx, athlete_id, start, end))),
                pain=_pain(tx, athlete, start, end, sessions, reads_health, signal.step),
                sessions=tuple(map(_session, sessions)),
                trainings=_trainings(tx, athlete, start, end),
                programs=_programs(tx, athlete, start, end),
                spasms=_spasms(tx, athlete_id, start, end) if reads_health else None,
                tests=_tests(tx, athlete_id, start, end) if sees_tests else None,
                treatments=_treatments(tx, athlete, start, end) if reads_health else None,
                not_shown=_not_shown(sees_tests, reads_health),
            )


def _not_shown(sees_tests: bool, reads_health: bool) -> tuple[NotShown, ...]:
    hidden = [] if sees_tests else [NotShown(Hidden.TESTS, Lacks.LEVEL)]
    if not reads_health:
        hidden += [NotShown(each, Lacks.CONSENT) for each in (Hidden.TREATMENTS, Hidden.SPASMS, Hidden.PAIN_WORDS)]
    return tuple(hidden)


def _finding(row: Row) -> FindingSpan:
    windows = [
        (_unix(each["start_utc"]), _unix(each["end_utc"]), number)
        for number, each in enumerate(row["windows"] or ())
        if each["stream_id"] is not None
    ]
    return FindingSpan(
        row["id"],
        row["kind"],
        row["grade"],
        row["state"] == "open",
        row["statement"],
        min(row["opened_at"], row["started_at"]).timestamp(),
        row["ended_at"].timestamp(),
        tuple(windows),
    )


def _unix(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _local_days(athlete: Row, start: datetime, end: datetime) -> tuple[date, date]:
    """Return the local days that a range reaches into: the first one, and the one after the last."""
    return day_of(athlete, start.timestamp()), day_of(athlete, end.timestamp() - 1.0) + _DAY


def _pain(
    tx: Tx, athlete: Row, start: datetime, end: datetime, sessions: Sequence[Row], reads_health: bool, step: Step
) -> tuple[PainPoint, ...]:
    """Return the pain that was told; by the day only the worst of each, for a day is some pixels wide then."""
    told = [
        PainPoint(
            row["at"].timestamp(),
            row["local_date"],
            row["pain_at_rest"],
            row["pain_in_motion"],
            False,
            tuple(row["sites"]) if reads_health else (),
        )
        for row in diary.checkins_between(tx, athlete["id"], *_local_days(athlete, start, end))
        if start <= row["at"] < end and (row["pain_at_rest"], row["pain_in_motion"]) != (None, None)
    ]
    for row in sessions:
        pains = [each for each in (row["pain_during"], row["pain_after"]) if each is not None]
        if pains:
            told.append(PainPoint(row["due_at"].timestamp(), row["local_date"], None, max(pains), True))
    told.sort(key=lambda each: each.at_utc_s)
    if step is not Step.DAY:
        return tuple(told)
    worst: dict[date, PainPoint] = {}
    for each in told:
        if each.local_date not in worst or each.worst > worst[each.local_date].worst:
            worst[each.local_date] = each
    return tuple(worst.values())


def _session(row: Row) -> SessionMark:
    skipped = row["state"] == SessionState.SKIPPED.value
    return SessionMark(
        row["id"],
        row["due_at"].timestamp(),
        row["local_date"],
        SessionState(row["state"]),
        row["duration_min"],
        row["effort"],
        skipped and row["recorded_by"] is None,
        row["fallback"],
    )


def _trainings(tx: Tx, athlete: Row, start: datetime, end: datetime) -> tuple[TrainingMark, ...]:
    rows = diary.trainings_between(tx, athlete["id"], *_local_days(athlete, start, end))
    return tuple(
        TrainingMark(
            sum(bounds_of(athlete, row["local_date"])) / 2,
            row["local_date"],
            row["what"],
            row["duration_min"],
            row["effort"],
        )
        for row in rows
    )


def _programs(tx: Tx, athlete: Row, start: datetime, end: datetime) -> tuple[Span, ...]:
    first, after = _local_days(athlete, start, end)
    return tuple(
        Span(
            bounds_of(athlete, row["starts_on"])[0],
            bounds_of(athlete, row["ends_on"])[0],
            str(row["prescription"].get("title", "")),
        )
        for row in plans.begun(tx, athlete["id"], first)
        if row["starts_on"] < after
    )


def _spasms(tx: Tx, athlete_id: str, start: datetime, end: datetime) -> tuple[Span, ...]:
    return tuple(
        Span(row["begun_at"].timestamp(), row["ended_at"].timestamp() if row["ended_at"] else None)
        for row in time_line.spasms(tx, athlete_id, start, end)
    )


def _tests(tx: Tx, athlete_id: str, start: datetime, end: datetime) -> tuple[Tested, ...]:
    """Return what was tested in a range, oldest first, each test against the last time that it was measured."""
    last: dict[AssessmentTest, Trial] = {}
    marks: list[Tested] = []
    for row in reversed(assessments.before(tx, athlete_id, end, _TESTS_MAX)):
        view = view_of(tx, row)
        if view.state is AssessmentState.RUNNING:
            continue
        found = values(counting(view))
        if start <= view.started_at < end and found:
            changes = tuple(compare_change(last[test], trial) for test, trial in found.items() if test in last)
            mark = view.assessment_id, view.kind, view.started_at.timestamp(), tuple(found.values()), changes
            marks.append(Tested(*mark))
        last |= found
    return tuple(marks)


def _treatments(tx: Tx, athlete: Row, start: datetime, end: datetime) -> tuple[Span, ...]:
    first, after = _local_days(athlete, start, end)
    spans: list[Span] = []
    for view in map(treatment_view, care.treatments(tx, athlete["id"])):
        if view.started_on < after and (view.ended_on is None or view.ended_on >= first):
            begun = bounds_of(athlete, view.started_on)[0]
            over = bounds_of(athlete, view.ended_on)[1] if view.ended_on else None
            spans.append(Span(begun, over, view.words, view.kind))
    return tuple(spans)
