"""Queries: what waits at all athletes of a coach, each asked once for the whole list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, func, select, union_all

from coach.store.athletes import shared_with
from coach.store.diary_tables import checkin, training
from coach.store.engine import Tx
from coach.store.finding_tables import finding
from coach.store.program_tables import program_change
from coach.store.rows import Row, many
from coach.store.tables import (
    athlete,
    coach_athlete,
    plan,
    planned_session,
    session_outcome,
    stream,
    triage_answer,
    wearable,
)


def listed(tx: Tx, coach_id: str) -> list[Row]:
    """Return the coach's athletes by name. Columns: those of athlete, level."""
    links = coach_athlete.c
    statement = select(athlete, links.level).join(coach_athlete, links.athlete_id == athlete.c.id)
    mine = links.coach_id == coach_id, athlete.c.id.in_(shared_with(coach_id))
    return many(tx, statement.where(*mine).order_by(athlete.c.name, athlete.c.id))


def newest_findings(tx: Tx, coach_id: str) -> dict[str, Row]:
    """Return each athlete's newest current finding, an open one first.

    Columns: athlete_id, id, kind, statement, state, opened_at.
    """
    columns = finding.c
    place = func.row_number().over(
        partition_by=columns.athlete_id,
        order_by=((columns.state == "open").desc(), columns.started_at.desc(), columns.id),
    )
    current = (
        select(columns.athlete_id, columns.id, columns.kind, columns.statement, columns.state, columns.opened_at)
        .add_columns(place.label("place"))
        .where(columns.athlete_id.in_(shared_with(coach_id)), columns.superseded_by.is_(None))
        .subquery()
    )
    return {row["athlete_id"]: row for row in many(tx, select(current).where(current.c.place == 1))}


def opened_since(tx: Tx, coach_id: str, moment: datetime) -> dict[str, Row]:
    """Return how many current findings opened since then, and are open, by athlete. Columns: since (first), count."""
    columns = finding.c
    statement = (
        select(columns.athlete_id, func.min(columns.opened_at).label("since"), func.count().label("count"))
        .where(
            columns.athlete_id.in_(shared_with(coach_id)),
            columns.superseded_by.is_(None),
            columns.state == "open",
            columns.opened_at >= moment,
        )
        .group_by(columns.athlete_id)
    )
    return _by_athlete(tx, statement)


def waiting(tx: Tx, coach_id: str) -> dict[str, Row]:
    """Return since when a program or a step waits for a yes, by athlete. Columns: since."""
    seen = shared_with(coach_id)
    both = union_all(
        *(
            select(table.c.athlete_id, table.c.created_at).where(
                table.c.state == "proposed", table.c.athlete_id.in_(seen)
            )
            for table in (plan, program_change)
        )
    ).subquery()
    statement = select(both.c.athlete_id, func.min(both.c.created_at).label("since")).group_by(both.c.athlete_id)
    return _by_athlete(tx, statement)


def answered(tx: Tx, coach_id: str) -> dict[str, Row]:
    """Return when the safety questions were last answered, by athlete. Columns: since."""
    columns = triage_answer.c
    statement = select(columns.athlete_id, func.max(columns.answered_at).label("since"))
    return _by_athlete(tx, statement.where(columns.athlete_id.in_(shared_with(coach_id))).group_by(columns.athlete_id))


def pains(tx: Tx, coach_id: str, moment: datetime) -> list[Row]:
    """Return the pain that was told since then, in check-ins and sessions. Columns: athlete_id, at, and four pains."""
    seen, entry, outcome, planned = shared_with(coach_id), checkin.c, session_outcome.c, planned_session.c
    in_checkins = select(
        entry.athlete_id, entry.at, entry.pain_at_rest.label("one"), entry.pain_in_motion.label("other")
    ).where(entry.athlete_id.in_(seen), entry.at >= moment)
    in_sessions = (
        select(planned.athlete_id, outcome.recorded_at, outcome.pain_during, outcome.pain_after)
        .join(planned_session, planned.id == outcome.session_id)
        .where(planned.athlete_id.in_(seen), outcome.recorded_at >= moment)
    )
    return many(tx, union_all(in_checkins, in_sessions))


def missed(tx: Tx, coach_id: str, first: date, now: datetime) -> dict[str, Row]:
    """Return how many sessions since a day nobody did or answered, by athlete. Columns: since (the first), count.

    One that the athlete skipped, with a reason or without, is not missed: they have said so.
    """
    planned, outcome = planned_session.c, session_outcome.c
    by_the_clock = and_(planned.state == "skipped", outcome.recorded_by.is_(None))
    statement = (
        select(planned.athlete_id, func.min(planned.due_at).label("since"), func.count().label("count"))
        .outerjoin(session_outcome, outcome.session_id == planned.id)
        .where(planned.athlete_id.in_(shared_with(coach_id)), planned.local_date >= first, planned.due_at < now)
        .where(by_the_clock)
        .group_by(planned.athlete_id)
    )
    return _by_athlete(tx, statement)


def heard(tx: Tx, coach_id: str) -> dict[str, Row]:
    """Return when something last came from an athlete: signal, a check-in, a training, a session's outcome."""
    seen, planned, outcome = shared_with(coach_id), planned_session.c, session_outcome.c
    by_entry = [
        select(table.c.athlete_id, func.max(column).label("at"))
        .where(table.c.athlete_id.in_(seen))
        .group_by(table.c.athlete_id)
        for table, column in (
            (stream, stream.c.last_received_at),
            (checkin, checkin.c.at),
            (training, training.c.at),
        )
    ]
    by_outcome = (
        select(planned.athlete_id, func.max(outcome.recorded_at))
        .join(planned_session, planned.id == outcome.session_id)
        .where(planned.athlete_id.in_(seen), outcome.recorded_by.is_not(None))
        .group_by(planned.athlete_id)
    )
    both = union_all(*by_entry, by_outcome).subquery()
    return _by_athlete(tx, select(both.c.athlete_id, func.max(both.c.at).label("since")).group_by(both.c.athlete_id))


def worn(tx: Tx, coach_id: str) -> list[Row]:
    """Return the wearables in use. Columns: id, athlete_id."""
    columns = wearable.c
    mine = columns.athlete_id.in_(shared_with(coach_id)), columns.forgotten_at.is_(None)
    return many(tx, select(columns.id, columns.athlete_id).where(*mine))


def _by_athlete(tx: Tx, statement: Select[Any]) -> dict[str, Row]:
    return {row["athlete_id"]: row for row in many(tx, statement)}
