"""How the C library keeps memory for a process that runs for months with many threads."""

from __future__ import annotations

import ctypes
import sys

# Source: mallopt(3), malloc.h of glibc.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
# Arenas. One for each thread, as without this, keeps what its thread once freed: tens of MB after hours. Measured.
_ARENAS = 2
# Bytes from which a buffer goes back by itself when it is freed, and of the end of an arena. The library begins with a
# quarter and raises that to megabytes by itself. Own choice: what is analysed at a time is smaller and stays fast.
_OWN_PAGES = 512 * 1024


def give_memory_back() -> None:
    """Return what was freed to the system, also from between what is in use, which the library never does by itself.

    Some ms. After a gateway's backlog of hours it is tens of MB. Source: malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def keep_memory_small() -> None:
    """Have what is freed go back to the system, for this process and those that it forks. Elsewhere than on glibc this
    does nothing."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _OWN_PAGES), (_TRIM_THRESHOLD, _OWN_PAGES)):
            mallopt(name, value)
