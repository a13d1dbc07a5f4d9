"""Keep treatments, questionnaires, the doctor's plan and imaging."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0010"
down_revision = "0009"

_ID = sa.String(length=32)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables."""
    _treatment()
    _questionnaire()
    _doctor_plan()
    _imaging()
    op.create_table(
        "care_sharing",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_care_sharing_athlete_id")),
        sa.PrimaryKeyConstraint("athlete_id", name=op.f("pk_care_sharing")),
    )


def _treatment() -> None:
    op.create_table(
        "treatment",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("entered_by", _ID, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        *_whose("treatment", "entered_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_treatment")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_treatment_athlete_id_key")),
        sa.CheckConstraint(
            "kind <> 'medicine' OR (words IS NULL AND note IS NULL)", name=op.f("ck_treatment_medicine_without_words")
        ),
    )
    op.create_index("ix_treatment_athlete_started", "treatment", ["athlete_id", "started_on"], unique=False)


def _questionnaire() -> None:
    op.create_table(
        "questionnaire",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("entered_by", _ID, nullable=False),
        *_whose("questionnaire", "entered_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_questionnaire_athlete_id_key")),
    )
    columns = ["athlete_id", "kind", "local_date"]
    op.create_index("ix_questionnaire_athlete_kind_date", "questionnaire", columns, unique=False)


def _doctor_plan() -> None:
    op.create_table(
        "doctor_plan",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("doctor", sa.String(length=200)),
        sa.Column("diagnosis", sa.Text()),
        sa.Column("contraindications", sa.JSON(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("next_on", sa.Date()),
        sa.Column("recorded_by", _ID, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        *_whose("doctor_plan", "recorded_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor_plan")),
    )
    op.create_index("ix_doctor_plan_athlete_id", "doctor_plan", ["athlete_id"], unique=False)


def _imaging() -> None:
    op.create_table(
        "imaging",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.String(length=200)),
        sa.Column("words", sa.Text()),
        sa.Column("file_name", sa.String(length=200)),
        sa.Column("media_type", sa.String(length=60)),
        sa.Column("size_bytes", sa.Integer()),
        sa.Column("file", sa.LargeBinary()),
        sa.Column("entered_by", _ID, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *_whose("imaging", "entered_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imaging")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_imaging_athlete_id_key")),
    )
    op.create_index("ix_imaging_athlete_taken", "imaging", ["athlete_id", "taken_on"], unique=False)


def _whose(table: str, person: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f(f"fk_{table}_athlete_id")),
        sa.ForeignKeyConstraint([person], ["user_account.id"], name=op.f(f"fk_{table}_{person}")),
    )
