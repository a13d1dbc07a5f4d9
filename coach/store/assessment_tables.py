"""The tables of tests that a person did: an assessment, and in it one trial per try.

What a trial measured is a value and the evidence for it. Ratios, symmetry and change are not stored: they are a pure
function of the trials, and of those before.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata, unique_where

assessment = Table(
    "assessment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request that began it, so that two presses are one
    Column("kind", String(40), nullable=False),  # see service.assessment_views.Kind
    Column("state", String(20), nullable=False),  # running | done | left
    Column("seed", Integer, nullable=False),  # of the order
    Column("tests", JSON, nullable=False),  # their ids in the order that was drawn
    Column("wearable_id", ID, ForeignKey("wearable.id")),  # null: by stopwatch
    Column("asked", JSON, nullable=False),  # what was asked before it began, and the answers that let it begin
    Column("started_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("athlete_id", "key"),
    unique_where("uq_assessment_one_running", "state = 'running'", "athlete_id"),
    Index("ix_assessment_athlete_started", "athlete_id", "started_at"),
)

assessment_trial = Table(
    "assessment_trial",
    metadata,
    Column("id", ID, primary_key=True),
    Column("assessment_id", ID, ForeignKey("assessment.id"), nullable=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("key", String(100), nullable=False),  # of the request that began it, so that two presses are one
    Column("number", Integer, nullable=False),  # within the assessment, from 0
    Column("test", String(40), nullable=False),
    Column("source", String(20), nullable=False),  # measured | entered
    Column("state", String(20), nullable=False),  # running | ended (its stored signal is awaited) | settled
    Column("outcome", String(20)),  # null while it is not known
    Column("value", Double),  # null without a result
    Column("unit", String(20), nullable=False),
    Column("wearable_id", ID, ForeignKey("wearable.id")),
    Column("recording_id", String(200)),
    Column("signal_start_utc_s", Double),  # of the first sample that was looked at
    Column("signal_end_utc_s", Double),  # of the last one
    Column("limit_reached", Boolean, nullable=False),  # the test was stopped at its limit
    Column("setup", JSON),  # exercise and load, where the test has them
    Column("provisional", JSON),  # an analysis.assessment_types.Trial: what the live line said
    Column("result", JSON),  # a Trial: what the stored signal says, or what was typed in
    Column("reason", Text),
    Column("algorithm_name", String(40)),
    Column("algorithm_version", String(40)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("recorded_by", ID, ForeignKey("user_account.id"), nullable=False),
    UniqueConstraint("assessment_id", "key"),
    UniqueConstraint("assessment_id", "number"),
    unique_where("uq_assessment_trial_one_running", "state = 'running'", "assessment_id"),
    Index("ix_assessment_trial_athlete_test", "athlete_id", "test", "started_at"),
    Index("ix_assessment_trial_state", "state", "ended_at"),
)
