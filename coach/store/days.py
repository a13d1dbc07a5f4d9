"""Queries: which days are due, and what days were worth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, select, update

from coach.store.engine import Tx
from coach.store.finding_tables import athlete_day, day_due, edition
from coach.store.meeting import insert_or_change, insert_or_replace
from coach.store.rows import Row, many, one

_MARK = insert_or_change(
    day_due,
    lambda came: {
        "due_at": case((day_due.c.due_at < came.due_at, day_due.c.due_at), else_=came.due_at),
        "marks": day_due.c.marks + 1,
    },
)
_PUT = insert_or_replace(athlete_day)
_DUE_OF = select(day_due).where(day_due.c.athlete_id == bindparam("athlete"), day_due.c.local_date == bindparam("on"))
_VALUES = (
    select(athlete_day.c.local_date, athlete_day.c["values"])
    .where(
        athlete_day.c.athlete_id == bindparam("athlete"),
        athlete_day.c.edition == bindparam("of_edition"),
        athlete_day.c.local_date >= bindparam("first"),
        athlete_day.c.local_date < bindparam("after"),
    )
    .order_by(athlete_day.c.local_date)
)


def mark(tx: Tx, athlete_id: str, local_date: date, due_at: datetime) -> None:
    """Have a day judged at that time, or sooner if it is due sooner already."""
    mark_all(tx, [(athlete_id, local_date, due_at)])


def mark_all(tx: Tx, marks: Sequence[tuple[str, date, datetime]]) -> None:
    """As `mark`, for days of several athletes in the order given. marks: athlete, day and time of each."""
    if marks:
        names = "athlete_id", "local_date", "due_at"
        tx.execute(_MARK[tx.dialect.name], [{**dict(zip(names, each, strict=True)), "marks": 1} for each in marks])


def due(tx: Tx, until: datetime, limit: int, athlete_id: str | None = None) -> list[Row]:
    """Return the days that are due by a time, earliest day first: a day is judged with those before it."""
    columns = day_due.c
    statement = select(day_due).where(columns.due_at <= until)
    if athlete_id is not None:
        statement = statement.where(columns.athlete_id == athlete_id)
    return many(tx, statement.order_by(columns.local_date, columns.athlete_id).limit(limit))


def due_of(tx: Tx, athlete_id: str, local_date: date) -> Row | None:
    """Return when a day is due, None when it is not."""
    return one(tx, _DUE_OF, {"athlete": athlete_id, "on": local_date})


def put_off(tx: Tx, claimed: Row, until: datetime | None) -> bool:
    """Take a due day off the list, or put it off; tell whether nobody has marked it since it was read."""
    columns = day_due.c
    same = (
        columns.athlete_id == claimed["athlete_id"],
        columns.local_date == claimed["local_date"],
        columns.marks == claimed["marks"],
    )
    if until is None:
        return tx.execute(delete(day_due).where(*same)).rowcount == 1
    return tx.execute(update(day_due).where(*same).values(due_at=until, marks=columns.marks + 1)).rowcount == 1


def values_between(tx: Tx, athlete_id: str, edition: str, first: date, after: date) -> list[Row]:
    """Return what an edition says days in [first, after) were worth, in order. Columns: local_date, values."""
    return many(tx, _VALUES, {"athlete": athlete_id, "of_edition": edition, "first": first, "after": after})


def newest_values(tx: Tx, athlete_id: str, first: date, after: date) -> list[Row]:
    """Return what days in [first, after) were worth by the newest edition that judged each, in order.

    Columns: local_date, values.
    """
    columns = athlete_day.c
    statement = (
        select(columns.local_date, columns["values"])
        .join(edition, edition.c.id == columns.edition)
        .where(columns.athlete_id == athlete_id, columns.local_date >= first, columns.local_date < after)
        .order_by(columns.local_date, edition.c.created_at, edition.c.id)
    )
    newest = {row["local_date"]: row for row in many(tx, statement)}
    return list(newest.values())


def put_values(tx: Tx, athlete_id: str, local_date: date, edition: str, values: dict[str, Any]) -> None:
    """Save what a day was worth, in place of what was said before."""
    row = {"athlete_id": athlete_id, "local_date": local_date, "edition": edition, "values": values}
    tx.execute(_PUT[tx.dialect.name], row)


def judged_dates(tx: Tx, athlete_id: str, since: date) -> list[date]:
    """Return the days from one on that any edition has judged, in order."""
    columns = athlete_day.c
    statement = (
        select(columns.local_date)
        .where(columns.athlete_id == athlete_id, columns.local_date >= since)
        .distinct()
        .order_by(columns.local_date)
    )
    return list(tx.execute(statement).scalars())
