"""One Backstop per storage folder: a lock that the kernel takes away when its process dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from coach.errors import AlreadyRunning, ConfigError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


def make_directory(directory: Path) -> Path:
    """Make the storage folder. Raises ConfigError when that cannot be done.

    From here on, what this process writes (database, log, keys) is readable by its owner only, also in a folder that
    was there before.
    """
    os.umask(0o077)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The storage folder {directory} cannot be made ({error.strerror}): "
            "set BACKSTOP_STORAGE__DIRECTORY to one that can."
        ) from error
    return directory


def database_path(directory: Path) -> Path:
    """Return the one file of the embedded database."""
    return directory / "backstop.sqlite3"


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the storage folder for this process and its children.

    Raises AlreadyRunning when another process holds it. The file stays; the lock is what counts, and it ends with the
    last process that inherited it.
    """
    path = directory / "backstop.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"The lock {path} cannot be opened ({error.strerror}): check who owns the folder.") from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
                raise AlreadyRunning(
                    f"Another Backstop (process {holder or 'unknown'}) already uses the folder {directory}: "
                    "stop it, or choose another folder (storage.directory, or --spool of a gateway)."
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def secret_key(directory: Path) -> str:
    """Return the key that signs session cookies; made once, readable by its owner only."""
    path = directory / "session.key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(
            f"The session key {path} cannot be written ({error.strerror}): check who owns the folder."
        ) from error
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The session key {path} cannot be read: remove the file, everybody signs in again."
        ) from error
    if len(key) < 32:
        raise ConfigError(f"The session key {path} is damaged: remove the file, everybody signs in again.")
    return key
