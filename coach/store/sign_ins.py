"""Queries: sessions of people who are signed in, failed tries, and what they are told at the next sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from coach.store.engine import Tx
from coach.store.rows import Row, many, one
from coach.store.sign_in_tables import failed_sign_in, sign_in_notice, sign_in_session
from coach.store.tables import user_account

_session = sign_in_session.c
_alive = _session.ended_at.is_(None)
# The person beside the session: one read answers both. Names of the two that both tables have are told apart.
_with_person = select(
    sign_in_session,
    user_account.c.name,
    user_account.c.role,
    user_account.c.athlete_id,
    user_account.c.epoch,
    user_account.c.language,
    user_account.c.units,
).join(user_account, user_account.c.id == _session.user_id)


def begin(tx: Tx, values: dict[str, Any]) -> None:
    """Insert a session."""
    tx.execute(sign_in_session.insert().values(**values))


def by_secret(tx: Tx, secret_hash: str) -> Row | None:
    """Return a session that has not ended, with its person; None when there is none."""
    return one(tx, _with_person.where(_session.secret_hash == secret_hash, _alive))


def by_id(tx: Tx, session_id: str) -> Row | None:
    """Return a session that has not ended, with its person; None when there is none."""
    return one(tx, _with_person.where(_session.id == session_id, _alive))


def of_user(tx: Tx, user_id: str, begun_after: datetime, seen_after: datetime) -> list[Row]:
    """Return somebody's sessions that are good, the one seen last first."""
    good = (_session.user_id == user_id, _alive, _session.begun_at > begun_after, _session.seen_at > seen_after)
    return many(tx, select(sign_in_session).where(*good).order_by(_session.seen_at.desc(), _session.id))


def note_seen(tx: Tx, session_id: str, now: datetime) -> None:
    """Note when a session was used last."""
    tx.execute(update(sign_in_session).where(_session.id == session_id).values(seen_at=now))


def confirm(tx: Tx, session_id: str, now: datetime) -> None:
    """Note that the person showed again who they are."""
    tx.execute(update(sign_in_session).where(_session.id == session_id, _alive).values(confirmed_at=now, seen_at=now))


def renew(tx: Tx, session_id: str, secret_hash: str) -> bool:
    """Give a session another secret; tell whether it has not ended."""
    renewed = update(sign_in_session).where(_session.id == session_id, _alive).values(secret_hash=secret_hash)
    return tx.execute(renewed.returning(_session.id)).first() is not None


def end(tx: Tx, user_id: str, session_id: str, now: datetime) -> bool:
    """End one session of somebody; tell whether there was one to end."""
    ended = update(sign_in_session).where(_session.id == session_id, _session.user_id == user_id, _alive)
    return tx.execute(ended.values(ended_at=now).returning(_session.id)).first() is not None


def end_all(tx: Tx, user_id: str, now: datetime, but: str | None = None) -> int:
    """End somebody's sessions, but one where it is named; return how many there were."""
    ended = update(sign_in_session).where(_session.user_id == user_id, _alive)
    if but is not None:
        ended = ended.where(_session.id != but)
    return len(tx.execute(ended.values(ended_at=now).returning(_session.id)).all())


def count_failed(tx: Tx, hour: datetime, way: str, user_id: str | None) -> None:
    """Count one try that failed. The same two statements for a name that is nobody's."""
    failed = failed_sign_in.c
    same = (failed.hour == hour, failed.way == way, failed.user_id.is_not_distinct_from(user_id))
    counted = update(failed_sign_in).where(*same).values(tries=failed.tries + 1).returning(failed.id)
    if tx.execute(counted).first() is None:
        tx.execute(failed_sign_in.insert().values(hour=hour, way=way, user_id=user_id, tries=1))


def failed_of(tx: Tx, user_id: str, since: datetime) -> int:
    """Return how many tries on somebody's account failed since."""
    total = select(func.coalesce(func.sum(failed_sign_in.c.tries), 0))
    found = tx.execute(total.where(failed_sign_in.c.user_id == user_id, failed_sign_in.c.hour >= since)).scalar_one()
    return int(found)


def failed_by_way(tx: Tx) -> dict[str, int]:
    """Return how many tries failed by each way, of all that are kept; how long: the rules of data."""
    total = select(failed_sign_in.c.way, func.sum(failed_sign_in.c.tries)).group_by(failed_sign_in.c.way)
    return {way: int(tries) for way, tries in tx.execute(total)}


def add_notice(tx: Tx, user_id: str, what: str, now: datetime) -> None:
    """Keep what somebody is told at the next sign-in."""
    tx.execute(sign_in_notice.insert().values(user_id=user_id, what=what, at=now))


def take_notices(tx: Tx, user_id: str, now: datetime) -> list[Row]:
    """Return what somebody was not told yet, and note that it is told now."""
    untold = (sign_in_notice.c.user_id == user_id, sign_in_notice.c.told_at.is_(None))
    found = many(tx, select(sign_in_notice).where(*untold).order_by(sign_in_notice.c.id))
    if found:
        tx.execute(update(sign_in_notice).where(*untold).values(told_at=now))
    return found
