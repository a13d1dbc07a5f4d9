"""What several commands share: options, and the services over this machine's database."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coach.config import SHARED_CLOCK, Config
from coach.errors import ConfigError
from coach.instance import database_of, make_directory
from coach.service import Services, build_services
from coach.store.engine import migrate, open_store
from coach.store.revision import require_newest
from coach.store.server import shown_address
from devices.hostclock import ScaledClock, SystemClock


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add --config FILE."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration file (default: ./config.toml, if any)"
    )


def with_web_options(config: Config, args: argparse.Namespace) -> Config:
    """Return the configuration with what --host, --port and --storage say. Raises ConfigError."""
    if args.port is not None and not 0 <= args.port <= 65535:
        raise ConfigError(f"The port {args.port} cannot be: choose one from 0 to 65535.")
    web = {key: value for key, value in (("host", args.host), ("port", args.port)) if value is not None}
    storage = {"directory": args.storage} if args.storage else {}
    return config.model_copy(
        update={
            "web": config.web.model_copy(update=web),
            "storage": config.storage.model_copy(update=storage),
        }
    )


def refuse_server(config: Config, instead: str) -> None:
    """Refuse what works on a database in a file only. instead: the server's own way; {address} and {folder} are named.

    Raises ConfigError where the configuration names a server.
    """
    url = config.storage.database_url.get_secret_value()
    if url:
        # Whoever runs it has the password elsewhere (~/.pgpass).
        told = instead.format(address=shown_address(url), folder=config.storage.directory)
        raise ConfigError(f"The database is on a server. {told}. To work on a file here, give --storage DIR.")


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
    """Open the services over the database; starts nothing.

    The schema of this machine's file is brought up to date. That of a server's must be it already.
    """
    make_directory(config.storage.directory)
    store = open_store(database_of(config.storage))
    try:
        (require_newest if config.storage.database_url.get_secret_value() else migrate)(store)
        yield build_services(store, config, SystemClock())
    finally:
        store.close()
