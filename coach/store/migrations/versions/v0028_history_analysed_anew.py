"""Keep runs that analyse history anew, each athlete-day of them, and by which limits a recording was settled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0028"
down_revision = "0027"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the two tables and the column; of recordings of before it is not known."""
    op.add_column("stream_state", sa.Column("limits", sa.String(length=12)))
    op.create_table(
        "reanalysis",
        sa.Column("id", _ID, nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("asked_by", _ID),
        sa.Column("athlete_id", _ID),
        sa.Column("since", sa.Date()),
        sa.Column("algorithm_version", sa.String(length=40), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("works_until", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reanalysis")),
        sa.ForeignKeyConstraint(["asked_by"], ["user_account.id"], name=op.f("fk_reanalysis_asked_by")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_reanalysis_athlete_id")),
    )
    op.create_index("ix_reanalysis_athlete_id", "reanalysis", ["athlete_id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_reanalysis_running", "reanalysis", ["state"], unique=True, sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "reanalysis_day",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("makes", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("taken_until", UtcDateTime()),
        sa.Column("recordings", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("took_s", sa.Double()),
        sa.Column("reason", sa.Text()),
        sa.Column("ended_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("run_id", "athlete_id", "part", "local_date", name=op.f("pk_reanalysis_day")),
        sa.ForeignKeyConstraint(["run_id"], ["reanalysis.id"], name=op.f("fk_reanalysis_day_run_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_reanalysis_day_athlete_id")),
    )
    op.create_index("ix_reanalysis_day_state", "reanalysis_day", ["run_id", "state", "athlete_id", "local_date"])
    op.create_index("ix_reanalysis_day_athlete", "reanalysis_day", ["athlete_id", "part", "state"])
