"""`backstop erase`: erase an athlete for good, from the terminal of whoever owns the machine."""

from __future__ import annotations

import argparse

from coach.commands.options import add_config_option, opened_services
from coach.config import load
from coach.errors import InvalidInput


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `erase`."""
    parser = subparsers.add_parser("erase", help="erase everything of one athlete, for good")
    parser.add_argument("--athlete", required=True, metavar="NAME", help="who, by name or id")
    parser.add_argument("--confirm", metavar="NAME", help="the same name again: without it nothing is erased")
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Erase, and say what is left to do. Raises NoSuch, InvalidInput, StoreUnavailable."""
    config = load(args.config)
    with opened_services(config) as services:
        athlete_id = services.exports.athlete_named(args.athlete)
        if args.confirm is None:
            raise InvalidInput(
                "Nothing was erased: it cannot be taken back, so add --confirm with the athlete's name. "
                "`backstop export` takes everything along first."
            )
        done = services.erasing.erase(None, athlete_id, args.confirm)
    print("No row is left." if done.emptied else "It was begun; a running Backstop goes on with it.")
    if not done.scrubbed:
        print(
            "The database's files are written anew within a day of a running Backstop; until then traces are in them."
        )
    print(
        f"Backups made before lose them after {config.backup.keep_days} days, and erase them again when they are "
        "restored. What a restore put aside, exports and raw recordings in files of your own are yours to remove."
    )
    return 0
