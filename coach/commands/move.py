"""`backstop move`: the whole database out of its file into PostgreSQL, and the proof that nothing is lost."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from coach.commands.options import add_config_option
from coach.commands.progress_bar import ProgressBar
from coach.config import Config, load
from coach.errors import ConfigError, InvalidInput
from coach.instance import database_path, only_one
from coach.store import moving, snapshot
from coach.store.checksums import Sum, sum_of
from coach.store.engine import Store, open_store, schemas
from coach.store.every_table import metadata
from coach.store.exporting import schema_version
from coach.store.movable import Load, look_through, open_texts

# Values that are named when PostgreSQL cannot take them. Own choice: more are counted.
_NAMED_MAX = 20


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `move`."""
    parser = subparsers.add_parser(
        "move",
        help="move the database from its file into PostgreSQL",
        description="Copy the whole database from its file into an empty PostgreSQL, and compare both, table by table. "
        "Nothing in the file is changed. Whatever interrupts it: the same command goes on where it was.",
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST/NAME; without PASSWORD, PGPASSWORD or ~/.pgpass says it",
    )
    parser.add_argument("--check", action="store_true", help="copy nothing: compare what was copied once more")
    parser.add_argument(
        "--storage", type=Path, metavar="DIR", help="folder of the database (default: storage.directory)"
    )
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Move, or check what was moved: 0 all is equal, 1 something is not.

    Raises AlreadyRunning, ConfigError, InvalidInput, StoreUnavailable.
    """
    config = load(args.config)
    directory = args.storage or config.storage.directory
    _require_address(args.to, config, check=args.check)
    file = database_path(directory)
    if not file.is_file():
        raise ConfigError(f"There is no database in {directory} to move: name its folder with --storage.")
    with only_one(directory), open_store(args.to) as target:
        source = moving.fingerprint(file)
        with snapshot.open_snapshot(file) as opened:
            _require_whole(opened)
            if args.check:
                return _compare(file, target)
            since = moving.begin(target, source)
            _copy(opened, target, since, _look(opened))
        moving.finish(target)
        unequal = _compare(file, target)
        if not unequal:
            moving.end(target)
            _say_what_next(args.to, directory)
        return unequal


def _require_address(to: str, config: Config, *, check: bool) -> None:
    """Raise ConfigError unless there is a database that can be moved into, and a file that counts."""
    if moving.shown(to) is None:
        raise ConfigError("--to is no address of a PostgreSQL: write it as postgresql://USER:PASSWORD@HOST/NAME.")
    if config.storage.database_url.get_secret_value() and not check:
        raise ConfigError(
            "storage.database_url is set: Backstop works on a PostgreSQL already, and its file is of before. Leave the "
            "key empty to move the file."
        )


def _require_whole(opened: sqlite3.Connection) -> None:
    """Raise InvalidInput unless the file is sound, and of this version's schema."""
    found, newest = snapshot.schema_version(opened), schemas()[-1]
    if found != newest:
        raise InvalidInput(
            f"The database has schema {found}, this version needs {newest}: run `backstop migrate` first."
        )
    if strange := sorted(set(snapshot.tables(opened)) - {*metadata.tables, "alembic_version"}):
        raise InvalidInput(f"The database has the table {strange[0]}, which is none of Backstop's: remove it first.")
    if wrong := snapshot.troubles(opened):
        raise InvalidInput(f"The database is damaged ({'; '.join(wrong)}): restore a backup first.")


def _look(opened: sqlite3.Connection) -> dict[str, Load]:
    """Return how much each table holds. Raises InvalidInput when PostgreSQL cannot take something of it."""
    open_texts(opened)
    bar, loads, before = ProgressBar("rows"), {}, 0
    tables = metadata.sorted_tables
    for number, table in enumerate(tables):
        told = _told(bar, f"looking through {table.name}", number / len(tables), before)
        loads[table.name] = look_through(opened, table, told)
        before += loads[table.name].rows
    bar.pause()
    unfit = [each for load in loads.values() for each in load.unfit]
    if unfit:
        more = f"; and {len(unfit) - _NAMED_MAX} more" if len(unfit) > _NAMED_MAX else ""
        raise InvalidInput(
            f"PostgreSQL cannot take these values, and nothing was copied: {'; '.join(unfit[:_NAMED_MAX])}{more}."
        )
    print(f"{before:,} rows of {len(tables)} tables: PostgreSQL can take every value.", flush=True)
    return loads


