"""Keep acute spasms and what was asked after them, and how strong it is at each place of a check-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0015"
down_revision = "0014"

_ID = sa.String(length=32)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables and the column."""
    op.add_column("checkin", sa.Column("pain_by_site", sa.JSON(), nullable=False, server_default="{}"))
    _spasm()
    _follow_up()


def _spasm() -> None:
    op.create_table(
        "spasm",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("ask_since", UtcDateTime(), nullable=False),
        sa.Column("triage_id", _NUMBER),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("phase_since", UtcDateTime(), nullable=False),
        sa.Column("plan_id", _ID),
        sa.Column("program", sa.JSON()),
        sa.Column("recurred", sa.Boolean(), nullable=False),
        sa.Column("walked_10_min", sa.Boolean()),
        sa.Column("full_motion", sa.Boolean()),
        sa.Column("comfort", sa.String(length=10)),
        sa.Column("comfort_until", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_why", sa.String(length=20)),
        sa.Column("entered_by", _ID, nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_spasm_athlete_id")),
        sa.ForeignKeyConstraint(["triage_id"], ["triage_answer.id"], name=op.f("fk_spasm_triage_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_spasm_plan_id")),
        sa.ForeignKeyConstraint(["entered_by"], ["user_account.id"], name=op.f("fk_spasm_entered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spasm")),
        sa.UniqueConstraint("athlete_id", "key", name=op.f("uq_spasm_athlete_id_key")),
    )
    op.create_index("ix_spasm_athlete_begun", "spasm", ["athlete_id", "begun_at"], unique=False)
    going_on = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_spasm_going_on", "spasm", ["athlete_id"], unique=True, sqlite_where=going_on, postgresql_where=going_on
    )


def _follow_up() -> None:
    op.create_table(
        "spasm_follow_up",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("spasm_id", _ID, nullable=False),
        sa.Column("after_h", sa.Integer()),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("feels", sa.String(length=10)),
        sa.Column("checkin_id", _ID),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_spasm_follow_up_athlete_id")),
        sa.ForeignKeyConstraint(["spasm_id"], ["spasm.id"], name=op.f("fk_spasm_follow_up_spasm_id")),
        sa.ForeignKeyConstraint(
            ["checkin_id"], ["checkin.id"], name=op.f("fk_spasm_follow_up_checkin_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spasm_follow_up")),
    )
    op.create_index("ix_spasm_follow_up_athlete_id", "spasm_follow_up", ["athlete_id"], unique=False)
    op.create_index("ix_spasm_follow_up_spasm_id", "spasm_follow_up", ["spasm_id"], unique=False)
    op.create_index("ix_spasm_follow_up_due", "spasm_follow_up", ["due_at"], unique=False)
