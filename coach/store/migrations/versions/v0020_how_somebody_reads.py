"""Keep in which language and in which units somebody reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add two columns; nobody has chosen yet."""
    op.add_column("user_account", sa.Column("language", sa.String(length=10)))
    op.add_column("user_account", sa.Column("units", sa.String(length=10)))
