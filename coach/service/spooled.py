"""More than should be in memory at once, in the order in which it came: in a file without a name."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
# Bytes that are kept in memory; above it they wait on the disk. Own choice: half a day of one wearable.
_IN_MEMORY = 8 << 20


class Spooled(Generic[Item]):
    """What is added, for whoever made it: nobody else reads it, and it ends with us."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._items = 0

    def __len__(self) -> int:
        return self._items

    def add(self, item: Item) -> None:
        """Keep an item behind the others."""
        pickle.dump(item, self._file, pickle.HIGHEST_PROTOCOL)
        self._items += 1

    def __iter__(self) -> Iterator[Item]:
        self._file.seek(0)
        for _ in range(self._items):
            yield pickle.load(self._file)  # noqa: S301 - written by this object a moment ago
        self._file.seek(0, 2)

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def __enter__(self) -> Spooled[Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
