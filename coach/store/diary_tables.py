"""What people enter themselves: check-ins and trainings. Health text; it is shown, exported and erased."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

checkin = Table(
    "checkin",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request, so that two presses are one
    Column("at", UtcDateTime, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("morning", Boolean, nullable=False),  # tells of the night after the day before
    Column("pain_at_rest", Integer),  # 0 to 10, like the next ones
    Column("pain_in_motion", Integer),
    Column("soreness", Integer),
    Column("readiness", Integer),
    Column("sleep_h", Double),
    Column("sites", JSON, nullable=False),  # where it hurts
    Column("pain_by_site", JSON, nullable=False, server_default="{}"),  # site -> 0 to 10, where it was told
    Column("symptoms", JSON, nullable=False),  # ids of service.diary.SYMPTOMS
    Column("note", Text),
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    UniqueConstraint("athlete_id", "key"),
    Index("ix_checkin_athlete_date", "athlete_id", "local_date"),
    Index("ix_checkin_athlete_at", "athlete_id", "at"),
)

training = Table(
    "training",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request, so that two presses are one
    Column("at", UtcDateTime, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("what", String(100), nullable=False),
    Column("duration_min", Integer, nullable=False),
    Column("effort", Integer, nullable=False),  # 0 to 10
    Column("pitches", Integer),  # thrown as pitches, in games and practice; null: not asked or not known
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    UniqueConstraint("athlete_id", "key"),
    Index("ix_training_athlete_date", "athlete_id", "local_date"),
)
