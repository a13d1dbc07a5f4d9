"""Let files and phones be sources: which recordings were imported, and what a phone sent that is not in chunks yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0003"
down_revision = "0002"


def _recording_import() -> None:
    op.create_table(
        "recording_import",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=60), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("imported_by", sa.String(length=32), nullable=True),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_recording_import_athlete_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_recording_import_stream_id")),
        sa.ForeignKeyConstraint(["imported_by"], ["user_account.id"], name=op.f("fk_recording_import_imported_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_import")),
        sa.UniqueConstraint("stream_id", name=op.f("uq_recording_import_stream_id")),
    )
    columns = ["athlete_id", "samples", "covered"]
    op.create_index("ix_recording_import_athlete_samples", "recording_import", columns, unique=False)


def _phone_session() -> None:
    op.create_table(
        "phone_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wearable_id", sa.String(length=32), nullable=False),
        sa.Column("session_key", sa.String(length=200), nullable=False),
        sa.Column("rate_hz", sa.Double(), nullable=True),
        sa.Column("origin_utc_s", sa.Double(), nullable=True),
        sa.Column("acc_factor", sa.Double(), nullable=True),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_phone_session_wearable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_session")),
        sa.UniqueConstraint("wearable_id", "session_key", name=op.f("uq_phone_session_wearable_id_session_key")),
    )
    op.create_index(op.f("ix_phone_session_heard_at"), "phone_session", ["heard_at"], unique=False)


def _phone_message() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "phone_message",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("message_key", sa.String(length=64), nullable=False),
        sa.Column("newest_utc_s", sa.Double(), nullable=False),
        sa.Column("readings", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["phone_session.id"], name=op.f("fk_phone_message_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_message")),
        sa.UniqueConstraint("session_id", "message_key", name=op.f("uq_phone_message_session_id_message_key")),
    )


def upgrade() -> None:
    """Add the tables."""
    _recording_import()
    _phone_session()
    _phone_message()
