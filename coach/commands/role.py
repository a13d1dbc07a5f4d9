"""What a process of several stands on: the database that all share, the line to NATS, and the log in its streams."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from coach.config import Config
from coach.instance import database_of
from coach.jetstream.line import NatsLine
from coach.jetstream_log import JetStreamLog
from coach.presence import Presence
from coach.service import Services, build_services
from coach.service.tokens import senders
from coach.shared.feed import SharedFeed
from coach.shared.telling import Telling
from coach.store.engine import Store, open_store
from coach.store.revision import require_newest
from devices.hostclock import SystemClock


@dataclass(frozen=True, slots=True)
class Ground:
    """What is open of a role; `close` it. telling: to the other processes."""

    store: Store
    line: NatsLine
    telling: Telling
    services: Services

    def close(self) -> None:
        """Close the line and the database."""
        self.line.close()
        self.store.close()


def open_ground(config: Config, role: str) -> Ground:
    """Open the database and begin to look for NATS.

    Raises ConfigError (the schema, or the number of the log's partitions, is another one), StoreUnavailable.

    That NATS is away hinders nobody from starting.
    """
    clock = SystemClock()
    with ExitStack() as opened:
        store = opened.enter_context(open_store(database_of(config.storage)))
        require_newest(store)
        line = NatsLine(config.storage.log_url.get_secret_value(), f"{role}-{socket.gethostname()}-{os.getpid()}")
        line.start()
        opened.callback(line.close)
        log = JetStreamLog(store, clock, line, config.storage.log_partitions, senders)
        log.require_same_partitions()
        services = build_services(store, config, clock, log)
        services.machine.attach_line(lambda: line.connected)
        opened.pop_all()  # from here on whoever has it closes it
    return Ground(store, line, Telling(line), services)


@dataclass(frozen=True, slots=True)
class OpenRole:
    """The services of a process without pages, and where it tells what has changed."""

    services: Services
    feed: SharedFeed
    line: NatsLine


@contextmanager
def opened_role(config: Config, name: str) -> Iterator[OpenRole]:
    """Open what a worker or a clock needs, and say that it is at work. Raises as `open_ground`."""
    ground = open_ground(config, name)
    machine = ground.services.machine
    pulse = machine.worker if name == "worker" else machine.clock
    keep_list = ground.services.erasing.keep_list
    presence = Presence(ground.store, SystemClock(), name, lambda: pulse.silent_s, keep_list)
    try:
        presence.start()
        yield OpenRole(ground.services, SharedFeed(ground.telling), ground.line)
    finally:
        presence.close()
        ground.close()
