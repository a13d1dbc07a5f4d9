"""Queries: passkeys, second factors and recovery codes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, literal, select, update

from coach.store.engine import Tx, UtcDateTime
from coach.store.rows import Row, many, one
from coach.store.sign_in_tables import passkey, recovery_code, second_factor, used_challenge


def add_passkey(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a passkey. Raises Conflict when it is kept already."""
    tx.execute(passkey.insert().values(**values))


def passkey_by_credential(tx: Tx, credential_id: str) -> Row | None:
    """Return a passkey by the id that the device gave it."""
    return one(tx, select(passkey).where(passkey.c.credential_id == credential_id))


def passkeys_of(tx: Tx, user_id: str) -> list[Row]:
    """Return somebody's passkeys, oldest first."""
    return many(tx, select(passkey).where(passkey.c.user_id == user_id).order_by(passkey.c.made_at, passkey.c.id))


def note_passkey_use(tx: Tx, passkey_id: str, sign_count: int, backed_up: bool, now: datetime) -> None:
    """Note the device's own count and when it was used."""
    values = {"sign_count": sign_count, "backed_up": backed_up, "used_at": now}
    tx.execute(update(passkey).where(passkey.c.id == passkey_id).values(**values))


def name_passkey(tx: Tx, user_id: str, passkey_id: str, name: str) -> None:
    """Call somebody's passkey `name`."""
    mine = (passkey.c.id == passkey_id, passkey.c.user_id == user_id)
    tx.execute(update(passkey).where(*mine).values(name=name))


def remove_passkey(tx: Tx, user_id: str, passkey_id: str) -> bool:
    """Delete somebody's passkey; tell whether there was one."""
    mine = (passkey.c.id == passkey_id, passkey.c.user_id == user_id)
    return tx.execute(delete(passkey).where(*mine).returning(passkey.c.id)).first() is not None


def remove_passkeys(tx: Tx, user_id: str) -> int:
    """Delete all passkeys of somebody; return how many there were."""
    return len(tx.execute(delete(passkey).where(passkey.c.user_id == user_id).returning(passkey.c.id)).all())


def use_challenge(tx: Tx, challenge_hash: str, now: datetime, forget_before: datetime) -> None:
    """Use a challenge up; older ones than `forget_before` are too old anyway. Raises Conflict: used before."""
    tx.execute(delete(used_challenge).where(used_challenge.c.used_at < forget_before))
    tx.execute(used_challenge.insert().values(challenge_hash=challenge_hash, used_at=now))


def factor_of(tx: Tx, user_id: str) -> Row | None:
    """Return somebody's second factor, confirmed or not."""
    return one(tx, select(second_factor).where(second_factor.c.user_id == user_id))


def begin_factor(tx: Tx, user_id: str, secret: str, now: datetime) -> None:
    """Keep a secret that waits for its first code; replaces one that waited."""
    tx.execute(delete(second_factor).where(second_factor.c.user_id == user_id))
    values = {"user_id": user_id, "secret": secret, "made_at": now, "confirmed_at": None, "last_step": -1}
    tx.execute(second_factor.insert().values(**values))


def use_step(tx: Tx, user_id: str, step: int, confirmed_at: datetime) -> bool:
    """Use the code of a step up; False when that one or a newer one was used before."""
    kept = second_factor.c
    used = update(second_factor).where(kept.user_id == user_id, kept.last_step < step)
    values = {"last_step": step, "confirmed_at": func.coalesce(kept.confirmed_at, literal(confirmed_at, UtcDateTime()))}
    return tx.execute(used.values(values).returning(kept.user_id)).first() is not None


def remove_factor(tx: Tx, user_id: str) -> bool:
    """Delete somebody's second factor and its recovery codes; tell whether there was a confirmed one."""
    tx.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    gone = delete(second_factor).where(second_factor.c.user_id == user_id).returning(second_factor.c.confirmed_at)
    return tx.execute(gone).scalar_one_or_none() is not None


def replace_recovery_codes(tx: Tx, rows: list[dict[str, Any]], user_id: str) -> None:
    """Keep new codes instead of all that there were."""
    tx.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    tx.execute(recovery_code.insert(), rows)


def use_recovery_code(tx: Tx, user_id: str, code_hash: str, now: datetime) -> bool:
    """Use a code up, in one statement; False when it is not known or was used."""
    code = recovery_code.c
    used = update(recovery_code).where(code.user_id == user_id, code.code_hash == code_hash, code.used_at.is_(None))
    return tx.execute(used.values(used_at=now).returning(code.id)).first() is not None


def recovery_codes_left(tx: Tx, user_id: str) -> int:
    """Return how many codes somebody has left."""
    left = (recovery_code.c.user_id == user_id, recovery_code.c.used_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(recovery_code).where(*left)).scalar_one())
