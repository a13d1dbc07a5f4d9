"""Queries: what waits for a coach's yes, of all their athletes at once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import exists, select

from coach.store.engine import Tx
from coach.store.program_tables import program_change
from coach.store.rows import Row, many
from coach.store.tables import athlete, coach_athlete, plan, triage_answer
from coach.store.trust_tables import consent

# Levels at which a coach decides on programs.
_DECIDES = ("plan", "full")


def athletes_planned_for(tx: Tx, coach_id: str) -> list[Row]:
    """Return the athletes whose programs a coach decides on, by name. Columns: id, name, time_zone, lock, asked.

    asked: whether they ever answered the safety questions.
    """
    shared = exists().where(
        consent.c.athlete_id == athlete.c.id, consent.c.purpose == "sharing", consent.c.withdrawn_at.is_(None)
    )
    asked = exists().where(triage_answer.c.athlete_id == athlete.c.id)
    statement = (
        select(athlete.c.id, athlete.c.name, athlete.c.time_zone, athlete.c.lock, asked.label("asked"))
        .join(coach_athlete, coach_athlete.c.athlete_id == athlete.c.id)
        .where(coach_athlete.c.coach_id == coach_id, coach_athlete.c.level.in_(_DECIDES), shared)
    )
    return many(tx, statement.order_by(athlete.c.name, athlete.c.id))


def plans_in_state(tx: Tx, athlete_ids: Collection[str], state: str) -> dict[str, Row]:
    """Return the newest plan in a state of each athlete, by athlete."""
    statement = select(plan).where(plan.c.athlete_id.in_(athlete_ids), plan.c.state == state)
    return {row["athlete_id"]: row for row in many(tx, statement.order_by(plan.c.created_at, plan.c.id))}


def steps_proposed(tx: Tx, athlete_ids: Collection[str]) -> dict[str, Row]:
    """Return the step of a running program that waits, by athlete; each has one at most."""
    columns = program_change.c
    statement = select(program_change).where(columns.athlete_id.in_(athlete_ids), columns.state == "proposed")
    return {row["athlete_id"]: row for row in many(tx, statement)}
