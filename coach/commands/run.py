"""`backstop run`: the whole service in one process on one machine, with a simulated athlete unless told otherwise."""

from __future__ import annotations

import argparse
from pathlib import Path

from coach import logs
from coach.commands.embedded import Embedded
from coach.commands.options import add_config_option, with_web_options
from coach.config import Config, load
from coach.instance import make_directory, only_one
from coach.network import own_address
from coach.service.types import Role
from coach.web.app import WebApp
from coach.web.server import serve


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run`."""
    parser = subparsers.add_parser("run", help="start Backstop: pages, database, worker, clock and wearables")
    add_config_option(parser)
    parser.add_argument("--host", help="address to listen on (default: web.host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default: web.port)")
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder of the database (default: storage.directory)"
    )
    parser.add_argument(
        "--no-simulate", action="store_true", help="no simulated athlete; only wearables that a radio can hear"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Raises AlreadyRunning, ConfigError, StoreUnavailable."""
    config = with_web_options(load(args.config), args)
    if args.no_simulate:
        config = config.model_copy(update={"simulate": config.simulate.model_copy(update={"athlete": False})})
    logs.configure(config.log)
    directory = make_directory(config.storage.directory)
    with only_one(directory):
        embedded = Embedded(config, directory, args.config)
        # Made before the server starts, so that a database that cannot be used is one sentence and an exit status.
        embedded.prepare()
        return serve(
            embedded.make_app,
            config.web,
            on_ready=lambda app, port: _announce(embedded, app, config, port),
            on_stop=embedded.stop,
        )


def _announce(embedded: Embedded, app: WebApp, config: Config, port: int) -> None:
    """Start the roles and print where to go; called in the serving process once it can answer."""
    embedded.start()
    base = f"http://127.0.0.1:{port}"
    lines = ["", f"Backstop is ready on {base}"]
    if config.web.host not in {"127.0.0.1", "localhost", "::1"}:
        lines[-1] += f" and, from this network, on http://{own_address()}:{port}"
    people = embedded.people_to_let_in()
    for identity, token in people:
        lines.append(f"  sign in once as the {identity.role.value} {identity.name}:  {base}/enter/{token}")
    if all(identity.role is Role.OWNER for identity, _ in people):
        lines.append("  nobody coaches here yet: the owner invites a coach, or `backstop user add NAME --role coach`.")
    lines.append("Ctrl-C ends it; nothing that was acknowledged is lost.")
    print("\n".join(lines), flush=True)
