"""The service and the gateway as processes of their own, to be killed."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from coach.instance import database_path
from tests.scenarios.house import wait_for


class Server:
    """`backstop run` in a process of its own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **environment: str) -> None:
        command = [sys.executable, "-m", "coach", "run", "--no-simulate", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--storage", str(self.folder)]
        # A process group of its own, so that the kill takes parent and worker at the same moment.
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | environment,
            )
        wait_for(self.answers, 60, "the server")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "server.log").read_text(encoding="utf-8")[-2000:]
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class GatewayProcess:
    """`backstop gateway` in a process of its own. said: everything that it printed, of all its runs."""

    def __init__(self, folder: Path, url: str, token: str, **environment: str) -> None:
        self.folder, self._url = folder, url
        self._environment = os.environ | environment | {"BACKSTOP_GATEWAY__TOKEN": token}
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)

    @property
    def said(self) -> str:
        return (self.folder / "gateway.log").read_text(encoding="utf-8")

    def start(self) -> None:
        command = [sys.executable, "-m", "coach", "gateway", "--server", self._url, "--spool", str(self.folder)]
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.said[-2000:]
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)


def rows(folder: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask SQLite itself, not the code under test."""
    with closing(sqlite3.connect(database_path(folder))) as connection:
        return connection.execute(question).fetchall()
