"""Signals for other programs: Parquet with one row per sample, and the tab-separated text of Motion-BIDS.

Chunks come one after the other and leave as blocks of rows, so that memory does not grow with the recording. Nothing is
done per sample in Python. Values are exact: what a chunk stores are 16-bit numbers times a power of two, and a 32-bit
float holds these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from coach.exports.archive import Member
from devices.types import Chunk, FloatArray

# Rows of one block: some 10 MB on the way. Own choice.
_ROWS = 1 << 16
AXES = ("x", "y", "z")
ACC = tuple(f"acc_{axis}_mps2" for axis in AXES)
GYR = tuple(f"gyr_{axis}_radps" for axis in AXES)
_NS_PER_S = 1_000_000_000
# Blocks of heart rate of one row group: some hours. Own choice.
_HEART_BLOCKS = 4096


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of a recording before its samples."""

    stream_id: str
    device_id: str
    recording_id: str
    placement: str
    rate_hz: float


@dataclass(slots=True)
class Block:
    """Some samples in order. index (n,), utc_s (n,), acc_mps2 (n, 3), gyr_radps (n, 3); NaN where nothing came."""

    index: NDArray[np.int64]
    utc_s: FloatArray
    acc_mps2: FloatArray
    gyr_radps: FloatArray


def blocks(chunks: Iterable[Chunk]) -> Iterator[Block]:
    """Gather chunks to blocks of rows."""
    waiting: list[Chunk] = []
    rows = 0
    for chunk in chunks:
        waiting.append(chunk)
        rows += len(chunk)
        if rows >= _ROWS:
            yield _block(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _block(waiting)


def _block(chunks: list[Chunk]) -> Block:
    steps = [np.arange(len(chunk)) for chunk in chunks]
    return Block(
        np.concatenate([chunk.start_index + step for chunk, step in zip(chunks, steps, strict=True)]),
        np.concatenate([chunk.start_utc_s + step / chunk.rate_hz for chunk, step in zip(chunks, steps, strict=True)]),
        np.concatenate([chunk.acc_mps2 for chunk in chunks]),
        np.concatenate([chunk.gyr_radps for chunk in chunks]),
    )


def parquet_schema(recording: Recording) -> pa.Schema:
    """Return the columns of a recording, with units and frame in words."""
    described = {
        "index": "number of the sample on the recording's grid; numbers that are missing never came",
        "time_utc": "when it was taken, fitted to UTC",
        **dict.fromkeys(ACC, "specific force in m/s^2, gravity included; sensor axes"),
        **dict.fromkeys(GYR, "angular rate in rad/s; sensor axes; null without a gyroscope"),
    }
    kinds = {"index": pa.int64(), "time_utc": pa.timestamp("ns", tz="UTC")}
    fields = [pa.field(name, kinds.get(name, pa.float32()), metadata={"is": text}) for name, text in described.items()]
    facts = {
        "stream_id": recording.stream_id,
        "device_id": recording.device_id,
        "recording_id": recording.recording_id,
        "placement": recording.placement,
        "rate_hz": repr(recording.rate_hz),
        "gaps": "a sample that did not arrive is null",
    }
    return pa.schema(fields, metadata=facts)


def _columns(values: FloatArray) -> list[pa.Array]:
    # NaN is what a gap is in memory; a reader of Parquet looks for null.
    single = values.astype(np.float32)
    return [pa.array(column, mask=np.isnan(column)) for column in np.ascontiguousarray(single.T)]


class SignalWriter:
    """Write a recording's blocks as Parquet."""

    def __init__(self, member: Member, recording: Recording) -> None:
        self._schema = parquet_schema(recording)
        self._out = pq.ParquetWriter(member, self._schema, compression="zstd", compression_level=1)

    def put(self, block: Block) -> None:
        """Append a block as a row group."""
        time_ns = np.rint(block.utc_s * _NS_PER_S).astype(np.int64)
        columns = [
            pa.array(block.index, type=pa.int64()),
            pa.array(time_ns).cast(pa.timestamp("ns", tz="UTC")),
            *_columns(block.acc_mps2),
            *_columns(block.gyr_radps),
        ]
        self._out.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=len(block.index))

    def close(self) -> None:
        """End the file."""
        self._out.close()


class MotionTsvWriter:
    """Write a recording's blocks as the columns of Motion-BIDS: acc x y z, gyr x y z, latency; without a header.

    Source: Brain Imaging Data Structure 1.10, Motion: no header, n/a for what is missing, LATENCY in s from the onset.
    """

    def __init__(self, member: Member, onset_utc_s: float) -> None:
        self._member, self._onset_utc_s = member, onset_utc_s
        self._options = pa_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")

    def put(self, block: Block) -> None:
        """Append a block."""
        latency_s = np.round(block.utc_s - self._onset_utc_s, 6)
        numbers = [*_columns(block.acc_mps2), *_columns(block.gyr_radps), pa.array(latency_s)]
        texts = [pc.fill_null(each.cast(pa.string()), "n/a") for each in numbers]
        table = pa.Table.from_arrays(texts, names=[str(place) for place in range(len(texts))])
        pa_csv.write_csv(table, self._member, self._options)


def heart_schema() -> pa.Schema:
    """Return the columns of heart rate: one row per notification."""
    described = {
        "device_id": (pa.string(), "the wearable"),
        "recording_id": (pa.string(), "its recording"),
        "time_utc": (pa.timestamp("ns", tz="UTC"), "when the notification arrived"),
        "heart_rate_bpm": (pa.int32(), "beats per minute"),
        "contact": (pa.int8(), "1 on the skin, 0 off it, null where the wearable does not tell"),
        "rr_s": (pa.list_(pa.float32()), "intervals between beats in s that it brought, the oldest first"),
    }
    return pa.schema([pa.field(name, kind, metadata={"is": text}) for name, (kind, text) in described.items()])


class HeartWriter:
    """Write blocks of heart rate as Parquet."""

    def __init__(self, member: Member) -> None:
        self._schema = heart_schema()
        self._out = pq.ParquetWriter(member, self._schema, compression="zstd", compression_level=1)
        self._waiting: list[pa.Table] = []

    def put(self, device_id: str, recording_id: str, beats: NDArray[np.void], rr_s: NDArray[np.float32]) -> None:
        """Append one block. beats: (n,) of devices.heartblock.BEATS; rr_s: (m,), in the order of its rows."""
        offsets = np.concatenate(([0], np.cumsum(beats["rr_count"], dtype=np.int32))).astype(np.int32)
        time_ns = np.rint(beats["arrival_utc_s"] * _NS_PER_S).astype(np.int64)
        contact = np.ascontiguousarray(beats["contact"])
        columns = [
            pa.array([device_id] * len(beats), type=pa.string()),
            pa.array([recording_id] * len(beats), type=pa.string()),
            pa.array(time_ns).cast(pa.timestamp("ns", tz="UTC")),
            pa.array(beats["heart_rate_bpm"].astype(np.int32)),
            pa.array(contact, mask=contact < 0),
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(rr_s.astype(np.float32))),
        ]
        self._waiting.append(pa.Table.from_arrays(columns, schema=self._schema))
        if len(self._waiting) >= _HEART_BLOCKS:
            self._write()

    def close(self) -> None:
        """End the file."""
        self._write()
        self._out.close()

    def _write(self) -> None:
        if self._waiting:
            self._out.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []
