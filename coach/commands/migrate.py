"""`backstop migrate`: bring the database's schema up to date, and say from where to where."""

from __future__ import annotations

import argparse

from coach.commands.options import add_config_option
from coach.config import load
from coach.instance import database_path, make_directory, only_one
from coach.store.engine import migrate, open_store


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `migrate`."""
    parser = subparsers.add_parser("migrate", help="bring the database's schema up to date")
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Migrate; nothing else may use the database meanwhile."""
    directory = make_directory(load(args.config).storage.directory)
    with only_one(directory):
        store = open_store(database_path(directory))
        try:
            migrate(store)
        finally:
            store.close()
    print(f"The schema of the database in {directory} is up to date.")
    return 0
