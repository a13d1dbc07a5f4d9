"""A database server: how it is connected to, and what its errors mean. Everything particular to PostgreSQL's driver.

Every process keeps a few connections. One that died, as all do when the server is started again, is replaced where it
is next asked for (`pool_pre_ping`); while there is no server, each transaction says so in a sentence.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url

# Connections of a process: most are in work for some ms. Own choice: a server lets in 100 unless told otherwise.
_KEPT, _MORE = 8, 24
# s to wait for a server that does not answer. Own choice.
_CONNECT_S = 5
# What every connection begins with. A lock is waited for as long as SQLite's (engine._BUSY_MS); whoever died within a
# transaction holds its rows no longer than that; queries here are short, and compiling one takes longer than it does.
_BEGIN = {
    "timezone": "UTC",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
}
# The option of a statement whose results come as they lie in the server's memory: as text the bytes of a recording's
# state come twice as long, and are written and read at three times the cost.
AS_IT_LIES = "as_it_lies"
# What psycopg says of a server that has no connection left: it gives no code then. Source: PostgreSQL's postmaster.c.
_CROWDED = re.compile(r"too many (clients|connections)|connection slots are reserved")

# Of the driver's errors those by which it refuses a statement itself, without a code.
_BY_DRIVER = {"ProgrammingError", "NotSupportedError"}


def server_url(where: str) -> str:
    """Return an address with the one driver that there is, so that nobody has to know it."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", where)


def shown_address(url: str) -> str:
    """Return a server's address as its own programs take it, without passwords: they are in no message."""
    there = make_url(url)
    query = {name: value for name, value in there.query.items() if "password" not in name.lower()}
    shown = URL.create("postgresql", there.username, None, there.host, there.port, there.database, query)
    return shown.render_as_string()


def server_engine(url: str) -> Engine:
    """Return an engine for a server; connects when it is first used."""
    from psycopg.pq import Format  # with the driver, which who has SQLite never loads

    engine = create_engine(
        url,
        pool_size=_KEPT,
        max_overflow=_MORE,
        pool_pre_ping=True,
        pool_use_lifo=True,  # as few as are needed stay warm
        hide_parameters=True,  # what people wrote is a parameter: no error and no log may repeat it
        connect_args={
            "connect_timeout": _CONNECT_S,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in _BEGIN.items()),
        },
    )

    @event.listens_for(engine, "before_cursor_execute")
    def as_it_lies(_tx: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is not None and context.execution_options.get(AS_IT_LIES):
            cursor.format = Format.BINARY

    return engine


def state_of(error: BaseException) -> str | None:
    """Return the SQLSTATE of a server's error, None for any other. Source: PostgreSQL, appendix A."""
    state = getattr(error, "sqlstate", None)
    if state is None and _CROWDED.search(str(error)):
        return "53300"
    if state is None and type(error).__module__.startswith("psycopg") and type(error).__name__ in _BY_DRIVER:
        return "42000"
    return state


def cause_of(error: BaseException) -> str:
    """Return what an error says in one line, without the values of the row that it met."""
    told = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return told.strip().partition("\n")[0]


def was_overtaken(error: BaseException) -> bool:
    """Tell whether a transaction met another one, and would do as it is the next time: deadlock, serialization."""
    return state_of(error) in {"40001", "40P01"}
