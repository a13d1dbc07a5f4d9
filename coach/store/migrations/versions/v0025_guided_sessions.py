"""Keep how far somebody is in a guided session, and what each of its sets came to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0025"
down_revision = "0024"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "guided_session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("script", sa.JSON(), nullable=False),
        sa.Column("started_by", _ID, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guided_session")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_guided_session_athlete_id")),
        sa.ForeignKeyConstraint(["session_id"], ["planned_session.id"], name=op.f("fk_guided_session_session_id")),
        sa.ForeignKeyConstraint(["started_by"], ["user_account.id"], name=op.f("fk_guided_session_started_by")),
        sa.UniqueConstraint("session_id", name=op.f("uq_guided_session_session_id")),
    )
    op.create_index("ix_guided_session_athlete_started", "guided_session", ["athlete_id", "started_at"])
    op.create_table(
        "guided_set",
        sa.Column("guided_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("exercise_id", sa.String(length=60), nullable=False),
        sa.Column("side", sa.String(length=10)),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("hold_s", sa.Double()),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("by_hand", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer()),
        sa.Column("stored", sa.Integer()),
        sa.Column("detail", sa.JSON()),
        sa.Column("wearable_id", _ID),
        sa.Column("recording_id", sa.String(length=200)),
        sa.Column("signal_start_utc_s", sa.Double()),
        sa.Column("signal_end_utc_s", sa.Double()),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("settled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("guided_id", "number", name=op.f("pk_guided_set")),
        sa.ForeignKeyConstraint(["guided_id"], ["guided_session.id"], name=op.f("fk_guided_set_guided_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_guided_set_athlete_id")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_guided_set_wearable_id")),
    )
    op.create_index("ix_guided_set_athlete_started", "guided_set", ["athlete_id", "started_at"])
    op.create_index("ix_guided_set_state", "guided_set", ["state", "ended_at"])
