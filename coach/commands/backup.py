"""`backstop backup`: everything in one file, while Backstop runs or not."""

from __future__ import annotations

import argparse
from pathlib import Path

from coach.commands.options import add_config_option, refuse_server
from coach.config import load
from coach.errors import ConfigError
from coach.service.backups import Backups
from devices.hostclock import SystemClock


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `backup`."""
    parser = subparsers.add_parser("backup", help="put the database and the keys into one file, while Backstop runs")
    add_config_option(parser)
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder of the database (default: storage.directory)"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE|DIR", help="new file, or a folder (default: backup.folder); made when missing"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Make one backup and say what it holds. Raises ConfigError, StoreUnavailable, InvalidInput, AlreadyRunning."""
    config = load(args.config)
    if args.storage is None:
        refuse_server(
            config,
            "Its own way to back it up: `pg_dump --format=custom --file=FILE {address}`; keep a copy of {folder} "
            "beside it, whose files no database has",
        )
    to = args.to or (Path(config.backup.folder) if config.backup.folder else None)
    if to is None:
        raise ConfigError("No place is named for the backup: give --to FILE or --to DIR, or set backup.folder.")
    backups = Backups(args.storage or config.storage.directory, config.backup, SystemClock())
    made = backups.make(to, folder=args.to is None or to.is_dir() or to.suffix != ".zip")
    size_mb = made.path.stat().st_size / 1e6
    rows = sum(made.manifest.rows.values())
    print(f"{made.path}: {size_mb:.1f} MB, {rows} rows of {len(made.manifest.rows)} tables, read back and checked.")
    if made.removed:
        print(f"Removed {len(made.removed)} older than {config.backup.keep_days} days.")
    return 0
