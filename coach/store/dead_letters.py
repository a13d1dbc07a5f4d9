"""Queries: dead letters, and the chunks that were set aside, for whoever puts them right."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from coach.store.dead_letter_tables import dead_letter
from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.tables import athlete, chunk, set_aside, stream

_LETTERS = select(
    dead_letter.c.id,
    dead_letter.c.athlete_id,
    athlete.c.name,
    dead_letter.c.subject,
    dead_letter.c.key,
    func.length(dead_letter.c.blob).label("size"),
    dead_letter.c.reason,
    dead_letter.c.tries,
    dead_letter.c.first_at,
    dead_letter.c.last_at,
).join(athlete, athlete.c.id == dead_letter.c.athlete_id)
_ASIDE = (
    select(
        set_aside.c.chunk_id.label("id"),
        stream.c.athlete_id,
        athlete.c.name,
        stream.c.id.label("stream_id"),
        stream.c.device_id,
        stream.c.recording_id,
        chunk.c.seq,
        func.length(chunk.c.blob).label("size"),
        set_aside.c.reason,
        set_aside.c.at,
    )
    .join(chunk, chunk.c.id == set_aside.c.chunk_id)
    .join(stream, stream.c.id == chunk.c.stream_id)
    .join(athlete, athlete.c.id == stream.c.athlete_id)
)


def keep(tx: Tx, values: dict[str, Any]) -> str:
    """Insert a dead letter, or change the one with the same bytes; return its reason of before, "" for none.

    values: all columns but the id and the hash. Whoever calls holds the athlete's row.
    """
    known = one(tx, _same(values["athlete_id"], values["blob"]))
    if known is None:
        tx.execute(insert(dead_letter).values(**values, sha256=sha256(values["blob"]).hexdigest()))
        return ""
    again = {name: values[name] for name in ("subject", "key", "reason", "tries", "last_at")}
    tx.execute(update(dead_letter).where(dead_letter.c.id == known["id"]).values(**again))
    return str(known["reason"])


def find(tx: Tx, athlete_id: str, blob: bytes) -> int | None:
    """Return the number of an athlete's dead letter with these bytes."""
    known = one(tx, _same(athlete_id, blob))
    return known["id"] if known is not None else None


def _same(athlete_id: str, blob: bytes) -> Select[Any]:
    mine = (dead_letter.c.athlete_id == athlete_id) & (dead_letter.c.sha256 == sha256(blob).hexdigest())
    return select(dead_letter.c.id, dead_letter.c.reason).where(mine)


def newest(tx: Tx, limit: int) -> list[Row]:
    """Return dead letters without their bytes, newest first."""
    return many(tx, _LETTERS.order_by(dead_letter.c.id.desc()).limit(limit))


def get(tx: Tx, letter_id: int) -> Row | None:
    """Return a dead letter with its bytes (blob)."""
    return one(tx, _LETTERS.add_columns(dead_letter.c.blob).where(dead_letter.c.id == letter_id))


def drop(tx: Tx, letter_id: int, reason: str | None = None) -> bool:
    """Delete a dead letter, with `reason` only while it has that one; tell whether it was there."""
    mine = dead_letter.c.id == letter_id
    return (
        tx.execute(
            delete(dead_letter).where(mine if reason is None else mine & (dead_letter.c.reason == reason))
        ).rowcount
        == 1
    )


def newest_aside(tx: Tx, limit: int, but: str) -> list[Row]:
    """Return chunks that were set aside for another reason than `but`, newest first."""
    return many(tx, _ASIDE.where(set_aside.c.reason != but).order_by(set_aside.c.chunk_id.desc()).limit(limit))


def get_aside(tx: Tx, chunk_id: int) -> Row | None:
    """Return a chunk that was set aside with its bytes (blob)."""
    return one(tx, _ASIDE.add_columns(chunk.c.blob).where(set_aside.c.chunk_id == chunk_id))
