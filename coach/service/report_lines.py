"""Parts of the doctor's report, from rows: exposures, findings, trainings, tests, the program, the safety answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from coach.analysis.assessment_change import compare_change
from coach.analysis.assessment_errors import name_of
from coach.analysis.assessment_types import AssessmentTest
from coach.service.assessment_results import counting
from coach.service.assessment_views import TrialView, view_of
from coach.service.care_door import local_today
from coach.service.change_views import NEEDS_YES, exercise_name
from coach.service.plain import prescription_from_plain
from coach.service.report_views import (
    ExposureLine,
    FindingLine,
    ProgramChangeLine,
    ProgramLine,
    RedFlags,
    TestLine,
    TrainingLine,
)
from coach.service.triage import stands
from coach.service.types import PlanState, SessionState
from coach.store import assessments, days, diary, findings, outcomes, plans, program_changes, sessions
from coach.store import triage as answers_table
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.triage import QUESTIONS

# Own choices: what a page can hold, and what still speaks of the present.
_FINDINGS_WITHIN, _FINDINGS_MAX = timedelta(weeks=12), 8
_TRAININGS_WITHIN = _PROGRAMS_WITHIN = timedelta(weeks=12)
_SPAN, _DAY = timedelta(weeks=4), timedelta(days=1)
_ASSESSMENTS_MAX = 24
# Own heuristic: fewer worn days are no usual day.
_DAYS_LEAST = 5
# Field of detectors.types.DayValues -> name, unit, factor to it.
_EXPOSURES = (
    ("bends_per_h", "Bending forward", "per worn hour", 1.0),
    ("deep_share", "Bent forward deeply", "% of worn time", 100.0),
    ("turns_per_h", "Turning the trunk", "per worn hour", 1.0),
    ("strokes", "Swings and throws", "per day", 1.0),
    ("load", "Training load (effort x minutes)", "per day", 1.0),
)


def exposures_of(tx: Tx, athlete_id: str, today: date) -> tuple[ExposureLine, ...]:
    """Return what a usual worn day of the last four weeks held, beside the four weeks before; only what is known."""
    rows = days.newest_values(tx, athlete_id, today - 2 * _SPAN, today)
    lines = []
    for field, name, unit, factor in _EXPOSURES:
        known = [
            (row["local_date"], row["values"][field] * factor)
            for row in rows
            # A day's load is entered; everything else counts on days that were worn long enough.
            if row["values"].get(field) is not None and (field == "load" or row["values"]["valid"])
        ]
        if known:
            lines.append(_exposure(name, unit, known, today - _SPAN))
    return tuple(lines)


def _exposure(name: str, unit: str, known: Sequence[tuple[date, float]], cut: date) -> ExposureLine:
    now, before = ([value for day, value in known if (day >= cut) is late] for late in (True, False))
    medians = [median(side) if len(side) >= _DAYS_LEAST else None for side in (now, before)]
    missing = _DAYS_LEAST - len(now)
    needs = f"{missing} more {'day' if missing == 1 else 'days'} of the last four weeks" if missing > 0 else None
    return ExposureLine(name, unit, medians[0], medians[1], len(now), len(before), needs)


def findings_of(tx: Tx, athlete: Row, now: datetime) -> tuple[FindingLine, ...]:
    """Return the findings of the last twelve weeks, newest first."""
    zone = ZoneInfo(athlete["time_zone"])
    rows = findings.since(tx, athlete["id"], now - _FINDINGS_WITHIN)
    lines = [
        FindingLine(
            row["statement"],
            row["grade"],
            row["opened_at"].astimezone(zone).date(),
            row["ended_at"].astimezone(zone).date(),
            row["state"] == "open",
        )
        for row in reversed(rows)
    ]
    return tuple(lines[:_FINDINGS_MAX])


def trainings_of(tx: Tx, athlete_id: str, today: date) -> tuple[TrainingLine, ...]:
    """Return the trainings that were entered for the last twelve weeks, oldest first."""
    rows = diary.trainings_between(tx, athlete_id, today - _TRAININGS_WITHIN, today + timedelta(days=1))
    return tuple(TrainingLine(row["local_date"], row["what"], row["duration_min"], row["effort"]) for row in rows)


def tests_of(tx: Tx, athlete: Row) -> tuple[TestLine, ...]:
    """Return the newest counting result of each test with its change."""
    zone, tried = ZoneInfo(athlete["time_zone"]), tried_of(tx, athlete["id"])
    return tuple(line for trials in tried.values() if (line := _test(trials, zone)) is not None)


def tried_of(tx: Tx, athlete_id: str) -> dict[AssessmentTest, list[TrialView]]:
    """Return the counting results of each test, the newest first."""
    tried: dict[AssessmentTest, list[TrialView]] = {}
    for row in assessments.of_athlete(tx, athlete_id, _ASSESSMENTS_MAX):
        for test, trial in counting(view_of(tx, row)).items():
            tried.setdefault(test, []).append(trial)
    return tried


def _test(newest_first: Sequence[TrialView], zone: ZoneInfo) -> TestLine | None:
    newest = newest_first[0].known
    if newest is None or newest.value is None:
        return None
    before = newest_first[1].known if len(newest_first) > 1 else None
    change = compare_change(before, newest).statement if before else "First time."
    on = newest_first[0].started_at.astimezone(zone).date()
    name = name_of(newest.test)
    return TestLine(name[0].upper() + name[1:], newest.value, newest.unit, newest.at_least, on, change)


def programs_of(tx: Tx, athlete: Row, now: datetime) -> tuple[ProgramLine, ...]:
    """Return the programs of the last twelve weeks, newest first, and what became of their sessions that were due.

    One that gave way to another on the day on which it began, before a session of it was due, is left out.
    """
    today = local_today(athlete, now)
    lines: list[ProgramLine] = []
    for row in plans.begun(tx, athlete["id"], today - _PROGRAMS_WITHIN):
        line = _program(tx, row, lines[-1].since - _DAY if lines else today, now)
        if line.due or row["state"] == PlanState.ACCEPTED.value:
            lines.append(line)
    return tuple(lines)


def _program(tx: Tx, row: Row, last: date, now: datetime) -> ProgramLine:
    prescription = prescription_from_plain(row["prescription"])
    due = [
        each["state"]
        for each in sessions.of_plan(tx, row["id"])
        if each["due_at"] <= now and each["state"] != SessionState.CANCELLED.value
    ]
    told = outcomes.done_of_plan(tx, row["id"], datetime.fromtimestamp(0, UTC))
    return ProgramLine(
        title=prescription.title,
        since=row["starts_on"],
        until=min(row["ends_on"] - _DAY, max(last, row["starts_on"])),
        exercises=tuple(map(exercise_name, prescription.exercises)),
        per_week=prescription.sessions_per_week,
        done=due.count(SessionState.DONE.value),
        skipped=due.count(SessionState.SKIPPED.value),
        open=due.count(SessionState.DUE.value) + due.count(SessionState.PLANNED.value),
        during=tuple(each["pain_during"] for each in told if each["pain_during"] is not None),
        after=tuple(each["pain_after"] for each in told if each["pain_after"] is not None),
    )


def program_changes_of(tx: Tx, athlete: Row, now: datetime) -> tuple[ProgramChangeLine, ...]:
    """Return how programs of the last twelve weeks changed while they ran, newest first."""
    zone = ZoneInfo(athlete["time_zone"])
    return tuple(
        ProgramChangeLine(row["decided_at"].astimezone(zone).date(), row["kind"] in NEEDS_YES, row["because"])
        for row in program_changes.made_since(tx, athlete["id"], now - _PROGRAMS_WITHIN)
    )


def red_flags_of(tx: Tx, athlete: Row) -> RedFlags | None:
    """Return the newest answers to the safety questions; None when they were never asked."""
    row = answers_table.newest(tx, athlete["id"])
    if row is None:
        return None
    return RedFlags(
        answered_on=row["answered_at"].astimezone(ZoneInfo(athlete["time_zone"])).date(),
        version=row["questions_version"],
        answers=dict(row["answers"]),
        texts={question.id: question.text for question in QUESTIONS},
        messages=tuple(row["messages"]),
        locked=stands(row),
        cleared_by=row["cleared_by"],
        cleared_on=row["cleared_seen_on"],
    )
