"""The preloaded shim for tests: built with gcc, switched on by the environment, told which calls to fail."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import sys
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from tests.conftest import skip_or_fail

ROOT = Path(__file__).resolve().parents[2]
_CONTROL = struct.Struct("<iiii")


class Failing(IntEnum):
    """How the disk fails, as in shim.c."""

    NOT = 0
    FULL = 1
    READ_ONLY = 2
    SYNC_FAILS = 3
    WRITE_FAILS = 4


@lru_cache(maxsize=1)
def library() -> Path:
    """Build the shim once; skip the test where that cannot be done (in CI: fail)."""
    if sys.platform != "linux":
        skip_or_fail("The power is cut with calls of Linux.")
    gcc = shutil.which("gcc")
    if gcc is None:
        skip_or_fail("There is no gcc to build what writes down the calls: apt-get install gcc libc6-dev")
    made = Path(mkdtemp(prefix="backstop-shim-")) / "shim.so"
    command = [str(gcc), "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(made), ROOT / "tests/power/shim.c"]
    subprocess.run([*command, "-ldl"], check=True)
    return made


class Shim:
    """The files below `root` of one process after the other: their journal, and how the disk fails now."""

    def __init__(self, folder: Path, root: Path) -> None:
        """folder: where the journal is kept, outside of root."""
        self.root, self.journal, self._control = root, folder / "journal", folder / "control"
        self._control.write_bytes(_CONTROL.pack(0, 0, 0, 0))
        with self._control.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _CONTROL.size)

    def environment(self, journal: bool = True) -> dict[str, str]:
        """Return what switches the shim on in a process."""
        told = {"LD_PRELOAD": str(library()), "POWER_ROOT": str(self.root), "POWER_CONTROL": str(self._control)}
        return told | ({"POWER_JOURNAL": str(self.journal)} if journal else {})

    def fail(self, how: Failing, after: int = 0) -> None:
        """Let the disk fail from now on, after so many calls that it would strike; NOT ends it."""
        self._shared[:] = _CONTROL.pack(how, after, 0, 0)

    def set_clock(self, ahead_s: int) -> None:
        """Let the clock of the day show so much more than it should."""
        self._shared[:] = _CONTROL.pack(Failing.NOT, 0, 0, ahead_s)

    @property
    def struck(self) -> int:
        """Return how many calls failed since `fail`."""
        return int(_CONTROL.unpack(self._shared[:])[2])

    def run(self, script: str, *arguments: str, **environment: str) -> str:
        """Run a script of this folder with the shim until its end; return what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests/power" / script), *arguments],
            env=os.environ | self.environment() | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout
