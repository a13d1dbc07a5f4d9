"""Keep that somebody who was erased was taken in again, for the list of every process."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the column; who was taken in before has no row."""
    op.add_column("erasure", sa.Column("taken_in_at", UtcDateTime()))
