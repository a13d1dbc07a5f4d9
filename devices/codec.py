"""Chunk <-> bytes: what is stored, sent and sent again. Version 1, little endian.

    magic "BSCK" | version u8 | header | device_id, recording_id (UTF-8) | gaps | body | CRC-32 of all before

The body holds the rows that arrived, not those inside gaps: six columns (acc x y z, gyr x y z) of int16 times a power
of two per sensor, each column as differences (modulo 2^16), low bytes before high bytes, zstd level 1. With a power of
two a decoded chunk codes to the same bytes again, so a resend equals the first sending.
"""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import zstandard
from numpy.typing import NDArray

from devices.errors import BadPacket, UnknownFormat
from devices.types import Chunk, FloatArray, Gap

MAGIC = b"BSCK"
VERSION = 1
# 120 s at 2,000 Hz: more than any product streams in any chunk. Bounds what a damaged length can make us allocate.
SAMPLES_MAX = 240_000
# UTF-8 bytes of an id.
_ID_BYTES_MAX = 200
# seq u32, start_utc_s f64, start_index i64, rate_hz f64, samples u32, gaps u32, exponents of the two LSBs i8 i8,
# lengths of device_id and recording_id u8 u8, length of the compressed body u32.
_HEADER = struct.Struct("<IdqdIIbbBBI")
_PREFIX = len(MAGIC) + 1
_CRC_BYTES = 4
_GAP = np.dtype([("start", "<u4"), ("count", "<u4")])
_COLUMNS = 6
_LSB_MAX = 2**15 - 1
# LSBs of 2^-40 to 2^20 cover every unit in use; a value above 2^35 is no signal.
_EXPONENT_MIN, _EXPONENT_MAX = -40, 20


