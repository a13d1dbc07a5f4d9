"""Queries: delete everything of an athlete, a bounded number of rows at a time; and make the files forget it too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime

from sqlalchemy import LargeBinary, Table, delete, func, insert, or_, select, update

from coach.errors import StoreUnavailable
from coach.store.data_rules import erased_tables, of_athlete
from coach.store.engine import Store, Tx
from coach.store.erasure_tables import erasure
from coach.store.every_table import metadata
from coach.store.rows import Row, fresh_id, many, one
from coach.store.tables import api_token, athlete, event, user_account, wearable

# What lets somebody in, or out to somebody; deleted first. The rest follows in any order that foreign keys allow.
_DOORS = (
    "recovery_code",
    "second_factor",
    "passkey",
    "sign_in_session",
    "sign_in_link",
    "personal_token",
    "api_token",
    "invitation",
    "doctor_link",
    "push_subscription",
    "webhook_target",
    "coach_athlete",
)
# Rows with bytes in them that one transaction deletes: some MB. Own choice: others write between two.
_ROWS_AT_ONCE = 500
# s to wait for others, who write for some ms each. Own choice.
_BUSY_S = 30.0


def begin(tx: Tx, athlete_id: str, id_hash: str, asked_by: str, now: datetime) -> str:
    """Note that an athlete is to be erased and shut every door to them; again is no error. Return the erasure's id."""
    known = one(tx, select(erasure).where(erasure.c.id_hash == id_hash))
    tokens = tx.execute(select(api_token.c.token_hash).where(api_token.c.athlete_id == athlete_id)).scalars()
    values = {"whose": athlete_id, "asked_by": asked_by, "asked_at": now}
    values |= {"emptied_at": None, "scrubbed_at": None, "taken_in_at": None}
    if known is None:
        erasure_id = fresh_id()
        row = {"id": erasure_id, "id_hash": id_hash, "token_hashes": list(tokens), **values}
        tx.execute(insert(erasure).values(**row))
    else:
        erasure_id = known["id"]
        hashes = sorted({*known["token_hashes"], *tokens})
        tx.execute(update(erasure).where(erasure.c.id == erasure_id).values(token_hashes=hashes, **values))
    tables = {table.name: table for table in erased_tables()}
    for name in _DOORS:
        if name in tables:
            tx.execute(delete(tables[name]).where(of_athlete(tables[name], athlete_id)))
    # A new epoch ends what is signed in; nobody links to what was forgotten, and nothing is sent of it.
    mine = user_account.c.athlete_id == athlete_id
    tx.execute(update(user_account).where(mine).values(password_hash=None, epoch=user_account.c.epoch + 1))
    worn = (wearable.c.athlete_id == athlete_id, wearable.c.forgotten_at.is_(None))
    tx.execute(update(wearable).where(*worn).values(forgotten_at=now))
    return erasure_id


def under_way(tx: Tx) -> list[Row]:
    """Return the erasures of which rows or traces are left, the oldest first."""
    statement = select(erasure).where(or_(erasure.c.whose.is_not(None), erasure.c.scrubbed_at.is_(None)))
    return many(tx, statement.order_by(erasure.c.asked_at, erasure.c.id))


def is_under_way(tx: Tx, athlete_id: str) -> bool:
    """Tell whether an athlete is being erased."""
    return tx.execute(select(erasure.c.id).where(erasure.c.whose == athlete_id)).first() is not None


def everybody(tx: Tx) -> list[Row]:
    """Return id_hash, asked_at and taken_in_at of everybody who was erased here."""
    return many(tx, select(erasure.c.id_hash, erasure.c.asked_at, erasure.c.taken_in_at))


def note_taken_in(tx: Tx, id_hash: str, now: datetime) -> bool:
    """Note that somebody who was erased here is taken in again, and forget their tokens; tell whether it was so."""
    values = {"taken_in_at": now, "token_hashes": []}
    return tx.execute(update(erasure).where(erasure.c.id_hash == id_hash).values(**values)).rowcount == 1


def token_was_erased(tx: Tx, token_hash: str) -> bool:
    """Tell whether a token was one of an athlete who was erased."""
    return any(token_hash in hashes for hashes in tx.execute(select(erasure.c.token_hashes)).scalars())


