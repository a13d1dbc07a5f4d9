"""Keep what a coach makes at the program desk: authors of proposals, templates, own exercises, messages, notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0021"
down_revision = "0020"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables."""
    _of_proposals()
    _of_coaches()
    _of_athletes()


def _of_proposals() -> None:
    op.create_table(
        "plan_author",
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("written_by", _ID, nullable=False),
        sa.Column("made_from", sa.String(length=20), nullable=False),
        sa.Column("template_name", sa.String(length=80)),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_author")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_author_plan_id")),
        sa.ForeignKeyConstraint(["written_by"], ["user_account.id"], name=op.f("fk_plan_author_written_by")),
    )


def _of_coaches() -> None:
    op.create_table(
        "program_template",
        sa.Column("id", _ID, nullable=False),
        sa.Column("coach_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("exercises", sa.JSON(), nullable=False),
        sa.Column("sessions_per_week", sa.Integer(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_template")),
        sa.ForeignKeyConstraint(["coach_id"], ["user_account.id"], name=op.f("fk_program_template_coach_id")),
        sa.UniqueConstraint("coach_id", "name", name=op.f("uq_program_template_coach_id_name")),
    )
    op.create_table(
        "own_exercise",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("coach_id", _ID, nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_exercise")),
        sa.ForeignKeyConstraint(["coach_id"], ["user_account.id"], name=op.f("fk_own_exercise_coach_id")),
    )
    op.create_index(op.f("ix_own_exercise_coach_id"), "own_exercise", ["coach_id"])


def _of_athletes() -> None:
    op.create_table(
        "session_message",
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("written_by", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "written_by", name=op.f("pk_session_message")),
        sa.ForeignKeyConstraint(["session_id"], ["planned_session.id"], name=op.f("fk_session_message_session_id")),
        sa.ForeignKeyConstraint(["written_by"], ["user_account.id"], name=op.f("fk_session_message_written_by")),
    )
    op.create_table(
        "coach_note",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("written_by", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coach_note")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_coach_note_athlete_id")),
        sa.ForeignKeyConstraint(["written_by"], ["user_account.id"], name=op.f("fk_coach_note_written_by")),
    )
    op.create_index("ix_coach_note_athlete_by", "coach_note", ["athlete_id", "written_by", "written_at"])
