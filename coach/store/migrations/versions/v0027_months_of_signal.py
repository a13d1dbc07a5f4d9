"""Part the tables of signal by month on PostgreSQL; SQLite keeps them as they are.

A part holds what its key says, so that every unique key has to have it. Chunks are parted by the id of their recording,
which begins with the time at which that began: (stream_id, seq) stays unique over all parts. Features and heart rate
are parted by the time of their signal. Nothing can refer to the id of a chunk alone any more: the foreign keys to it
end here; chunks are deleted with their athlete only, after what names them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

# Table, its key of parts, its primary key, its unique key, its other indexes, the tables that its rows name.
_PARTED = (
    ("chunk", "stream_id", "id, stream_id", "stream_id, seq", (), ("stream",)),
    (
        "feature",
        "start_utc_s",
        "id, start_utc_s",
        "chunk_id, start_utc_s",
        (("athlete_time", "athlete_id, start_utc_s"), ("stream_time", "stream_id, start_utc_s")),
        ("stream", "athlete"),
    ),
    (
        "heart_block",
        "start_utc_s",
        "device_id, recording_id, seq, start_utc_s",
        "",
        (("athlete_time", "athlete_id, start_utc_s"),),
        ("athlete", "wearable"),
    ),
)
_UNIQUE_NAMES = {"chunk": "uq_chunk_stream_id_seq", "feature": "uq_feature_chunk_id"}


def upgrade() -> None:
    """Copy each table into one of parts."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE feature DROP CONSTRAINT fk_feature_chunk_id")
    op.execute("ALTER TABLE set_aside DROP CONSTRAINT fk_set_aside_chunk_id")
    # What is compressed already is not compressed again.
    op.execute("ALTER TABLE chunk ALTER COLUMN blob SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE imaging ALTER COLUMN file SET STORAGE EXTERNAL")
    for parted in _PARTED:
        _part(*parted)


def _part(
    table: str, by: str, key: str, unique: str, indexes: tuple[tuple[str, str], ...], names: tuple[str, ...]
) -> None:
    old = f"{table}_whole"
    op.execute(f"ALTER TABLE {table} RENAME TO {old}")
    op.execute(f"CREATE TABLE {table} (LIKE {old} INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE ({by})")
    if key.startswith("id"):
        op.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id")
    op.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
    if table == "chunk":
        # Of before ids told a time: they begin with any sign. Nothing else begins like this until 2074.
        op.execute("CREATE TABLE chunk_of_before PARTITION OF chunk FOR VALUES FROM ('03') TO (MAXVALUE)")
    else:
        for begin, end in _months_of(old):
            name = f"{table}_{begin:%Y_%m}"
            bounds = f"FROM ({begin.timestamp():.0f}) TO ({end.timestamp():.0f})"
            op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds}")
    op.execute(f"INSERT INTO {table} SELECT * FROM {old}")  # noqa: S608 - names of our own tables
    op.execute(f"DROP TABLE {old}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key})")
    if unique:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {_UNIQUE_NAMES[table]} UNIQUE ({unique})")
    for name, columns in indexes:
        op.execute(f"CREATE INDEX ix_{table}_{name} ON {table} ({columns})")
    for there in names:
        constraint = f"fk_{table}_{there}_id"
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} FOREIGN KEY ({there}_id) REFERENCES {there} (id)")


def _months_of(old: str) -> list[tuple[datetime, datetime]]:
    """Return begin and end of the months of whose signal there is some; a clock that was far off goes to the rest."""
    told = f"SELECT to_timestamp(start_utc_s) AT TIME ZONE 'UTC' AS at, start_utc_s FROM {old}"  # noqa: S608 - as above
    sane = "start_utc_s >= 946684800 AND start_utc_s <= extract(epoch FROM now())"
    parts = "extract(year FROM at)::int, extract(month FROM at)::int"
    found = op.get_bind().execute(sa.text(f"SELECT DISTINCT {parts} FROM ({told}) AS told WHERE {sane} ORDER BY 1, 2"))  # noqa: S608
    return [
        (datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC))
        for year, month in found
    ]
