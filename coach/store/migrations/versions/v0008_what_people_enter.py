"""Keep check-ins and trainings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0008"
down_revision = "0007"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables."""
    _checkin()
    _training()


def _checkin() -> None:
    op.create_table(
        "checkin",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("morning", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Integer()) for name in ("pain_at_rest", "pain_in_motion", "soreness", "readiness")),
        sa.Column("sleep_h", sa.Double()),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("symptoms", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("entered_by", _ID, nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_checkin_athlete_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["user_account.id"], name=op.f("fk_checkin_entered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkin")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_checkin_athlete_id_key")),
    )
    op.create_index("ix_checkin_athlete_date", "checkin", ["athlete_id", "local_date"], unique=False)
    op.create_index("ix_checkin_athlete_at", "checkin", ["athlete_id", "at"], unique=False)


def _training() -> None:
    op.create_table(
        "training",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=100), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("effort", sa.Integer(), nullable=False),
        sa.Column("pitches", sa.Integer()),
        sa.Column("entered_by", _ID, nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_training_athlete_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["user_account.id"], name=op.f("fk_training_entered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_training_athlete_id_key")),
    )
    op.create_index("ix_training_athlete_date", "training", ["athlete_id", "local_date"], unique=False)