def encode_chunk(chunk: Chunk) -> bytes:
    """Return the bytes of a chunk; each value is kept within half of 2^e, 2^e about 1/20,000 of the chunk's largest.

    Raises BadPacket for a chunk that no link makes: NaN outside its gaps, gaps out of order, ids too long.
    """
    _check_grid(chunk.start_utc_s, chunk.start_index, chunk.rate_hz)
    present = _present(len(chunk), chunk.gaps, chunk.key)
    acc, acc_exponent = _quantised(chunk.acc_mps2[present], chunk.key)
    gyr, gyr_exponent = _quantised(chunk.gyr_radps[present], chunk.key)
    body = zstandard.ZstdCompressor(level=1).compress(_shuffled(np.concatenate([acc, gyr], axis=1)))
    ids = [_id_bytes(chunk.device_id), _id_bytes(chunk.recording_id)]
    gaps = np.array([(gap.start, gap.count) for gap in chunk.gaps], dtype=_GAP)
    try:
        header = _HEADER.pack(
            chunk.seq,
            chunk.start_utc_s,
            chunk.start_index,
            chunk.rate_hz,
            len(chunk),
            len(gaps),
            acc_exponent,
            gyr_exponent,
            len(ids[0]),
            len(ids[1]),
            len(body),
        )
    except struct.error as error:
        raise BadPacket(f"Chunk {chunk.key} cannot be coded: {error}.") from error
    data = MAGIC + bytes((VERSION,)) + header + ids[0] + ids[1] + gaps.tobytes() + body
    return data + zlib.crc32(data).to_bytes(_CRC_BYTES, "little")


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk. Raises UnknownFormat for another magic or version, BadPacket for anything damaged."""
    if data[: len(MAGIC)] != MAGIC:
        raise UnknownFormat(f"These {len(data)} bytes are no chunk: they do not begin with {MAGIC.decode()}.")
    if len(data) < _PREFIX + _HEADER.size + _CRC_BYTES:
        raise BadPacket(f"A chunk of {len(data)} bytes is cut off; send it again.")
    if data[_PREFIX - 1] != VERSION:
        raise UnknownFormat(f"Chunk layout {data[_PREFIX - 1]} is not known, only {VERSION}: update Backstop.")
    content, crc = data[:-_CRC_BYTES], int.from_bytes(data[-_CRC_BYTES:], "little")
    if zlib.crc32(content) != crc:
        raise BadPacket("A chunk's checksum does not fit its content; send it again.")
    return _decode_content(content)


def _decode_content(content: bytes) -> Chunk:
    fields = _HEADER.unpack_from(content, _PREFIX)
    seq, start_utc_s, start_index, rate_hz, n, n_gaps, acc_exponent, gyr_exponent, *lengths = fields
    _check_grid(start_utc_s, start_index, rate_hz)
    if n > SAMPLES_MAX or n_gaps > n:
        raise BadPacket(f"A chunk states {n} samples with {n_gaps} gaps, more than {SAMPLES_MAX} can hold; not used.")
    at = _PREFIX + _HEADER.size
    sizes = (lengths[0], lengths[1], n_gaps * _GAP.itemsize, lengths[2])
    if len(content) != at + sum(sizes):
        raise BadPacket(f"A chunk has {len(content)} bytes where its header states {at + sum(sizes)}; not used.")
    parts = []
    for size in sizes:
        parts.append(content[at : at + size])
        at += size
    try:
        device_id, recording_id = parts[0].decode(), parts[1].decode()
    except UnicodeDecodeError as error:
        raise BadPacket("A chunk's id is no UTF-8 text; not used.") from error
    gaps = tuple(Gap(int(start), int(count)) for start, count in np.frombuffer(parts[2], dtype=_GAP).tolist())
    present = _present(n, gaps, f"{device_id}-{recording_id}-{seq}")
    values = _unshuffled(parts[3], int(np.count_nonzero(present)))
    acc = _dequantised(values[:, :3], acc_exponent, present)
    gyr = _dequantised(values[:, 3:], gyr_exponent, present)
    return Chunk(device_id, recording_id, seq, start_utc_s, start_index, rate_hz, acc, gyr, gaps)


def _check_grid(start_utc_s: float, start_index: int, rate_hz: float) -> None:
    if not (math.isfinite(start_utc_s) and math.isfinite(rate_hz) and rate_hz > 0 and start_index >= 0):
        raise BadPacket(f"A chunk states start {start_utc_s} s, index {start_index}, rate {rate_hz} Hz; not used.")


def _id_bytes(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise BadPacket(f"An id of a chunk is no text: {text!r}.") from error
    if len(data) > _ID_BYTES_MAX:
        raise BadPacket(f"An id of a chunk has {len(data)} bytes, more than {_ID_BYTES_MAX}.")
    return data


def _present(n: int, gaps: tuple[Gap, ...], key: str) -> NDArray[np.bool_]:
    """Return which of n samples arrived. Raises BadPacket for gaps outside the chunk, empty or out of order."""
    if n > SAMPLES_MAX:
        raise BadPacket(f"Chunk {key} has {n} samples, more than {SAMPLES_MAX}; cut it shorter.")
    present = np.ones(n, dtype=np.bool_)
    end = 0
    for gap in gaps:
        if gap.start < end or gap.count < 1 or gap.start + gap.count > n:
            raise BadPacket(f"Chunk {key} has a gap of {gap.count} at {gap.start} that does not fit; not used.")
        end = gap.start + gap.count
        present[gap.start : end] = False
    return present


def _quantised(values: FloatArray, key: str) -> tuple[NDArray[np.int16], int]:
    """Return int16 values (n, 3) and the exponent of their LSB, the smallest that holds the largest value."""
    largest = float(np.abs(values).max(initial=0.0))
    if not math.isfinite(largest) or largest > math.ldexp(_LSB_MAX, _EXPONENT_MAX):
        raise BadPacket(f"Chunk {key} has a value outside its gaps that is no number in range ({largest:g}).")
    # All zeros take the finest LSB, as do values that round to zero at it.
    exponent = max(math.frexp(largest)[1] - 15, _EXPONENT_MIN) if largest else _EXPONENT_MIN
    if math.ldexp(largest, -exponent) > _LSB_MAX:
        exponent += 1
    return np.rint(np.ldexp(values, -exponent)).astype(np.int16), exponent


def _dequantised(values: NDArray[np.int16], exponent: int, present: NDArray[np.bool_]) -> FloatArray:
    if not _EXPONENT_MIN <= exponent <= _EXPONENT_MAX:
        raise BadPacket(f"A chunk states an LSB of 2^{exponent}; not used.")
    rows = np.full((len(present), 3), np.nan)
    # Adding zero turns the -0.0 that no int16 stands for into 0.0.
    rows[present] = np.ldexp(values.astype(np.float64), exponent) + 0.0
    return rows


def _shuffled(values: NDArray[np.int16]) -> bytes:
    """Return the columns (n, 6) as differences, all low bytes before all high bytes: both compress better."""
    columns = np.ascontiguousarray(values.T).view(np.uint16)
    differences = np.diff(columns, axis=1, prepend=np.zeros((_COLUMNS, 1), dtype=np.uint16)).astype("<u2")
    return differences.view(np.uint8).reshape(-1, 2).T.tobytes()


def _unshuffled(body: bytes, n: int) -> NDArray[np.int16]:
    """Return int16 values (n, 6). Never decompresses more than n rows. Raises BadPacket."""
    size = n * _COLUMNS * 2
    try:
        # The frame's own size is what zstd trusts, so it is checked before anything is unpacked.
        if zstandard.get_frame_parameters(body).content_size != size:
            raise BadPacket(f"A chunk's body does not unpack to {n} samples; not used.")
        raw = zstandard.ZstdDecompressor().decompress(body, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BadPacket(f"A chunk's body cannot be unpacked ({error}); not used.") from error
    if len(raw) != size:
        raise BadPacket(f"A chunk's body does not unpack to {n} samples; not used.")
    differences = np.frombuffer(raw, dtype=np.uint8).reshape(2, -1).T.copy().view("<u2").reshape(_COLUMNS, n)
    return np.cumsum(differences, axis=1, dtype=np.uint16).view(np.int16).T
