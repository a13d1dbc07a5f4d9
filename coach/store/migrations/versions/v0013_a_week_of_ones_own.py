"""Keep times of single weekdays, the time zones that days were lived in, and how much a calendar says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns."""
    for name, empty in (("times", "{}"), ("past_zones", "[]")):
        op.add_column("athlete", sa.Column(name, sa.JSON(), nullable=False, server_default=empty))
    op.add_column(
        "reminder_settings", sa.Column("calendar_why", sa.Boolean(), nullable=False, server_default=sa.false())
    )
