"""Chunk <-> bytes: what is stored, sent and sent again. Version 2, little endian; version 1 is still read.

    magic "BSCK" | version u8 | header | reception | device_id, recording_id (UTF-8) | gaps |
    rows without angular rate | body | CRC-32 of all before

The body holds the rows that arrived, not those inside gaps: columns acc x y z of all of them, gyr x y z of those that
have an angular rate, as int16 times a power of two per sensor, each column as differences (modulo 2^16), low bytes
before high bytes, zstd level 1. With a power of two a decoded chunk codes to the same bytes again, so a resend equals
the first sending. Version 1 has no reception and an angular rate in every row.
"""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import zstandard
from numpy.typing import NDArray

from devices.errors import BadPacket, UnknownFormat
from devices.rows import gaps_of
from devices.types import NO_RECEPTION, Chunk, FloatArray, Gap, Reception

MAGIC = b"BSCK"
VERSION = 2
_READABLE = (1, 2)
# 120 s at 2,000 Hz: more than any product streams in any chunk. Bounds what a damaged length can make us allocate.
SAMPLES_MAX = 240_000
# Unix time of the year 3058, and more samples than any recording has: what lies beyond is damage, and no calendar or
# 64-bit number behind could take it. Rates from one sample in 17 minutes to 100 kHz. Own bounds.
_UTC_MAX_S, _INDEX_MAX, _RATE_MIN_HZ, _RATE_MAX_HZ = float(2**35), 2**53, 0.001, 1e5
# UTF-8 bytes of an id.
_ID_BYTES_MAX = 200
# seq u32, start_utc_s f64, start_index i64, rate_hz f64, samples u32, gaps u32, exponents of the two LSBs i8 i8,
# lengths of device_id and recording_id u8 u8, length of the compressed body u32.
_HEADER = struct.Struct("<IdqdIIbbBBI")
# Runs of rows without angular rate u32; then the reception: five counts u32, five measured values f64, NaN for none.
_RECEPTION = struct.Struct("<I5I5d")
_COUNTS = ("duplicates", "late", "damaged", "unjoined", "restarts")
_MEASURED = ("sampling_rate_hz", "drift_ppm", "clock_uncertainty_s", "acc_limit_mps2", "gyr_limit_radps")
_PREFIX = len(MAGIC) + 1
CRC_BYTES = 4
_GAP = np.dtype([("start", "<u4"), ("count", "<u4")])
_LSB_MAX = 2**15 - 1
# LSBs of 2^-40 to 2^20 cover every unit in use; a value above 2^35 is no signal.
_EXPONENT_MIN, _EXPONENT_MAX = -40, 20


