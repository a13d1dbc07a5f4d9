"""What a coach makes at the program desk: who wrote a proposal, templates, own exercises, messages, private notes."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

# A proposal without a row here came from findings.
plan_author = Table(
    "plan_author",
    metadata,
    Column("plan_id", ID, ForeignKey("plan.id"), primary_key=True),
    Column("written_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("made_from", String(20), nullable=False),  # coach.service.plan_differences.MadeFrom
    Column("template_name", String(80)),
)

# Of nobody's athlete: no because, no side, no rest of whoever it was made from.
program_template = Table(
    "program_template",
    metadata,
    Column("id", ID, primary_key=True),
    Column("coach_id", ID, ForeignKey("user_account.id"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("exercises", JSON, nullable=False),  # as in plan.prescription; own exercises as they were
    Column("sessions_per_week", Integer, nullable=False),
    Column("weeks", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("coach_id", "name"),
)

own_exercise = Table(
    "own_exercise",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("coach_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("entry", JSON, nullable=False),  # as a table of programs/exercises.toml
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

session_message = Table(
    "session_message",
    metadata,
    Column("session_id", ID, ForeignKey("planned_session.id"), primary_key=True),
    Column("written_by", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
)

coach_note = Table(
    "coach_note",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("written_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
    Index("ix_coach_note_athlete_by", "athlete_id", "written_by", "written_at"),
)
