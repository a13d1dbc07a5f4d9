"""Keep heart rate and the intervals between beats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "heart_block",
        sa.Column("device_id", sa.String(length=200), nullable=False),
        sa.Column("recording_id", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("wearable_id", sa.String(length=32), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("start_utc_s", sa.Double(), nullable=False),
        sa.Column("beats", sa.LargeBinary(), nullable=False),
        sa.Column("rr_s", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_heart_block_athlete_id")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_heart_block_wearable_id")),
        sa.PrimaryKeyConstraint("device_id", "recording_id", "seq", name=op.f("pk_heart_block")),
    )
    op.create_index("ix_heart_block_athlete_time", "heart_block", ["athlete_id", "start_utc_s"], unique=False)
