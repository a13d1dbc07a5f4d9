"""Queries: streams and their chunks; the append path and the worker's cursor."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, insert, or_, select, update

from coach.errors import Conflict
from coach.store.engine import Tx
from coach.store.many_rows import insert_new, insert_told, select_at
from coach.store.rows import Row, fresh_id_at, many, one
from coach.store.server import AS_IT_LIES
from coach.store.tables import chunk, set_aside, stream, stream_state

# Why a chunk of a number that the analysis has passed is set aside, until the recording is analysed anew.
LATE = "It arrived after the analysis had gone on without it."

# The append path's statements are made once: building them anew for each chunk took longer than the commit. Each is one
# statement for all chunks, and hands out rows only of what is unusual: see many_rows.
_WHOSE = """SELECT stream.device_id, stream.recording_id, stream.id, stream.athlete_id FROM place
    JOIN stream ON stream.device_id = place.device_id AND stream.recording_id = place.recording_id"""
_AT = "FROM place JOIN chunk ON chunk.stream_id = place.stream_id AND chunk.seq = place.seq"
_KNOWN = f"SELECT chunk.stream_id, chunk.seq {_AT}"
_LATE = f"""SELECT chunk.id, chunk.stream_id {_AT}
    JOIN stream_state ON stream_state.stream_id = chunk.stream_id WHERE chunk.seq <= stream_state.last_seq"""
_HOLD = """SELECT stream_state.stream_id FROM place
    JOIN stream ON stream.id = place.stream_id AND place.seq < stream.max_seq
    JOIN stream_state ON stream_state.stream_id = stream.id
    ORDER BY stream_state.stream_id FOR NO KEY UPDATE OF stream_state"""
_HOLD_ENDS = (
    select(stream.c.id)
    .where(stream.c.id.in_(bindparam("streams", expanding=True)))
    .order_by(stream.c.id)
    .with_for_update(key_share=True)  # rows that name them may be added meanwhile
)
_BYTES = select(chunk.c.blob).where(chunk.c.stream_id == bindparam("of_stream"), chunk.c.seq == bindparam("of_seq"))
_NEWEST = select(func.max(chunk.c.seq)).where(chunk.c.stream_id == stream.c.id).scalar_subquery()
_MOVE_ENDS = (
    update(stream)
    .where(stream.c.id.in_(bindparam("streams", expanding=True)))
    .values(
        # What came is there; what is older may be gone.
        max_seq=case((stream.c.max_seq < _NEWEST, _NEWEST), else_=stream.c.max_seq),
        last_received_at=bindparam("now"),
        live=True,
    )
)
# The same for what the worker asks with every chunk.
_CURSOR = (stream_state.c.last_seq, stream_state.c.version, stream_state.c.settled_at, stream_state.c.first_index)
_STREAMS = select(stream, *_CURSOR).join(stream_state, stream_state.c.stream_id == stream.c.id)
_FIND = _STREAMS.where(stream.c.device_id == bindparam("device"), stream.c.recording_id == bindparam("recording"))
_GET = (
    _STREAMS.add_columns(stream_state.c.state, stream_state.c.reference, stream_state.c.algorithm_version)
    .where(stream.c.id == bindparam("of_stream"))
    .execution_options(**{AS_IT_LIES: True})
)
_HOLD_ALL = (
    _STREAMS.add_columns(stream_state.c.state, stream_state.c.reference, stream_state.c.algorithm_version)
    .where(stream.c.id.in_(bindparam("streams", expanding=True)))
    .order_by(stream.c.athlete_id, stream.c.id)
    .with_for_update(of=(stream, stream_state), key_share=True, skip_locked=True)
    .execution_options(**{AS_IT_LIES: True})
)
_PENDING = (
    select(stream.c.id)
    .join(stream_state, stream_state.c.stream_id == stream.c.id)
    .where(stream.c.live, stream.c.max_seq > stream_state.c.last_seq)
    .order_by(stream_state.c.updated_at, stream.c.id)
    .limit(bindparam("most"))
)
_BACKLOG = (
    select(stream.c.id, stream.c.max_seq - stream_state.c.last_seq)
    .join(stream_state, stream_state.c.stream_id == stream.c.id)
    .where(stream.c.live, stream.c.max_seq > stream_state.c.last_seq)
    .order_by(stream_state.c.updated_at, stream.c.id)
    .limit(bindparam("most"))
)
_MOVE_HELD = (
    update(stream_state)
    .where(stream_state.c.stream_id == bindparam("of_stream"))
    .values(
        version=stream_state.c.version + 1,
        **{
            name: bindparam(name)
            for name in (
                "last_seq",
                "first_index",
                "state",
                "algorithm_name",
                "algorithm_version",
                "reference",
                "updated_at",
                "settled_at",
            )
        },
    )
)
_AFTER = (
    select(chunk)
    .where(chunk.c.stream_id == bindparam("of_stream"), chunk.c.seq > bindparam("after"))
    .order_by(chunk.c.seq)
    .limit(bindparam("most"))
    .execution_options(**{AS_IT_LIES: True})
)


def find_stream(tx: Tx, device_id: str, recording_id: str) -> Row | None:
    """Return a stream with its cursor."""
    return one(tx, _FIND, {"device": device_id, "recording": recording_id})


def get_stream(tx: Tx, stream_id: str) -> Row | None:
    """Return a stream with its cursor and state."""
    return one(tx, _GET, {"of_stream": stream_id})


def hold_streams(tx: Tx, stream_ids: Collection[str]) -> list[Row]:
    """Return streams with cursor and state, whose ends and states nobody else moves until this transaction ends.

    PostgreSQL only. Left out are those that somebody else holds: who is stuck with one is not waited for.
    """
    return many(tx, _HOLD_ALL, {"streams": list(stream_ids)})


def hold_ends(tx: Tx, stream_ids: Collection[str]) -> None:
    """Let nobody else append to streams until this transaction ends: before anything else of them is written.

    Who writes a stream's row and its state takes them in this order, and several streams in that of their ids, so that
    two never hold what the other waits for. SQLite has one writer at a time.
    """
    if tx.dialect.name == "postgresql" and stream_ids:
        tx.execute(_HOLD_ENDS, {"streams": list(stream_ids)}).all()


def streams_of_athlete(tx: Tx, athlete_id: str, limit: int, after: Row | None = None) -> list[Row]:
    """Return an athlete's streams with cursor and state, newest first; only those that follow on `after`, a stream."""
    statement = _STREAMS.add_columns(stream_state.c.state, stream_state.c.reference).where(
        stream.c.athlete_id == athlete_id
    )
    if after is not None:
        begun = stream.c.created_at
        same_time = and_(begun == after["created_at"], stream.c.id > after["id"])
        statement = statement.where(or_(begun < after["created_at"], same_time))
    return many(tx, statement.order_by(stream.c.created_at.desc(), stream.c.id).limit(limit))