def encode_chunk(chunk: Chunk) -> bytes:
    """Return the bytes of a chunk; each value is kept within half of 2^e, 2^e about 1/20,000 of the chunk's largest.

    Raises BadPacket for a chunk that no link makes: acc NaN outside its gaps, gaps out of order, ids too long.
    """
    _check_grid(chunk.start_utc_s, chunk.start_index, chunk.rate_hz)
    present = _present(len(chunk), chunk.gaps, chunk.key)
    has_gyr = present & ~np.isnan(chunk.gyr_radps).all(axis=1)
    acc, acc_exponent = _quantised(chunk.acc_mps2[present], chunk.key)
    gyr, gyr_exponent = _quantised(chunk.gyr_radps[has_gyr], chunk.key)
    body = zstandard.ZstdCompressor(level=1).compress(_shuffled(acc, gyr))
    ids = [_id_bytes(chunk.device_id), _id_bytes(chunk.recording_id)]
    without = gaps_of(present & ~has_gyr)
    try:
        header = _HEADER.pack(
            chunk.seq,
            chunk.start_utc_s,
            chunk.start_index,
            chunk.rate_hz,
            len(chunk),
            len(chunk.gaps),
            acc_exponent,
            gyr_exponent,
            len(ids[0]),
            len(ids[1]),
            len(body),
        )
        reception = _RECEPTION.pack(len(without), *_reception_fields(chunk.reception, chunk.key))
    except struct.error as error:
        raise BadPacket(f"Chunk {chunk.key} cannot be coded: {error}.") from error
    head = MAGIC + bytes((VERSION,)) + header + reception
    data = head + ids[0] + ids[1] + _gap_bytes(chunk.gaps) + _gap_bytes(without) + body
    return data + zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk. Raises UnknownFormat for another magic or version, BadPacket for anything damaged."""
    if data[: len(MAGIC)] != MAGIC:
        raise UnknownFormat(f"These {len(data)} bytes are no chunk: they do not begin with {MAGIC.decode()}.")
    if len(data) < _PREFIX + _HEADER.size + CRC_BYTES:
        raise BadPacket(f"A chunk of {len(data)} bytes is cut off; send it again.")
    version = data[_PREFIX - 1]
    if version not in _READABLE:
        raise UnknownFormat(f"Chunk layout {version} is not known, only {_READABLE}: update Backstop.")
    content, crc = data[:-CRC_BYTES], int.from_bytes(data[-CRC_BYTES:], "little")
    if zlib.crc32(content) != crc:
        raise BadPacket("A chunk's checksum does not fit its content; send it again.")
    if version > 1 and len(content) < _PREFIX + _HEADER.size + _RECEPTION.size:
        raise BadPacket(f"A chunk of {len(data)} bytes is too short for its layout {version}; not used.")
    return _decode_content(content, version)


def _decode_content(content: bytes, version: int) -> Chunk:
    fields = _HEADER.unpack_from(content, _PREFIX)
    seq, start_utc_s, start_index, rate_hz, n, n_gaps, acc_exponent, gyr_exponent, *lengths = fields
    _check_grid(start_utc_s, start_index, rate_hz)
    at = _PREFIX + _HEADER.size
    n_without, reception = 0, NO_RECEPTION
    if version > 1:
        n_without, *told = _RECEPTION.unpack_from(content, at)
        at += _RECEPTION.size
        reception = _reception_of(told)
    if n > SAMPLES_MAX or n_gaps > n or n_without > n:
        raise BadPacket(f"A chunk states {n} samples with {n_gaps} gaps, more than {SAMPLES_MAX} can hold; not used.")
    sizes = (lengths[0], lengths[1], n_gaps * _GAP.itemsize, n_without * _GAP.itemsize, lengths[2])
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
    key = f"{device_id}-{recording_id}-{seq}"
    gaps = _gaps_of(parts[2])
    present = _present(n, gaps, key)
    has_gyr = present & _present(n, _gaps_of(parts[3]), key)
    acc_values, gyr_values = _unshuffled(parts[4], int(np.count_nonzero(present)), int(np.count_nonzero(has_gyr)))
    acc = _dequantised(acc_values, acc_exponent, present)
    gyr = _dequantised(gyr_values, gyr_exponent, has_gyr)
    return Chunk(device_id, recording_id, seq, start_utc_s, start_index, rate_hz, acc, gyr, gaps, reception)


def _reception_fields(reception: Reception, key: str) -> list[float | int]:
    counts = [getattr(reception, name) for name in _COUNTS]
    measured = [getattr(reception, name) for name in _MEASURED]
    if not all(value is None or math.isfinite(value) for value in measured):
        raise BadPacket(f"Chunk {key} has a value in its reception that is no number: {reception}.")
    return [*counts, *(math.nan if value is None else value for value in measured)]


def _reception_of(told: list[float | int]) -> Reception:
    values = dict(zip((*_COUNTS, *_MEASURED), told, strict=True))
    if any(math.isinf(values[name]) for name in _MEASURED):
        raise BadPacket("A chunk's reception holds a value that is no number; not used.")
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    reception = Reception(**known)  # type: ignore[arg-type]
    return NO_RECEPTION if reception == NO_RECEPTION else reception


def _gap_bytes(gaps: tuple[Gap, ...]) -> bytes:
    return np.array([(gap.start, gap.count) for gap in gaps], dtype=_GAP).tobytes()


def _gaps_of(data: bytes) -> tuple[Gap, ...]:
    return tuple(Gap(int(start), int(count)) for start, count in np.frombuffer(data, dtype=_GAP).tolist())


def _check_grid(start_utc_s: float, start_index: int, rate_hz: float) -> None:
    # Comparisons with NaN are false.
    sound = abs(start_utc_s) < _UTC_MAX_S and _RATE_MIN_HZ <= rate_hz <= _RATE_MAX_HZ and 0 <= start_index < _INDEX_MAX
    if not sound:
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


def _shuffled(*sensors: NDArray[np.int16]) -> bytes:
    """Return the columns of each (n, 3) as differences, all low bytes before all high bytes: both compress better."""
    differences = []
    for values in sensors:
        columns = np.ascontiguousarray(values.T).view(np.uint16)
        first = np.zeros((3, 1), dtype=np.uint16)
        differences.append(np.diff(columns, axis=1, prepend=first).astype("<u2").ravel())
    return np.concatenate(differences).view(np.uint8).reshape(-1, 2).T.tobytes()


def _unshuffled(body: bytes, n: int, n_gyr: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return int16 values (n, 3) and (n_gyr, 3). Never decompresses more than these. Raises BadPacket."""
    size = (n + n_gyr) * 3 * 2
    try:
        # The frame's own size is what zstd trusts, so it is checked before anything is unpacked.
        if zstandard.get_frame_parameters(body).content_size != size:
            raise BadPacket(f"A chunk's body does not unpack to {n} samples; not used.")
        raw = zstandard.ZstdDecompressor().decompress(body, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BadPacket(f"A chunk's body cannot be unpacked ({error}); not used.") from error
    if len(raw) != size:
        raise BadPacket(f"A chunk's body does not unpack to {n} samples; not used.")
    differences = np.frombuffer(raw, dtype=np.uint8).reshape(2, -1).T.copy().view("<u2").ravel()
    acc, gyr = (
        np.cumsum(part.reshape(3, -1), axis=1, dtype=np.uint16).view(np.int16).T
        for part in (differences[: 3 * n], differences[3 * n :])
    )
    return acc, gyr
