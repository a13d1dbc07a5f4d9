"""What reminds an athlete, where to, and what became of it. Receivers' secrets are kept: they sign and encrypt."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    false,
)

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

reminder_settings = Table(
    "reminder_settings",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("calendar_on", Boolean, nullable=False),  # alarms in the calendar feed
    Column("calendar_why", Boolean, nullable=False, server_default=false()),  # says why a session is asked for
    Column("mail_on", Boolean, nullable=False),
    Column("push_on", Boolean, nullable=False),
    Column("webhook_on", Boolean, nullable=False),
    Column("mail_address", String(254)),
    Column("lead_min", JSON, nullable=False),  # minutes before a session, each one a reminder
    Column("quiet_from", Time, nullable=False),  # local; equal ends: no quiet hours
    Column("quiet_until", Time, nullable=False),
    Column("snooze_min", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

push_subscription = Table(
    "push_subscription",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("endpoint", String(1000), nullable=False, unique=True),
    Column("p256dh", String(100), nullable=False),
    Column("auth", String(40), nullable=False),
    Column("label", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

webhook_target = Table(
    "webhook_target",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("url", String(1000), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

reminder = Table(
    "reminder",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    # session:<id>:<its moment>, retest:<day>, follow-up:<id> or test:<id>: moved, a session is reminded of anew.
    Column("occurrence", String(100), nullable=False),
    Column("session_id", ID, ForeignKey("planned_session.id")),
    Column("channel", String(20), nullable=False),  # mail | push | webhook
    Column("target", ID, nullable=False),  # id of the device; empty for the other channels
    Column("lead_min", Integer, nullable=False),
    Column("state", String(20), nullable=False),  # planned | claimed | sent | failed | skipped
    Column("event_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),  # of no use after it
    Column("remind_at", UtcDateTime, nullable=False),
    Column("try_at", UtcDateTime, nullable=False),  # remind_at, or later after a failed try
    Column("tries", Integer, nullable=False),
    Column("claim", ID),  # of the clock that has it
    Column("claimed_at", UtcDateTime),
    Column("handed_at", UtcDateTime),  # from here on it may have gone out: nobody hands it over again
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("athlete_id", "occurrence", "channel", "target", "lead_min"),
    Index("ix_reminder_state_try", "state", "try_at"),
    Index("ix_reminder_event", "event_at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", ID, primary_key=True),
    Column("reminder_id", ID, ForeignKey("reminder.id"), nullable=False, index=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String(20), nullable=False),  # sent | again | failed | skipped
    Column("said", Text, nullable=False),  # one sentence without secrets and health
    Index("ix_delivery_athlete_at", "athlete_id", "at"),
)
