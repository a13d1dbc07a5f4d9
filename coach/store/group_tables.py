"""How coaches sort their lists: groups that a coach makes, and who is in them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

athlete_group = Table(
    "athlete_group",
    metadata,
    Column("id", ID, primary_key=True),
    Column("coach_id", ID, ForeignKey("user_account.id"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("name_key", String(120), nullable=False),  # casefolded: one name once for each coach
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("coach_id", "name_key"),
)

athlete_group_member = Table(
    "athlete_group_member",
    metadata,
    Column("group_id", ID, ForeignKey("athlete_group.id"), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True, index=True),
)
