"""Whether the processes of one Backstop are at work, and whether they reach each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from coach.checkup.types import Line, State
from coach.jetstream.line import NatsLine
from coach.service.at_work import at_work
from coach.store import processes
from coach.store.engine import open_store

# s to wait for NATS. Own choice.
_PATIENCE_S = 3.0


def check_processes(database_url: str, log_url: str) -> Iterator[Line]:
    """Yield a line for NATS, and one for each role. Raises StoreUnavailable."""
    with NatsLine(log_url, "doctor") as line:
        if line.wait_connected(_PATIENCE_S):
            yield Line("log", State.OK, "NATS answers.")
        else:
            remedy = "Look at storage.log_url and the server there; gateways keep their signal meanwhile."
            yield Line("log", State.BROKEN, "NATS does not answer.", remedy)
    with open_store(database_url) as store, store.read() as tx:
        rows = processes.everybody(tx)
    for each in at_work(rows, datetime.now(UTC)):
        state = State.BROKEN if not each.ready else State.ATTENTION if each.silent or each.gone else State.OK
        remedy = "" if state is State.OK else "Look at the log of that process; start as many as are wanted."
        yield Line(each.role, state, each.says, remedy)
