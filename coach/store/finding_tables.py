"""The tables between features and findings: exposure by the minute, days, answers, findings, and editions of them.

An edition is one version of the algorithm with one set of thresholds. Answers and findings of an older edition stay
as they are beside those of a newer one.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata

exposure = Table(
    "exposure",
    metadata,
    Column("stream_id", ID, ForeignKey("stream.id"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the stream's own minute
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("placement", String(40), nullable=False),
    Column("start_utc_s", Double, nullable=False),
    Column("expected_s", Double, nullable=False),
    Column("covered_s", Double, nullable=False),
    Column("lying_s", Double, nullable=False),
    Column("loose_s", Double, nullable=False),
    Column("displaced_s", Double, nullable=False),
    Column("above_s", JSON, nullable=False),  # {"20": seconds above 20 deg, …}
    Column("bends", Integer, nullable=False),
    Column("turns_left", Integer, nullable=False),
    Column("turns_right", Integer, nullable=False),
    Column("dose", Double, nullable=False),
    Column("strokes_left", Integer, nullable=False),
    Column("strokes_right", Integer, nullable=False),
    Column("strokes_unknown", Integer, nullable=False),
    Column("repetitions", Integer, nullable=False),
    Column("tail", Boolean, nullable=False),  # told only because the recording seemed to end; a later chunk undoes it
    Index("ix_exposure_athlete_time", "athlete_id", "start_utc_s"),
)

stretch = Table(
    "stretch",
    metadata,
    Column("stream_id", ID, ForeignKey("stream.id"), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("kind", String(40), nullable=False),  # bending
    Column("start_utc_s", Double, nullable=False),
    Column("end_utc_s", Double, nullable=False),
    Column("values", JSON, nullable=False),  # of detectors.types.BendingStretch
    Column("tail", Boolean, nullable=False),  # as in exposure
    Index("ix_stretch_athlete_time", "athlete_id", "start_utc_s"),
)

edition = Table(
    "edition",
    metadata,
    Column("id", String(64), primary_key=True),  # version of the algorithm and digest of the thresholds
    Column("algorithm_name", String(40), nullable=False),
    Column("algorithm_version", String(40), nullable=False),
    Column("profile_id", String(40), nullable=False),
    Column("profile_version", String(40), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

day_due = Table(
    "day_due",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False, index=True),  # at once, within a minute, or when the day is over
    Column("marks", Integer, nullable=False),  # rises with every mark, so that one that comes while judging is kept
)

athlete_day = Table(
    "athlete_day",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("edition", String(64), ForeignKey("edition.id"), primary_key=True),
    Column("values", JSON, nullable=False),  # of detectors.types.DayValues
)

answer = Table(
    "answer",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("kind", String(60), primary_key=True),
    Column("edition", String(64), ForeignKey("edition.id"), primary_key=True),
    Column("day_over", Boolean, nullable=False),  # judged after the day's end: of a day under way nothing closes
    Column("start_utc_s", Double),  # of the first window; null where there is none
    Column("end_utc_s", Double, nullable=False),  # up to where the day's data speak
    Column("outcome", String(20), nullable=False),
    Column("grade", String(20), nullable=False),
    Column("statement", Text, nullable=False),
    Column("needs", Text),
    Column("coverage_share", Double),
    Column("because", JSON, nullable=False),
    Index("ix_answer_athlete_kind", "athlete_id", "kind", "local_date"),
)

finding = Table(
    "finding",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("edition", String(64), ForeignKey("edition.id"), nullable=False),
    Column("key", String(100), nullable=False),  # kind and the local date on which it opened
    Column("kind", String(60), nullable=False),
    Column("stream_id", ID, ForeignKey("stream.id")),  # of the first window; null for entered values
    Column("placement", String(40)),
    Column("statement", Text, nullable=False),
    Column("grade", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),  # in the time of the data, like the next four
    Column("changed_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("coverage_share", Double),
    Column("because", JSON, nullable=False),
    Column("superseded_by", String(64), ForeignKey("edition.id")),  # a newer edition has judged the same days
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("athlete_id", "edition", "key"),
    Index("ix_finding_athlete_started", "athlete_id", "started_at"),
)
