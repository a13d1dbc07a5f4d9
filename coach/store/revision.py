"""Which schema a database has: those who share one use it as it is, and leave changing it to `backstop migrate`."""

from __future__ import annotations

from coach.errors import ConfigError
from coach.store.engine import Store, refuse_half_moved, schemas
from coach.store.exporting import schema_version


def require_newest(store: Store) -> None:
    """Refuse a database whose schema is not this version's: others may be at work on it.

    Raises ConfigError, StoreUnavailable.
    """
    with store.read() as tx:
        refuse_half_moved(tx)
        found = schema_version(tx)
    known = schemas()
    if found == known[-1]:
        return
    if found == "None":
        raise ConfigError("The database has no tables yet: run `backstop migrate` once.")
    if found in known:
        raise ConfigError(
            f"The database has schema {found}, and this version needs {known[-1]}: stop what runs, then run "
            "`backstop migrate` once."
        )
    raise ConfigError(
        f"The database has schema {found}, which a newer Backstop made, and this one knows up to {known[-1]}: "
        "install that version here too."
    )
