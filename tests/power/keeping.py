"""A process that makes the keys of a first start, keeps what an outpost keeps, and says what it has.

Usage: keeping.py FOLDER [off]; `off` plants the fault that the test must find: no sync.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from coach import durable
from coach.instance import make_directory, secret_key
from coach.notify.vapid import own_key


def main(folder: Path) -> None:
    """Make the keys, and replace a file again and again."""
    marks = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    directory = make_directory(folder / "var")
    os.write(marks, f"session {secret_key(directory)}\n".encode())
    os.write(marks, f"vapid {own_key(directory).public()}\n".encode())
    for number in range(20):
        durable.replace(directory / "orders.json", f"{number} ".encode() * 400)
        os.write(marks, f"orders {number}\n".encode())
    os.close(marks)


if __name__ == "__main__":
    if sys.argv[2:] == ["off"]:
        os.fsync = lambda fd: None  # type: ignore[assignment]
    main(Path(sys.argv[1]))
