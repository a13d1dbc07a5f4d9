"""Say what a lock holds back, and keep whether a session was done as walking and rest in place of what was planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Replace the yes or no of a lock by its value."""
    for table in ("athlete", "triage_answer"):
        op.add_column(table, sa.Column("lock", sa.String(length=10), nullable=False, server_default="none"))
    # Who was locked stays wholly locked until the next answers or the clinician: nothing is let go by an update.
    op.execute(sa.text("UPDATE athlete SET lock = 'all' WHERE locked"))
    op.execute(
        sa.text(
            "UPDATE triage_answer SET lock = CASE WHEN level = 'PROMPT' THEN 'starting' ELSE 'all' END WHERE locked"
        )
    )
    for table in ("athlete", "triage_answer"):
        op.drop_column(table, "locked")
    op.add_column("planned_session", sa.Column("fallback", sa.Boolean(), nullable=False, server_default=sa.false()))
