"""What a phone has sent from its queue, and how far an athlete's first run has come."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

sent_answer = Table(
    "sent_answer",
    metadata,
    Column("user_id", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("key", String(64), primary_key=True),  # made by the page; the same key is the same answer
    Column("path", String(300), nullable=False),  # what it was sent to
    Column("onward", String(1000), nullable=False),  # the page that was shown then
    Column("taken_at", UtcDateTime, nullable=False),
    Index("ix_sent_answer_taken_at", "taken_at"),
)

first_run = Table(
    "first_run",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("put_off", JSON, nullable=False),  # steps that were skipped
    Column("ended_at", UtcDateTime),  # all done, or "not now" to the rest
    # Of service.first_run.Side: with which side they swing, throw or write; null while nobody has said
    Column("side", String(10)),
    Column("injured_at", JSON, nullable=False),  # places of service.diary.SITES that were injured before
    Column("hurts_now", JSON),  # of programs.exercises.CONTRAINDICATIONS, those that stand now; null: never asked
    Column("injuries", Text),  # in own words
    Column("told_at", UtcDateTime),  # when side and injuries were told last
)
