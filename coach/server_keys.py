"""The keys of a server: files of the storage folder on one machine, rows where several processes share them.

A key that a file has becomes the row, so that nobody signs in anew when one machine becomes several.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from coach.config import Config
from coach.errors import ConfigError
from coach.instance import secret_key
from coach.notify.vapid import VapidKey, fresh_key, key_of, own_key
from coach.store import processes
from coach.store.engine import Store

_SESSION, _VAPID = "session", "vapid"


def session_key(store: Store, config: Config) -> str:
    """Return what signs session cookies, made once. Raises ConfigError, StoreUnavailable."""
    directory = config.storage.directory
    if not _shared(config):
        return secret_key(directory)
    kept = (directory / "session.key").is_file()
    return _row(store, _SESSION, lambda: secret_key(directory) if kept else secrets.token_hex(32))


def vapid_key(store: Store, config: Config) -> VapidKey:
    """Return what signs pushes, made once. Raises ConfigError, StoreUnavailable."""
    directory = config.storage.directory
    if not _shared(config):
        return own_key(directory)
    kept = (directory / "vapid.key").is_file()
    key = key_of(_row(store, _VAPID, lambda: (own_key(directory) if kept else fresh_key()).pem()).encode())
    if key is None:
        raise ConfigError("The key of pushes in the table server_key is damaged: remove the row; devices begin anew.")
    return key


def _shared(config: Config) -> bool:
    return bool(config.storage.log_url.get_secret_value())


def _row(store: Store, name: str, make: Callable[[], str]) -> str:
    with store.read() as tx:
        found = processes.key(tx, name)
    if found is not None:
        return found
    with store.begin() as tx:
        # Another process may be first: its key counts.
        processes.add_key(tx, name, make(), datetime.now(UTC))
    with store.read() as tx:
        return processes.key(tx, name) or ""
