"""History analysed anew: runs, and each athlete-day of a run. These rows are the truth of what is done."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Date, Double, ForeignKey, Index, Integer, String, Table, Text

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata, unique_where

reanalysis = Table(
    "reanalysis",
    metadata,
    Column("id", ID, primary_key=True),
    Column("why", String(20), nullable=False),  # of service.reanalysis_types.Why
    Column("asked_by", ID, ForeignKey("user_account.id")),  # null: the clock, or a terminal
    Column("athlete_id", ID, ForeignKey("athlete.id"), index=True),  # null: everybody
    Column("since", Date),  # from which local day on; null: everything
    Column("algorithm_version", String(40), nullable=False),  # what it makes
    Column("begun_at", UtcDateTime, nullable=False),
    Column("works_until", UtcDateTime),  # nothing is begun from then on; null: at any time
    Column("ended_at", UtcDateTime),
    Column("state", String(20), nullable=False),  # running | done | stopped
    # One at a time: two would do each other's work.
    unique_where("uq_reanalysis_running", "state = 'running'", "state"),
)

reanalysis_day = Table(
    "reanalysis_day",
    metadata,
    Column("run_id", ID, ForeignKey("reanalysis.id"), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    # signal: the recordings that began on this local day. judging: all days of the athlete from this one on, once the
    # signal of all of them is done.
    Column("part", String(10), primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("makes", String(64), nullable=False),  # signal: version of the algorithm; judging: edition
    Column("state", String(10), nullable=False),  # held (judging, signal is under way) | waiting | done | failed
    Column("planned_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("taken_until", UtcDateTime),  # by whoever works on it; passed: it died. Used where the table is the queue
    Column("recordings", Integer, nullable=False),
    Column("gone", Integer, nullable=False),  # recordings whose raw signal is gone: what was seen in them stayed
    Column("chunks", BigInteger, nullable=False),
    Column("days", Integer, nullable=False),  # judged
    Column("took_s", Double),
    Column("reason", Text),  # why it failed
    Column("ended_at", UtcDateTime),
    Column("stream_ids", JSON),  # signal: the recordings
    Index("ix_reanalysis_day_state", "run_id", "state", "athlete_id", "local_date"),
    Index("ix_reanalysis_day_athlete", "athlete_id", "part", "state"),
)
