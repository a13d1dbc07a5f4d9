"""`backstop web`: pages and ingest as one process of several, which share a PostgreSQL and a NATS."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from coach import logs
from coach.commands.options import add_config_option, with_web_options
from coach.commands.web_role import WebRole
from coach.config import Config, load
from coach.instance import make_directory, require_addresses
from coach.web.server import serve


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `web`."""
    parser = subparsers.add_parser("web", help="pages and ingest, beside other processes on one PostgreSQL and NATS")
    add_config_option(parser)
    parser.add_argument("--host", help="address to listen on (default: web.host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default: web.port)")
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder for files in work (default: storage.directory)"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. Raises AlreadyRunning, ConfigError, StoreUnavailable."""
    config = with_web_options(load(args.config), args)
    require_addresses(config.storage, "web")
    logs.configure(config.log)
    make_directory(config.storage.directory)
    role = WebRole(config)
    # Before the server starts, so that what cannot be used is one sentence and an exit status.
    role.check()
    return serve(role.make_app, config.web, on_ready=lambda _, port: _begin(role, config, port), on_stop=role.close)


def _begin(role: WebRole, config: Config, port: int) -> None:
    role.start()
    print(f"Backstop's web (process {os.getpid()}) is ready on http://{config.web.host}:{port}", flush=True)
