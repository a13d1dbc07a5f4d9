"""Keep which answers of a phone's queue were taken, and how far an athlete's first run has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0024"
down_revision = "0023"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "sent_answer",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("onward", sa.String(length=1000), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_sent_answer")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_sent_answer_user_id")),
    )
    op.create_index("ix_sent_answer_taken_at", "sent_answer", ["taken_at"])
    op.create_table(
        "first_run",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("put_off", sa.JSON(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("side", sa.String(length=10)),
        sa.Column("injured_at", sa.JSON(), nullable=False),
        sa.Column("injuries", sa.Text()),
        sa.Column("told_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("athlete_id", name=op.f("pk_first_run")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_first_run_athlete_id")),
    )
