"""Keep which recordings an athlete-day of a run is made of: looked up once, when it is planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the column."""
    op.add_column("reanalysis_day", sa.Column("stream_ids", sa.JSON()))
