"""`backstop restore`: a backup becomes the database again, or is only checked."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from coach.backup_file import Manifest
from coach.commands.options import add_config_option, refuse_server
from coach.config import load
from coach.instance import make_directory, only_one
from coach.service import from_backup


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `restore`."""
    parser = subparsers.add_parser("restore", help="put a backup in the place of the database, or only check it")
    add_config_option(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="what `backstop backup` made")
    parser.add_argument("--storage", type=Path, metavar="DIR", help="folder to restore to (default: storage.directory)")
    parser.add_argument("--replace", action="store_true", help="put a database that is there aside, in the same folder")
    parser.add_argument(
        "--check", action="store_true", help="only check the backup: checksums, database, newest chunks"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Restore or check. Raises InvalidInput, Conflict, AlreadyRunning, StoreUnavailable, ConfigError."""
    config = load(args.config)
    if args.check:
        checked = from_backup.check(args.file)
        print(f"{args.file} is whole: {_told(checked.manifest)}, the newest {checked.chunks} chunks decoded.")
        return 0
    if args.storage is None:
        refuse_server(
            config,
            "Its own way to bring it back, into an empty database: `pg_restore --dbname={address} FILE`; then start "
            "Backstop over {folder}, whose list of the erased is read first",
        )
    directory = make_directory(args.storage or config.storage.directory)
    with only_one(directory):
        done = from_backup.restore(args.file, directory, datetime.now(UTC), replace=args.replace)
    print(f"{directory} is as it was at {done.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: {_told(done.manifest)}.")
    print("What was withdrawn, revoked or ended since stands again: ask everybody to look at who sees what.")
    if done.erased_again:
        print(f"{done.erased_again} athletes who were erased since are erased from it again.")
    if done.aside is not None:
        print(f"What was there before is kept in {done.aside}: remove it when all is well.")
    return 0


def _told(manifest: Manifest) -> str:
    return f"{sum(manifest.rows.values())} rows of {len(manifest.rows)} tables, schema {manifest.schema}"
