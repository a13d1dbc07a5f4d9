"""Queries: heart rate in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from coach.store.engine import Tx
from coach.store.meeting import insert_or_leave
from coach.store.rows import Row, one, one_by_one
from coach.store.tables import heart_block

_ADD = {name: insert.returning(heart_block.c.seq) for name, insert in insert_or_leave(heart_block).items()}


def owner(tx: Tx, device_id: str, recording_id: str) -> Row | None:
    """Return athlete, wearable and placement of a recording that has blocks."""
    columns = heart_block.c
    statement = (
        select(columns.athlete_id, columns.wearable_id, columns.placement)
        .where(columns.device_id == device_id, columns.recording_id == recording_id)
        .limit(1)
    )
    return one(tx, statement)


def add(tx: Tx, values: dict[str, Any]) -> bool:
    """Insert a block unless its key is known; tell whether it is new."""
    if tx.dialect.name == "postgresql" and _is_known(tx, values):
        return False
    return tx.execute(_ADD[tx.dialect.name], values).first() is not None


def _is_known(tx: Tx, values: dict[str, Any]) -> bool:
    """Tell whether a block of this key is stored, of whichever time: only within a month do unique keys say so."""
    columns = heart_block.c
    recording = values["device_id"], values["recording_id"]
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("\n".join(recording), 0))))
    mine = [columns[name] == values[name] for name in ("device_id", "recording_id", "seq")]
    return tx.execute(select(columns.seq).where(*mine)).first() is not None


def holds(tx: Tx, values: dict[str, Any]) -> bool:
    """Tell whether the block of this key has these beats and intervals."""
    columns = heart_block.c
    mine = [columns[name] == values[name] for name in ("device_id", "recording_id", "seq")]
    found = tx.execute(select(columns.beats, columns.rr_s).where(*mine)).one()
    return bool(bytes(found.beats) == values["beats"] and bytes(found.rr_s) == values["rr_s"])


def between(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> Iterator[Row]:
    """Yield the athlete's blocks that begin within [start, end), each recording's in order."""
    columns = heart_block.c
    statement = (
        select(columns.wearable_id, columns.recording_id, columns.placement, columns.beats, columns.rr_s)
        .where(columns.athlete_id == athlete_id, columns.start_utc_s >= start_utc_s, columns.start_utc_s < end_utc_s)
        .order_by(columns.wearable_id, columns.recording_id, columns.seq)
    )
    return one_by_one(tx, statement)
