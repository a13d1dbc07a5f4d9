"""What the plans service decides, over rows: what is needed, whether it changes anything, which sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from coach.analysis.types import Grade
from coach.coaching import Observed, needs_from, needs_from_assessment
from coach.config import Config
from coach.exercise_texts import in_words
from coach.service.assessment_results import newest_comparisons
from coach.service.availability import availability_of
from coach.service.change_views import ChangeKind
from coach.service.histories import TEST_SPEAKS, history_of
from coach.service.plain import exercises_from_plain, exercises_to_plain, prescription_from_plain
from coach.service.spasm_rows import in_first_days
from coach.service.types import PlanState, PlanView, SessionState, SessionView
from coach.store import findings, outcomes, plans, program_changes, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.dose import lighter, session_duration_min
from programs.exercises import known
from programs.phases import FALLBACK_WORDS, fallback
from programs.place import place
from programs.prescribe import prescribe
from programs.progress import after_break
from programs.rest import is_deload_week
from programs.types import Lock, Need, PlannedSession, PrescribedExercise, Prescription

_OPEN = (SessionState.PLANNED.value, SessionState.DUE.value)
# A pattern that ended this long ago still asks for an answer. Own heuristic: one rhythm of training.
_STILL_NEEDED = timedelta(days=14)
# Who declined is not asked again about the same kinds for this long, however often the pattern comes. Own choice.
_DECLINE_HOLDS = timedelta(days=7)
# Said of a session of lighter days. Own words.
LIGHTER_WORDS = "These days are lighter: about half of the repetitions."


def needs_of(tx: Tx, athlete_id: str, now: datetime) -> tuple[Need, ...]:
    """Return what the athlete's findings and tests ask for, heaviest first."""
    rows = findings.since(tx, athlete_id, now - _STILL_NEEDED)
    found = needs_from([Observed(row["id"], row["kind"], row["statement"], Grade(row["grade"])) for row in rows])
    tested = needs_from_assessment(newest_comparisons(tx, athlete_id, now - TEST_SPEAKS))
    return tuple(sorted((*found, *tested), key=lambda need: (-need.weight, need.kind)))


def changes_nothing(tx: Tx, athlete: Row, needs: Sequence[Need], now: datetime) -> bool:
    """Tell whether a new proposal would say what runs already, or what was declined lately or not found again since."""
    if not needs:
        return True
    kinds = {need.kind for need in needs}
    running = plans.in_state(tx, athlete["id"], PlanState.ACCEPTED.value)
    if running is not None and running["ends_on"] > local_day(athlete, now) and kinds <= set(running["need_kinds"]):
        return True
    declined = plans.in_state(tx, athlete["id"], PlanState.DECLINED.value)
    if declined is None or not kinds <= set(declined["need_kinds"]):
        return False
    if now - declined["decided_at"] < _DECLINE_HOLDS:
        return True
    return not _seen_again(tx, athlete["id"], needs, declined, now)


def _seen_again(tx: Tx, athlete_id: str, needs: Sequence[Need], declined: Row, now: datetime) -> bool:
    """Tell whether what was declined was found again since, in a new finding or in one that goes on."""
    finding_ids = {finding_id for need in needs for finding_id in need.finding_ids}
    if finding_ids - set(declined["finding_ids"]):
        return True
    return any(
        row["changed_at"] > declined["decided_at"]
        for row in findings.since(tx, athlete_id, now - _STILL_NEEDED)
        if row["id"] in finding_ids
    )


def same_work(waiting: Row, needs: Sequence[Need], prescription: Prescription) -> bool:
    """Tell whether a waiting proposal asks for the same kinds of need and the same work, whatever its words."""
    before = prescription_from_plain(waiting["prescription"])
    same_kinds = set(waiting["need_kinds"]) == {need.kind for need in needs}
    return same_kinds and _without_words(before) == _without_words(prescription)


def _without_words(prescription: Prescription) -> Prescription:
    exercises = tuple(replace(each, because="") for each in prescription.exercises)
    rest = tuple(replace(each, because="") for each in prescription.rest)
    return replace(prescription, because="", exercises=exercises, rest=rest)


def prescription_for(tx: Tx, athlete: Row, needs: Sequence[Need], config: Config, now: datetime) -> Prescription:
    """Return exercises and rest for the needs, at level and dose the athlete trains now, for what is known of them.

    After days without a session a program begins a level back, or anew. Raises programs.NoAnswer.
    """
    history = history_of(tx, athlete, now, trains_now(tx, athlete, now))
    return prescribe(needs, history, config.program.sessions_per_week, config.program.weeks)


def trains_now(tx: Tx, athlete: Row, now: datetime) -> tuple[PrescribedExercise, ...]:
    """Return where another program would go on: at what runs, after days without a session a level back, or anew."""
    running = plans.in_state(tx, athlete["id"], PlanState.ACCEPTED.value)
    if running is None:
        return ()
    done = outcomes.last_done(tx, athlete["id"]) or running["starts_on"]
    missed_days = max((local_day(athlete, now) - done).days, 0)
    return after_break(prescription_from_plain(running["prescription"]), missed_days).exercises


