"""Values of a SQLite file as PostgreSQL takes them, and those that it cannot take.

SQLite keeps in a column whatever is put there, PostgreSQL what the column says. Rows are read by the number that SQLite
gives each of them (rowid), in the order of the file, and one at a time: no piece of work holds a table.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Double, Integer, LargeBinary, String, Table, Time

from coach.store.engine import UtcDateTime

Turn = Callable[[Any], Any]
# Values that are named for each column; who mends a database wants one to look at and the number. Own choice.
_NAMED_MAX = 3
# Bytes of a row beside those of its long values. Own choice: only shares of the work are made of it.
_ROW_BYTES = 100


class NotText:
    """What stands for a text that is no UTF-8."""


@dataclass
class Load:
    """What a table has to move. rows, bytes: how much; unfit: what PostgreSQL would not take, named."""

    rows: int = 0
    bytes: int = 0
    unfit: list[str] = field(default_factory=list)


def open_texts(snapshot: sqlite3.Connection) -> None:
    """Have a connection tell which texts are none, instead of failing at them."""

    def text(raw: bytes) -> str | NotText:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return NotText()

    snapshot.text_factory = text


def rows_after(
    snapshot: sqlite3.Connection, table: Table, after: int, light: bool = False
) -> Generator[Sequence[Any], None, None]:
    """Yield rowid and values of each row behind a rowid. light: of bytes, whether they are bytes and how many."""
    named = ", ".join(
        f"iif(typeof({quoted}) = 'blob', length({quoted}), {quoted})"
        if light and isinstance(column.type, LargeBinary)
        else quoted
        for column in table.c
        for quoted in [f'"{column.name}"']
    )
    # Names of our own tables and columns.
    yield from snapshot.execute(
        f'SELECT rowid, {named} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid',  # noqa: S608
        (after,),
    )


def look_through(snapshot: sqlite3.Connection, table: Table, told: Callable[[int], None]) -> Load:
    """Read a table and say how much it holds and what of it PostgreSQL cannot take. told: hears rows that are read."""
    load, found = Load(), Counter[str]()
    keys = [column.name for column in table.primary_key]
    checks = [(column, _check(column)) for column in table.c]
    for _, *values in rows_after(snapshot, table, 0, light=True):
        load.rows += 1
        load.bytes += _ROW_BYTES
        for (column, check), value in zip(checks, values, strict=True):
            if value is None:
                continue
            why = check(value)
            if why is None:
                load.bytes += value if isinstance(column.type, LargeBinary) else len(value) if type(value) is str else 0
                continue
            found[column.name] += 1
            if found[column.name] <= _NAMED_MAX:
                row = dict(zip((each.name for each in table.c), values, strict=True))
                where = ", ".join(f"{name} {row[name]!r:.80}" for name in keys)
                load.unfit.append(f"{table.name}.{column.name} of the row with {where} {why}")
        if load.rows % 1000 == 0:
            told(load.rows)
    load.unfit += [
        f"{table.name}.{name}: {count - _NAMED_MAX} more rows like these" for name, count in found.items()
        if count > _NAMED_MAX
    ]  # fmt: skip
    return load


def turning(table: Table) -> list[Turn | None]:
    """Return what makes PostgreSQL's values of SQLite's, a column each; None where they are the same."""
    return [_turn(column) for column in table.c]


def _turn(column: Column[Any]) -> Turn | None:
    kind = column.type
    if isinstance(kind, Boolean):
        return lambda value: None if value is None else bool(value)
    if isinstance(kind, JSON):
        # SQLite keeps a bare number as a number.
        return lambda value: value if value is None or isinstance(value, str) else json.dumps(value)
    of_text: tuple[tuple[type, Turn], ...] = (
        (UtcDateTime, _at), (Date, date.fromisoformat), (Time, time.fromisoformat)
    )  # fmt: skip
    for of, turn in of_text:
        if isinstance(kind, of):
            return partial(_or_none, turn)
    return None


def _or_none(turn: Turn, value: Any) -> Any:
    return None if value is None else turn(value)


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError("a time with a zone")
    return at.replace(tzinfo=UTC)


def _check(column: Column[Any]) -> Callable[[Any], str | None]:
    """Return what says why a value cannot be in PostgreSQL's column of this kind."""
    kind = column.type
    if isinstance(kind, JSON):
        return _not_json
    if isinstance(kind, String):
        return lambda value: _no_text(value, kind.length)
    if isinstance(kind, LargeBinary):
        return lambda value: None if type(value) is int else "is text, not bytes"
    if isinstance(kind, Boolean):
        return lambda value: None if type(value) is int and value in (0, 1) else f"is {value!r:.40}, not 0 or 1"
    if isinstance(kind, BigInteger | Integer):
        bits = 64 if isinstance(kind, BigInteger) else 32
        return lambda value: _no_number(value, bits)
    if isinstance(kind, Double):
        return lambda value: None if type(value) is float else f"is {value!r:.40}, not a number"
    turn = _turn(column)
    if turn is None:
        raise TypeError(f"{column.table.name}.{column.name} is of a kind that nothing is known of: {kind!r}.")
    return partial(_not_turned, turn)


def _no_text(value: Any, most: int | None) -> str | None:
    if isinstance(value, NotText):
        return "is not UTF-8"
    if not isinstance(value, str):
        return f"is {value!r:.40}, not text"
    if "\0" in value:
        return "holds the character NUL"
    return f"has {len(value)} characters, more than {most}" if most is not None and len(value) > most else None


def _no_number(value: Any, bits: int) -> str | None:
    if type(value) is not int:
        return f"is {value!r:.40}, not a whole number"
    return None if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else f"is {value}, beyond {bits} bits"


def _not_json(value: Any) -> str | None:
    if not isinstance(value, int | float) and (why := _no_text(value, None)) is not None:
        return why
    try:
        json.loads(value if isinstance(value, str) else json.dumps(value), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return f"is no JSON ({error})"
    return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _not_turned(turn: Turn, value: Any) -> str | None:
    try:
        turn(value)
    except (ValueError, TypeError):
        return f"is {value!r:.40}, no time or date as Backstop writes them"
    return None
