"""Heart rate as it is kept: notifications of a few seconds as one block, and a block as bytes, layout 1, little endian:

    magic "BSHR" | version u8 | header | device_id, recording_id (UTF-8) | beats | RR intervals | CRC-32 of all before

One row of `beats` is one notification. A decoded block codes to the same bytes again, so a resend equals the first one.
"""

from __future__ import annotations

import struct
import threading
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket, UnknownFormat
from devices.types import HeartNow, HeartRateSample

MAGIC = b"BSHR"
VERSION = 1
# arrival_utc_s: Unix time of the notification. contact: 1 on the skin, 0 off it, -1 not told. rr_count: its intervals.
BEATS = np.dtype([("arrival_utc_s", "<f8"), ("heart_rate_bpm", "<u2"), ("contact", "i1"), ("rr_count", "u1")])
RR = np.dtype("<f4")
# seq u32, notifications u16, RR intervals u32, lengths of device_id and recording_id u8 u8.
_HEADER = struct.Struct("<IHIBB")
_PREFIX = len(MAGIC) + 1
_CRC_BYTES = 4
_ID_BYTES_MAX = 200
# Notifications of one block, whatever its clock says. Own choice: a minute at more than ten a second.
_BEATS_MAX = 1000
# Unix time of the year 3058: a later one is no time. Own bound.
_UTC_MAX_S = float(2**35)
# s from a block's first notification to its last. Own bound: the longest block that can be configured is a minute.
_SPAN_MAX_S = 3600.0
# s. The service's unit is 1/1024 s in 16 bits (Heart Rate Service 1.0, section 3.1.1.2.3).
_RR_MAX_S = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class HeartBlock:
    """Notifications of one recording in the order of their arrival. beats: (n,) of BEATS; rr_s: (m,) of RR, in s, all
    their intervals one after the other, the oldest first."""

    device_id: str
    recording_id: str
    seq: int
    beats: NDArray[np.void]
    rr_s: NDArray[np.float32]

    @property
    def key(self) -> str:
        """Return what tells this block from every other, also from chunks."""
        return f"{self.device_id}-{self.recording_id}-heart-{self.seq}"


class HeartGrouping:
    """Group one link's heart rate into blocks, and tell the newest. Thread-safe; what is returned is to be kept."""

    def __init__(self, device_id: str, recording_id: str, duration_s: float) -> None:
        """duration_s: of a block; a program that is killed loses no more than that."""
        self._device_id, self._recording_id, self._duration_s = device_id, recording_id, duration_s
        self._lock = threading.Lock()
        self._seq = 0
        self._rows: list[tuple[float, int, int, int]] = []
        self._rr_s: list[float] = []
        self._taken_s = 0.0
        self.newest: HeartNow | None = None

    def take(self, sample: HeartRateSample, arrival_utc_s: float, now_s: float) -> HeartBlock | None:
        """Add a notification; return the block before it once that is full. now_s: real time of any origin."""
        contact = -1 if sample.contact is None else int(sample.contact)
        with self._lock:
            lasted_s = arrival_utc_s - self._rows[0][0] if self._rows else 0.0
            # A host clock that was set back begins another block, so that a block has a beginning.
            full = not 0.0 <= lasted_s < self._duration_s or len(self._rows) >= _BEATS_MAX
            block = self._cut() if full else None
            self._rows.append((arrival_utc_s, sample.heart_rate_bpm, contact, len(sample.rr_s)))
            self._rr_s.extend(sample.rr_s)
            self._taken_s = now_s
            self.newest = HeartNow(sample.heart_rate_bpm, sample.contact, arrival_utc_s)
        return block

    def cut_if_silent(self, now_s: float) -> HeartBlock | None:
        """Return what waits if nothing came for as long as a block lasts."""
        with self._lock:
            return self._cut() if now_s - self._taken_s >= self._duration_s else None

    def begin(self, recording_id: str) -> HeartBlock | None:
        """End the recording here and begin another; return what waits of the ended one."""
        with self._lock:
            block = self._cut()
            self._recording_id, self._seq = recording_id, 0
        return block

    def finish(self) -> HeartBlock | None:
        """Return what waits."""
        with self._lock:
            return self._cut()

    def _cut(self) -> HeartBlock | None:
        if not self._rows:
            return None
        beats, rr_s = np.array(self._rows, dtype=BEATS), np.array(self._rr_s, dtype=RR)
        block = HeartBlock(self._device_id, self._recording_id, self._seq, beats, rr_s)
        self._rows, self._rr_s, self._seq = [], [], self._seq + 1
        return block


