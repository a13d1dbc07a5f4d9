"""The C library's memory: few arenas, however many threads there are, and nothing kept that was freed."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Threads that allocate at once; what the library says of itself goes to standard output.
PROGRAM = """
import ctypes, sys, threading
if sys.argv[1] == "kept small":
    from coach.memory import keep_memory_small
    keep_memory_small()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
at_once = threading.Barrier(12)
def work():
    at_once.wait()
    libc.malloc(70_000)
    at_once.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for each in threads: each.start()
for each in threads: each.join()
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def arenas(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux")
def test_threads_share_two_arenas_where_the_library_would_make_one_each() -> None:
    assert arenas("as it is") > 2
    assert arenas("kept small") == 2


BETWEEN = """
from pathlib import Path
from coach.memory import give_memory_back, keep_memory_small
keep_memory_small()
def held_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
begun = held_mb()
many = [bytes(100_000) for _ in range(600)]
some = many[::50]
del many
before = held_mb() - begun
give_memory_back()
print(before, held_mb() - begun)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux")
def test_what_was_freed_between_what_is_kept_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", BETWEEN], capture_output=True, text=True, check=True)
    before_mb, after_mb = map(float, done.stdout.split())
    assert before_mb > 25
    assert after_mb < 10
