"""From `backstop run` on a warm environment to the first page that answers, and to the first finding."""

from __future__ import annotations

import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

RUNS = 5
GIVE_UP_S = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def count(database: Path, question: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(question).fetchone()[0])


def once(until_proposal: bool) -> tuple[float, float]:
    """Return seconds to the first HTTP 200 and, if asked, to a stored proposal."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "coach", "run", "--host", "127.0.0.1", "--port", str(port), "--storage", folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not answers(f"http://127.0.0.1:{port}/"):
                assert time.monotonic() - began < GIVE_UP_S
                time.sleep(0.02)
            usable_s = time.monotonic() - began
            while until_proposal and not count(Path(folder) / "backstop.sqlite3", "select count(*) from plan"):
                assert time.monotonic() - began < GIVE_UP_S
                time.sleep(0.1)
            return usable_s, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(30)


def measure() -> list[str]:
    """Return the lines of the report."""
    usable = [once(False)[0] for _ in range(RUNS)]
    proposal_s = once(True)[1]
    return [
        f"- first page usable: median {statistics.median(usable):.2f} s of {RUNS} starts "
        f"({min(usable):.2f} to {max(usable):.2f}); mark: under 5 s",
        f"- first finding with its proposal stored: {proposal_s:.1f} s after the start, 15 minutes of signal replayed",
    ]


if __name__ == "__main__":
    print("\n".join(measure()))
