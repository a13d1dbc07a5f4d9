"""Whom a coach has put on their live wall."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table

from coach.store.schema import ID, metadata

wall_tile = Table(
    "wall_tile",
    metadata,
    Column("user_id", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True, index=True),
    Column("place", Integer, nullable=False),  # 0 is the first tile
)
