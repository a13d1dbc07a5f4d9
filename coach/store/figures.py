"""Queries: how much there is and how far the work has come, of everybody together. No row leaves this file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from coach.store.engine import Tx
from coach.store.notification_tables import delivery
from coach.store.tables import chunk, stream, stream_state

_WAITING = (
    select(func.count(func.distinct(stream.c.id)), func.min(chunk.c.received_at))
    .join(stream_state, stream_state.c.stream_id == stream.c.id)
    .join(chunk, (chunk.c.stream_id == stream.c.id) & (chunk.c.seq == stream_state.c.last_seq + 1))
    .where(stream.c.live, stream.c.max_seq > stream_state.c.last_seq)
)


def server_bytes(tx: Tx) -> int | None:
    """Return the size of a server's database; None for a file, which has its own."""
    if tx.dialect.name != "postgresql":
        return None
    return int(tx.execute(select(func.pg_database_size(func.current_database()))).scalar_one())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Recordings whose next chunk waits for its analysis, and since when the longest of them does."""

    recordings: int
    since: datetime | None


def waiting(tx: Tx) -> Waiting:
    """Return what waits for its analysis. A number that is missing waits for its sender and is not counted."""
    count, since = tx.execute(_WAITING).one()
    return Waiting(count, since)


def deliveries(tx: Tx) -> dict[tuple[str, str], int]:
    """Return how many deliveries the log holds by channel and outcome."""
    columns = (delivery.c.channel, delivery.c.outcome)
    rows = tx.execute(select(*columns, func.count()).group_by(*columns))
    return {(channel, outcome): count for channel, outcome, count in rows}