def encode_heart(block: HeartBlock) -> bytes:
    """Return the bytes of a block. Raises BadPacket for one that no link makes."""
    _check(block)
    ids = [block.device_id.encode(), block.recording_id.encode()]
    if not all(1 <= len(each) <= _ID_BYTES_MAX for each in ids):
        raise BadPacket(f"A heart block's ids have 1 to {_ID_BYTES_MAX} bytes; {block.key[:60]} is not coded.")
    try:
        header = _HEADER.pack(block.seq, len(block.beats), len(block.rr_s), len(ids[0]), len(ids[1]))
    except struct.error as error:
        raise BadPacket(f"Heart block {block.key} cannot be coded: {error}.") from error
    data = b"".join((MAGIC, bytes((VERSION,)), header, *ids, block.beats.tobytes(), block.rr_s.tobytes()))
    return data + zlib.crc32(data).to_bytes(_CRC_BYTES, "little")


def is_heart(data: bytes) -> bool:
    """Tell whether these bytes are meant as a heart block."""
    return data[: len(MAGIC)] == MAGIC


def decode_heart(data: bytes) -> HeartBlock:
    """Return the block. Raises UnknownFormat for another magic or version, BadPacket for anything damaged."""
    if not is_heart(data):
        raise UnknownFormat(f"These {len(data)} bytes are no heart block: they do not begin with {MAGIC.decode()}.")
    if len(data) < _PREFIX + _HEADER.size + _CRC_BYTES:
        raise BadPacket(f"A heart block of {len(data)} bytes is cut off; send it again.")
    if data[_PREFIX - 1] != VERSION:
        raise UnknownFormat(f"Heart block layout {data[_PREFIX - 1]} is not known, only {VERSION}: update Backstop.")
    content = data[:-_CRC_BYTES]
    if zlib.crc32(content) != int.from_bytes(data[-_CRC_BYTES:], "little"):
        raise BadPacket("A heart block's checksum does not fit its content; send it again.")
    seq, n, m, device_bytes, recording_bytes = _HEADER.unpack_from(content, _PREFIX)
    at = _PREFIX + _HEADER.size
    ids_end = at + device_bytes + recording_bytes
    rr_at = ids_end + n * BEATS.itemsize
    if len(content) != rr_at + m * RR.itemsize or not device_bytes or not recording_bytes:
        raise BadPacket("A heart block's length does not fit its header; not used.")
    try:
        device_id = content[at : at + device_bytes].decode()
        recording_id = content[at + device_bytes : ids_end].decode()
    except UnicodeDecodeError:
        raise BadPacket("A heart block's ids are no text; not used.") from None
    block = HeartBlock(
        device_id,
        recording_id,
        seq,
        np.frombuffer(content[ids_end:rr_at], BEATS),
        np.frombuffer(content[rr_at:], RR),
    )
    _check(block)
    return block


def _check(block: HeartBlock) -> None:
    """Raise BadPacket, without the values, for what cannot be a heart's."""
    arrival_utc_s, rr_s = block.beats["arrival_utc_s"], block.rr_s
    sound = (
        len(block.beats) > 0
        and bool(((arrival_utc_s >= 0) & (arrival_utc_s < _UTC_MAX_S)).all())
        and bool((np.abs(arrival_utc_s - arrival_utc_s[0]) < _SPAN_MAX_S).all())
        and int(block.beats["rr_count"].sum(dtype=np.int64)) == len(rr_s)
        and bool(((rr_s >= 0) & (rr_s <= _RR_MAX_S)).all())
        and bool(np.isin(block.beats["contact"], (-1, 0, 1)).all())
    )
    if not sound:
        raise BadPacket(f"Heart block {block.key[:100]} holds what no heart rate sensor tells; not used.")
