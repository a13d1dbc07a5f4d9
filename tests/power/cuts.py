"""Cut the power at moments of a journal, and tell what a program had acknowledged by then."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.power.disk import Call, Disk, Kind, calls_of

MARKS = "marks"


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut left, below `folder`, and what had been acknowledged before: words -> the marks that begin with it."""

    at: int
    folder: Path
    marks: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Journal:
    """The calls of all processes that ran below a folder."""

    root: str
    calls: tuple[Call, ...]

    @classmethod
    def read(cls, root: Path, journal: Path) -> Journal:
        """Read what the shim wrote down."""
        return cls(str(root), tuple(calls_of(journal)))

    def count(self, kind: Kind) -> int:
        """Return how many calls of a kind there were."""
        return sum(call.kind is kind for call in self.calls)

    def moments(self, count: int, seed: int) -> list[int]:
        """Return `count` random moments: how many calls have taken effect when the power goes."""
        return sorted(random.Random(seed).choices(range(1, len(self.calls) + 1), k=count))

    def at_syncs(self) -> list[int]:
        """Return the moments right before and right after each sync."""
        at = [number for number, call in enumerate(self.calls) if call.kind is Kind.SYNC]
        return sorted({number for each in at for number in (each, each + 1)})

    def cuts(self, moments: Iterable[int], seed: int) -> Iterator[Cut]:
        """Cut the power at these moments, in order; what is left is below a folder that lasts until the next."""
        disk, taken, marks, marking = Disk(self.root), 0, "", set[tuple[int, int]]()
        for moment in sorted(moments):
            for call in self.calls[taken:moment]:
                if call.kind is Kind.OPEN and call.path == f"{self.root}/{MARKS}":
                    marking.add((call.pid, call.fd))
                if (call.pid, call.fd) not in marking:
                    disk.take(call)
                elif call.kind is Kind.WRITE:
                    marks += call.data.decode()
                elif call.kind is Kind.CLOSE:
                    marking.discard((call.pid, call.fd))
            taken = moment
            told: dict[str, list[str]] = {}
            for line in marks.splitlines():
                word, _, what = line.partition(" ")
                told.setdefault(word, []).append(what)
            with TemporaryDirectory(dir=quick_folder(), prefix="backstop-cut-") as folder:
                disk.left(random.Random(f"{seed} {moment}"), Path(folder))
                yield Cut(moment, Path(folder), told)


def quick_folder() -> str | None:
    """Return a folder in memory, where there is one with room: each cut writes the whole database."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 1 << 29 else None
