"""Who may what: guardians, consents, invitations, links for a doctor, and the ledger of who read what."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from coach.store.engine import UtcDateTime
from coach.store.schema import ID, metadata, unique_where

guardian_athlete = Table(
    "guardian_athlete",
    metadata,
    Column("guardian_id", ID, ForeignKey("user_account.id"), primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False),
    Column("purpose", String(20), nullable=False),  # of service.consent_texts.Purpose
    Column("version", Integer, nullable=False),  # of the text that was shown; 0: before consent was asked
    Column("given_by", ID, ForeignKey("user_account.id")),  # the athlete or their guardian; null with version 0
    Column("given_at", UtcDateTime, nullable=False),
    Column("withdrawn_by", ID, ForeignKey("user_account.id")),
    Column("withdrawn_at", UtcDateTime),
    Index("ix_consent_athlete_purpose", "athlete_id", "purpose"),
    unique_where("uq_consent_standing", "withdrawn_at IS NULL", "athlete_id", "purpose", "version"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(20), nullable=False),  # of service.invitations.InvitationKind
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("made_by", ID, ForeignKey("user_account.id"), nullable=False, index=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), index=True),  # whom it lets see; null where a coach asks
    Column("level", String(10)),  # what is shared, of service.permission.Level
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("used_by", ID, ForeignKey("user_account.id")),
    Column("ended_at", UtcDateTime),  # taken back before anybody used it
)

doctor_link = Table(
    "doctor_link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("athlete_id", ID, ForeignKey("athlete.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("label", String(60), nullable=False),  # for whom, as the athlete names them
    Column("made_by", ID, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("athlete_id", ID, ForeignKey("athlete.id"), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),  # in which it was read; the minute is not kept
    Column("reader_kind", String(20), primary_key=True),  # of service.ledger.ReaderKind
    Column("reader_id", ID, primary_key=True),  # of a user, a token or a link
    Column("subject", String(20), primary_key=True),  # of service.ledger.Subject
    Column("reader_name", String(200), nullable=False),  # as it was then: a reader may be gone when it is read
)
