"""Create every table."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0001"
down_revision = None

# SQLite numbers rows only for the exact type INTEGER.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _athlete() -> None:
    op.create_table(
        "athlete",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("wake", sa.Time(), nullable=False),
        sa.Column("preferred", sa.Time(), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("sport", sa.String(length=100), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("replan_wanted", sa.Boolean(), nullable=False),
        sa.Column("calendar_token", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_athlete")),
        sa.UniqueConstraint("calendar_token", name=op.f("uq_athlete_calendar_token")),
    )


def _api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_api_token_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_athlete_id"), "api_token", ["athlete_id"], unique=False)


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.String(length=100), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_event_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_athlete_id"), "event", ["athlete_id"], unique=False)


def _user_account() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_user_account_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("athlete_id", name=op.f("uq_user_account_athlete_id")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_account_name_key")),
    )


def _wearable() -> None:
    op.create_table(
        "wearable",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=100), nullable=False),
        sa.Column("family", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("upright", sa.JSON(), nullable=True),
        sa.Column("calibrated_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_wearable_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wearable")),
    )
    op.create_index(op.f("ix_wearable_athlete_id"), "wearable", ["athlete_id"], unique=False)
    op.create_index(
        "uq_wearable_address_in_use", "wearable", ["address"], unique=True, **_where("forgotten_at IS NULL")
    )


def _coach_athlete() -> None:
    op.create_table(
        "coach_athlete",
        sa.Column("coach_id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_coach_athlete_athlete_id")),
        sa.ForeignKeyConstraint(["coach_id"], ["user_account.id"], name=op.f("fk_coach_athlete_coach_id")),
        sa.PrimaryKeyConstraint("coach_id", "athlete_id", name=op.f("pk_coach_athlete")),
    )
    op.create_index(op.f("ix_coach_athlete_athlete_id"), "coach_athlete", ["athlete_id"], unique=False)


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("prescription", sa.JSON(), nullable=False),
        sa.Column("need_kinds", sa.JSON(), nullable=False),
        sa.Column("finding_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_plan_athlete_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.id"], name=op.f("fk_plan_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_athlete_id"), "plan", ["athlete_id"], unique=False)
    op.create_index("ix_plan_state_ends", "plan", ["state", "ends_on"], unique=False)
    op.create_index("uq_plan_one_accepted", "plan", ["athlete_id"], unique=True, **_where("state = 'accepted'"))
    op.create_index("uq_plan_one_proposed", "plan", ["athlete_id"], unique=True, **_where("state = 'proposed'"))


def _sign_in_link() -> None:
    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_sign_in_link_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_link_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_link_user_id"), "sign_in_link", ["user_id"], unique=False)


def _stream() -> None:
    op.create_table(
        "stream",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=200), nullable=False),
        sa.Column("recording_id", sa.String(length=200), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("wearable_id", sa.String(length=32), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("upright", sa.JSON(), nullable=True),
        sa.Column("rate_hz", sa.Double(), nullable=False),
        sa.Column("max_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_received_at", UtcDateTime(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_stream_athlete_id")),
        sa.ForeignKeyConstraint(["wearable_id"], ["wearable.id"], name=op.f("fk_stream_wearable_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream")),
        sa.UniqueConstraint("device_id", "recording_id", name=op.f("uq_stream_device_id_recording_id")),
    )
    op.create_index("ix_stream_athlete_placement", "stream", ["athlete_id", "placement", "created_at"], unique=False)
    op.create_index(
        "ix_stream_live",
        "stream",
        ["id"],
        unique=False,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live"),
    )
    op.create_index(op.f("ix_stream_wearable_id"), "stream", ["wearable_id"], unique=False)


def _triage_answer() -> None:
    op.create_table(
        "triage_answer",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("answered_by", sa.String(length=32), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("age_years", sa.Integer(), nullable=True),
        sa.Column("questions_version", sa.String(length=20), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("cleared_by", sa.String(length=200), nullable=True),
        sa.Column("cleared_seen_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["answered_by"], ["user_account.id"], name=op.f("fk_triage_answer_answered_by")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_triage_answer_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage_answer")),
    )
    op.create_index(op.f("ix_triage_answer_athlete_id"), "triage_answer", ["athlete_id"], unique=False)


def _chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("start_utc_s", sa.Double(), nullable=False),
        sa.Column("start_index", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_chunk_stream_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunk")),
        sa.UniqueConstraint("stream_id", "seq", name=op.f("uq_chunk_stream_id_seq")),
    )


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("coverage_share", sa.Double(), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_finding_athlete_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_finding_stream_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("stream_id", "key", name=op.f("uq_finding_stream_id_key")),
    )
    op.create_index("ix_finding_athlete_started", "finding", ["athlete_id", "started_at"], unique=False)


def _planned_session() -> None:
    op.create_table(
        "planned_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("plan_id", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("exercises", sa.JSON(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_planned_session_athlete_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_planned_session_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_session")),
    )
    op.create_index("ix_planned_session_athlete_date", "planned_session", ["athlete_id", "local_date"], unique=False)
    op.create_index(op.f("ix_planned_session_plan_id"), "planned_session", ["plan_id"], unique=False)
    op.create_index("ix_planned_session_state_due", "planned_session", ["state", "due_at"], unique=False)
    op.create_index(
        "uq_planned_session_live_slot",
        "planned_session",
        ["athlete_id", "slot"],
        unique=True,
        **_where("state <> 'cancelled'"),
    )


def _stream_state() -> None:
    op.create_table(
        "stream_state",
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("algorithm_name", sa.String(length=40), nullable=False),
        sa.Column("algorithm_version", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_stream_state_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream_state")),
    )


def _feature() -> None:
    op.create_table(
        "feature",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("chunk_id", _NUMBER, nullable=True),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("athlete_id", sa.String(length=32), nullable=False),
        sa.Column("placement", sa.String(length=40), nullable=False),
        sa.Column("start_utc_s", sa.Double(), nullable=False),
        sa.Column("start_index", sa.BigInteger(), nullable=False),
        sa.Column("rate_hz", sa.Double(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("covered", sa.Integer(), nullable=False),
        sa.Column("bends", sa.Integer(), nullable=False),
        sa.Column("repetitions", sa.JSON(), nullable=False),
        sa.Column("above", sa.JSON(), nullable=False),
        sa.Column("line_start_utc_s", sa.Double(), nullable=False),
        sa.Column("line_rate_hz", sa.Double(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("analysed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_feature_athlete_id")),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunk.id"], name=op.f("fk_feature_chunk_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_feature_stream_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature")),
        sa.UniqueConstraint("chunk_id", name=op.f("uq_feature_chunk_id")),
    )
    op.create_index("ix_feature_athlete_time", "feature", ["athlete_id", "start_utc_s"], unique=False)
    op.create_index("ix_feature_stream_time", "feature", ["stream_id", "start_utc_s"], unique=False)


def _session_outcome() -> None:
    op.create_table(
        "session_outcome",
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("effort", sa.Integer(), nullable=True),
        sa.Column("pain_during", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.String(length=32), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["recorded_by"], ["user_account.id"], name=op.f("fk_session_outcome_recorded_by")),
        sa.ForeignKeyConstraint(["session_id"], ["planned_session.id"], name=op.f("fk_session_outcome_session_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_outcome")),
    )


def _set_aside() -> None:
    op.create_table(
        "set_aside",
        sa.Column("chunk_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunk.id"], name=op.f("fk_set_aside_chunk_id")),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_set_aside")),
    )


def upgrade() -> None:
    """Create every table."""
    _athlete()
    _api_token()
    _event()
    _user_account()
    _wearable()
    _coach_athlete()
    _plan()
    _sign_in_link()
    _stream()
    _triage_answer()
    _chunk()
    _finding()
    _planned_session()
    _stream_state()
    _feature()
    _session_outcome()
    _set_aside()
