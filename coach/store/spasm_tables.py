"""An acute spasm from its first press to its end, and what was asked after it. Health entries: shown and erased."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, NUMBER, metadata, unique_where

spasm = Table(
    "spasm",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request, so that two presses are one
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ask_since", UtcDateTime, nullable=False),  # safety questions answered before this do not speak for it
    Column("triage_id", NUMBER, ForeignKey("triage_answer.id")),  # the newest answers given for it
    Column("phase", String(10), nullable=False),  # programs.types.Phase
    Column("phase_since", UtcDateTime, nullable=False),
    Column("plan_id", ID, ForeignKey("plan.id")),  # the program that gave way
    Column("program", JSON),  # what that one comes back to: a step easier than it was
    Column("recurred", Boolean, nullable=False),  # another one began within half a year before
    Column("walked_10_min", Boolean),  # as the athlete says; null: not said
    Column("full_motion", Boolean),
    Column("comfort", String(10)),  # cold | warmth, until then
    Column("comfort_until", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_why", String(20)),  # over | again | mistake | plan off
    Column("entered_by", ID, ForeignKey("user_account.id"), nullable=False),
    UniqueConstraint("athlete_id", "key"),
    Index("ix_spasm_athlete_begun", "athlete_id", "begun_at"),
    unique_where("uq_spasm_going_on", "ended_at IS NULL", "athlete_id"),
)

spasm_follow_up = Table(
    "spasm_follow_up",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("spasm_id", ID, ForeignKey("spasm.id"), nullable=False, index=True),
    Column("after_h", Integer),  # 24 or 72; null: told without being asked
    Column("due_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("feels", String(10)),  # better | same | worse
    Column("checkin_id", ID, ForeignKey("checkin.id", ondelete="SET NULL")),  # where the pain is
    Index("ix_spasm_follow_up_due", "due_at"),
)
