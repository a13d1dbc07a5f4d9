"""Let gateways be away from the server: tokens tell when they were used, links leave a log, the bow is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0002"
down_revision = "0001"


def _connection_log() -> None:
    op.create_table(
        "connection_log",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("wearable_id", sa.String(length=32), nullable=False),
        sa.Column("recording_id", sa.String(length=200), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("redacted", sa.Text(), nullable=False),
        sa.Column("whole", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_connection_log_athlete_id")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_connection_log_wearable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_log")),
        sa.UniqueConstraint("wearable_id", "recording_id", name=op.f("uq_connection_log_wearable_id_recording_id")),
    )
    op.create_index("ix_connection_log_athlete_begun", "connection_log", ["athlete_id", "begun_at"], unique=False)


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("api_token", sa.Column("last_used_at", UtcDateTime(), nullable=True))
    # Tokens carry their own id from here on; one of the older form would never fit again, so it is shown as ended.
    op.execute("UPDATE api_token SET revoked_at = created_at WHERE revoked_at IS NULL")
    op.add_column("wearable", sa.Column("forward", sa.JSON(), nullable=True))
    op.add_column("stream", sa.Column("forward", sa.JSON(), nullable=True))
    op.add_column("stream", sa.Column("calibrated_at", UtcDateTime(), nullable=True))
    _connection_log()
