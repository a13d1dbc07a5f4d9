"""Keep how running programs change, what somebody does not want, has at hand and has time for, and pain afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime
from coach.store.schema import ID

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add tables and columns."""
    op.add_column("athlete", sa.Column("equipment", sa.JSON(), nullable=True))
    op.add_column("athlete", sa.Column("session_max_min", sa.Integer(), nullable=True))
    op.add_column("session_outcome", sa.Column("pain_after", sa.Integer(), nullable=True))
    op.add_column("plan", sa.Column("looked_on", sa.Date(), nullable=True))
    op.create_table(
        "program_change",
        sa.Column("id", ID, nullable=False),
        sa.Column("athlete_id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("exercise_id", sa.String(60), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name="fk_program_change_athlete_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_program_change_plan_id"),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.id"], name="fk_program_change_decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_program_change"),
    )
    op.create_index("ix_program_change_plan_id", "program_change", ["plan_id"])
    op.create_index("ix_program_change_athlete_at", "program_change", ["athlete_id", "created_at"])
    op.create_index(
        "uq_program_change_one_proposed",
        "program_change",
        ["athlete_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "declined_exercise",
        sa.Column("athlete_id", ID, nullable=False),
        sa.Column("exercise_id", sa.String(60), nullable=False),
        sa.Column("declined_at", UtcDateTime(), nullable=False),
        sa.Column("declined_by", ID, nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name="fk_declined_exercise_athlete_id"),
        sa.ForeignKeyConstraint(["declined_by"], ["user_account.id"], name="fk_declined_exercise_declined_by"),
        sa.PrimaryKeyConstraint("athlete_id", "exercise_id", name="pk_declined_exercise"),
    )
