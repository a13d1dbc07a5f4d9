"""Queries: templates of a coach's own, and who wrote a proposal."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select

from coach.store.desk_tables import plan_author, program_template
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import user_account


def add(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a template; return its id. Raises Conflict when the coach has one of that name."""
    template_id = fresh_id()
    tx.execute(program_template.insert().values(id=template_id, **values))
    return template_id


def of_coach(tx: Tx, coach_id: str) -> list[Row]:
    """Return a coach's templates by name."""
    columns = program_template.c
    statement = select(program_template).where(columns.coach_id == coach_id)
    return many(tx, statement.order_by(func.lower(columns.name), columns.id))


def get(tx: Tx, coach_id: str, template_id: str) -> Row | None:
    """Return one template of a coach's."""
    columns = program_template.c
    return one(tx, select(program_template).where(columns.id == template_id, columns.coach_id == coach_id))


def drop(tx: Tx, coach_id: str, template_id: str) -> bool:
    """Delete a template of a coach's; tell whether there was one."""
    columns = program_template.c
    statement = program_template.delete().where(columns.id == template_id, columns.coach_id == coach_id)
    return tx.execute(statement).rowcount == 1


def say_author(tx: Tx, plan_id: str, written_by: str, made_from: str, template_name: str | None) -> None:
    """Keep who wrote a proposal, and from what."""
    values = {"plan_id": plan_id, "written_by": written_by, "made_from": made_from, "template_name": template_name}
    tx.execute(plan_author.insert().values(**values))


def authors(tx: Tx, plan_ids: Collection[str]) -> dict[str, Row]:
    """Return who wrote proposals, by plan; those that came from findings have nobody.

    Columns: those of plan_author, name.
    """
    statement = select(plan_author, user_account.c.name).join(
        user_account, user_account.c.id == plan_author.c.written_by
    )
    return {row["plan_id"]: row for row in many(tx, statement.where(plan_author.c.plan_id.in_(plan_ids)))}
