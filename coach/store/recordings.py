"""Queries: streams and their chunks; the append path and the worker's cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import chunk, set_aside, stream, stream_state


def find_stream(tx: Tx, device_id: str, recording_id: str) -> Row | None:
    """Return a stream with its cursor."""
    return one(tx, _streams().where(stream.c.device_id == device_id, stream.c.recording_id == recording_id))


def get_stream(tx: Tx, stream_id: str) -> Row | None:
    """Return a stream with its cursor and state."""
    return one(tx, _streams(stream_state.c.state, stream_state.c.reference).where(stream.c.id == stream_id))


def _streams(*more: Any) -> Any:
    columns = (
        stream_state.c.last_seq,
        stream_state.c.version,
        stream_state.c.settled_at,
        stream_state.c.first_index,
        *more,
    )
    return select(stream, *columns).join(stream_state, stream_state.c.stream_id == stream.c.id)


def add_stream(tx: Tx, device_id: str, recording_id: str, wearable: Row, rate_hz: float, now: datetime) -> str:
    """Insert a stream as the wearable is worn now, with an empty state; return its id."""
    stream_id = fresh_id()
    tx.execute(
        stream.insert().values(
            id=stream_id,
            device_id=device_id,
            recording_id=recording_id,
            athlete_id=wearable["athlete_id"],
            wearable_id=wearable["id"],
            placement=wearable["placement"],
            upright=wearable["upright"],
            rate_hz=rate_hz,
            max_seq=-1,
            last_received_at=now,
            created_at=now,
        )
    )
    tx.execute(
        stream_state.insert().values(
            stream_id=stream_id,
            last_seq=-1,
            version=0,
            algorithm_name="",
            algorithm_version="",
            updated_at=now,
        )
    )
    return stream_id


def add_chunk(tx: Tx, values: dict[str, Any]) -> int | None:
    """Insert a chunk; return its id, or None when its key is known."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    # rowcount differs between the two databases for this statement; RETURNING tells new from known on both.
    statement = dialect.insert(chunk).values(**values).on_conflict_do_nothing().returning(chunk.c.id)
    return tx.execute(statement).scalar_one_or_none()


def same_bytes(tx: Tx, stream_id: str, seq: int, blob: bytes) -> bool:
    """Tell whether the stored chunk of that key has exactly these bytes."""
    found = tx.execute(select(chunk.c.blob).where(chunk.c.stream_id == stream_id, chunk.c.seq == seq)).scalar_one()
    return bytes(found) == blob


def note_append(tx: Tx, stream_id: str, seq: int, now: datetime) -> None:
    """Move the stream's end."""
    statement = update(stream).where(stream.c.id == stream_id)
    tx.execute(
        statement.values(max_seq=case((stream.c.max_seq < seq, seq), else_=stream.c.max_seq), last_received_at=now)
    )


def put_aside(tx: Tx, chunk_id: int, reason: str, now: datetime) -> None:
    """Set a chunk aside with the reason."""
    tx.execute(insert(set_aside).values(chunk_id=chunk_id, reason=reason, at=now))


def pending_streams(tx: Tx, limit: int) -> list[str]:
    """Return streams with chunks beyond their cursor, the one that waits longest first."""
    statement = (
        select(stream.c.id)
        .join(stream_state, stream_state.c.stream_id == stream.c.id)
        .where(stream.c.max_seq > stream_state.c.last_seq)
        .order_by(stream_state.c.updated_at, stream.c.id)
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def chunks_after(tx: Tx, stream_id: str, seq: int, limit: int) -> list[Row]:
    """Return the stream's next chunks in order."""
    statement = (
        select(chunk).where(chunk.c.stream_id == stream_id, chunk.c.seq > seq).order_by(chunk.c.seq).limit(limit)
    )
    return many(tx, statement)


def newest_chunk(tx: Tx, wearable_id: str) -> Row | None:
    """Return the newest chunk of a wearable, by the time of its signal."""
    statement = (
        select(chunk)
        .join(stream, stream.c.id == chunk.c.stream_id)
        .where(stream.c.wearable_id == wearable_id, chunk.c.seq == stream.c.max_seq)
        .order_by(chunk.c.start_utc_s.desc())
        .limit(1)
    )
    return one(tx, statement)


def move_cursor(tx: Tx, stream_id: str, from_seq: int, from_version: int, values: dict[str, Any]) -> bool:
    """Save state and cursor if nobody else has moved them since they were read: the fence. Tell whether it was so."""
    states = stream_state.c
    statement = (
        update(stream_state)
        .where(states.stream_id == stream_id, states.last_seq == from_seq, states.version == from_version)
        .values(**values, version=from_version + 1)
    )
    return tx.execute(statement).rowcount == 1


def stale_streams(tx: Tx, before: datetime, limit: int = 100) -> list[str]:
    """Return analysed, unsettled streams that got no chunk since `before`."""
    states = stream_state.c
    statement = (
        select(stream.c.id)
        .join(stream_state, states.stream_id == stream.c.id)
        .where(
            states.settled_at.is_(None),
            states.last_seq >= 0,
            states.last_seq >= stream.c.max_seq,
            stream.c.last_received_at < before,
        )
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def count_chunks(tx: Tx) -> int:
    """Return how many chunks are stored."""
    return int(tx.execute(select(func.count()).select_from(chunk)).scalar_one())


def set_aside_rows(tx: Tx) -> list[Row]:
    """Return the chunks that were set aside, with device, recording, seq and reason."""
    statement = (
        select(stream.c.device_id, stream.c.recording_id, chunk.c.seq, set_aside.c.reason, set_aside.c.at)
        .join(chunk, chunk.c.id == set_aside.c.chunk_id)
        .join(stream, stream.c.id == chunk.c.stream_id)
        .order_by(chunk.c.id)
    )
    return many(tx, statement)


def take_all_back(tx: Tx, stream_id: str) -> None:
    """Forget that chunks of a stream were set aside; they are tried again."""
    ids = select(chunk.c.id).where(chunk.c.stream_id == stream_id)
    tx.execute(delete(set_aside).where(set_aside.c.chunk_id.in_(ids)))


def is_set_aside(tx: Tx, chunk_id: int) -> bool:
    """Tell whether a chunk was set aside."""
    return bool(tx.execute(select(exists().where(set_aside.c.chunk_id == chunk_id))).scalar_one())
