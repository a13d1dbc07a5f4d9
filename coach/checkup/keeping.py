"""Checks of what is kept beside the database: backups, what a restore put aside, spools of gateways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coach import backup_file
from coach.checkup.types import Line, State
from coach.config import Config
from coach.errors import CoachError
from coach.service.backups import kept_in
from coach.spool import survey


def check_backups(config: Config) -> Iterator[Line]:
    """Look how old the newest backup is and read it back, checksum by checksum."""
    if config.storage.database_url.get_secret_value():
        yield Line("backups", State.OK, "Not looked at: the database server's own means make them (pg_dump).")
        return
    for aside in sorted(config.storage.directory.glob("before-restore-*")):
        yield Line(
            "backups", State.ATTENTION, f"{aside} holds what was there before a restore.",
            "Remove it when all is well: it keeps what was erased since.",
        )  # fmt: skip
    if not config.backup.folder:
        yield Line(
            "backups", State.ATTENTION, "None are made by themselves.", "Set backup.folder, best on another disk."
        )
        return
    kept = kept_in(Path(config.backup.folder))
    if not kept:
        yield Line(
            "backups",
            State.BROKEN,
            f"There is none in {config.backup.folder}.",
            "See the log; `backstop backup` says why.",
        )
        return
    newest = kept[-1]
    age = datetime.now(UTC) - newest.made_at
    says = f"{len(kept)} are kept, the newest is {age / timedelta(hours=1):.0f} h old"
    try:
        backup_file.verify(newest.path)
    except CoachError as error:
        yield Line("backups", State.BROKEN, f"{says}, and damaged: {error}", "Make another now: `backstop backup`.")
        return
    if age > timedelta(hours=2 * config.backup.every_h):
        yield Line("backups", State.BROKEN, f"{says}.", "See the log; `backstop backup` says why.")
    else:
        yield Line("backups", State.OK, f"{says} and fits its checksums.")


def check_spools(config: Config) -> Iterator[Line]:
    """Look at what gateways of this machine keep for their servers."""
    folders = sorted((config.storage.directory / "gateway").glob("*/spool"))
    for folder in folders:
        found = survey(folder)
        says = f"{found.records} chunks wait for {folder.parent.name} ({found.bytes / 1e6:.1f} MB)"
        if found.damaged_bytes:
            yield Line(
                "spool", State.ATTENTION, f"{says}; {found.damaged_bytes} bytes cannot be read.",
                "A torn end after a power cut is usual, and was told nobody as kept; more of it is a failing disk.",
            )  # fmt: skip
        elif found.bytes > 0.9 * config.gateway.spool_mb * 1e6:
            yield Line("spool", State.ATTENTION, f"{says}: it is nearly full.", "Start the gateway; mend its network.")
        else:
            yield Line("spool", State.OK, f"{says}.")
    if not folders:
        yield Line("spool", State.OK, "No gateway keeps anything here.")
