"""`backstop migrate`: bring the database's schema up to date, and say from where to where."""

from __future__ import annotations

import argparse
import contextlib
from datetime import UTC, datetime
from pathlib import Path

from coach.commands.options import add_config_option
from coach.config import load
from coach.instance import database_of, make_directory, only_one
from coach.service import erased_list
from coach.service.erasing import erase_again
from coach.store.engine import migrate, open_store


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `migrate`."""
    parser = subparsers.add_parser("migrate", help="bring the database's schema up to date")
    add_config_option(parser)
    parser.add_argument(
        "--erased", type=Path, nargs="+", default=[], metavar="FILE",
        help="after a restore: lists of who was erased (erased.jsonl) that lay elsewhere; who is on one goes again",
    )  # fmt: skip
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Migrate; of a file nothing else may have it open. Of a server's database the second waits for the first."""
    storage = load(args.config).storage
    lists = [erased_list.said_in(path) for path in args.erased]  # before anything is changed
    directory, shared = make_directory(storage.directory), bool(storage.database_url.get_secret_value())
    with contextlib.nullcontext() if shared else only_one(directory):
        store = open_store(database_of(storage))
        try:
            migrate(store)
            for said in lists:
                erased_list.write(directory, said)
            # What `pg_restore` has brought back, as `backstop restore` does with a file.
            erased = erase_again(store, directory, datetime.now(UTC)) if shared or args.erased else 0
        finally:
            store.close()
    print(f"The schema of the database {'on its server' if shared else f'in {directory}'} is up to date.")
    if erased:
        print(f"{erased} athletes who were erased before are erased from it again.")
    return 0
