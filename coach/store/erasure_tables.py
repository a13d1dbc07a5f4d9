"""Erasing somebody: how far it is, and, when it is done, that it was done. Without the person."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

erasure = Table(
    "erasure",
    metadata,
    Column("id", ID, primary_key=True),
    Column(
        "id_hash", String(64), nullable=False, unique=True
    ),  # SHA-256 of the athlete's id: a backup erases again by it
    Column("whose", ID),  # the athlete's id until all rows are gone; no foreign key, it outlives the row
    Column("asked_by", String(20), nullable=False),  # athlete | guardian | owner | restore
    Column("token_hashes", JSON, nullable=False),  # of gateways and phones: whoever shows one is told to forget
    Column("asked_at", UtcDateTime, nullable=False),
    Column("emptied_at", UtcDateTime),  # the last row was deleted
    Column("scrubbed_at", UtcDateTime),  # the database's files were written anew without them
    Column("taken_in_at", UtcDateTime),  # who was erased has come back with an export
)
