"""A process that puts records into a gateway's spool, has some of them delivered, and says so.

Usage: spooling.py FOLDER SEED COUNT [off]; `off` plants the fault that the test must find: no sync.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from coach.spool import Spool

# So that a story has many segments, of 4 kB.
SPOOL_BYTES = 32_768


def main(folder: Path, seed: str, count: int) -> None:
    """Append and deliver, `count` times."""
    marks, chance = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), random.Random(seed)
    spool = Spool(folder / "gateway" / "spool", SPOOL_BYTES)
    for number in range(count):
        blobs = [f"{seed}-{number}-{each} ".encode() + chance.randbytes(chance.randint(0, 900)) for each in range(3)]
        for blob in blobs[: spool.append(blobs)]:
            os.write(marks, f"kept {blob.split()[0].decode()}\n".encode())
        if chance.random() < 0.6:
            batch = spool.peek(chance.randint(1, 6), 1 << 20)
            for blob in batch:
                os.write(marks, f"delivered {blob.split()[0].decode()}\n".encode())
            spool.drop(len(batch))
    spool.close()
    os.close(marks)


if __name__ == "__main__":
    if sys.argv[4:] == ["off"]:
        os.fsync = lambda fd: None  # type: ignore[assignment]
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
