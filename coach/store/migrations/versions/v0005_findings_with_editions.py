"""Keep exposure by the minute, days, answers and findings by edition; the findings of before are edition 1."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0005"
down_revision = "0004"

_ID = sa.String(length=32)
_EDITION = sa.String(length=64)


def upgrade() -> None:
    """Add the tables; give findings the columns of an edition."""
    _edition()
    _exposure()
    _stretch()
    _days()
    _answer()
    _finding()
    # Added in place: the table of features is the largest, and is not written anew for columns that may be empty.
    op.add_column("feature", sa.Column("strokes", sa.JSON(), nullable=True))
    for name, kind in (("yaw_start_utc_s", sa.Double()), ("yaw_rate_hz", sa.Double()), ("yaw", sa.LargeBinary())):
        op.add_column("feature", sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("athlete") as batch:
        batch.add_column(sa.Column("profile", sa.String(length=40), nullable=False, server_default="general"))
        batch.add_column(sa.Column("born_on", sa.Date(), nullable=True))


def _edition() -> None:
    op.create_table(
        "edition",
        sa.Column("id", _EDITION, nullable=False),
        sa.Column("algorithm_name", sa.String(length=40), nullable=False),
        sa.Column("algorithm_version", sa.String(length=40), nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("profile_version", sa.String(length=40), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
    )
    first = sa.text(
        "INSERT INTO edition"
        " (id, algorithm_name, algorithm_version, profile_id, profile_version, parameters, created_at)"
        " VALUES ('1', 'backstop', '1', 'general', '1', '{}', :at)"
    )
    op.execute(first.bindparams(sa.bindparam("at", datetime(2026, 11, 26, tzinfo=UTC), UtcDateTime())))


def _exposure() -> None:
    doubles = ("start_utc_s", "expected_s", "covered_s", "lying_s", "loose_s", "displaced_s")
    counts = ("bends", "turns_left", "turns_right")
    strokes = ("strokes_left", "strokes_right", "strokes_unknown", "repetitions")
    op.create_table(
        "exposure",
        sa.Column("stream_id", _ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in doubles),
        sa.Column("above_s", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("dose", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in strokes),
        sa.Column("tail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_exposure_athlete_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_exposure_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "number", name=op.f("pk_exposure")),
    )
    op.create_index("ix_exposure_athlete_time", "exposure", ["athlete_id", "start_utc_s"], unique=False)


def _stretch() -> None:
    op.create_table(
        "stretch",
        sa.Column("stream_id", _ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("start_utc_s", sa.Double(), nullable=False),
        sa.Column("end_utc_s", sa.Double(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("tail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_stretch_athlete_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_stretch_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "key", name=op.f("pk_stretch")),
    )
    op.create_index("ix_stretch_athlete_time", "stretch", ["athlete_id", "start_utc_s"], unique=False)


def _days() -> None:
    op.create_table(
        "day_due",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_day_due_athlete_id")),
        sa.PrimaryKeyConstraint("athlete_id", "local_date", name=op.f("pk_day_due")),
    )
    op.create_index(op.f("ix_day_due_due_at"), "day_due", ["due_at"], unique=False)
    op.create_table(
        "athlete_day",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("edition", _EDITION, nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_athlete_day_athlete_id")),
        sa.ForeignKeyConstraint(["edition"], ["edition.id"], name=op.f("fk_athlete_day_edition")),
        sa.PrimaryKeyConstraint("athlete_id", "local_date", "edition", name=op.f("pk_athlete_day")),
    )


def _answer() -> None:
    op.create_table(
        "answer",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("edition", _EDITION, nullable=False),
        sa.Column("day_over", sa.Boolean(), nullable=False),
        sa.Column("start_utc_s", sa.Double(), nullable=True),
        sa.Column("end_utc_s", sa.Double(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=True),
        sa.Column("coverage_share", sa.Double(), nullable=True),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_answer_athlete_id")),
        sa.ForeignKeyConstraint(["edition"], ["edition.id"], name=op.f("fk_answer_edition")),
        sa.PrimaryKeyConstraint("athlete_id", "local_date", "kind", "edition", name=op.f("pk_answer")),
    )
    op.create_index("ix_answer_athlete_kind", "answer", ["athlete_id", "kind", "local_date"], unique=False)


def _finding() -> None:
    with op.batch_alter_table("finding") as batch:
        batch.drop_constraint(op.f("uq_finding_stream_id_key"), type_="unique")
        batch.add_column(sa.Column("edition", _EDITION, nullable=True))
        for name in ("opened_at", "changed_at", "closed_at"):
            batch.add_column(sa.Column(name, UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("superseded_by", _EDITION, nullable=True))
        batch.alter_column("stream_id", existing_type=_ID, nullable=True)
        batch.alter_column("placement", existing_type=sa.String(length=40), nullable=True)
        batch.alter_column("coverage_share", existing_type=sa.Double(), nullable=True)
    # A key told one finding of a stream from another; now it has to do so for the athlete.
    op.execute(
        "UPDATE finding SET edition = '1', opened_at = started_at, changed_at = ended_at,"
        " closed_at = CASE WHEN state = 'closed' THEN ended_at END, key = key || '-' || substr(id, 1, 8)"
    )
    with op.batch_alter_table("finding") as batch:
        batch.alter_column("edition", existing_type=_EDITION, nullable=False)
        for name in ("opened_at", "changed_at"):
            batch.alter_column(name, existing_type=UtcDateTime(), nullable=False)
        batch.create_unique_constraint(op.f("uq_finding_athlete_id_edition_key"), ["athlete_id", "edition", "key"])
        batch.create_foreign_key(op.f("fk_finding_edition"), "edition", ["edition"], ["id"])
        batch.create_foreign_key(op.f("fk_finding_superseded_by"), "edition", ["superseded_by"], ["id"])
