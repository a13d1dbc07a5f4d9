"""Queries over keys of the server, processes at work and uploads in work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from coach.store.engine import Tx
from coach.store.meeting import insert_or_leave
from coach.store.process_tables import process, server_key, upload_piece
from coach.store.rows import Row, many

_KEY = insert_or_leave(server_key)


def key(tx: Tx, name: str) -> str | None:
    """Return a key of the server."""
    found = tx.execute(select(server_key.c.value).where(server_key.c.name == name)).scalar()
    return None if found is None else str(found)


def add_key(tx: Tx, name: str, value: str, now: datetime) -> None:
    """Make a key; where there is one it stays."""
    tx.execute(_KEY[tx.dialect.name], {"name": name, "value": value, "made_at": now})


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Note a process that begins."""
    tx.execute(process.insert(), values)


def see(tx: Tx, process_id: str, now: datetime, worked_at: datetime | None) -> bool:
    """Note that a process is at work; tell whether it was known."""
    changed = update(process).where(process.c.id == process_id).values(seen_at=now, worked_at=worked_at)
    return bool(tx.execute(changed).rowcount)


def remove(tx: Tx, process_id: str) -> None:
    """Forget a process that has ended."""
    tx.execute(delete(process).where(process.c.id == process_id))


def prune(tx: Tx, before: datetime) -> None:
    """Forget processes that were not seen since."""
    tx.execute(delete(process).where(process.c.seen_at < before))


def everybody(tx: Tx) -> list[Row]:
    """Return the processes that are known, by role and start."""
    return many(tx, select(process).order_by(process.c.role, process.c.started_at))


def add_piece(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a piece of an uploaded file."""
    tx.execute(upload_piece.insert(), values)


def pieces(tx: Tx, upload_id: str, user_id: str) -> Sequence[tuple[int, int, str]]:
    """Return file, number and file's name of each piece of a person's upload, in order."""
    asked = (
        select(upload_piece.c.file, upload_piece.c.number, upload_piece.c.file_name)
        .where(upload_piece.c.upload_id == upload_id, upload_piece.c.user_id == user_id)
        .order_by(upload_piece.c.file, upload_piece.c.number)
    )
    return [(file, number, name) for file, number, name in tx.execute(asked)]


def piece(tx: Tx, upload_id: str, file: int, number: int) -> bytes:
    """Return the bytes of a piece; none where it is gone."""
    of = upload_piece.c
    asked = select(of.data).where(of.upload_id == upload_id, of.file == file, of.number == number)
    return bytes(tx.execute(asked).scalar() or b"")


def uploading(tx: Tx, but: str) -> int:
    """Return how many people other than `but` have an upload in work."""
    asked = select(func.count(upload_piece.c.user_id.distinct())).where(upload_piece.c.user_id != but)
    return int(tx.execute(asked).scalar() or 0)


def drop_uploads(tx: Tx, user_id: str) -> None:
    """Forget a person's uploads."""
    tx.execute(delete(upload_piece).where(upload_piece.c.user_id == user_id))


def drop_old_uploads(tx: Tx, before: datetime) -> None:
    """Forget uploads that were kept before a time."""
    tx.execute(delete(upload_piece).where(upload_piece.c.kept_at < before))
