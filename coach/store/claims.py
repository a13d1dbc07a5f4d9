"""Claims of what no row stands for, on a server: held by a connection, so that they end with whoever dies.

Rows that are due are claimed where they are (`for update skip locked`, see sessions and notifications). These claims
are for work that takes longer than a transaction may: a look of the clock, an athlete whose days are judged. On SQLite,
with one process that looks, they are no work; what is done twice there has no second effect anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from coach.store.engine import Store

_TRY = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_WAIT = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_LET_GO = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


@contextmanager
def claimed(store: Store, *what: str) -> Iterator[bool]:
    """Claim something for as long as the block takes; tell whether nobody else has it. Raises StoreUnavailable."""
    if store.dialect != "postgresql":
        yield True
        return
    key = "/".join(what)
    with store.apart() as connection:
        mine = bool(connection.exec_driver_sql(_TRY, (key,)).scalar_one())
        try:
            yield mine
        finally:
            if mine:
                connection.exec_driver_sql(_LET_GO, (key,))


@contextmanager
def alone(store: Store, *what: str) -> Iterator[None]:
    """Wait until nobody else has something, and keep it for as long as the block takes. Raises StoreUnavailable."""
    if store.dialect != "postgresql":
        yield
        return
    key = "/".join(what)
    with store.apart() as connection:
        connection.exec_driver_sql(_WAIT, (key,))
        try:
            yield
        finally:
            connection.exec_driver_sql(_LET_GO, (key,))
