"""Which database the stores of tests lie in: files of SQLite, or with BACKSTOP_TEST_DATABASE=postgresql a server.

Tests that are about SQLite itself (its file, its copies, its settings) open it by `coach.store.engine.open_store`.
"""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path

from coach.store import engine
from coach.store.engine import Store
from tests.servers import Postgres

# Read when tests are collected: a test's own environment has no settings.
ON_POSTGRESQL = os.environ.get("BACKSTOP_TEST_DATABASE", "sqlite") == "postgresql"


class _Databases:
    """A private server of this process, with a database for each path that a test asks for."""

    def __init__(self) -> None:
        self._server: Postgres | None = None
        self._template = ""
        self._names: dict[Path, str] = {}

    @property
    def server(self) -> Postgres:
        """Return the server, which starts when it is first asked for. Raises NoBinary."""
        if self._server is None:
            self._server = Postgres()
            atexit.register(self._server.close)
            self._template = self._server.create()
            with engine.open_store(self._server.url(self._template)) as store:
                engine.migrate(store)
        return self._server

    def url_of(self, path: Path) -> str:
        """Return the address of the database that stands for a file; a new one has the newest schema."""
        server = self.server
        if path not in self._names:
            self._names[path] = server.create(self._template)
        return server.url(self._names[path])

    def copy(self, path: Path, target: Path) -> None:
        """Make a database a copy of another, which nobody has open."""
        self.url_of(path)
        self._names[target] = self.server.create(self._names[path])

    def forget(self, folder: Path) -> None:
        """Drop the databases of a folder."""
        for path in [each for each in self._names if each.is_relative_to(folder)]:
            self.server.drop(self._names.pop(path))


_databases = _Databases()


def open_store(where: Path) -> Store:
    """Open the database that a path stands for; see `coach.store.engine.open_store`."""
    if not ON_POSTGRESQL:
        return engine.open_store(where)
    return engine.open_store(_databases.url_of(where.resolve()))


def copy_database(path: Path, target: Path) -> None:
    """Copy a database that nobody has open."""
    if ON_POSTGRESQL:
        _databases.copy(path.resolve(), target.resolve())
        return
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, target.with_name(file.name.replace(path.name, target.name, 1)))


def forget_databases(folder: Path) -> None:
    """Drop what was made for a folder; files are pytest's own to remove."""
    if ON_POSTGRESQL:
        _databases.forget(folder.resolve())
