"""`backstop web`, `worker`, `clock`, `run` and `migrate` as somebody starts them over one PostgreSQL and one NATS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from coach.__main__ import main
from coach.store import processes
from coach.store.engine import open_store
from tests.scenarios.house import wait_for
from tests.servers import Nats, Postgres


@contextmanager
def started(folder: Path, addresses: dict[str, str], *command: str) -> Iterator[Path]:
    """Start a role; yield the file of what it says; end it in order."""
    said = folder / f"{'-'.join(command[:1])}-{len(list(folder.iterdir()))}.log"
    environment = os.environ | addresses | {"BACKSTOP_STORAGE__DIRECTORY": str(folder / said.stem)}
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "coach", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
    try:
        yield said
        process.terminate()
        assert process.wait(120) == 0, said.read_text()
        assert "Traceback" not in said.read_text(), said.read_text()
    finally:
        process.kill()
        process.wait(10)


def test_every_role_starts_tells_that_it_is_there_and_ends_in_order(
    postgres: Postgres, nats_server: Nats, tmp_path: Path
) -> None:
    name = postgres.create()
    url = postgres.url(name)
    addresses = {"BACKSTOP_STORAGE__DATABASE_URL": url, "BACKSTOP_STORAGE__LOG_URL": nats_server.url}
    try:
        # Of two that change the schema at once, one waits for the other.
        environment = os.environ | addresses | {"BACKSTOP_STORAGE__DIRECTORY": str(tmp_path / "migrate")}
        both = [subprocess.Popen([sys.executable, "-m", "coach", "migrate"], env=environment) for _ in range(2)]
        assert [each.wait(300) for each in both] == [0, 0]
        with ExitStack() as roles:
            at_local = ("--host", "127.0.0.1", "--port", "0")
            for command in (("web", *at_local), ("run", "--no-simulate", *at_local), ("clock",)):
                roles.enter_context(started(tmp_path, addresses, *command))
            # `run` has one of each, its worker as a process of its own.
            everybody = ["clock", "clock", "web", "web", "worker"]
            wait_for(lambda: _at_work(url) == everybody, 300, "everybody to be there", each_s=0.5)
        assert _at_work(url) == []
    finally:
        postgres.drop(name)


@pytest.mark.parametrize("role", ["web", "clock"])
def test_a_role_without_the_addresses_or_with_another_schema_is_refused(
    role: str,
    postgres: Postgres,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BACKSTOP_STORAGE__DIRECTORY", str(tmp_path))
    assert "set BACKSTOP_STORAGE__DATABASE_URL and BACKSTOP_STORAGE__LOG_URL" in _refused(capsys, role)
    monkeypatch.setenv("BACKSTOP_STORAGE__LOG_URL", "nats://127.0.0.1:9")
    assert "storage.log_url is set without storage.database_url" in _refused(capsys, role)
    assert "storage.log_url is set without storage.database_url" in _refused(capsys, "user", "list")
    empty = postgres.create()
    monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", postgres.url(empty))
    assert "has no tables yet: run `backstop migrate` once" in _refused(capsys, role)
    postgres.drop(empty)
    monkeypatch.setenv("BACKSTOP_STORAGE__DATABASE_URL", postgres_url)
    for found, told in (("0030", "this version needs"), ("9999", "a newer Backstop made")):
        with open_store(postgres_url) as store, store.begin() as tx:
            tx.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{found}'")
        assert told in _refused(capsys, role)


def _refused(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main(list(command)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def _at_work(url: str) -> list[str]:
    with open_store(url) as store, store.read() as tx:
        return [row["role"] for row in processes.everybody(tx)]
