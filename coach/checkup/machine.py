"""Checks of the machine: disk, clock, permissions, versions."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from zoneinfo import ZoneInfo

from coach.checkup.types import Line, State
from coach.config import Config, secrets_in
from coach.instance import DATABASE, database_path
from coach.service.machine import DISK_LEAST_BYTES
from coach.store import snapshot

# Bytes below which a disk soon is full: a month of ten wearables. Own choice.
_DISK_SOON_BYTES = 4 * 1024**3
# What a clock may differ from the newest row: stamps are of this clock, so more than a moment is a jump. Own choice.
_AHEAD = timedelta(minutes=5)
# Versions whose write-ahead log may be damaged by two checkpoints and a commit at the same moment, which is rare.
# Source: sqlite.org/wal.html, "The WAL-Reset Bug": 3.7.0 to 3.51.2.
_WAL_MENDED = (3, 51, 3)
_WAL_MENDED_TOO = frozenset({(3, 44, 6), (3, 50, 7)})


def check_disk(directory: Path) -> Iterator[Line]:
    """Write, sync and remove a small file, and look at what is free."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=directory) as probe:
            probe.write(b"written by `backstop doctor`")
            probe.flush()
            os.fsync(probe.fileno())
    except FileNotFoundError:
        yield Line("disk", State.ATTENTION, f"The folder {directory} is not there.", "`backstop run` makes it.")
        return
    except OSError as error:
        yield Line(
            "disk", State.BROKEN, f"Nothing can be written in {directory} ({error.strerror}).",
            "Make room, mount it so that it can be written, or check who owns it.",
        )  # fmt: skip
    free = shutil.disk_usage(directory).free
    says = f"{free / 1e9:.1f} GB are free."
    if free < DISK_LEAST_BYTES:
        yield Line("disk", State.BROKEN, says, "Make room now: Backstop soon keeps nothing new.")
    elif free < _DISK_SOON_BYTES:
        yield Line("disk", State.ATTENTION, says, "Make room, or shorten [retention].")
    else:
        yield Line("disk", State.OK, f"It can be written; {says}")


def check_clock(directory: Path) -> Iterator[Line]:
    """Compare the clock with what it has stamped before, and look for the time zones of the athletes."""
    now = datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    newest, zones = installed, {"Europe/Berlin"}
    path = database_path(directory)
    if path.exists():
        newest = max(newest, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        with snapshot.open_snapshot(path) as seen:
            stamped, named = snapshot.newest_stamp(seen), snapshot.time_zones(seen)
        newest, zones = max(newest, stamped or newest), zones | named
    if newest - now > _AHEAD:
        yield Line(
            "clock",
            State.BROKEN,
            f"It says {now:%Y-%m-%d %H:%M} UTC, and something here was written at {newest:%Y-%m-%d %H:%M}: it jumped.",
            "Set it (chrony or systemd-timesyncd keep it right), then restart Backstop.",
        )
    else:
        yield Line("clock", State.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC, after everything that is stored.")
    missing = sorted(zone for zone in zones if not _is_known(zone))
    if missing:
        yield Line(
            "time zones", State.BROKEN, f"Unknown here: {', '.join(missing)}.", "Install tzdata: pip install -U tzdata."
        )
    else:
        yield Line("time zones", State.OK, f"All {len(zones)} that are needed are known.")


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        return False
    return True


def check_permissions(config: Config, config_file: Path | None) -> Iterator[Line]:
    """Look who else on this machine may read what is stored, and the secrets of the configuration."""
    directory = config.storage.directory
    open_to_others = []
    if directory.is_dir():
        with suppress(OSError):
            files = [directory, *(each for each in sorted(directory.iterdir()) if each.is_file())]
            open_to_others = [each for each in files if _mode(each) & 0o077 and each != directory]
            foreign = [each for each in files if hasattr(os, "getuid") and each.stat().st_uid != os.getuid()]
            if foreign:
                names = ", ".join(each.name for each in foreign[:3])
                yield Line(
                    "permissions", State.ATTENTION, f"Not of this user: {names}.",
                    "Run doctor as the user that runs Backstop, or chown the folder to that user.",
                )  # fmt: skip
    if open_to_others:
        names = ", ".join(each.name for each in open_to_others[:5])
        state = State.BROKEN if any(each.name == DATABASE for each in open_to_others) else State.ATTENTION
        yield Line("permissions", state, f"Others may read {names}.", f"chmod -R go-rwx {directory}")
    told = secrets_in(config_file) if config_file is not None else []
    if config_file is not None and told and _mode(config_file) & 0o077:
        yield Line(
            "permissions", State.BROKEN, f"Others may read {config_file}, which holds {', '.join(told)}.",
            f"chmod 600 {config_file}, or move secrets to files of their own or to the environment.",
        )  # fmt: skip
    elif not open_to_others:
        yield Line("permissions", State.OK, "What is stored can be read by its owner only.")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def check_versions() -> Iterator[Line]:
    """Look for what Backstop needs, and for a SQLite without a known defect."""
    missing = []
    for need in requires("backstop") or []:
        if "extra ==" in need:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0]
        other_system = "sys_platform" in need and platform.system() != "Linux"
        try:
            version(name)
        except PackageNotFoundError:
            if not other_system:
                missing.append(name)
    here = f"Backstop {version('backstop')}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if missing:
        yield Line(
            "versions", State.BROKEN, f"Not installed: {', '.join(missing)}.", "Install Backstop again with pip."
        )
    if sqlite3.sqlite_version_info < _WAL_MENDED and sqlite3.sqlite_version_info not in _WAL_MENDED_TOO:
        yield Line(
            "versions",
            State.ATTENTION,
            f"{here}: this SQLite has a defect that in rare moments damages a database.",
            "Use a Python with SQLite 3.51.3 or newer when there is one for this system; until then keep backups.",
        )
    elif not missing:
        yield Line("versions", State.OK, f"{here}.")
