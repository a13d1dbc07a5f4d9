"""`backstop doctor`: one check per thing that can be wrong, each with its remedy. Nothing is changed or locked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from coach.checkup import database, keeping, machine, network, processes, radio, server
from coach.checkup.types import Line, State
from coach.config import Config

__all__ = ["Line", "State", "examine"]


def examine(
    config: Config, config_file: Path | None, *, days: int | None = 7, over_network: bool = False
) -> list[Line]:
    """Return what was found, in order. days: how far back chunks are decoded, None for all of them.

    config_file: where the configuration was read from, if from a file. over_network: whether to knock at the mail
    server and at webhooks. Works beside a Backstop that runs. A check that fails in an unknown way is a line too.
    """
    directory, url = config.storage.directory, config.storage.database_url.get_secret_value()
    checks: list[tuple[str, Callable[[], Iterable[Line]]]] = [
        ("database", lambda: server.check_server(url) if url else database.check_database(directory)),
        ("chunks", lambda: server.check_chunks(url, days) if url else database.check_chunks(directory, days)),
        ("disk", lambda: machine.check_disk(directory)),
        ("clock", lambda: machine.check_clock(directory)),
        ("adapter", lambda: radio.check_adapter(directory)),
        ("permissions", lambda: machine.check_permissions(config, config_file)),
        ("spool", lambda: keeping.check_spools(config)),
        ("backups", lambda: keeping.check_backups(config)),
        ("versions", machine.check_versions),
    ]
    if log_url := config.storage.log_url.get_secret_value():
        checks.append(("processes", lambda: processes.check_processes(url, log_url)))
    if over_network:
        checks.append(("network", lambda: network.check_network(config)))
    return [line for part, check in checks for line in _lines(part, check)]


def _lines(part: str, check: Callable[[], Iterable[Line]]) -> list[Line]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - one check's trouble must not hide what the others find
        return [
            Line(
                part,
                State.BROKEN,
                f"It could not be looked at ({type(error).__name__}: {error}).",
                "Look at the disk and who owns the folder; if both are well, tell whoever maintains Backstop.",
            )
        ]
