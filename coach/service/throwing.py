"""From which day a pitcher may throw again by the guideline for the age, and what that means for sessions."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from coach.analysis.detectors.caps import eligible_on
from coach.service import planning
from coach.service.day_entries import age_years, pitches_of
from coach.service.ground import Ground
from coach.service.local_days import day_of
from coach.service.plain import prescription_from_plain
from coach.service.replacing import replace_planned
from coach.store import athletes, diary, events, sessions
from coach.store.engine import Tx
from coach.store.rows import Row
from programs.errors import ProgramError
from programs.exercises import known
from programs.types import Prescription

# Work for the arm that threw: it waits with the throwing. Which group that is: own heuristic.
_OF_THE_ARM = "shoulder girdle"
# Days of pitching that may still ask for rest: no guideline asks for as many. Own choice.
_LOOK_BACK = timedelta(days=10)


def rest_until(tx: Tx, ground: Ground, athlete: Row, program: Prescription, now: datetime) -> date | None:
    """Return the first day that may have a session of this program after pitching; None where none is barred.

    Sessions without work for the arm are not barred. Needs the athlete's age and a profile with a guideline.
    """
    caps = ground.profiles.of_athlete(athlete).caps
    groups = {one.muscle_group for item in program.exercises if (one := known(item))}
    if caps is None or _OF_THE_ARM not in groups:
        return None
    today = day_of(athlete, now.timestamp())
    thrown: dict[date, list[Row]] = {}
    for row in diary.trainings_between(tx, athlete["id"], today - _LOOK_BACK, today + timedelta(days=1)):
        thrown.setdefault(row["local_date"], []).append(row)
    allowed = [
        eligible
        for day, rows in thrown.items()
        if (pitches := pitches_of(rows)) is not None
        and (age := age_years(athlete["born_on"], day)) is not None
        and (eligible := eligible_on(caps, age, day.toordinal(), pitches)) is not None
    ]
    first = date.fromordinal(max(allowed, default=today.toordinal()))
    return first if first > today else None


def place_around_pitching(tx: Tx, ground: Ground, athlete_id: str, now: datetime) -> None:
    """Move what is planned out of the days of rest that entered pitches ask for, with the fewest moves."""
    athlete = athletes.get(tx, athlete_id)
    plan = planning.has_running(tx, athlete, now) if athlete is not None else None
    if athlete is None or plan is None:
        return
    program = prescription_from_plain(plan["prescription"])
    not_before = rest_until(tx, ground, athlete, program, now)
    ahead = ground.config.program.plan_ahead_days
    try:
        replace_planned(
            tx, athlete, plan["id"], program, plan["starts_on"], now, ahead, "rest after pitching", not_before
        )
    except ProgramError:
        # The rest lasts until the program is over.
        for session_id in sessions.cancel_planned(tx, athlete_id, now):
            events.record(tx, now, "service", "cancelled", "session", session_id, athlete_id, "rest after pitching")
