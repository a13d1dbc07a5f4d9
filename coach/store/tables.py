"""The tables. Ids are uuid4 hex strings; chunk, feature, event and triage_answer are numbered. Times are aware UTC.
A stream's id begins with its time (uuid7): on PostgreSQL chunks lie in parts by month, see months.py.

A stream is one recording of one wearable. What the append path writes (stream.max_seq) and what the worker writes
(stream_state) are two rows, so that a large state is not rewritten with every chunk that arrives.
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
    LargeBinary,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    false,
    text,
)

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, NUMBER, metadata, unique_where

athlete = Table(
    "athlete",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("wake", Time, nullable=False),
    Column("preferred", Time, nullable=False),
    Column("weekdays", JSON, nullable=False),
    Column("times", JSON, nullable=False, server_default="{}"),  # {"0": "18:30", …}: weekdays with a time of their own
    Column("travel", JSON, nullable=False, server_default="[]"),  # [[first day, last day, time zone], …]
    # [[last local day, time zone], …], oldest first: days up to it keep that zone; those after all are in time_zone
    Column("past_zones", JSON, nullable=False, server_default="[]"),
    Column("sport", String(100), nullable=False),
    Column("profile", String(40), nullable=False, server_default="general"),  # id of a file of coach/profiles
    Column("born_on", Date),  # asked where a count depends on age
    Column("equipment", JSON),  # ids of programs.exercises.EQUIPMENT; null like the next one while nobody has said
    Column("session_max_min", Integer),
    Column("simulated", Boolean, nullable=False),
    # programs.types.Lock; here so that releasing asks one table
    Column("lock", String(10), nullable=False, server_default="none"),
    Column("replan_wanted", Boolean, nullable=False),
    Column("calendar_token", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

user_account = Table(
    "user_account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_key", String(200), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password_hash", String(200)),
    Column("epoch", Integer, nullable=False),  # rises with every new password; a session of an older one has ended
    Column("athlete_id", ID, ForeignKey("athlete.id"), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("language", String(10)),  # of coach.language.LANGUAGES; null: as the browser asks
    Column("units", String(10)),  # of service.types.Units; null: metric
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

coach_athlete = Table(
    "coach_athlete",
    metadata,
    Column("coach_id", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True, index=True),
    Column("level", String(10), nullable=False, server_default="full"),  # of service.permission.Level
    Column("created_at", UtcDateTime, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scope", String(40), nullable=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),  # to the minute
    Column("revoked_at", UtcDateTime),
)

wearable = Table(
    "wearable",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("address", String(100), nullable=False),
    Column("family", String(40), nullable=False),
    Column("name", String(100), nullable=False),
    Column("placement", String(40), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("upright", JSON),
    Column("forward", JSON),  # from a bow; null when only the upright pose was taken
    Column("calibrated_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("forgotten_at", UtcDateTime),
    unique_where("uq_wearable_address_in_use", "forgotten_at IS NULL", "address"),
)

connection_log = Table(
    "connection_log",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("wearable_id", ID, ForeignKey("wearable.id"), nullable=False),
    Column("recording_id", String(200), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("redacted", Text, nullable=False),  # without addresses and names: what is handed out unless asked otherwise
    Column("whole", Text, nullable=False),
    UniqueConstraint("wearable_id", "recording_id"),
    Index("ix_connection_log_athlete_begun", "athlete_id", "begun_at"),
)

stream = Table(
    "stream",
    metadata,
    Column("id", ID, primary_key=True),
    Column("device_id", String(200), nullable=False),
    Column("recording_id", String(200), nullable=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("wearable_id", ID, ForeignKey("wearable.id"), nullable=False, index=True),
    Column("placement", String(40), nullable=False),
    Column("upright", JSON),
    Column("forward", JSON),
    Column("calibrated_at", UtcDateTime),
    Column("rate_hz", Double, nullable=False),
    Column("max_seq", BigInteger, nullable=False),
    Column("last_received_at", UtcDateTime, nullable=False),
    Column("live", Boolean, nullable=False),  # not settled; the worker looks at these only, however long the history
    Column("signal_gone_at", UtcDateTime),  # its chunks lost their bytes, by [retention]; what was seen in them stays
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("device_id", "recording_id"),
    Index("ix_stream_live", "id", sqlite_where=text("live = 1"), postgresql_where=text("live")),
    Index("ix_stream_athlete_placement", "athlete_id", "placement", "created_at"),
)

stream_state = Table(
    "stream_state",
    metadata,
    Column("stream_id", ID, ForeignKey("stream.id"), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),  # the fence: this and everything before it is done
    Column("first_index", BigInteger),  # grid number of the stream's first sample
    Column("version", Integer, nullable=False),  # rises with every save
    Column("state", LargeBinary),
    Column("algorithm_name", String(40), nullable=False),
    Column("algorithm_version", String(40), nullable=False),
    Column("reference", String(40)),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),  # the tail was settled; a later chunk undoes it
    Column("limits", String(12)),  # digest of the analysis' parameters that it was settled with; null: not known
)

chunk = Table(
    "chunk",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("stream_id", ID, ForeignKey("stream.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("start_utc_s", Double, nullable=False),
    Column("start_index", BigInteger, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "seq"),
)

heart_block = Table(
    "heart_block",
    metadata,
    Column("device_id", String(200), primary_key=True),
    Column("recording_id", String(200), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("wearable_id", ID, ForeignKey("wearable.id"), nullable=False),
    Column("placement", String(40), nullable=False),
    Column("start_utc_s", Double, nullable=False),
    Column("beats", LargeBinary, nullable=False),  # rows of devices.heartblock.BEATS
    Column("rr_s", LargeBinary, nullable=False),  # of devices.heartblock.RR
    Index("ix_heart_block_athlete_time", "athlete_id", "start_utc_s"),
)

recording_import = Table(
    "recording_import",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("stream_id", ID, ForeignKey("stream.id"), nullable=False, unique=True),
    Column("placement", String(40), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("format", String(60), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("samples", BigInteger, nullable=False),
    Column("covered", BigInteger, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),  # samples picked evenly: what makes a recording itself
    Column("imported_by", ID, ForeignKey("user_account.id")),  # null: the owner of the machine
    Column("imported_at", UtcDateTime, nullable=False),
    Index("ix_recording_import_athlete_samples", "athlete_id", "samples", "covered"),
)

phone_session = Table(
    "phone_session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("wearable_id", ID, ForeignKey("wearable.id"), nullable=False),
    Column("session_key", String(200), nullable=False),  # device and session, as the phone names them
    Column("rate_hz", Double),  # null until the first seconds have shown it
    Column("origin_utc_s", Double),  # of sample 0
    Column("acc_factor", Double),  # to m/s^2; null like rate_hz
    Column("next_index", BigInteger, nullable=False),  # everything before is in chunks, or was late
    Column("next_seq", BigInteger, nullable=False),
    Column("late", Integer, nullable=False),  # samples that came after their chunk
    Column("begun_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("wearable_id", "session_key"),
)

phone_message = Table(
    "phone_message",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("session_id", ID, ForeignKey("phone_session.id"), nullable=False),
    Column("message_key", String(64), nullable=False),
    Column("newest_utc_s", Double, nullable=False),
    Column("readings", LargeBinary, nullable=False),  # see devices/phone.py; kept until they are in chunks
    UniqueConstraint("session_id", "message_key"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("chunk_id", NUMBER, ForeignKey("chunk.id"), primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

feature = Table(
    "feature",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("chunk_id", NUMBER, ForeignKey("chunk.id"), unique=True),  # null: the settled tail of a recording
    Column("stream_id", ID, ForeignKey("stream.id"), nullable=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("placement", String(40), nullable=False),
    Column("start_utc_s", Double, nullable=False),
    Column("start_index", BigInteger, nullable=False),
    Column("rate_hz", Double, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("covered", Integer, nullable=False),
    Column("bends", Integer, nullable=False),
    Column("repetitions", JSON, nullable=False),  # [[start_s, peak_s, end_s, rom_deg, …], …], see analysis/bouts.py
    Column("strokes", JSON),  # of swings and throws, as repetitions; null where there are none
    Column("above", JSON, nullable=False),  # {"20": samples above 20 deg, …}
    Column("line_start_utc_s", Double, nullable=False),
    Column("line_rate_hz", Double, nullable=False),
    Column("line", LargeBinary, nullable=False),  # int16, 0.01 deg, little-endian; -32768 in a gap
    Column("yaw_start_utc_s", Double),  # null, like the next two, where turning is not followed
    Column("yaw_rate_hz", Double),
    Column("yaw", LargeBinary),  # int16, 0.1 deg, little-endian, high-passed; -32768 in a gap
    Column("analysed_at", UtcDateTime, nullable=False),
    Index("ix_feature_athlete_time", "athlete_id", "start_utc_s"),
    Index("ix_feature_stream_time", "stream_id", "start_utc_s"),
)

triage_answer = Table(
    "triage_answer",
    metadata,
    # Numbered: which answers stand must not hang on a clock that may jump.
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("answered_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("age_years", Integer),
    Column("questions_version", String(20), nullable=False),
    Column("answers", JSON, nullable=False),
    Column("level", String(20), nullable=False),
    # programs.types.Lock, by these answers; lifted when cleared_at is set
    Column("lock", String(10), nullable=False, server_default="none"),
    Column("messages", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("cleared_at", UtcDateTime),
    Column("cleared_by", String(200)),  # the clinician who saw the athlete
    Column("cleared_seen_on", Date),
)

plan = Table(
    "plan",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("prescription", JSON, nullable=False),
    Column("need_kinds", JSON, nullable=False),
    Column("finding_ids", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", ID, ForeignKey("user_account.id")),
    Column("note", Text),
    Column("starts_on", Date),
    Column("ends_on", Date),  # the day after the last week
    Column("looked_on", Date),  # the last day, in UTC, on which its progress was looked at
    unique_where("uq_plan_one_proposed", "state = 'proposed'", "athlete_id"),
    Index("ix_plan_state_ends", "state", "ends_on"),
    unique_where("uq_plan_one_accepted", "state = 'accepted'", "athlete_id"),
)

planned_session = Table(
    "planned_session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("plan_id", ID, ForeignKey("plan.id"), nullable=False, index=True),
    Column("slot", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("local_date", Date, nullable=False),
    Column("local_time", Time, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),
    Column("duration_min", Integer, nullable=False),
    Column("exercises", JSON, nullable=False),
    Column("because", Text, nullable=False),
    Column("fallback", Boolean, nullable=False, server_default=false()),  # walking and rest were done in its place
    # Rises with every change, whoever makes it: a calendar keeps the copy with the highest.
    Column("sequence", Integer, nullable=False, server_default="0", onupdate=text("sequence + 1")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    unique_where("uq_planned_session_live_slot", "state <> 'cancelled'", "athlete_id", "slot"),
    Index("ix_planned_session_state_due", "state", "due_at"),
    Index("ix_planned_session_athlete_date", "athlete_id", "local_date"),
)

session_outcome = Table(
    "session_outcome",
    metadata,
    Column("session_id", ID, ForeignKey("planned_session.id"), primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("effort", Integer),
    Column("pain_during", Integer),
    Column("pain_after", Integer),
    Column("reason", Text),
    Column("recorded_by", ID, ForeignKey("user_account.id")),  # null: the clock
    Column("recorded_at", UtcDateTime, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(40), nullable=False),  # a user's id, or the part of the service that did it
    Column("action", String(60), nullable=False),
    Column("subject", String(60), nullable=False),
    Column("subject_id", String(100), nullable=False),
    Column("athlete_id", ID, ForeignKey("athlete.id"), index=True),
    Column("why", Text, nullable=False),
)
