"""Keep that somebody was erased, and that a recording's raw signal was forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0019"
down_revision = "0018"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "erasure",
        sa.Column("id", _ID, nullable=False),
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("whose", _ID),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("token_hashes", sa.JSON(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("emptied_at", UtcDateTime()),
        sa.Column("scrubbed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("id_hash", name=op.f("uq_erasure_id_hash")),
    )
    op.add_column("stream", sa.Column("signal_gone_at", UtcDateTime()))
