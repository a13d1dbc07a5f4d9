"""Keep levels, guardians, consents, invitations, links for a doctor and the ledger.

What was so before consent was asked is carried over as version 0: coaches that are linked stay so at level full, signal
is taken, and what was shared of health entries stays shared. The pages then ask to confirm it.
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0017"
down_revision = "0016"

_ID = sa.String(length=32)


def upgrade() -> None:
    """Add the tables, carry over what was shared, and drop the switch that the consents replace."""
    op.add_column("coach_athlete", sa.Column("level", sa.String(length=10), nullable=False, server_default="full"))
    _guardian()
    _consent()
    _invitation()
    _doctor_link()
    _ledger()
    _carry_over()
    op.drop_table("care_sharing")


def _guardian() -> None:
    op.create_table(
        "guardian_athlete",
        sa.Column("guardian_id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["guardian_id"], ["user_account.id"], name=op.f("fk_guardian_athlete_guardian_id")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_guardian_athlete_athlete_id")),
        sa.PrimaryKeyConstraint("guardian_id", "athlete_id", name=op.f("pk_guardian_athlete")),
    )
    op.create_index("ix_guardian_athlete_athlete_id", "guardian_athlete", ["athlete_id"], unique=False)


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("given_by", _ID),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_by", _ID),
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_consent_athlete_id")),
        sa.ForeignKeyConstraint(["given_by"], ["user_account.id"], name=op.f("fk_consent_given_by")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["user_account.id"], name=op.f("fk_consent_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_athlete_purpose", "consent", ["athlete_id", "purpose"], unique=False)
    standing = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "uq_consent_standing",
        "consent",
        ["athlete_id", "purpose", "version"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", _ID, nullable=False),
        sa.Column("athlete_id", _ID),
        sa.Column("level", sa.String(length=10)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.Column("used_by", _ID),
        sa.Column("ended_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["made_by"], ["user_account.id"], name=op.f("fk_invitation_made_by")),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_invitation_athlete_id")),
        sa.ForeignKeyConstraint(["used_by"], ["user_account.id"], name=op.f("fk_invitation_used_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitation_code_hash")),
    )
    op.create_index("ix_invitation_made_by", "invitation", ["made_by"], unique=False)
    op.create_index("ix_invitation_athlete_id", "invitation", ["athlete_id"], unique=False)


def _doctor_link() -> None:
    op.create_table(
        "doctor_link",
        sa.Column("id", _ID, nullable=False),
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("made_by", _ID, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_doctor_link_athlete_id")),
        sa.ForeignKeyConstraint(["made_by"], ["user_account.id"], name=op.f("fk_doctor_link_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_doctor_link_token_hash")),
    )
    op.create_index("ix_doctor_link_athlete_id", "doctor_link", ["athlete_id"], unique=False)


def _ledger() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("athlete_id", _ID, nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("reader_kind", sa.String(length=20), nullable=False),
        sa.Column("reader_id", _ID, nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("reader_name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["athlete_id"], ["athlete.id"], name=op.f("fk_ledger_entry_athlete_id")),
        sa.PrimaryKeyConstraint(
            "athlete_id", "hour", "reader_kind", "reader_id", "subject", name=op.f("pk_ledger_entry")
        ),
    )


def _carry_over() -> None:
    tx = op.get_bind()
    before = [("sensing", "SELECT id, created_at FROM athlete")]
    before.append(("sharing", "SELECT athlete_id, min(created_at) FROM coach_athlete GROUP BY athlete_id"))
    before.append(("pain_text", "SELECT athlete_id, changed_at FROM care_sharing WHERE shared = true"))
    given = sa.table(
        "consent",
        sa.column("id", _ID),
        sa.column("athlete_id", _ID),
        sa.column("purpose", sa.String),
        sa.column("version", sa.Integer),
        sa.column("given_at", UtcDateTime()),
    )
    for purpose, query in before:
        # The column's own type reads and writes the time, whatever the database keeps it as.
        found = tx.execute(sa.text(query).columns(sa.column("athlete_id", _ID), sa.column("given_at", UtcDateTime())))
        rows = [
            {"id": uuid4().hex, "athlete_id": row[0], "purpose": purpose, "version": 0, "given_at": row[1]}
            for row in found
        ]
        if rows:
            op.bulk_insert(given, rows)
