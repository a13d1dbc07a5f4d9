"""Keep whom a coach has put on their live wall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "wall_tile",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "athlete_id", name=op.f("pk_wall_tile")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_wall_tile_user_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_wall_tile_athlete_id")),
    )
    op.create_index(op.f("ix_wall_tile_athlete_id"), "wall_tile", ["athlete_id"])
