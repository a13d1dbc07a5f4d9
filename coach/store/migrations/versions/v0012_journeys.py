"""Keep an athlete's journeys: on which days in which time zone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column."""
    op.add_column("athlete", sa.Column("travel", sa.JSON(), nullable=False, server_default="[]"))
