"""What a row of the fuzzing says of a parser: how it is called, which errors it may raise, what it usually reads."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

# Between the files of one example that becomes a folder or a zip: a name follows to the end of its line.
FILE = b"\n--file--"


@dataclass(frozen=True)
class Parser:
    """run(data): parse and hold the result to what is promised; errors: all that it may raise; seeds: sound inputs."""

    name: str
    run: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], list[bytes]]
    # Bytes of the longest example.
    longest: int = 4096
    words: tuple[bytes, ...] = field(default=())


@cache
def folder() -> Path:
    """Return a folder for files that are parsed, in memory where there is one."""
    shared = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="backstop-fuzz-", dir=shared if shared.is_dir() else None))
    import atexit

    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@contextmanager
def written(name: str, data: bytes) -> Iterator[Path]:
    """Give a file that holds the data."""
    path = folder() / name
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def files_of(data: bytes) -> list[tuple[str, bytes]]:
    """Return the named files that an example stands for, each name once, eight at most."""
    found: dict[str, bytes] = {}
    for number, part in enumerate(data.split(FILE)[:8]):
        name, _, content = part.partition(b"\n") if number else (b"", b"", part)
        # A zip's name ends at a zero.
        plain = name.decode("utf-8", "replace").replace("\0", "_").strip() or "recording"
        found.setdefault(plain, content)
    return list(found.items())


def one_example(*files: tuple[str, bytes]) -> bytes:
    """Return the example that stands for these files."""
    return b"".join(FILE + name.encode() + b"\n" + content for name, content in files)
