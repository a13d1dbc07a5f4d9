"""Queries: the parts by month of the tables of signal. PostgreSQL only; on SQLite all of this is no work.

A chunk lies in the month in which its recording began, which the recording's id begins with; a feature and a block of
heart rate in the month of its signal. Every query that asks for a recording or for a time looks into the one or two
parts that can have it. What no month was made for lies in the rest (`<table>_rest`), and moves when its month is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from coach.store.engine import Tx
from coach.store.rows import first_id_at

# Months from now on that are made: as long may a server run without a clock. Own choice.
AHEAD = 3
# Months that are made at most for what lies in the rest, at one time. Own choice: each moves its rows.
_FOUND_AT_ONCE = 12
# The oldest month that is made: what tells of an earlier one has a clock that was never set, or, of a recording, an id
# of before ids told a time. Own choice.
_OLDEST = {"chunk": (2026, 11), "feature": (2000, 1), "heart_block": (2000, 1)}
# Held while months are made or dropped, so that two clocks do not do the same. Any number of our own.
_LOCK = 0x6D6F6E7468
# Making a month waits for whoever reads or writes at this moment, and everybody waits for it: not for long. Own choice.
_WAIT = "SET LOCAL lock_timeout = '2s'"


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> Month:
        """Return the month of a time."""
        utc = at.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def begin(self) -> datetime:
        """Return its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def following(self) -> Month:
        """Return the next one."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


def _second(at: datetime) -> str:
    return f"{at.timestamp():.0f}"


def _recording(at: datetime) -> str:
    return f"'{first_id_at(at)}'"


# Table -> column by which it is parted, and how a month's begin is written there.
PARTED: Mapping[str, tuple[str, Callable[[datetime], str]]] = {
    "chunk": ("stream_id", _recording),
    "feature": ("start_utc_s", _second),
    "heart_block": ("start_utc_s", _second),
}


def made(tx: Tx, table: str) -> list[Month]:
    """Return the months that a table has parts of, oldest first."""
    if tx.dialect.name != "postgresql":
        return []
    statement = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:name AS regclass)")
    names = tx.execute(statement, {"name": table}).scalars()
    found = (re.fullmatch(rf"{table}_(\d{{4}})_(\d\d)", name) for name in names)
    return sorted(Month(int(each[1]), int(each[2])) for each in found if each)


def lacking(tx: Tx, now: datetime) -> list[tuple[str, Month]]:
    """Return the months, with their tables, that are to be made: this one, the next ones, and those of the rest."""
    if tx.dialect.name != "postgresql":
        return []
    ahead = [Month.of(now)]
    while len(ahead) <= AHEAD:
        ahead.append(ahead[-1].following)
    return [
        (table, month)
        for table in PARTED
        for month in sorted({*ahead, *_of_rest(tx, table, ahead[-1])} - set(made(tx, table)))
    ]


def _of_rest(tx: Tx, table: str, last: Month) -> Iterable[Month]:
    column, _ = PARTED[table]
    # A recording's id begins with ms, twelve hexadecimal digits.
    at = "to_timestamp(start_utc_s)"
    if table == "chunk":
        at = "to_timestamp(('x' || substr(stream_id, 1, 12))::bit(48)::bigint / 1000)"
    begin, end = (PARTED[table][1](each) for each in (Month(*_OLDEST[table]).begin, last.following.begin))
    statement = (
        f"SELECT DISTINCT date_trunc('month', {at} AT TIME ZONE 'UTC') FROM {table}_rest"  # noqa: S608 - names of ours
        f" WHERE {column} >= {begin} AND {column} < {end} ORDER BY 1 LIMIT {_FOUND_AT_ONCE}"
    )
    return [Month(at.year, at.month) for at in tx.execute(text(statement)).scalars()]


def make(tx: Tx, table: str, month: Month) -> None:
    """Make a month's part of a table, and move there what lies in the rest; a part that is there is no work."""
    if tx.dialect.name != "postgresql":
        return
    tx.execute(text(_WAIT))
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if month in made(tx, table):
        return
    column, written = PARTED[table]
    name, begin, end = _name(table, month), written(month.begin), written(month.following.begin)
    # Nobody may write into the rest between the move and the new part.
    for statement in (
        f"LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"WITH moved AS (DELETE FROM {table}_rest WHERE {column} >= {begin} AND {column} < {end} RETURNING *)"  # noqa: S608
        f" INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})",
    ):
        tx.execute(text(statement))


def drop_before(tx: Tx, table: str, before: datetime) -> int:
    """Drop the parts of a table that ended before a time, with all that is in them; return how many rows that were.

    Not for chunks: their rows stay when their signal goes.
    """
    if table not in PARTED or table == "chunk" or not _past(tx, table, before):
        return 0
    tx.execute(text(_WAIT))
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    rows = 0
    for name in (_name(table, month) for month in _past(tx, table, before)):
        rows += tx.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - as above
        tx.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
        tx.execute(text(f"DROP TABLE {name}"))
    return rows


def _past(tx: Tx, table: str, before: datetime) -> list[Month]:
    return [month for month in made(tx, table) if month.following.begin <= before]


def _name(table: str, month: Month) -> str:
    return f"{table}_{month.year}_{month.month:02}"
