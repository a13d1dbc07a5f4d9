"""The chunk log: what is acknowledged is durable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from coach.store.engine import Store
from devices.hostclock import HostClock
from devices.types import Chunk


class ChunkLog(Protocol):
    """Take chunks; acknowledge them only after a durable commit."""

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """Store chunks durably and return the keys that are stored now, new or known before.

        A key that is missing from the answer was refused (unknown wearable, or other bytes under a known key).
        Raises StoreUnavailable when nothing could be stored: try again.
        """
        ...


class TableChunkLog:
    """The log on one machine: a table of the store."""

    def __init__(self, store: Store, clock: HostClock) -> None:
        self._store = store
        self._clock = clock

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        """See ChunkLog."""
        raise NotImplementedError
