"""One Backstop per storage folder: a lock that the kernel takes away when its process dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from coach.config import Storage
from coach.durable import make_folder, write_once
from coach.errors import AlreadyRunning, CoachError, ConfigError, StoreUnavailable

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


# The database, and the other files of the storage folder that cannot be made anew without somebody noticing.
DATABASE = "backstop.sqlite3"
KEY_FILES = ("session.key", "vapid.key")


def make_directory(directory: Path) -> Path:
    """Make the storage folder. Raises ConfigError when that cannot be done.

    From here on, what this process writes (database, log, keys) is readable by its owner only, also in a folder that
    was there before.
    """
    os.umask(0o077)
    try:
        make_folder(directory)
    except OSError as error:
        raise ConfigError(
            f"The storage folder {directory} cannot be made ({error.strerror}): "
            "set BACKSTOP_STORAGE__DIRECTORY to one that can."
        ) from error
    return directory


def database_path(directory: Path) -> Path:
    """Return the one file of the embedded database."""
    return directory / DATABASE


def database_of(storage: Storage) -> str | Path:
    """Return what `open_store` opens: the address of the database server, or the path of the file."""
    return storage.database_url.get_secret_value() or database_path(storage.directory)


def existing_database(storage: Storage) -> str | Path:
    """Return what `open_store` opens. Raises ConfigError where there is no file: only `backstop run` makes one."""
    where = database_of(storage)
    if isinstance(where, Path) and not where.is_file():
        raise ConfigError(
            f"There is no database in {storage.directory}: start `backstop run` once, or set storage.directory to its "
            "folder."
        )
    return where


def require_addresses(storage: Storage, role: str) -> None:
    """Refuse to be one process of many without the two addresses that they share. Raises ConfigError."""
    if not (storage.database_url.get_secret_value() and storage.log_url.get_secret_value()):
        raise ConfigError(
            f"`backstop {role}` is one of several processes, which share a PostgreSQL and a NATS: set "
            "BACKSTOP_STORAGE__DATABASE_URL and BACKSTOP_STORAGE__LOG_URL, or use `backstop run` for one machine."
        )


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the storage folder for this process and its children.

    Raises AlreadyRunning when another process holds it. The file stays; the lock is what counts, and it ends with the
    last process that inherited it.
    """

    def taken(holder: str) -> AlreadyRunning:
        return AlreadyRunning(
            f"Another Backstop (process {holder or 'unknown'}) already uses the folder {directory}: "
            "stop it, or choose another folder (storage.directory, or --spool of a gateway)."
        )

    with hold(directory / "backstop.lock", taken):
        yield


@contextlib.contextmanager
def hold(path: Path, taken: Callable[[str], CoachError]) -> Iterator[None]:
    """Hold a lock for this process and its children, and write who holds it into its file.

    Raises what `taken(holder)` returns when another process has it, ConfigError when the file cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"The lock {path} cannot be opened ({error.strerror}): check who owns the folder.") from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise taken(os.pread(handle, 20, 0).decode("ascii", "replace").strip()) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_held(directory: Path) -> bool:
    """Tell whether a Backstop runs over the storage folder; takes nothing."""
    if fcntl is None:  # pragma: no cover - Windows
        return False
    try:
        handle = os.open(directory / "backstop.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def write_through(folder: Path) -> None:
    """Have the disk know the names in a folder. Raises OSError."""
    if os.name != "nt":  # Windows has no way to write a folder through
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def working_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder for files that are not done, beside where they will be; it is gone afterwards.

    Raises StoreUnavailable when it cannot be made.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        raise StoreUnavailable(
            f"Nothing can be written in {parent} ({error.strerror}): check the folder, who owns it and its free space."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the working folders that a killed process has left; nobody may have one of this prefix now."""
    for left in parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)


def secret_key(directory: Path) -> str:
    """Return the key that signs session cookies; made once, readable by its owner only."""
    path = directory / "session.key"
    try:
        write_once(path, secrets.token_hex(32).encode())
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
