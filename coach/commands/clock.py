"""`backstop clock`: whatever is due by the time, as one process of several on one PostgreSQL and NATS."""

from __future__ import annotations

import argparse
import os
import signal
import threading

from coach import logs
from coach.clock import SessionClock
from coach.commands.options import add_config_option
from coach.commands.role import opened_role
from coach.config import load
from coach.instance import make_directory, require_addresses


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `clock`."""
    parser = subparsers.add_parser(
        "clock", help="release sessions, send reminders, judge days; beside others on one PostgreSQL and NATS"
    )
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Tick until Ctrl-C or SIGTERM. Raises ConfigError, StoreUnavailable."""
    config = load(args.config)
    require_addresses(config.storage, "clock")
    logs.configure(config.log)
    make_directory(config.storage.directory)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    with opened_role(config, "clock") as role:
        clock = SessionClock(role.services, role.feed, config)
        clock.start()
        print(f"Backstop's clock (process {os.getpid()}) is at work.", flush=True)
        stop.wait()
        clock.close()
    return 0
