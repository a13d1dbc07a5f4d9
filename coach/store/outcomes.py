"""Queries: what the traffic light and lighter weeks rest on: sessions done, resting pain, load and mornings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import exists, func, select

from coach.store.diary_tables import checkin
from coach.store.engine import Tx
from coach.store.finding_tables import answer, edition
from coach.store.rows import Row, many, one
from coach.store.tables import plan, planned_session, session_outcome, triage_answer


def done_of_plan(tx: Tx, plan_id: str, after: datetime) -> list[Row]:
    """Return the sessions of a plan that were done, walking and rest in their place left out, due after a moment.

    Columns: session_id, local_date, due_at, pain_during, pain_after, recorded_at; in order of time.
    """
    planned, told = planned_session.c, session_outcome.c
    statement = (
        select(
            planned.id.label("session_id"),
            planned.local_date,
            planned.due_at,
            told.pain_during,
            told.pain_after,
            told.recorded_at,
        )
        .join(session_outcome, told.session_id == planned.id)
        .where(
            planned.plan_id == plan_id,
            planned.state == "done",
            planned.fallback.is_(False),
            planned.due_at > after,
        )
        .order_by(planned.due_at, planned.id)
    )
    return many(tx, statement)


def last_done(tx: Tx, athlete_id: str) -> date | None:
    """Return the local day of the newest session that was done, walking and rest in its place left out."""
    columns = planned_session.c
    found: date | None = tx.execute(
        select(func.max(columns.local_date)).where(
            columns.athlete_id == athlete_id, columns.state == "done", columns.fallback.is_(False)
        )
    ).scalar_one()
    return found


def any_missed(tx: Tx, plan_id: str, after: date, due_before: datetime) -> bool:
    """Tell whether a session of a plan, of a day after that one, is past and was not done."""
    columns = planned_session.c
    statement = select(
        exists().where(
            columns.plan_id == plan_id,
            columns.local_date > after,
            columns.due_at < due_before,
            columns.state.in_(("skipped", "cancelled", "planned")) | columns.fallback.is_(True),
        )
    )
    return bool(tx.execute(statement).scalar_one())


def waiting_unlooked(tx: Tx, now: datetime) -> list[str]:
    """Return the athletes with a session due whose running program was not looked at today (UTC)."""
    planned, of_plan = planned_session.c, plan.c
    statement = (
        select(planned.athlete_id)
        .join(plan, of_plan.id == planned.plan_id)
        .where(
            planned.state == "planned",
            planned.due_at <= now,
            of_plan.state == "accepted",
            of_plan.looked_on.is_(None) | (of_plan.looked_on < now.date()),
        )
        .distinct()
        .order_by(planned.athlete_id)
    )
    return list(tx.execute(statement).scalars())


def unlooked(tx: Tx, now: datetime) -> list[str]:
    """Return the athletes whose running program was not looked at today (UTC)."""
    columns = plan.c
    statement = select(columns.athlete_id).where(
        columns.state == "accepted",
        columns.ends_on > now.date(),
        columns.looked_on.is_(None) | (columns.looked_on < now.date()),
    )
    return list(tx.execute(statement.order_by(columns.athlete_id)).scalars())


def last_locked(tx: Tx, athlete_id: str) -> datetime | None:
    """Return when the newest answers to the safety questions that locked were given, lifted since or not."""
    columns = triage_answer.c
    found: datetime | None = tx.execute(
        select(func.max(columns.answered_at)).where(columns.athlete_id == athlete_id, columns.lock != "none")
    ).scalar_one()
    return found


def told_pain(tx: Tx, athlete_id: str, since: date) -> list[Row]:
    """Return check-ins that tell of pain, of local days from one on, in order of time.

    Columns: at, local_date, morning, pain_at_rest, pain_in_motion.
    """
    columns = checkin.c
    statement = select(
        columns.at, columns.local_date, columns.morning, columns.pain_at_rest, columns.pain_in_motion
    ).where(
        columns.athlete_id == athlete_id,
        columns.local_date >= since,
        columns.pain_at_rest.is_not(None) | columns.pain_in_motion.is_not(None),
    )
    return many(tx, statement.order_by(columns.at, columns.id))


def first_resting_pain(tx: Tx, athlete_id: str) -> Row | None:
    """Return the first resting pain that was ever told: pain_at_rest, at."""
    columns = checkin.c
    statement = select(columns.pain_at_rest, columns.at).where(
        columns.athlete_id == athlete_id, columns.pain_at_rest.is_not(None)
    )
    return one(tx, statement.order_by(columns.at, columns.id).limit(1))


def slept_h(tx: Tx, athlete_id: str, day: date) -> float | None:
    """Return the sleep in h that was told last on a local day."""
    columns = checkin.c
    statement = select(columns.sleep_h).where(
        columns.athlete_id == athlete_id, columns.local_date == day, columns.sleep_h.is_not(None)
    )
    found: float | None = tx.execute(statement.order_by(columns.at.desc(), columns.id).limit(1)).scalar_one_or_none()
    return found


def answers_of_kind(tx: Tx, athlete_id: str, kind: str, first: date, after: date) -> dict[date, Row]:
    """Return what the newest edition answered of a kind on each local day in [first, after): outcome, because."""
    columns = answer.c
    statement = (
        select(columns.local_date, columns.outcome, columns.because)
        .join(edition, edition.c.id == columns.edition)
        .where(
            columns.athlete_id == athlete_id,
            columns.kind == kind,
            columns.local_date >= first,
            columns.local_date < after,
        )
        .order_by(columns.local_date, edition.c.created_at, edition.c.id)
    )
    return {row["local_date"]: row for row in many(tx, statement)}
