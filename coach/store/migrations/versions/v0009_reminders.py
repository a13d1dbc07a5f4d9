"""Keep what reminds an athlete, and number the changes of a session for calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0009"
down_revision = "0008"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables and the column."""
    _receivers()
    _reminder()
    _delivery()
    op.add_column("planned_session", sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
    # Until now a state had a number; calendars keep the highest they have seen.
    op.execute(
        "UPDATE planned_session SET sequence = CASE state WHEN 'planned' THEN 0 WHEN 'due' THEN 1 "
        "WHEN 'skipped' THEN 2 WHEN 'done' THEN 3 ELSE 4 END"
    )


def _receivers() -> None:
    op.create_table(
        "reminder_settings",
        sa.Column("athlete_id", _ID, nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("calendar_on", "mail_on", "push_on")),
        sa.Column("webhook_on", sa.Boolean(), nullable=False),
        sa.Column("mail_address", sa.String(length=254)),
        sa.Column("lead_min", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=False),
        sa.Column("quiet_until", sa.Time(), nullable=False),
        sa.Column("snooze_min", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_reminder_settings_athlete_id")),
        sa.PrimaryKeyConstraint("athlete_id", name=op.f("pk_reminder_settings")),
    )
    op.create_table(
        "push_subscription",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("p256dh", sa.String(length=100), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_push_subscription_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscription_endpoint")),
    )
    op.create_index(op.f("ix_push_subscription_athlete_id"), "push_subscription", ["athlete_id"], unique=False)
    op.create_table(
        "webhook_target",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_webhook_target_athlete_id")),
        sa.PrimaryKeyConstraint("athlete_id", name=op.f("pk_webhook_target")),
    )


def _reminder() -> None:
    unique = ("athlete_id", "occurrence", "channel", "target", "lead_min")
    op.create_table(
        "reminder",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("occurrence", sa.String(length=100), nullable=False),
        sa.Column("session_id", _ID),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("target", _ID, nullable=False),
        sa.Column("lead_min", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("event_at", "until_at", "remind_at", "try_at")),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claim", _ID),
        sa.Column("claimed_at", UtcDateTime()),
        sa.Column("handed_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_reminder_athlete_id")),
        sa.ForeignKeyConstraint(["session_id"], ["planned_session.id"], name=op.f("fk_reminder_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint(*unique, name=op.f("uq_reminder_" + "_".join(unique))),
    )
    op.create_index("ix_reminder_state_try", "reminder", ["state", "try_at"], unique=False)
    op.create_index("ix_reminder_event", "reminder", ["event_at"], unique=False)


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("reminder_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["reminder_id"], ["reminder.id"], name=op.f("fk_delivery_reminder_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_delivery_athlete_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_reminder_id"), "delivery", ["reminder_id"], unique=False)
    op.create_index("ix_delivery_athlete_at", "delivery", ["athlete_id", "at"], unique=False)
