"""Keep the groups that a coach sorts their list by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0023"
down_revision = "0022"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "athlete_group",
        sa.Column("id", _ID, nullable=False),
        sa.Column("coach_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_athlete_group")),
        sa.ForeignKeyConstraint(["coach_id"], ["user_account.id"], name=op.f("fk_athlete_group_coach_id")),
        sa.UniqueConstraint("coach_id", "name_key", name=op.f("uq_athlete_group_coach_id_name_key")),
    )
    op.create_table(
        "athlete_group_member",
        sa.Column("group_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "athlete_id", name=op.f("pk_athlete_group_member")),
        sa.ForeignKeyConstraint(["group_id"], ["athlete_group.id"], name=op.f("fk_athlete_group_member_group_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_athlete_group_member_athlete_id")),
    )
    op.create_index(op.f("ix_athlete_group_member_athlete_id"), "athlete_group_member", ["athlete_id"])
