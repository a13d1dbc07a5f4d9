"""Checks of a database server: that it can be reached, keeps what it acknowledges, has room for connections, and when
it thinks it is; its schema, its months, and the checksum of each chunk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from coach.checkup.database import schema_line, since, told_of_chunks
from coach.checkup.types import Line, State
from coach.errors import CoachError
from coach.store import exporting, months, server_state
from coach.store.engine import Tx, open_store

# Major version from which what is used here exists and is tested.
_VERSION_LEAST = 15
# Share of the connections above which no other process should be started. Own choice.
_CROWDED_SHARE = 0.8
# Without these a power cut takes what was acknowledged.
_KEEPING = ("fsync", "full_page_writes", "synchronous_commit")
# s between the clock of the server and this one's that nobody notices. Own choice: far below a chunk.
_APART_S = 1.0


def check_server(url: str) -> Iterator[Line]:
    """Say whether the server can be reached and is set as it must be, and of which schema the database is."""
    with open_store(url) as store:
        try:
            with store.read() as tx:
                yield from _settings(tx)
                yield _clock(tx)
                schema = exporting.schema_version(tx)
                if schema == "None":
                    yield Line(
                        "schema", State.BROKEN, "The database has no tables yet.", "Run `backstop migrate` once."
                    )
                    return
                yield schema_line(schema)
                if schema_line(schema).state is State.OK:
                    yield _months(tx)
        except CoachError as error:
            yield Line("database", State.BROKEN, str(error), "Start the server, or set storage.database_url right.")


def _settings(tx: Tx) -> Iterator[Line]:
    found = server_state.settings(tx)
    says = f"PostgreSQL {found['version']}, {found['bytes'] / 1e6:.1f} MB."
    wrong = [f"{name} is off" for name in _KEEPING if found[name] == "off"]
    if wrong:
        remedy = "Set fsync, full_page_writes and synchronous_commit on: a power cut takes what was acknowledged."
        yield Line("database", State.BROKEN, f"{says} {', '.join(wrong)}.", remedy)
    elif found["encoding"] != "UTF8" or found["is_copy"]:
        what = "It takes no writes: it is a copy." if found["is_copy"] else f"Its encoding is {found['encoding']}."
        yield Line("database", State.BROKEN, f"{says} {what}", "Name a server that writes, a database of UTF8.")
    elif found["version"] < _VERSION_LEAST:
        yield Line(
            "database", State.ATTENTION, says, f"Use PostgreSQL {_VERSION_LEAST} or newer: others are not tried."
        )
    else:
        yield Line("database", State.OK, f"{says} What it acknowledges is on its disk.")
    used = f"{found['connections']} of {found['most']} are in use."
    if found["connections"] >= _CROWDED_SHARE * found["most"]:
        yield Line("connections", State.ATTENTION, used, "Raise max_connections, or start fewer processes.")
    else:
        yield Line("connections", State.OK, used)


def _clock(tx: Tx) -> Line:
    before, began = datetime.now(UTC), time.monotonic()
    there = server_state.now(tx)
    apart_s = (there - before).total_seconds() - (time.monotonic() - began) / 2
    says = f"The server's is {abs(apart_s):.1f} s {'ahead of' if apart_s > 0 else 'behind'} this machine's."
    if abs(apart_s) > _APART_S:
        return Line("server clock", State.ATTENTION, says, "Have chrony or systemd-timesyncd keep both right.")
    return Line("server clock", State.OK, says)


def _months(tx: Tx) -> Line:
    lacking = sorted({month for _, month in months.lacking(tx, datetime.now(UTC))})
    if lacking:
        named = ", ".join(f"{each.year}-{each.month:02}" for each in lacking)
        return Line("months", State.ATTENTION, f"No parts for {named}.", "Start `backstop clock`: it makes them ahead.")
    return Line("months", State.OK, f"Parts are made for {months.AHEAD} months ahead.")


def check_chunks(url: str, days: int | None) -> Iterator[Line]:
    """Decode every chunk of the last days, or all; each carries a checksum of its own."""
    with open_store(url) as store, store.read() as tx:
        yield told_of_chunks(server_state.chunks_since(tx, since(days)), days)
