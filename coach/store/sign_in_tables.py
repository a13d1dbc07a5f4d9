"""How people sign in: sessions, passkeys, second factors, and what is told of them. No typed text, no secret."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, NUMBER, metadata

sign_in_session = Table(
    "sign_in_session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("way", String(20), nullable=False),  # service.sign_in_types.Way
    Column("device", String(80), nullable=False),  # as people call it: Firefox on Linux
    Column("begun_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),  # to the minute
    Column("confirmed_at", UtcDateTime, nullable=False),  # when the person last showed who they are
    Column("ended_at", UtcDateTime),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("credential_id", String(1400), nullable=False, unique=True),  # base64url
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("backed_up", Boolean, nullable=False),  # kept by a provider, so that it outlives the device
    Column("name", String(60), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

used_challenge = Table(
    "used_challenge",
    metadata,
    Column("challenge_hash", String(64), primary_key=True),  # kept until the challenge is too old anyway
    Column("used_at", UtcDateTime, nullable=False, index=True),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("user_id", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("secret", String(64), nullable=False),  # base32; the server has to make the same codes
    Column("made_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),  # null until the first code was typed: not asked for before
    Column("last_step", BigInteger, nullable=False),  # of the newest code that was used: none up to it is taken again
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

failed_sign_in = Table(
    "failed_sign_in",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("hour", UtcDateTime, nullable=False),
    Column("way", String(20), nullable=False),
    Column("user_id", ID, ForeignKey("user_account.id")),  # null: the name that was typed is nobody's
    Column("tries", Integer, nullable=False),
    Index("ix_failed_sign_in_user_hour", "user_id", "hour"),
)

sign_in_notice = Table(
    "sign_in_notice",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("user_id", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("what", String(40), nullable=False),  # service.sign_in_types.Notice
    Column("at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)
