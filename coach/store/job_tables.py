"""The jobs and drills that the ergonomic models are asked about. Answers are not stored: they follow."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

job = Table(
    "job",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("model", String(60), nullable=False),  # see service.job_models
    Column("tasks", JSON, nullable=False),  # [{input: text as entered, …}, …]
    Column("counted", JSON, nullable=False),  # [{input: what a wearable counts for it}, …], one per task
    Column("created_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Index("ix_job_athlete_created", "athlete_id", "created_at"),
)
