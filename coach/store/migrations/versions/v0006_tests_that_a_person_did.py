"""Keep assessments and their trials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0006"
down_revision = "0005"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables."""
    _assessment()
    _trial()


def _assessment() -> None:
    op.create_table(
        "assessment",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("tests", sa.JSON(), nullable=False),
        sa.Column("wearable_id", _ID, nullable=True),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("started_by", _ID, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_assessment_athlete_id")),
        sa.ForeignKeyConstraint(["started_by"], ["user_account.id"], name=op.f("fk_assessment_started_by")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_assessment_wearable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_assessment_athlete_id_key")),
    )
    op.create_index("ix_assessment_athlete_started", "assessment", ["athlete_id", "started_at"], unique=False)
    _one_running("uq_assessment_one_running", "assessment", "athlete_id")


def _trial() -> None:
    op.create_table(
        "assessment_trial",
        sa.Column("id", _ID, nullable=False),
        sa.Column("assessment_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("test", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.String(length=20), nullable=False) for name in ("source", "state")),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("wearable_id", _ID, nullable=True),
        sa.Column("recording_id", sa.String(length=200), nullable=True),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("signal_start_utc_s", "signal_end_utc_s")),
        sa.Column("limit_reached", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=True) for name in ("setup", "provisional", "result")),
        sa.Column("reason", sa.Text(), nullable=True),
        *(sa.Column(name, sa.String(length=40), nullable=True) for name in ("algorithm_name", "algorithm_version")),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=True) for name in ("ended_at", "settled_at")),
        sa.Column("recorded_by", _ID, nullable=False),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_assessment_trial_assessment_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_assessment_trial_athlete_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["user_account.id"], name=op.f("fk_assessment_trial_recorded_by")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_assessment_trial_wearable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_trial")),
        sa.UniqueConstraint("assessment_id", "key", name=op.f("uq_assessment_trial_assessment_id_key")),
        sa.UniqueConstraint("assessment_id", "number", name=op.f("uq_assessment_trial_assessment_id_number")),
    )
    columns = ["athlete_id", "test", "started_at"]
    op.create_index("ix_assessment_trial_athlete_test", "assessment_trial", columns, unique=False)
    op.create_index("ix_assessment_trial_state", "assessment_trial", ["state", "ended_at"], unique=False)
    _one_running("uq_assessment_trial_one_running", "assessment_trial", "assessment_id")


def _one_running(index: str, table: str, column: str) -> None:
    running = sa.text("state = 'running'")
    op.create_index(index, table, [column], unique=True, sqlite_where=running, postgresql_where=running)
