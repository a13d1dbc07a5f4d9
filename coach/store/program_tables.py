"""How programs change while they run, and which exercises somebody does not want."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, String, Table, Text

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata, unique_where

program_change = Table(
    "program_change",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("plan_id", ID, ForeignKey("plan.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),  # coach.service.program_changes.ChangeKind
    Column("state", String(20), nullable=False),  # coach.service.program_changes.ChangeState
    Column("exercise_id", String(60)),  # that changes; null where the whole program does
    Column("before", JSON, nullable=False),  # the plan's prescription; a yes counts for no other one
    Column("after", JSON, nullable=False),
    Column("because", Text, nullable=False),
    Column("first_on", Date),  # of days that are lighter, or without a session; null like the next where none are
    Column("last_on", Date),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),  # accepted, declined, taken back, or applied by itself
    Column("decided_by", ID, ForeignKey("user_account.id")),  # null: the service
    unique_where("uq_program_change_one_proposed", "state = 'proposed'", "athlete_id"),
    Index("ix_program_change_athlete_at", "athlete_id", "created_at"),
)

declined_exercise = Table(
    "declined_exercise",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("exercise_id", String(60), primary_key=True),
    Column("declined_at", UtcDateTime, nullable=False),
    Column("declined_by", ID, ForeignKey("user_account.id"), nullable=False),
)
