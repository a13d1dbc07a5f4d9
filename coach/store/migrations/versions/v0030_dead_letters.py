"""Keep chunks that the log handed over and that could not be stored, so that its other chunks go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime
from coach.store.schema import NUMBER

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "dead_letter",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=600), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_dead_letter_athlete_id")),
    )
    op.create_index("ix_dead_letter_athlete_id", "dead_letter", ["athlete_id"])
