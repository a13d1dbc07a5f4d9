"""Treatments, answers about everyday life, the doctor's plan, imaging. Health text, interpreted nowhere."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, NUMBER, metadata

treatment = Table(
    "treatment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request, so that two presses are one
    Column("kind", String(40), nullable=False),  # of service.care_views.TreatmentKind
    Column("words", Text),  # what the doctor named, in own words
    Column("note", Text),
    Column("started_on", Date, nullable=False),
    Column("ended_on", Date),  # the last day of it; null: goes on
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("athlete_id", "key"),
    # Neither a drug nor a dose has a place: of medicine, only that some was taken.
    CheckConstraint("kind <> 'medicine' OR (words IS NULL AND note IS NULL)", name="medicine_without_words"),
    Index("ix_treatment_athlete_started", "athlete_id", "started_on"),
)

questionnaire = Table(
    "questionnaire",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),
    Column("kind", String(40), nullable=False),  # of service.care_views.QuestionnaireKind
    Column("version", String(20), nullable=False),  # of the statements
    Column("answered_at", UtcDateTime, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("answers", JSON, nullable=False),  # statement -> yes, or activity -> 0 to 10
    Column("score", Double, nullable=False),
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    UniqueConstraint("athlete_id", "key"),
    Index("ix_questionnaire_athlete_kind_date", "athlete_id", "kind", "local_date"),
)

doctor_plan = Table(
    "doctor_plan",
    metadata,
    # Numbered: which plan stands must not hang on a clock that may jump.
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("told_on", Date, nullable=False),
    Column("doctor", String(200)),
    Column("diagnosis", Text),
    Column("contraindications", JSON, nullable=False),  # ids of programs.exercises.CONTRAINDICATIONS
    Column("measures", JSON, nullable=False),  # conservative measures as the doctor named them
    Column("next_on", Date),  # next appointment
    Column("recorded_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

imaging = Table(
    "imaging",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),
    Column("kind", String(20), nullable=False),  # of service.care_views.ImagingKind
    Column("taken_on", Date, nullable=False),
    Column("asked_by", String(200)),
    Column("words", Text),  # what the report says, in own words
    Column("file_name", String(200)),
    Column("media_type", String(60)),  # by the file's content
    Column("size_bytes", Integer),
    Column("file", LargeBinary),
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("athlete_id", "key"),
    Index("ix_imaging_athlete_taken", "athlete_id", "taken_on"),
)
