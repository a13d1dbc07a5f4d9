"""The worker in a process of its own: it analyses what is stored here, is replaced when it dies, ends when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from coach.instance import database_path
from coach.live import LiveFeed
from coach.pulse import Pulse
from coach.worker_process import WorkerProcess
from tests.coach.club import Club, bending_chunks
from tests.coach.test_gateway import until

# s: an interpreter has to start and read the analysis in, on a machine that does other things too.
PATIENCE_S = 60


def test_it_analyses_is_replaced_when_it_dies_and_ends_when_told(club: Club, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    database_path(folder).symlink_to(club.store.url.removeprefix("sqlite:///"))
    pulse, motion = Pulse("worker", 60.0), club.services.motion
    worker = WorkerProcess(LiveFeed(), folder, None, pulse)
    chunks = bending_chunks(1, 6, club.clock.utc_s())
    worker.start()
    try:
        club.services.log.append(chunks[:4])
        until(lambda: motion.waiting() == 0, PATIENCE_S)
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        club.services.log.append(chunks[4:])
        until(lambda: motion.waiting() == 0, PATIENCE_S)
        assert worker.pid not in (first, None)
        until(lambda: pulse.done.get(("round", False), 0) > 0, PATIENCE_S)
        last = worker.pid
    finally:
        worker.close()
    assert last is not None
    assert not Path(f"/proc/{last}").exists()


def test_a_worker_beside_nothing_says_so_and_makes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coach", "worker", "--storage", str(tmp_path / "none")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "There is no database in" in done.stderr
    assert not (tmp_path / "none").exists()
