"""An athlete who has a row in every table: what is exported, imported and erased is tried on all of them.

Rows are made from the tables themselves, every column filled, so that a later table is in it by itself. Texts carry a
marker that can be looked for in files.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Double, LargeBinary, String, Table, Time, func, select
from sqlalchemy.exc import IntegrityError

from coach.store.data_rules import RULES, of_athlete
from coach.store.engine import Store, Tx, UtcDateTime
from coach.store.every_table import metadata

AT = datetime(2026, 11, 24, 15, 30, 0, 123456, tzinfo=UTC)
# What code that reads the table needs to find in it.
_EXERCISE = {
    "exercise_id": "bird_dog",
    "level": 0,
    "dose": {"repetitions": [6, 4], "hold_s": 10.0, "rest_s": 30.0, "per_side": True},
    "because": "",
    "first_side": None,
    "extra_set": False,
}
_GIVEN: dict[tuple[str, str], Any] = {
    ("planned_session", "exercises"): [_EXERCISE],
    ("session_outcome", "outcome"): "done",
    ("imaging", "media_type"): "image/png",
    ("heart_block", "beats"): b"",
    ("heart_block", "rr_s"): b"",
    ("stream", "live"): False,
    ("athlete", "replan_wanted"): False,
}


def fill(store: Store, athlete_id: str, marker: str) -> list[str]:
    """Give the athlete a row in every table that belongs to athletes; return the names of those that have none."""
    with store.begin() as tx:
        for table in metadata.sorted_tables:
            if not RULES[table.name].path:
                if RULES[table.name].named or _is_named(table):
                    # Of nobody, so without the marker.
                    tx.execute(table.insert().values(**_row(tx, table, athlete_id, "shared")))
                continue
            have = count(tx, table, athlete_id)
            try:
                with tx.begin_nested():
                    tx.execute(table.insert().values(**_row(tx, table, athlete_id, marker)))
            except IntegrityError:
                assert have, (
                    f"tests/coach/whole_athlete.py cannot make a row of {table.name}: say in _GIVEN what it needs"
                )
        return [
            table.name
            for table in metadata.sorted_tables
            if RULES[table.name].path and not count(tx, table, athlete_id)
        ]


def count(tx: Tx, table: Table, athlete_id: str) -> int:
    """Return how many rows of a table are the athlete's."""
    return int(tx.execute(select(func.count()).select_from(table).where(of_athlete(table, athlete_id))).scalar_one())


def _is_named(table: Table) -> bool:
    """Tell whether a row of some athlete has to name a row of this table as part of its key."""
    keys = (column for other in metadata.tables.values() if RULES[other.name].path for column in other.primary_key)
    return any(key.column.table is table for column in keys for key in column.foreign_keys)


def _row(tx: Tx, table: Table, athlete_id: str, marker: str) -> dict[str, Any]:
    return {
        column.name: value for column in table.c if (value := _value(tx, table, column, athlete_id, marker)) is not None
    }


def _value(tx: Tx, table: Table, column: Column[Any], athlete_id: str, marker: str) -> Any:
    if (table.name, column.name) in _GIVEN:
        return _GIVEN[table.name, column.name]
    for key in column.foreign_keys:
        there = key.column.table
        if there.name == "athlete":
            return athlete_id
        return _free(tx, table, column, key.column, there, athlete_id)
    if column.primary_key and isinstance(column.type, BigInteger) and len(table.primary_key.columns) == 1:
        return None  # the database numbers it
    if table.name == "athlete" and column.name == "id":
        return athlete_id  # is there already
    if column.primary_key and isinstance(column.type, String) and column.name == "id":
        return uuid4().hex
    return _typed(column, f"{marker} {table.name} {column.name} {uuid4().hex}")


def _free(tx: Tx, table: Table, column: Column[Any], key: Column[Any], there: Table, athlete_id: str) -> Any:
    """Return a row of the athlete's that the column may name; one that no row names yet, where that is asked for."""
    statement = select(key)
    if not RULES[table.name].path and there.name == "user_account":
        statement = statement.where(there.c.athlete_id.is_(None))  # what is nobody's is kept by a coach
    elif RULES[there.name].path:
        statement = statement.where(of_athlete(there, athlete_id))
    if column.unique or (column.primary_key and len(table.primary_key.columns) == 1):
        statement = statement.where(key.not_in(select(column).where(column.is_not(None))))
    return tx.execute(statement.order_by(key.desc()).limit(1)).scalar_one_or_none()


def _typed(column: Column[Any], text: str) -> Any:
    kind = column.type
    if column.name.endswith("_hash"):
        return sha256(text.encode()).hexdigest()
    if isinstance(kind, UtcDateTime):
        return AT
    if column.name.endswith("_utc_s"):
        return AT.timestamp()
    if isinstance(kind, LargeBinary):
        return text.encode()
    if isinstance(kind, JSON):
        return {"said": text, "number": 0.1, "list": [1, None, True, "ß\u2028"]}
    for each, value in ((Date, date(2026, 11, 24)), (Time, time(6, 30)), (Boolean, True), (Double, 0.1 + 0.2)):
        if isinstance(kind, each):
            return value
    if isinstance(kind, String):
        # A signature of a spreadsheet's formula, and a line end.
        return text[: kind.length] if kind.length else f"={text}\n\u20ac"
    return 3
