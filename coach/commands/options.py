"""What several commands share: options, and the services over this machine's database."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coach.config import SHARED_CLOCK, Config
from coach.errors import ConfigError
from coach.instance import database_path, make_directory
from coach.service import Services, build_services
from coach.store.engine import migrate, open_store
from devices.hostclock import ScaledClock, SystemClock


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add --config FILE."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration file (default: ./config.toml, if any)"
    )


def shared_clock() -> ScaledClock | None:
    """Return the clock that a simulation in another process on this machine runs by, if one is named.

    Raises ConfigError when it cannot be read.
    """
    text = os.environ.get(SHARED_CLOCK)
    if not text:
        return None
    try:
        return ScaledClock.from_text(text)
    except ValueError as error:
        raise ConfigError(f"{SHARED_CLOCK} is {text!r}: copy it as `backstop simulate --speed` prints it.") from error


@contextmanager
def opened_services(config: Config) -> Iterator[Services]:
    """Open the services over this machine's database, whose schema is brought up to date; starts nothing."""
    store = open_store(database_path(make_directory(config.storage.directory)))
    try:
        migrate(store)
        yield build_services(store, config, SystemClock())
    finally:
        store.close()
