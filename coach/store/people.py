"""Queries: users and their sign-in links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import sign_in_link, user_account

# Characters; what is longer is nobody's name.
NAME_MAX = 200


def add_user(tx: Tx, name: str, role: str, password_hash: str | None, athlete_id: str | None, now: datetime) -> str:
    """Insert a user; return the id. Raises Conflict on a taken name."""
    user_id = fresh_id()
    tx.execute(
        user_account.insert().values(
            id=user_id,
            name=name,
            name_key=name.casefold(),
            role=role,
            password_hash=password_hash,
            epoch=0,
            athlete_id=athlete_id,
            created_at=now,
        )
    )
    return user_id


def user(tx: Tx, user_id: str) -> Row | None:
    """Return a user by id."""
    return one(tx, select(user_account).where(user_account.c.id == user_id))


def user_named(tx: Tx, name: str) -> Row | None:
    """Return a user by name, upper and lower case alike."""
    return one(tx, select(user_account).where(user_account.c.name_key == name.strip().casefold()))


def language_of(tx: Tx, athlete_id: str) -> str | None:
    """Return the language that an athlete chose for their pages, None while none is chosen."""
    statement = select(user_account.c.language).where(user_account.c.athlete_id == athlete_id)
    return tx.execute(statement).scalar_one_or_none()


def short_name(name: str) -> str:
    """Return a name as it is looked for, so that whatever is typed names one account or none."""
    return name[:NAME_MAX].strip().casefold()


def user_of_athlete(tx: Tx, athlete_id: str) -> Row | None:
    """Return the user who is that athlete."""
    return one(tx, select(user_account).where(user_account.c.athlete_id == athlete_id))


def users(tx: Tx) -> list[Row]:
    """Return all users by name."""
    return many(tx, select(user_account).order_by(user_account.c.name_key))


def set_password_hash(tx: Tx, user_id: str, password_hash: str | None) -> Row | None:
    """Replace the hash, or forget it, and begin a new epoch; return the user, None when there is no such user."""
    values = {"password_hash": password_hash, "epoch": user_account.c.epoch + 1}
    return one(tx, update(user_account).where(user_account.c.id == user_id).values(values).returning(user_account))


def set_reading(tx: Tx, user_id: str, language: str | None, units: str) -> None:
    """Keep in which language and units somebody reads."""
    tx.execute(update(user_account).where(user_account.c.id == user_id).values(language=language, units=units))


def new_epoch(tx: Tx, user_id: str) -> None:
    """End what somebody's programs hold."""
    tx.execute(update(user_account).where(user_account.c.id == user_id).values(epoch=user_account.c.epoch + 1))


def refresh_password_hash(tx: Tx, user_id: str, old: str, new: str) -> None:
    """Keep another hash of the same password, unless the password was replaced meanwhile."""
    same = (user_account.c.id == user_id, user_account.c.password_hash == old)
    tx.execute(update(user_account).where(*same).values(password_hash=new))


def add_sign_in_link(tx: Tx, user_id: str, token_hash: str, now: datetime, expires_at: datetime) -> None:
    """Insert a one-time link."""
    tx.execute(
        sign_in_link.insert().values(
            id=fresh_id(), user_id=user_id, token_hash=token_hash, created_at=now, expires_at=expires_at
        )
    )


def drop_sign_in_links(tx: Tx, user_id: str) -> None:
    """Forget somebody's links that nobody has used."""
    tx.execute(delete(sign_in_link).where(sign_in_link.c.user_id == user_id, sign_in_link.c.used_at.is_(None)))


def use_sign_in_link(tx: Tx, token_hash: str, now: datetime) -> str | None:
    """Mark a link as used, in one statement, and return its user; None when it is unknown, used or too old."""
    links = sign_in_link.c
    statement = (
        update(sign_in_link)
        .where(links.token_hash == token_hash, links.used_at.is_(None), links.expires_at > now)
        .values(used_at=now)
        .returning(links.user_id)
    )
    return tx.execute(statement).scalar_one_or_none()