def athlete_ids(tx: Tx) -> list[str]:
    """Return the id of every athlete."""
    return list(tx.execute(select(athlete.c.id)).scalars())


def wearable_ids(tx: Tx, athlete_id: str) -> list[str]:
    """Return the ids of everything that the athlete wears or wore."""
    return list(tx.execute(select(wearable.c.id).where(wearable.c.athlete_id == athlete_id)).scalars())


def user_ids(tx: Tx, athlete_id: str) -> list[str]:
    """Return the ids of the accounts that are the athlete's."""
    return list(tx.execute(select(user_account.c.id).where(user_account.c.athlete_id == athlete_id)).scalars())


def delete_some(tx: Tx, athlete_id: str) -> bool:
    """Delete some rows with bytes in them, in an order that no foreign key minds; tell whether there may be more."""
    for table in erased_tables():
        if not _is_large(table):
            if _named_by_large(table):
                tx.execute(delete(table).where(of_athlete(table, athlete_id)))
            continue
        key = next(iter(table.primary_key.columns))
        if len(table.primary_key.columns) == 1:
            some = select(key).where(of_athlete(table, athlete_id)).limit(_ROWS_AT_ONCE)
            if tx.execute(delete(table).where(key.in_(some))).rowcount:
                return True
        else:
            tx.execute(delete(table).where(of_athlete(table, athlete_id)))
    return False


def delete_rest(tx: Tx, athlete_id: str) -> None:
    """Delete every row of an athlete, and then the athlete; of rows of others, what names their account."""
    users = user_ids(tx, athlete_id)
    told = [athlete_id, *users]
    # The audit has ids without foreign keys.
    tx.execute(delete(event).where(or_(event.c.actor.in_(told), event.c.subject_id.in_(told))))
    for table in erased_tables():
        if table is user_account:
            _let_go(tx, users)
        tx.execute(delete(table).where(of_athlete(table, athlete_id)))


def _let_go(tx: Tx, users: list[str]) -> None:
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table is not user_account or table is user_account:
                continue
            named = key.parent.in_(users)
            if key.parent.nullable:
                tx.execute(update(table).where(named).values({key.parent.name: None}))
            else:
                tx.execute(delete(table).where(named))


def leftovers(tx: Tx, athlete_id: str) -> dict[str, int]:
    """Return how many rows of an athlete each table still has, by rule; tables that have none are left out."""
    found = {}
    for table in erased_tables():
        statement = select(func.count()).select_from(table).where(of_athlete(table, athlete_id))
        if count := tx.execute(statement).scalar_one():
            found[table.name] = int(count)
    return found


def note_emptied(tx: Tx, erasure_id: str, now: datetime) -> bool:
    """Note that no row is left; from here on nothing tells who it was. Tell whether nobody has noted it before."""
    mine = (erasure.c.id == erasure_id, erasure.c.whose.is_not(None))
    return tx.execute(update(erasure).where(*mine).values(whose=None, emptied_at=now)).rowcount == 1


def note_scrubbed(tx: Tx, now: datetime) -> None:
    """Note that no trace of rows that were deleted until now is left in the files."""
    done = (erasure.c.emptied_at.is_not(None), erasure.c.scrubbed_at.is_(None))
    tx.execute(update(erasure).where(*done).values(scrubbed_at=now))


def _is_large(table: Table) -> bool:
    return any(isinstance(column.type, LargeBinary) for column in table.c)


def _named_by_large(table: Table) -> bool:
    """Tell whether a small table's rows name rows of a large one, so that they must go first."""
    return any(_is_large(key.column.table) for key in table.foreign_keys)


def scrub(store: Store, anew: bool = True) -> None:
    """Empty the log of a SQLite file, which still has what was overwritten in the file (secure_delete).

    anew: also write the whole file anew, which clears what pages may keep of rows that moved within them; writers wait
    meanwhile. PostgreSQL does all that by itself in time. Raises StoreUnavailable: somebody wrote or read for too long,
    or there is no room.
    """
    if store.dialect != "sqlite":
        return
    path = store.url.removeprefix("sqlite:///")
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete=ON").close()
            if anew:
                connection.execute("VACUUM").close()
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The database cannot be written anew now ({error}): it is tried again.") from error
    if busy:
        raise StoreUnavailable("The database cannot be written anew while others read for so long: it is tried again.")
