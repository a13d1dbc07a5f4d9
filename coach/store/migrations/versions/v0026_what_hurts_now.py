"""Keep what hurts an athlete now, so that exercises that ask for it are left out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the column; whoever was not asked has none."""
    op.add_column("first_run", sa.Column("hurts_now", sa.JSON()))
