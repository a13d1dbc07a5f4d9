"""Queries: how a database server is set, when it thinks it is, and every chunk that lies there; for the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select, text

from coach.store.engine import Tx
from coach.store.rows import Row, one, streamed
from coach.store.tables import chunk

# Chunks in memory at a time. Own choice: a few MB.
_CHUNKS_AT_ONCE = 500
_SETTINGS = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS version,"
    " current_setting('server_encoding') AS encoding,"
    " current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,"
    " current_setting('synchronous_commit') AS synchronous_commit,"
    " current_setting('max_connections')::int AS most, (SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend') AS connections,"
    " pg_database_size(current_database()) AS bytes, pg_is_in_recovery() AS is_copy"
)


def settings(tx: Tx) -> Row:
    """Return version, encoding, fsync, full_page_writes, synchronous_commit, most (connections), connections (in use
    now), bytes (of the database), is_copy (it takes no writes)."""
    found = one(tx, _SETTINGS)
    return found if found is not None else {}


def now(tx: Tx) -> datetime:
    """Return the time by the server's clock."""
    at: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return at


def chunks_since(tx: Tx, since: datetime | None) -> Iterator[tuple[int, bytes]]:
    """Yield id and bytes of the chunks that arrived since then, None for all, whose signal is still kept."""
    statement = select(chunk.c.id, chunk.c.blob).where(chunk.c.blob != b"")
    if since is not None:
        statement = statement.where(chunk.c.received_at >= since)
    with streamed(tx, statement, _CHUNKS_AT_ONCE) as result:
        for row in result:
            yield row.id, bytes(row.blob)