def sessions_to_place(
    tx: Tx,
    athlete: Row,
    prescription: Prescription,
    start: date,
    now: datetime,
    taken: frozenset[str],
    horizon_days: int,
    wanted: Mapping[date, datetime] = MappingProxyType({}),
    not_before: date | None = None,
) -> list[PlannedSession]:
    """Return the sessions from `start` up to the horizon that are not placed yet, on wanted days where they may be.

    not_before: the first day that may have one, such as after days of rest from pitching; a day that a red session has
    left free has none either. Days that a change made lighter are. Raises programs.NoSlot.
    """
    today = local_day(athlete, now)
    last = today + timedelta(days=horizon_days)
    changes = program_changes.with_days(tx, athlete["id"], today)
    free = [row["last_on"] + timedelta(days=1) for row in changes if row["kind"] == ChangeKind.BACK]
    not_before = max([*free, *([not_before] if not_before is not None else [])], default=None)
    moments = sessions.taken_moments(tx, athlete["id"])
    taken_at = {date.fromisoformat(slot): moments[slot] for slot in taken}
    placed = place(prescription, availability_of(tx, athlete), start, now, taken, wanted, not_before, taken_at)
    lighter_days = [(row["first_on"], row["last_on"]) for row in changes if row["kind"] == ChangeKind.DELOAD]
    return [
        _lightened(session, start, lighter_days)
        for session in placed
        if session.local_date < last and session.slot not in taken
    ]


def _lightened(session: PlannedSession, start: date, lighter_days: Sequence[tuple[date, date]]) -> PlannedSession:
    """Return a session as a lighter one if it falls on such days; a week that is lighter by plan is so once."""
    week = (session.local_date - start).days // 7 + 1
    if is_deload_week(week) or not any(first <= session.local_date <= last for first, last in lighter_days):
        return session
    items = tuple(replace(item, dose=lighter(item.dose)) for item in session.exercises)
    return replace(
        session,
        exercises=items,
        duration_min=session_duration_min(item.dose for item in items),
        because=f"{session.because} {LIGHTER_WORDS}".strip(),
    )


def local_day(athlete: Row, now: datetime) -> date:
    """Return the athlete's date."""
    return now.astimezone(ZoneInfo(athlete["time_zone"])).date()


def session_values(session: PlannedSession, athlete: Row, plan_id: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a session that is planned."""
    return {
        "athlete_id": athlete["id"],
        "plan_id": plan_id,
        "slot": session.slot,
        "state": SessionState.PLANNED.value,
        "local_date": session.local_date,
        "local_time": session.local_time,
        "time_zone": session.time_zone,
        "due_at": session.due_at,
        "released_at": None,
        "duration_min": session.duration_min,
        "exercises": exercises_to_plain(session.exercises),
        "because": session.because,
        "created_at": now,
        "updated_at": now,
    }


def add_sessions(tx: Tx, placed: Sequence[PlannedSession], athlete: Row, plan_id: str, now: datetime) -> None:
    """Insert the sessions; in the first days after a spasm walking and rest stand in for them."""
    fallback_now = in_first_days(tx, athlete["id"])
    for session in placed:
        sessions.add(tx, session_values(session, athlete, plan_id, now) | {"fallback": fallback_now})


def plan_view(row: Row, names: Mapping[str, str]) -> PlanView:
    """Return what pages show of a plan. names: user id -> name."""
    return PlanView(
        plan_id=row["id"],
        athlete_id=row["athlete_id"],
        state=PlanState(row["state"]),
        prescription=prescription_from_plain(row["prescription"]),
        finding_ids=tuple(row["finding_ids"]),
        created_at=row["created_at"],
        decided_at=row["decided_at"],
        decided_by=names.get(row["decided_by"]) if row["decided_by"] else None,
        note=row["note"],
    )


def session_view(row: Mapping[str, Any]) -> SessionView:
    """Return what pages show of a session: walking and rest where they stand, or stood, in its place."""
    planned = SessionView(
        session_id=row.get("id", ""),
        athlete_id=row["athlete_id"],
        plan_id=row["plan_id"],
        state=SessionState(row["state"]),
        local_date=row["local_date"],
        local_time=row["local_time"],
        time_zone=row["time_zone"],
        due_at=row["due_at"],
        released_at=row["released_at"],
        duration_min=row["duration_min"],
        exercises=tuple(_exercise(each) for each in row["exercises"]),
        because=row["because"],
        sequence=row.get("sequence", 0),
    )
    waits = row["state"] in _OPEN and row.get("lock") == Lock.STARTING
    return _fallen_back(planned) if waits or row.get("fallback") else planned


def _fallen_back(planned: SessionView) -> SessionView:
    items = fallback()
    return replace(
        planned,
        duration_min=session_duration_min(item.dose for item in items),
        exercises=tuple(_exercise(each) for each in exercises_to_plain(items)),
        because=FALLBACK_WORDS,
        fallback=True,
    )


def _exercise(plain: dict[str, Any]) -> dict[str, Any]:
    (item,) = exercises_from_plain([plain])
    found = known(item)
    one = in_words(found) if found is not None else None
    shown = {**plain, "name": plain["exercise_id"], "level_number": plain["level"], "level": "", "cues": ()}
    if one is not None:  # an exercise may leave the library while its sessions stay
        level = one.levels[plain["level"]] if plain["level"] < len(one.levels) else ""
        more = {"name": one.name, "level": level, "cues": one.cues, "regression": one.regression}
        shown |= more | {"target": one.target, "drawn_as": one.drawn_as or one.id}
    return shown


def has_running(tx: Tx, athlete: Row, now: datetime) -> Row | None:
    """Return the accepted plan that has not come to its end."""
    row = plans.in_state(tx, athlete["id"], PlanState.ACCEPTED.value)
    return row if row is not None and row["ends_on"] > local_day(athlete, now) else None
