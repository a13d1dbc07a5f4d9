"""Bring the schema up to date with the scripts inside this package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from coach.errors import StoreUnavailable
from coach.store.engine import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(store: Store) -> None:
    """Upgrade to the newest schema, in one transaction. Up to date is no work.

    Raises StoreUnavailable, also when the database was made by a newer Backstop.
    """
    config = Config()
    # Configparser reads a percent sign as the start of a name.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with store.begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"The database was made by a newer Backstop ({error}): install that version, or change storage.directory."
        ) from None