def _copy(
    opened: sqlite3.Connection, target: Store, since: Mapping[str, moving.Moved], loads: Mapping[str, Load]
) -> None:
    total = sum(load.bytes for load in loads.values()) or 1
    # Work is bytes; what a table does not say of its bytes is shared out over its rows.
    per_row = {name: load.bytes / load.rows if load.rows else 0.0 for name, load in loads.items()}
    whole = dict.fromkeys(loads, 0.0) | {name: moved.rows * per_row[name] for name, moved in since.items()}
    already = sum(whole.values()) / total
    if already:
        print(f"{int(already * 100)} % is there already: going on.", flush=True)
    bar, rows_here = ProgressBar("rows", already), 0
    for table in metadata.sorted_tables:
        moving.prepare(target, opened, table, datetime.now(UTC))
        now: moving.Moved | None = since[table.name]
        while now is not None:
            before, now = now, moving.copy_piece(target, opened, table, now)
            if now is not None:
                rows_here += now.rows - before.rows
                whole[table.name] = now.rows * per_row[table.name]
                bar.show(f"copying {table.name}", sum(whole.values()) / total, rows_here)
    bar.end("copied", rows_here)


def _compare(file: Path, target: Store) -> int:
    """Say of each table whether both hold the same; return 0 when all do, else 1."""
    different = 0
    with open_store(file) as source:
        _require_same_schema(source, target)
        bar, read = ProgressBar("rows"), 0
        tables = sorted(metadata.sorted_tables, key=lambda table: table.name)
        for number, table in enumerate(tables):
            told = _told(bar, f"comparing {table.name}", number / len(tables), read)
            # One after the other: a server ends a transaction in which nothing happens for long.
            with source.read() as tx:
                ours = sum_of(tx, table, told)
            with target.read() as tx:
                theirs = sum_of(tx, table, told)
            read += ours.rows + theirs.rows
            bar.pause()
            print(_line(table.name, ours, theirs), flush=True)
            different += ours != theirs
    if different:
        print(f"{different} tables differ. The file is as it was: go on with it, and move into a database made anew.")
        return 1
    print(f"All {len(tables)} tables are equal.")
    return 0


def _require_same_schema(source: Store, target: Store) -> None:
    with source.read() as ours, target.read() as theirs:
        if (found := schema_version(theirs)) != schema_version(ours):
            raise InvalidInput(f"The database in PostgreSQL has schema {found}, which is not that of the file.")


def _told(bar: ProgressBar, what: str, share: float, before: int) -> Callable[[int], None]:
    return lambda rows: bar.show(what, share, before + rows)


def _line(name: str, ours: Sum, theirs: Sum) -> str:
    if ours == theirs:
        return f"  {name}: {ours.rows:,} rows, {ours.sha256[:16]}, equal"
    if ours.rows != theirs.rows:
        return f"  {name}: NOT EQUAL, {ours.rows:,} rows in the file, {theirs.rows:,} in PostgreSQL"
    return (
        f"  {name}: NOT EQUAL, {ours.rows:,} rows, {ours.sha256[:16]} in the file, {theirs.sha256[:16]} in PostgreSQL"
    )


def _say_what_next(to: str, directory: Path) -> None:
    print(
        "Put this into config.toml, with the password, or into BACKSTOP_STORAGE__DATABASE_URL:\n"
        "[storage]\n"
        f'database_url = "{moving.shown(to)}"\n'
        f"Start the first process on the folder {directory}, whose keys keep people signed in. The file in it is as it "
        "was: keep it until all is well, then remove it."
    )
