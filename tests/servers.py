"""Private servers for tests: PostgreSQL and NATS on free ports, in folders of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

# s for a server to answer after its start: initdb and the start of PostgreSQL take two on a quiet machine. Own choice.
_START_S = 60.0
# Where Debian keeps what is not on everybody's path.
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/local/sbin")


class NoBinary(Exception):
    """A server's program is not on this machine."""


def find_binary(name: str, package: str) -> Path:
    """Return the newest program of a name. Raises NoBinary, which says what to install."""
    places = [place for pattern in _PLACES for place in sorted(Path("/").glob(pattern[1:]), key=_version, reverse=True)]
    on_path = shutil.which(name)
    for each in (*(place / name for place in places), *([Path(on_path)] if on_path else [])):
        if each.is_file() and os.access(each, os.X_OK):
            return each
    raise NoBinary(f"There is no {name} on this machine: apt-get install {package}.")


def _version(place: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in place.parts if part.isdigit())


def free_port() -> int:
    """Return a TCP port of this machine that nobody has now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class _Process:
    """A server's process, started and ended; its folder is removed with `close`."""

    def __init__(self, prefix: str, user: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self.port = free_port()
        self._user = user
        if user is not None:
            # The server of a database refuses to run as root; nobody else reads what root's folder for tests holds.
            account = pwd.getpwnam(user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.process: subprocess.Popen[bytes] | None = None

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(command, user=self._user, cwd=self.folder, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")

    def _spawn(self, *command: str | Path) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, user=self._user, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end_s = time.monotonic() + _START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end_s:
                raise RuntimeError(f"{command[0]} did not start: {self.told()}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Tell whether somebody listens."""
        with socket.socket() as caller:
            caller.settimeout(1.0)
            return caller.connect_ex(("127.0.0.1", self.port)) == 0

    def told(self) -> str:
        """Return the last of the server's own log."""
        log = self.folder / "server.log"
        return log.read_text(errors="replace")[-4000:] if log.is_file() else ""

    def end(self, how: signal.Signals) -> None:
        """End the process by a signal, and wait for it; without one is no error."""
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            process.wait(30.0)

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self.end(signal.SIGKILL)


class Postgres(_Process):
    """A private PostgreSQL. fsync=False is for tests that end no operating system."""

    def __init__(self, fsync: bool = False, settings: Mapping[str, str] | None = None) -> None:
        """settings: beside what is needed here. Raises NoBinary."""
        initdb, self._server = find_binary("initdb", "postgresql"), find_binary("postgres", "postgresql")
        super().__init__("backstop-postgres-", _postgres_user())
        data = self.folder / "data"
        self._run(initdb, "-D", data, "-U", "backstop", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        chosen = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "300",
            "fsync": "on" if fsync else "off",
            **(settings or {}),
        }
        lines = "".join(f"{name} = '{value}'\n" for name, value in {**chosen, "port": str(self.port)}.items())
        with (data / "postgresql.conf").open("a") as file:
            file.write(lines)
        self.start()

    def start(self) -> None:
        """Start, again after it was ended or killed."""
        self._spawn(self._server, "-D", self.folder / "data")
        self._until_open()

    def _until_open(self) -> None:
        """Wait until it has recovered: it listens before."""
        import psycopg

        end_s = time.monotonic() + _START_S
        while True:
            try:
                with psycopg.connect(self.url("postgres").replace("+psycopg", "")):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.05)

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql+psycopg://backstop@127.0.0.1:{self.port}/{database}"

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy, and return its name."""
        name = f"b{uuid.uuid4().hex[:12]}"
        self._ask(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever has it open."""
        self._ask(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _ask(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())

    def close(self) -> None:
        """End it and remove its folder."""
        self.end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Nats(_Process):
    """A private NATS server with JetStream on disk."""

    def __init__(self) -> None:
        """Raises NoBinary."""
        self._server = find_binary("nats-server", "nats-server")
        super().__init__("backstop-nats-")
        self.start()

    def start(self) -> None:
        """Start, again after it was ended or killed; what it had stored is there."""
        self._spawn(self._server, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self.folder / "store")

    @property
    def url(self) -> str:
        """Return its address."""
        return f"nats://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it and remove its folder."""
        self.end(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)


def _postgres_user() -> str | None:
    """Return who runs a database server where this process is root; None: this process's own user."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name for account in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
