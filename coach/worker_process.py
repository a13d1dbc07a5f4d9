"""The worker in a process of its own: pages and ingest do not wait for Python's lock while signal is analysed.

The parent starts `backstop worker --events`. What the worker tells comes back as lines of JSON on its standard output;
the end of its standard input tells it to stop, which the parent's death does too.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, cast

from coach.live import LiveFeed
from coach.pulse import Pulse

_log = logging.getLogger(__name__)
# s until a worker that has ended by itself is started again. Own choice.
_AGAIN_S = 1.0
# s for the transaction under way when Backstop stops. Own choice.
_STOP_S = 30.0


class WorkerProcess:
    """Keep one worker process at work and hand its events to the pages that are open here."""

    def __init__(self, feed: LiveFeed, directory: Path, config: Path | None, pulse: Pulse) -> None:
        """config: the file that this process was given, if any. pulse: of the worker, as this process knows it."""
        self._feed, self._pulse = feed, pulse
        self._command = [sys.executable, "-m", "coach", "worker", "--events", "--storage", str(directory.absolute())]
        if config is not None:
            self._command += ["--config", str(config.absolute())]
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Return the id of the process that is at work."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and the thread that listens to it; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._pulse.begin()
            self._thread = threading.Thread(target=self._run, name="worker-process", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Let the worker finish its transaction, and wait for its end."""
        self._stopping.set()
        self._pulse.end()
        process, thread = self._process, self._thread
        self._thread = None
        if process is not None:
            self._let_end(process)
        if thread is not None:
            thread.join(_STOP_S)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Our own command and nothing that anybody has sent.
            with subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
                self._process = process
                if self._stopping.is_set():
                    self._let_end(process)
                self._listen(cast(IO[bytes], process.stdout))
                status = process.wait()
            if not self._stopping.wait(_AGAIN_S):
                _log.error("the worker has ended by itself (status %d); it is started again", status)

    @staticmethod
    def _let_end(process: subprocess.Popen[bytes]) -> None:
        cast(IO[bytes], process.stdin).close()

    def _listen(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                told: dict[str, Any] = json.loads(line)
                if "event" in told:
                    self._feed.publish(told["athlete_id"], told["event"])
                else:
                    self._pulse.beat("round", bool(told["failed"]))
            except (ValueError, KeyError, TypeError):
                _log.warning("the worker said something that is no event")


class EventLines:
    """The worker's side: what it would tell open pages goes out as lines. Thread-safe."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._lock = out, threading.Lock()

    def publish(self, athlete_id: str, event: dict[str, Any]) -> None:
        """Send an event to the pages that are open in the other process."""
        self._send({"athlete_id": athlete_id, "event": event})

    def beat(self, failed: bool) -> None:
        """Say that a round was done."""
        self._send({"failed": failed})

    def _send(self, told: dict[str, Any]) -> None:
        with self._lock:
            print(json.dumps(told, separators=(",", ":")), file=self._out, flush=True)
