"""Personal tokens: what a person's own programs show instead of a session."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

personal_token = Table(
    "personal_token",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),  # of the program, in its person's words
    Column("scopes", JSON, nullable=False),  # of service.personal_tokens.TokenScope, in their order
    # Of the person when it was made: a new password ends it like a session.
    Column("epoch", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),  # to the minute
    Column("revoked_at", UtcDateTime),
)
