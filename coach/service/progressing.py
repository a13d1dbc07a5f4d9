"""Which change of a running program comes next: what falls by itself, and what may rise after a yes. Decides only.

Source of the rules: programs/pain.py and programs/progress.py; what is counted since when: docs/programs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from coach.service.change_views import ChangeKind
from coach.service.histories import history_of
from coach.service.local_days import day_of
from coach.service.plain import prescription_from_plain
from coach.service.session_pains import JudgedSession, judged_sessions, masked, usual_pain
from coach.service.spasm_rows import phase_of
from coach.service.strains import strain_of
from coach.service.triage import questions_due, stands
from coach.store import outcomes, program_changes, spasms, triage
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.acute import within
from programs.dose import session_duration_min
from programs.exercises import CONTRAINDICATIONS, shelf_of
from programs.pain import Step, Zone, advise, may_load
from programs.phases import FALLBACK, fallback
from programs.progress import (
    RESTART_DAYS,
    STEP_BACK_DAYS,
    after_break,
    all_back,
    deload_reasons,
    propose_step,
    with_step,
)
from programs.rest import DELOAD_EVERY_WEEKS, is_deload_week
from programs.types import History, Lock, Phase, Prescription

# After a no nothing is offered for so long. Own choice: about three sessions.
NO_HOLDS = timedelta(days=7)
# How far back sessions are judged. Own choice: four weeks, the length of a program.
_JUDGED = timedelta(weeks=4)
# A lighter week at once comes once in so many days: the next one is planned by then. Own heuristic.
_DELOAD_AGAIN = timedelta(weeks=DELOAD_EVERY_WEEKS)
_LIGHTER_DAYS = 7
# A session this long past that was not done was missed. Own choice: it may be done the same day.
_MISSED_AFTER = timedelta(hours=24)

BACK = (
    "Your last session, or the time after it, hurt more than it should. So everything is one step easier from now on, "
    "and there is a day without a session first."
)
BACK_TWICE = "It was the second time within a week: please have a doctor or physiotherapist look at it."
BREAK = "You have had a week without a session, so your program goes one level back and builds up from there."
RESTART = "You have had three weeks without a session, so your program begins again at its first levels."
RULED_OUT = "Left out, because of {reasons}: {names}. An easier exercise stands in where there is one."
WALKING = (
    "Your usual pain is 5 or more of 10. With that nothing that loads your back goes on: walking and positions of ease "
    "stand in, and the report can go with you to a doctor."
)
RESUME = (
    "Your usual pain is below 5 of 10 again, so your program may come back, one step easier than it was. Nothing "
    "changes without a yes."
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change that comes next. exercise_id: of what changes; days: first and last that are lighter, or free."""

    kind: ChangeKind
    after: Prescription
    because: str
    exercise_id: str | None = None
    days: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A running program so far. made, declined: its changes, oldest first. sessions: judged ones of the last weeks.

    usual: resting pain, None while none was told. began_at: of the program, or of the phase after a spasm.
    """

    athlete: Row
    plan: Row
    program: Prescription
    made: Sequence[Row]
    declined: Sequence[Row]
    sessions: Sequence[JudgedSession]
    today: date
    usual: float | None
    phase: Phase
    began_at: datetime

    def since(self, kinds: frozenset[ChangeKind] = frozenset(ChangeKind)) -> datetime:
        """Return when the last change of some kinds was made, else when the program began."""
        times: list[datetime] = [row["decided_at"] for row in self.made if row["kind"] in kinds]
        return max([*times, self.began_at])

    def walks(self) -> bool:
        """Tell whether walking and positions of ease are all there is."""
        return {item.exercise_id for item in self.program.exercises} <= set(FALLBACK)

    def is_lighter(self, day: date) -> bool:
        """Tell whether a day belongs to a lighter week, planned or at once."""
        week = (day - self.plan["starts_on"]).days // _LIGHTER_DAYS + 1
        spans = [(row["first_on"], row["last_on"]) for row in self.made if row["kind"] == ChangeKind.DELOAD]
        return is_deload_week(week) or any(first <= day <= last for first, last in spans)


def fall_of(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return what makes the program easier by itself now, the gravest reason first; None where nothing does.

    A program of which a doctor's plan leaves nothing, or walking at most, becomes one without exercises: it ends. In
    the first days after a spasm walking and rest stand in already, and what comes back is easier (spasm_program.py).
    """
    if not course.program.exercises or course.walks() or course.phase is Phase.ACUTE:
        return None
    if course.usual is not None and not may_load(course.usual):
        return _to_walking(course)
    return (
        _ruled_out(tx, course, now)
        or _back(tx, course, now)
        or _after_break(tx, course, now)
        or _deload(tx, course, now)
    )