def find_streams(tx: Tx, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return id and athlete of streams by device and recording."""
    found = select_at(tx, _WHOSE, keys, ("device_id", "recording_id"))
    return {(device_id, recording_id): (stream_id, whose) for device_id, recording_id, stream_id, whose in found}


def add_stream(tx: Tx, device_id: str, recording_id: str, wearable: Row, rate_hz: float, now: datetime) -> str:
    """Insert a stream as the wearable is worn now, with an empty state; return its id. Raises Conflict."""
    return add_streams(tx, [((device_id, recording_id), wearable, rate_hz)], now)[0]


def add_streams(tx: Tx, fresh: Sequence[tuple[tuple[str, str], Row, float]], now: datetime) -> list[str]:
    """Insert streams as their wearables are worn now, with empty states; return their ids. Raises Conflict.

    fresh: device and recording, wearable, rate in Hz of each.
    """
    ids = [fresh_id_at(now) for _ in fresh]
    rows = [
        {
            "id": stream_id,
            "device_id": device_id,
            "recording_id": recording_id,
            "athlete_id": wearable["athlete_id"],
            "wearable_id": wearable["id"],
            "placement": wearable["placement"],
            "upright": wearable["upright"],
            "forward": wearable["forward"],
            "calibrated_at": wearable["calibrated_at"],
            "rate_hz": rate_hz,
            "max_seq": -1,
            "last_received_at": now,
            "live": True,
            "created_at": now,
        }
        for stream_id, ((device_id, recording_id), wearable, rate_hz) in zip(ids, fresh, strict=True)
    ]
    if insert_new(tx, stream, rows) < len(rows):
        raise Conflict("This recording was begun elsewhere at this moment: nothing was stored, send it again.")
    empty = {"last_seq": -1, "version": 0, "algorithm_name": "", "algorithm_version": "", "updated_at": now}
    insert_new(tx, stream_state, [{"stream_id": stream_id, **empty} for stream_id in ids])
    return ids


def known_chunks(tx: Tx, places: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return which chunks, by stream id and number, are stored already."""
    return {(stream_id, seq) for stream_id, seq in select_at(tx, _KNOWN, places)}


def add_chunks(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert chunks. rows: all columns but the id. Raises Conflict when a number is taken."""
    if insert_new(tx, chunk, rows) < len(rows):
        raise Conflict("A chunk of this number came from elsewhere at this moment: nothing was stored, send it again.")


def hold_cursors(tx: Tx, places: Collection[tuple[str, int]]) -> None:
    """Keep workers from moving on over chunks that this transaction puts before the newest ones, until it ends.

    On a server a worker may be about to pass a hole that is being filled: it sees neither the chunk, nor that anything
    changed. From here on it waits, and then finds the state to be another one. SQLite has one writer at a time.
    """
    if tx.dialect.name != "postgresql":
        return
    held = {stream_id for (stream_id,) in select_at(tx, _HOLD, sorted(places))}
    if held:
        states = stream_state.c
        tx.execute(update(stream_state).where(states.stream_id.in_(held)).values(version=states.version + 1))


def add_chunks_told(tx: Tx, rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int], int]:
    """As `add_chunks`; return their ids by stream id and number."""
    told = insert_told(tx, chunk, rows, ("stream_id", "seq", "id"))
    if len(told) < len(rows):
        raise Conflict("A chunk of this number came from elsewhere at this moment: nothing was stored, send it again.")
    return {(stream_id, seq): chunk_id for stream_id, seq, chunk_id in told}


def late_chunks(tx: Tx, places: Collection[tuple[str, int]]) -> list[tuple[int, str]]:
    """Return id and stream of those of stored chunks whose number the analysis has passed."""
    return [(chunk_id, stream_id) for chunk_id, stream_id in select_at(tx, _LATE, places)]


def same_bytes(tx: Tx, stream_id: str, seq: int, blob: bytes) -> bool:
    """Tell whether the stored chunk of that key has exactly these bytes."""
    found = tx.execute(_BYTES, {"of_stream": stream_id, "of_seq": seq}).scalar_one()
    return bytes(found) == blob


def note_append(tx: Tx, stream_ids: Collection[str], now: datetime) -> None:
    """Move the ends of streams to their newest chunk, never back. On a server they are held already (`hold_ends`)."""
    tx.execute(_MOVE_ENDS, {"streams": list(stream_ids), "now": now})


def put_aside(tx: Tx, chunk_id: int, reason: str, now: datetime) -> None:
    """Set a chunk aside with the reason."""
    tx.execute(insert(set_aside).values(chunk_id=chunk_id, reason=reason, at=now))


def pending_streams(tx: Tx, limit: int) -> list[str]:
    """Return streams with chunks beyond their cursor, the one that waits longest first."""
    return list(tx.execute(_PENDING, {"most": limit}).scalars())


def backlog(tx: Tx, limit: int) -> list[tuple[str, int]]:
    """Return streams with chunks beyond their cursor and how many numbers are between, longest waiting first."""
    return [(stream_id, behind) for stream_id, behind in tx.execute(_BACKLOG, {"most": limit})]


def waiting_chunks(tx: Tx, most_of_one: int) -> int:
    """Return how many numbers of all recordings are beyond their cursors; of each at most so many."""
    behind = stream.c.max_seq - stream_state.c.last_seq
    counted = func.sum(case((behind > most_of_one, most_of_one), else_=behind))
    statement = (
        select(func.coalesce(counted, 0))
        .join(stream_state, stream_state.c.stream_id == stream.c.id)
        .where(stream.c.live, behind > 0)
    )
    return int(tx.execute(statement).scalar_one())


def chunks_after(tx: Tx, stream_id: str, seq: int, limit: int) -> list[Row]:
    """Return the stream's next chunks in order."""
    return many(tx, _AFTER, {"of_stream": stream_id, "after": seq, "most": limit})


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


def move_held(tx: Tx, moves: Sequence[dict[str, Any]]) -> None:
    """Save states and cursors of streams that this transaction holds (`hold_streams`), all at once.

    moves: the columns of each, with stream_id. Raises Conflict where one is gone.
    """
    if not moves:
        return
    values = [{("of_stream" if name == "stream_id" else name): each for name, each in row.items()} for row in moves]
    if tx.execute(_MOVE_HELD, values).rowcount != len(moves):
        raise Conflict("A recording went at this moment: nothing was saved.")


def stale_streams(tx: Tx, before: datetime, limit: int = 100) -> list[str]:
    """Return live streams that are analysed to their end and got no chunk since `before`."""
    states = stream_state.c
    statement = (
        select(stream.c.id)
        .join(stream_state, states.stream_id == stream.c.id)
        .where(
            stream.c.live,
            states.last_seq >= 0,
            states.last_seq >= stream.c.max_seq,
            stream.c.last_received_at < before,
        )
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def is_stale(tx: Tx, stream_id: str, before: datetime) -> bool:
    """Tell whether a stream is analysed to its end and got no chunk since `before`."""
    states = stream_state.c
    statement = (
        select(stream.c.id)
        .join(stream_state, states.stream_id == stream.c.id)
        .where(stream.c.id == stream_id, states.last_seq >= stream.c.max_seq, stream.c.last_received_at < before)
    )
    return tx.execute(statement).first() is not None


def rest(tx: Tx, stream_id: str, last_seq: int) -> None:
    """Look at a stream no more, unless it got a chunk beyond that number."""
    tx.execute(update(stream).where(stream.c.id == stream_id, stream.c.max_seq == last_seq).values(live=False))


def wake(tx: Tx, stream_ids: Sequence[str]) -> None:
    """Look at streams again."""
    tx.execute(update(stream).where(stream.c.id.in_(list(stream_ids))).values(live=True))


def has_late(tx: Tx, stream_id: str) -> bool:
    """Tell whether chunks of a stream came after the analysis had passed their numbers."""
    statement = (
        select(chunk.c.id)
        .join(set_aside, set_aside.c.chunk_id == chunk.c.id)
        .where(chunk.c.stream_id == stream_id, set_aside.c.reason == LATE)
        .limit(1)
    )
    return tx.execute(statement).first() is not None


def athletes_behind(tx: Tx, chunks: int) -> set[str]:
    """Return the athletes of whose recordings more than so many chunks wait to be analysed."""
    statement = (
        select(stream.c.athlete_id)
        .join(stream_state, stream_state.c.stream_id == stream.c.id)
        .where(stream.c.live, stream.c.max_seq > stream_state.c.last_seq + chunks)
        .distinct()
    )
    return set(tx.execute(statement).scalars())


def ids_of_athlete(tx: Tx, athlete_id: str, received_since: datetime | None = None) -> list[str]:
    """Return an athlete's streams, oldest first; with a time only those that got a chunk since."""
    statement = select(stream.c.id).where(stream.c.athlete_id == athlete_id)
    if received_since is not None:
        statement = statement.where(stream.c.last_received_at >= received_since)
    return list(tx.execute(statement.order_by(stream.c.created_at, stream.c.id)).scalars())


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
