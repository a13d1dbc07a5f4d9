"""What a process of several stands on: the database that all share, with its schema as it must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coach.config import Config
from coach.instance import database_of
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.store.engine import open_store
from coach.store.revision import require_newest
from devices.hostclock import SystemClock


@dataclass(frozen=True, slots=True)
class OpenRole:
    """The services of a process without pages, and where it tells what has changed."""

    services: Services
    feed: LiveFeed


@contextmanager
def opened_role(config: Config, name: str) -> Iterator[OpenRole]:
    """Open what a role needs. Raises ConfigError (the schema is another one), StoreUnavailable."""
    store = open_store(database_of(config.storage))
    try:
        require_newest(store)
        yield OpenRole(build_services(store, config, SystemClock()), LiveFeed())
    finally:
        store.close()
