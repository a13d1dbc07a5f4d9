"""Guided sessions: how far somebody is in a planned session, and what each of its sets came to."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Double, ForeignKey, Index, Integer, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

guided_session = Table(
    "guided_session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("session_id", ID, ForeignKey("planned_session.id"), nullable=False, unique=True),
    Column("state", String(20), nullable=False),  # running | done | stopped (by pain) | left
    Column("script", JSON, nullable=False),  # the sets in order, as they were when it began
    Column("started_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_guided_session_athlete_started", "athlete_id", "started_at"),
)

guided_set = Table(
    "guided_set",
    metadata,
    Column("guided_id", ID, ForeignKey("guided_session.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # of the script, from 0
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("exercise_id", String(60), nullable=False),
    Column("side", String(10)),  # left | right; null for both at once
    Column("target", Integer, nullable=False),  # repetitions or holds asked for
    Column("hold_s", Double),  # of one hold; null where repetitions are counted
    Column("state", String(20), nullable=False),  # running | ended (its stored signal is awaited) | settled | skipped
    Column("by_hand", Integer, nullable=False),  # tapped, or taken off where the wearable saw too many
    Column("seen", Integer),  # by the live line; null without a wearable
    Column("stored", Integer),  # by the same function over the stored signal; null while that is not all there
    Column("detail", JSON),  # of each that was seen: start_s, end_s, rom_deg, held_s
    Column("wearable_id", ID, ForeignKey("wearable.id")),
    Column("recording_id", String(200)),
    Column("signal_start_utc_s", Double),  # of the first sample that was looked at
    Column("signal_end_utc_s", Double),  # of the last one
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Index("ix_guided_set_athlete_started", "athlete_id", "started_at"),
    Index("ix_guided_set_state", "state", "ended_at"),
)
