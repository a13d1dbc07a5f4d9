"""What the processes of one Backstop have in common beside people's data: keys, who is at work, files in work."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

# Secrets of the server as a whole; on one machine they are files of the storage folder.
server_key = Table(
    "server_key",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

process = Table(
    "process",
    metadata,
    Column("id", ID, primary_key=True),
    Column("role", String(20), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(40), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("worked_at", UtcDateTime),  # when a round or tick was done last; None: none yet, or of a web
)

# A file between the look and the import, so that each process finds it; gone within an hour or two.
upload_piece = Table(
    "upload_piece",
    metadata,
    Column("upload_id", String(60), primary_key=True),
    Column("file", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Index("ix_upload_piece_user_id", "user_id"),
)