def rise_of(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return what may rise after a yes, None where nothing may.

    Nothing rises while the athlete is locked or questions are due, in the first days after a spasm, near medicine, with
    a usual pain of 5 or more or none that is known, or for a while after a no. A step also needs two green sessions in
    a row since the last change.
    """
    athlete = course.athlete
    if course.usual is None or not may_load(course.usual) or course.phase is Phase.ACUTE:
        return None
    if any(now - row["decided_at"] < NO_HOLDS for row in course.declined):
        return None
    answers = triage.newest(tx, athlete["id"])
    if athlete["lock"] != Lock.NONE or answers is None or stands(answers):
        return None
    if questions_due(tx, athlete["id"], answers, now) or masked(tx, athlete["id"], course.today):
        return None
    return _resume(tx, course, now) if course.walks() else _step(tx, course, now)


def course_of(tx: Tx, athlete: Row, plan: Row, now: datetime) -> Course:
    """Return how a running program has gone so far."""
    changes, spasm = program_changes.of_plan(tx, plan["id"]), spasms.newest(tx, athlete["id"])
    begins = [plan["decided_at"] or datetime.fromtimestamp(0, UTC)]
    if spasm is not None:
        begins.append(spasm["phase_since"])
    return Course(
        athlete,
        plan,
        prescription_from_plain(plan["prescription"]),
        [row for row in changes if row["state"] == "made"],
        [row for row in changes if row["state"] == "declined"],
        judged_sessions(tx, athlete["id"], plan["id"], max(now - _JUDGED, *begins)),
        day_of(athlete, now.timestamp()),
        usual_pain(tx, athlete, now),
        phase_of(tx, athlete["id"]),
        max(begins),
    )


def _to_walking(course: Course) -> Proposed:
    items = fallback()
    duration_min = session_duration_min(item.dose for item in items)
    after = replace(course.program, exercises=items, session_duration_min=duration_min)
    return Proposed(ChangeKind.WALKING, after, WALKING)


def _ruled_out(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return the program without what the doctor's plan that stands speaks against, easier exercises in its place."""
    ruled = against(course.program, history_of(tx, course.athlete, now))
    if not ruled:
        return None
    # Whatever phase it is in, the rest of it stays as it is.
    after = within(course.program, replace(history_of(tx, course.athlete, now), phase=Phase.STRENGTH))
    if {item.exercise_id for item in after.exercises} <= set(FALLBACK):
        after = replace(after, exercises=(), session_duration_min=0)
    reasons = dict.fromkeys(CONTRAINDICATIONS[each] for found in ruled.values() for each in found)
    shelf = shelf_of(course.program.exercises)
    names = [shelf[each].name.lower() for each in ruled]
    because = RULED_OUT.format(reasons=_listed(tuple(reasons)), names=_listed(names))
    return Proposed(ChangeKind.RULED_OUT, after, because)


def against(program: Prescription, history: History) -> dict[str, tuple[str, ...]]:
    """Return the exercises of a program that must not be given, with what speaks against each."""
    shelf, stands_against = shelf_of(program.exercises), set(history.contraindications)
    found = {
        item.exercise_id: tuple(each for each in shelf[item.exercise_id].contraindications if each in stands_against)
        for item in program.exercises
        if item.exercise_id in shelf
    }
    return {name: reasons for name, reasons in found.items() if reasons}


def _back(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return the way back after a red session: of those done since the last way back, whatever came between."""
    since = course.since(frozenset({ChangeKind.BACK, ChangeKind.WALKING, ChangeKind.RESUME}))
    reds = [each for each in course.sessions if each.due_at > since and each.zone is Zone.RED]
    if not reds:
        return None
    last = reds[-1].local_date
    twice = advise([(each.local_date, each.zone) for each in course.sessions if each.local_date <= last]).see_clinician
    because = f"{BACK} {BACK_TWICE}" if twice else BACK
    free = last + timedelta(days=1)
    after = all_back(course.program, history_of(tx, course.athlete, now))
    return Proposed(ChangeKind.BACK, after, because, days=(free, free))


def missed_days(tx: Tx, course: Course, now: datetime) -> int:
    """Return the days without a session, 0 while none was missed. Walking and rest in its place are no session."""
    begun = day_of(course.athlete, course.began_at.timestamp())
    done = outcomes.last_done(tx, course.athlete["id"])
    # On its first day a program may have a session that is missed.
    after = begun - timedelta(days=1) if done is None or done < begun else done
    days = (course.today - max(begun, after)).days
    if days < STEP_BACK_DAYS or not outcomes.any_missed(tx, course.plan["id"], after, now - _MISSED_AFTER):
        return 0
    return days


def _after_break(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    days = missed_days(tx, course, now)
    if days < STEP_BACK_DAYS:
        return None
    begun = course.today - timedelta(days=days)
    known = {row["kind"] for row in course.made if day_of(course.athlete, row["decided_at"].timestamp()) > begun}
    restart = days >= RESTART_DAYS
    if ChangeKind.RESTART in known or (ChangeKind.BREAK in known and not restart):
        return None
    after = after_break(course.program, days)
    if after.exercises == course.program.exercises:
        return None
    kind, because = (ChangeKind.RESTART, RESTART) if restart else (ChangeKind.BREAK, BREAK)
    return Proposed(kind, after, because)


def _deload(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    if course.is_lighter(course.today) or now - _last_deload(course) < _DELOAD_AGAIN:
        return None
    since = course.since()
    zones = [each.zone for each in course.sessions if each.due_at > since]
    reasons = deload_reasons(strain_of(tx, course.athlete, zones, now))
    if not reasons:
        return None
    because = f"The next seven days are lighter, with about half of the repetitions: {_listed(reasons)}."
    last = course.today + timedelta(days=_LIGHTER_DAYS - 1)
    return Proposed(ChangeKind.DELOAD, course.program, because, days=(course.today, last))


def _last_deload(course: Course) -> datetime:
    times = [row["decided_at"] for row in course.made if row["kind"] == ChangeKind.DELOAD]
    return max(times, default=datetime.fromtimestamp(0, UTC))


def _step(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return the one thing that may go up. A green session of a lighter week says nothing about the whole dose."""
    since = course.since()
    counted = [
        (each.local_date, each.zone)
        for each in course.sessions
        if each.due_at > since and not (each.zone is Zone.GREEN and course.is_lighter(each.local_date))
    ]
    if course.is_lighter(course.today) or advise(counted).step is not Step.PROGRESS:
        return None
    step = propose_step(course.program, history_of(tx, course.athlete, now), _changed_last(course))
    if step is None:
        return None
    return Proposed(ChangeKind.STEP, with_step(course.program, step), step.because, step.before.exercise_id)


def _changed_last(course: Course) -> list[str]:
    """Return the exercises that a step was made or declined of, the oldest first; who waits longest is next."""
    order: dict[str, None] = {}
    for row in sorted((*course.made, *course.declined), key=lambda row: row["decided_at"]):
        if row["kind"] != ChangeKind.STEP:
            continue
        before, after = ({each["exercise_id"] for each in row[name]["exercises"]} for name in ("before", "after"))
        for name in (row["exercise_id"], *(after - before)):
            order.pop(name, None)
            order[name] = None
    return list(order)


def _resume(tx: Tx, course: Course, now: datetime) -> Proposed | None:
    """Return the program as it was before walking stood in for it, a step easier."""
    gave_way = [row for row in course.made if row["kind"] == ChangeKind.WALKING]
    if not gave_way:
        return None
    before = prescription_from_plain(gave_way[-1]["before"])
    history = history_of(tx, course.athlete, now)
    back = all_back(before, history)
    # After a spasm only what its phase has comes back.
    return Proposed(ChangeKind.RESUME, back if course.phase is Phase.STRENGTH else within(back, history), RESUME)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
