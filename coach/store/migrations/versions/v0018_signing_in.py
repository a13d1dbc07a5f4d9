"""Keep sessions, passkeys, second factors and recovery codes. Whoever was signed in signs in anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coach.store.engine import UtcDateTime

revision = "0018"
down_revision = "0017"

_ID = sa.String(length=32)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables."""
    _sessions()
    _passkeys()
    _second_factors()
    _told()


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f(f"fk_{table}_user_id"))


def _sessions() -> None:
    op.create_table(
        "sign_in_session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        _of_user("sign_in_session"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_session_secret_hash")),
    )
    op.create_index("ix_sign_in_session_user_id", "sign_in_session", ["user_id"], unique=False)


def _passkeys() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        _of_user("passkey"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index("ix_passkey_user_id", "passkey", ["user_id"], unique=False)
    op.create_table(
        "used_challenge",
        sa.Column("challenge_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_used_challenge")),
    )
    op.create_index("ix_used_challenge_used_at", "used_challenge", ["used_at"], unique=False)


def _second_factors() -> None:
    op.create_table(
        "second_factor",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime()),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _of_user("second_factor"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        _of_user("recovery_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"], unique=False)


def _told() -> None:
    op.create_table(
        "failed_sign_in",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("tries", sa.Integer(), nullable=False),
        _of_user("failed_sign_in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    op.create_index("ix_failed_sign_in_user_hour", "failed_sign_in", ["user_id", "hour"], unique=False)
    op.create_table(
        "sign_in_notice",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime()),
        _of_user("sign_in_notice"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_notice")),
    )
    op.create_index("ix_sign_in_notice_user_id", "sign_in_notice", ["user_id"], unique=False)
