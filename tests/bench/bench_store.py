"""Durable appends, and the worker's cost of a chunk, on the embedded database."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from coach.live import LiveFeed
from coach.worker import Worker
from devices.codec import encode_chunk
from devices.types import Chunk
from tests.scenarios.house import House, a_house

CHUNKS = 1500
THREADS = 8
RATE_HZ = 60.0


def a_chunk(recording: str, seq: int) -> Chunk:
    """Return 5 s of a trunk that bends and straightens every 8 s."""
    n = round(5 * RATE_HZ)
    t = (seq * n + np.arange(n)) / RATE_HZ
    noise = np.random.default_rng(seq).normal(scale=0.02, size=(n, 6))
    theta = np.radians(30 * (1 - np.cos(2 * np.pi * t / 8)))
    acc = np.stack([np.zeros(n), 9.81 * np.sin(theta), 9.81 * np.cos(theta)], axis=1) + noise[:, :3]
    rate = np.radians(30) * 2 * np.pi / 8 * np.sin(2 * np.pi * t / 8)
    gyr = np.stack([rate, np.zeros(n), np.zeros(n)], axis=1) + 0.05 * noise[:, 3:]
    return Chunk("C0:FF:EE:00:00:51", recording, seq, 1.79e9 + t[0], seq * n, RATE_HZ, acc, gyr)


def append_alone(house: House, chunks: list[Chunk]) -> float:
    began = time.perf_counter()
    for chunk in chunks:
        house.services.log.append([chunk])
    return len(chunks) / (time.perf_counter() - began)


def append_together(house: House, chunks: list[list[Chunk]]) -> float:
    threads = [threading.Thread(target=append_alone, args=(house, part)) for part in chunks]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(map(len, chunks)) / (time.perf_counter() - began)


def bare_commits(folder: Path, blob: bytes) -> float:
    """Return single durable inserts a second of bare sqlite3: the peer."""
    with closing(sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("create table chunk (id integer primary key, blob blob)")
        began = time.perf_counter()
        for _ in range(CHUNKS):
            connection.execute("insert into chunk (blob) values (?)", (blob,))
        return CHUNKS / (time.perf_counter() - began)


def measure() -> list[str]:
    """Return the lines of the report."""
    chunks = [a_chunk("alone", seq) for seq in range(CHUNKS)]
    parts = [[a_chunk(f"part{part}", seq) for seq in range(CHUNKS // THREADS)] for part in range(THREADS)]
    sizes = [len(encode_chunk(chunk)) for chunk in chunks[:50]]
    with tempfile.TemporaryDirectory() as folder:
        return _measure_in(Path(folder), chunks, parts, statistics.mean(sizes))


def _measure_in(folder: Path, chunks: list[Chunk], parts: list[list[Chunk]], size: float) -> list[str]:
    with a_house(folder) as house:
        house.services.wearables.add(
            house.athlete, house.athlete_id, "C0:FF:EE:00:00:51", "movella-dot", "Bench", "chest"
        )
        bare = bare_commits(folder, encode_chunk(chunks[0]))
        alone = append_alone(house, chunks)
        together = append_together(house, parts)
        worker = Worker(house.services, LiveFeed())
        began = time.perf_counter()
        handled = worker.drain()
        per_chunk_ms = (time.perf_counter() - began) / max(handled, 1) * 1000
    # Closed, so that the write-ahead log, whose size does not depend on the data, is in the file.
    on_disk = sum(os.path.getsize(path) for path in folder.glob("backstop.sqlite3*"))
    samples = (CHUNKS + CHUNKS // THREADS * THREADS) * 5 * RATE_HZ
    return [
        f"- bare sqlite3, one durable insert a commit: {bare:,.0f} a second",
        f"- chunk log, one caller, acknowledged after commit: {alone:,.0f} chunks/s ({alone / bare:.2f} of bare)",
        f"- chunk log, {THREADS} callers at once: {together:,.0f} chunks a second ({together / bare:.2f} of bare)",
        f"- worker, decode, analyse and save: {per_chunk_ms:.2f} ms for a 5 s chunk at {RATE_HZ:.0f} Hz",
        f"- a chunk of {5 * RATE_HZ:.0f} samples: {size:,.0f} bytes, "
        f"{size / (5 * RATE_HZ):.1f} bytes a sample; with features, findings and indexes "
        f"{on_disk / samples:.1f} on disk",
    ]


if __name__ == "__main__":
    print("\n".join(measure()))
