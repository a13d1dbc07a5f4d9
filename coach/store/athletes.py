"""Queries: athletes and their coaches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, select, update

from coach.store.engine import Tx
from coach.store.finding_tables import finding
from coach.store.program_tables import program_change
from coach.store.rows import Row, many, one
from coach.store.tables import athlete, coach_athlete, plan


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Insert an athlete with all its columns."""
    tx.execute(athlete.insert().values(**values))


def get(tx: Tx, athlete_id: str) -> Row | None:
    """Return an athlete."""
    return one(tx, select(athlete).where(athlete.c.id == athlete_id))


def lock(tx: Tx, athlete_id: str) -> None:
    """Let nobody else save days of an athlete until this transaction ends; SQLite has one writer at a time anyway."""
    tx.execute(select(athlete.c.id).where(athlete.c.id == athlete_id).with_for_update())


def by_calendar_token(tx: Tx, token: str) -> Row | None:
    """Return the athlete of a calendar link."""
    return one(tx, select(athlete).where(athlete.c.calendar_token == token))


def change(tx: Tx, athlete_id: str, **values: Any) -> None:
    """Change columns of an athlete."""
    tx.execute(update(athlete).where(athlete.c.id == athlete_id).values(**values))


def wanting_replan(tx: Tx) -> list[str]:
    """Return the athletes whose findings changed since their last plan was made."""
    return list(
        tx.execute(select(athlete.c.id).where(athlete.c.replan_wanted.is_(True)).order_by(athlete.c.id)).scalars()
    )


def link_coach(tx: Tx, coach_id: str, athlete_id: str, now: datetime) -> None:
    """Link a coach, unless linked."""
    if not coached_by(tx, coach_id, athlete_id):
        tx.execute(coach_athlete.insert().values(coach_id=coach_id, athlete_id=athlete_id, created_at=now))


def coached_by(tx: Tx, coach_id: str, athlete_id: str) -> bool:
    """Tell whether that coach is linked to that athlete."""
    links = coach_athlete.c
    statement = select(exists().where(links.coach_id == coach_id, links.athlete_id == athlete_id))
    return bool(tx.execute(statement).scalar_one())


def has_coach(tx: Tx, athlete_id: str) -> bool:
    """Tell whether anybody coaches that athlete."""
    return bool(tx.execute(select(exists().where(coach_athlete.c.athlete_id == athlete_id))).scalar_one())


def roster(tx: Tx, coach_id: str) -> list[Row]:
    """Return the coach's athletes with their newest finding, an open one first, and what waits: a program or a step.

    Columns: those of athlete, finding_kind, finding_statement, finding_state, proposal_id.
    """
    other = finding.alias("other")
    newest = (
        select(other.c.id)
        .where(other.c.athlete_id == athlete.c.id, other.c.superseded_by.is_(None))
        .order_by((other.c.state == "open").desc(), other.c.started_at.desc(), other.c.id)
        .limit(1)
        .correlate(athlete)
        .scalar_subquery()
    )
    statement = (
        select(
            athlete,
            finding.c.kind.label("finding_kind"),
            finding.c.statement.label("finding_statement"),
            finding.c.state.label("finding_state"),
            func.coalesce(plan.c.id, program_change.c.id).label("proposal_id"),
        )
        .join(coach_athlete, coach_athlete.c.athlete_id == athlete.c.id)
        .outerjoin(finding, finding.c.id == newest)
        .outerjoin(plan, and_(plan.c.athlete_id == athlete.c.id, plan.c.state == "proposed"))
        .outerjoin(
            program_change, and_(program_change.c.athlete_id == athlete.c.id, program_change.c.state == "proposed")
        )
        .where(coach_athlete.c.coach_id == coach_id)
        .order_by(athlete.c.name, athlete.c.id)
    )
    return many(tx, statement)
