"""Chunks that the log handed over and that could not be stored, however often it was tried."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, NUMBER, metadata

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("subject", String(200), nullable=False),  # where in the log it was, and goes when it is sent again
    Column("key", String(600), nullable=False),  # of the chunk; empty where the bytes do not tell it
    Column("blob", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),  # when it was handed over first
    Column("last_at", UtcDateTime, nullable=False),  # when it was given up
    Column("sha256", String(64), nullable=False),  # of the bytes: the log may hand the same ones out again
    UniqueConstraint("athlete_id", "sha256"),
)
