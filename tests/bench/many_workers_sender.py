"""Append the signal of many wearables, in a process of its own; see bench_many_workers.

Usage: python -m tests.bench.many_workers_sender WEARERS PER_S SECONDS (PER_S 0: so much that the workers never wait)
"""

from __future__ import annotations

import contextlib
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from coach.config import load
from coach.errors import StoreUnavailable
from coach.instance import database_of
from coach.jetstream.line import NatsLine
from coach.jetstream_log import JetStreamLog
from coach.log import TableChunkLog
from coach.store import recordings
from coach.store.engine import Store, open_store
from devices.codec import CRC_BYTES, encode_chunk
from devices.hostclock import SystemClock
from devices.types import Chunk
from tests.bench.load.club import RATE_HZ
from tests.bench.load.signal import bodies

CHUNK_S = 10
# A chunk's bytes are made once for each body and number, and named anew for each wearable: ids of one length.
ADDRESS, RECORDING = "AD:DR:ES:S0:00:00", "many"
# Chunks that wait at most where the workers shall never wait, for each partition; and s between two looks.
WAITING, LOOK_S = 400, 0.1
# Seconds of signal of a body, after which it moves as at first.
SIGNAL_S = 240


def named(blob: bytes, address: str) -> bytes:
    """Return a chunk's bytes as those of another wearable."""
    content = blob[:-CRC_BYTES].replace(ADDRESS.encode(), address.encode(), 1)
    return content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")


def made(number: int, body: tuple[object, object], start_utc_s: float) -> bytes:
    """Return the bytes of a body's chunk of this number."""
    acc, gyr = body
    n = round(CHUNK_S * RATE_HZ)
    first = number % (SIGNAL_S // CHUNK_S) * n
    rows = slice(first, first + n)
    start = start_utc_s + number * CHUNK_S
    return encode_chunk(
        Chunk(ADDRESS, RECORDING, number, start, number * n, RATE_HZ, acc[rows], gyr[rows])  # type: ignore[index]
    )


def main() -> None:
    """Append until it is ended."""
    listed, per_s, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    wearers = [line.split() for line in listed.read_text().splitlines()]
    config = load()
    with open_store(database_of(config.storage)) as store, contextlib.ExitStack() as lines:
        if config.storage.log_url.get_secret_value():
            line = lines.enter_context(NatsLine(config.storage.log_url.get_secret_value(), "bench"))
            log: TableChunkLog = JetStreamLog(store, SystemClock(), line, config.storage.log_partitions)
        else:
            log = TableChunkLog(store, SystemClock())
        _send(log, _waiting_of(log, store), wearers, per_s, seconds, Path(f"{listed}.waiting"))


def _waiting_of(log: TableChunkLog, store: Store) -> Callable[[], int]:
    """Return what tells how many chunks wait for a worker."""
    if isinstance(log, JetStreamLog):
        return log.waiting

    def in_table() -> int:
        with store.read() as tx:
            return recordings.waiting_chunks(tx, WAITING)

    return in_table


def _send(
    log: TableChunkLog, waiting: Callable[[], int], wearers: list[list[str]], per_s: int, seconds: float, told: Path
) -> None:
    moving = bodies(SIGNAL_S)
    start_utc_s, began_s, sent, looked_s, behind = time.time() - 86_400, time.monotonic(), 0, 0.0, 0
    number = 0
    while True:
        coded = [made(number, body, start_utc_s) for body in moving]
        for at in range(0, len(wearers), 16):
            blobs = [
                named(coded[(at + each) % len(moving)], address)
                for each, (_, address) in enumerate(wearers[at : at + 16])
            ]
            now_s = time.monotonic()
            if now_s - began_s > seconds:
                return
            if now_s - looked_s > LOOK_S:
                behind, looked_s = waiting(), now_s
                told.write_text(str(behind))
            if per_s:
                time.sleep(max(0.0, began_s + sent / per_s - now_s))
            while not per_s and behind > WAITING:
                time.sleep(LOOK_S / 4)
                behind, looked_s = waiting(), time.monotonic()
            while True:
                try:
                    log.append_encoded(blobs)
                    break
                except StoreUnavailable:
                    time.sleep(0.5)
            sent += len(blobs)
            behind += len(blobs)
        number += 1


if __name__ == "__main__":
    main()
