"""Every known vector is read by a test, or named with the reason why not."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.devices.profiles.vectors import NOT_READ, VECTORS, Vector


def read_by_tests() -> Iterator[tuple[Vector, str]]:
    """Yield each vector that a test of this folder is run for, with the test's name."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.devices.profiles.{file.stem}")
        spaces = [module, *(one for name, one in vars(module).items() if name.startswith("Test"))]
        for name, function in (pair for space in spaces for pair in vars(space).items()):
            for mark in getattr(function, "pytestmark", ()):
                if name.startswith("test_") and mark.name == "parametrize" and mark.args[0] == "vector":
                    yield from ((vector, f"{file.stem}.{name}") for vector in mark.args[1])


def test_all_86_vectors_are_accounted_for(figure: Callable[[str, object, str], None]) -> None:
    assert len(VECTORS) == 86
    read: dict[int, set[str]] = {}
    for vector, name in read_by_tests():
        read.setdefault(vector.number, set()).add(name)
    print()
    for number, vector in sorted(VECTORS.items()):
        print(
            f"{number:3} {vector.device}: {', '.join(sorted(read.get(number, ()))) or NOT_READ.get(number, 'NOT READ')}"
        )
    missing = sorted(VECTORS.keys() - read.keys() - NOT_READ.keys())
    assert missing == [], f"nobody reads the vectors {missing}"
    assert read.keys().isdisjoint(NOT_READ), "a vector with a reason for not being read is read"
    figure("vectors decoded by tests", len(read), "of 86")
    figure("vectors named with a reason", len(NOT_READ), "of 86")
