"""`backstop doctor`: look at everything that can be wrong, and say the remedy."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from pydantic import SecretStr

from coach.checkup import Line, State, examine
from coach.commands.options import add_config_option
from coach.config import file_of, load

_EXIT = {State.OK: 0, State.ATTENTION: 1, State.BROKEN: 2}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor`."""
    parser = subparsers.add_parser(
        "doctor", help="check database, disk, clock, adapter, permissions, chunks, backups; says the remedy"
    )
    add_config_option(parser)
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder of the database (default: storage.directory)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--days", type=int, default=7, metavar="N", help="decode the chunks of N days (default: 7)")
    which.add_argument("--all", action="store_true", help="decode every chunk that is stored")
    parser.add_argument("--network", action="store_true", help="also knock at the mail server and at webhooks")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Print what was found; return 0 when all is well, 1 when something wants attention, 2 when something is broken."""
    config = load(args.config)
    if args.storage:
        there = {"directory": args.storage, "database_url": SecretStr("")}
        config = config.model_copy(update={"storage": config.storage.model_copy(update=there)})
    days = None if args.all else max(0, args.days)
    lines = examine(config, file_of(args.config), days=days, over_network=args.network)
    worst = max((line.state for line in lines), key=lambda state: _EXIT[state])
    if args.json:
        print(json.dumps({"state": worst, "lines": [asdict(line) for line in lines]}, indent=1))
    else:
        print("\n".join(map(_told, lines)))
    return _EXIT[worst]


def _told(line: Line) -> str:
    remedy = f"\n{'':24}→ {line.remedy}" if line.remedy else ""
    return f"{line.state.value:<10}{line.part:<14}{line.says}{remedy}"
