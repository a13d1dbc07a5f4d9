"""Rows of what brings motion: radio packets, chunks, gateways, phones."""

from __future__ import annotations

import copy
import struct
import zlib

import numpy as np
import zstandard

from coach import wire
from coach.errors import InvalidInput
from coach.log import decode_chunks, pack, unpack
from coach.spool import Spool
from devices.codec import decode_chunk, encode_chunk
from devices.errors import BadPacket, DeviceError, UnknownFormat
from devices.heartblock import BEATS, RR, HeartBlock, decode_heart, encode_heart
from devices.phone import pack_readings, read_message, unpack_readings
from devices.profiles import recognise
from devices.profiles.polar_advertisement import decode_broadcast_heart, model_of, told_on_air
from devices.rawlog import read_raw_log
from devices.sim.products import PRODUCTS
from devices.types import Advertisement, Chunk, Gap, LinkState, LinkStatus
from tests.devices.profiles import test_fuzz_frames as frames
from tests.fuzz.parser import Parser, folder

CRC = struct.Struct("<I")


def a_chunk(n: int = 40) -> Chunk:
    random = np.random.default_rng(5)
    acc, gyr = random.normal(0, 9.81, (n, 3)), random.normal(0, 2, (n, 3))
    gaps = (Gap(10, 4),) if n > 14 else ()
    acc[10:14] = gyr[10:14] = np.nan
    gyr[20:25] = np.nan
    if not gaps:
        acc[10:14] = gyr[10:14] = 0.0
    return Chunk("C0:FF:EE:00:00:01", "rec", 7, 1.76e9, 280, 60.0, acc, gyr, gaps)


def sealed(data: bytes) -> bytes:
    """Return the data with a checksum that fits, so that what stands behind the checksum is reached."""
    return data + CRC.pack(zlib.crc32(data))


def _chunk(data: bytes) -> None:
    chunk = decode_chunk(data)
    assert chunk.acc_mps2.shape == chunk.gyr_radps.shape == (len(chunk), 3)
    assert len(chunk) <= 240_000
    # Whatever was taken codes, and comes back as it was; of values that our own coding never has, as near as it states.
    again = decode_chunk(encode_chunk(chunk))
    nearly = float(np.nanmax(np.abs(chunk.acc_mps2), initial=0.0)) / 16_384
    np.testing.assert_allclose(again.acc_mps2, chunk.acc_mps2, rtol=0, atol=nearly)
    assert (again.gaps, again.seq, again.device_id) == (chunk.gaps, chunk.seq, chunk.device_id)


def _frame_in_chunk(data: bytes) -> None:
    """Put any bytes where a chunk's compressed body is, with lengths and checksum that fit."""
    n = 1 + (data[0] if data else 0) * 16
    head = b"BSCK" + bytes((2,)) + struct.pack("<IdqdIIbbBBI", 1, 1.7e9, 0, 50.0, n, 0, -10, -10, 1, 1, len(data[1:]))
    _chunk(sealed(head + struct.pack("<I5I5d", 0, 0, 0, 0, 0, 0, *[float("nan")] * 5) + b"ab" + data[1:]))


def _frames() -> list[bytes]:
    plain = bytes(17 * 6 * 2)
    made = [zstandard.ZstdCompressor(level=level).compress(plain) for level in (1, 19)]
    without = zstandard.ZstdCompressor(write_content_size=False).compress(plain)
    bomb = zstandard.ZstdCompressor().compress(bytes(50_000_000))
    return [b"\x01" + each for each in (*made, without, bomb, made[0] * 2, b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + made[0])]


def a_heart_block() -> bytes:
    beats = np.array([(1.76e9 + k, 60 + k, 1, 1) for k in range(4)], dtype=BEATS)
    return encode_heart(HeartBlock("AA", "rec", 0, beats, np.full(4, 0.8, dtype=RR)))


def _heart(data: bytes) -> None:
    block = decode_heart(data)
    assert encode_heart(block) == data


def _post(data: bytes) -> None:
    decode_chunks(unpack(data))


def _spool(data: bytes) -> None:
    where = folder() / "spool"
    where.mkdir(exist_ok=True)
    for old in where.iterdir():
        old.unlink()
    (where / "000000000001.spool").write_bytes(data)
    spool = Spool(where, 1 << 20)
    try:
        seen = 0
        while found := spool.peek(10, 1 << 20):
            seen += len(found)
            spool.drop(len(found))
        assert spool.waiting == 0
        assert seen <= len(data) // 12 + 1
    finally:
        spool.close()


def _segment() -> bytes:
    blobs = [encode_chunk(a_chunk(8)), b"x" * 30]
    return b"".join(struct.pack("<4sII", b"BSRC", len(each), zlib.crc32(each)) + each for each in blobs)


def _beat() -> bytes:
    link = LinkStatus(LinkState.STREAMING, 1.76e9)
    return wire.encode(wire.Beat("i", 1.76e9, {"w": link}, logs=(wire.LinkLogText("w", "rec", "a", "b"),)))


def _orders() -> bytes:
    served = wire.ServedWearable("w", "Chest", "movella-dot", "C0:FF:EE:00:00:01", "chest", "s")
    return wire.encode(wire.Orders("a", "Ada", (served,), True, ("w",)))


def _phone(data: bytes) -> None:
    told = read_message(data)
    assert told.readings.shape[1] == 5
    assert np.isfinite(told.readings).all()
    assert len(told.session_key) <= 200
    np.testing.assert_array_equal(unpack_readings(pack_readings(told.readings)), told.readings)


MESSAGE = (
    b'{"messageId": 1, "sessionId": "s", "deviceId": "d", "payload": ['
    b'{"name": "accelerometer", "time": 1764144000000000000, "values": {"x": 0.1, "y": 9.8, "z": -1}},'
    b'{"name": "Gyroscope Uncalibrated", "time": "1764144000010000000", "values": {"x": 1e3, "y": null, "z": "4"}}]}'
)


def _advertisement(data: bytes) -> None:
    """Read bytes as a name, a company's data and the UUIDs of what is heard."""
    cut = data[0] % (len(data) or 1) if data else 0
    name = data[1:cut].decode("utf-8", "replace")
    company = int.from_bytes(data[cut : cut + 2], "little")
    told = Advertisement("C0:FF:EE:00:00:01", name, (), {company: data[cut + 2 :]}, -60)
    recognise(told)
    model_of(name)
    told_on_air(told)
    heart = decode_broadcast_heart(data)
    assert heart is None or 0 <= heart.heart_rate_bpm < 256


def _raw_log(data: bytes) -> None:
    read_raw_log(data.decode("utf-8", "replace").splitlines())


RAW_LOG = b"# Backstop raw log 1\n# name: x\n0.0000 R 00002a19-0000-1000-8000-00805f9b34fb 64\n0.5 N abc 0102ff\n"


def _packets(product: str) -> Parser:
    """Return the row of one product's notifications: each is its length in one byte and its bytes."""
    profile = frames.family_of(product)
    assert profile is not None

    def run(data: bytes) -> None:
        started, _ = frames.stream_of(product)
        parts, at = [], 0
        while at < len(data) and len(parts) < 40:
            parts.append(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
        decoder = copy.deepcopy(started.decoder)
        frames.check(profile, started, decoder.decode_many(parts), len(parts))

    def seeds() -> list[bytes]:
        sent = frames.stream_of(product)[1]
        return [b"".join(bytes((len(each),)) + each for each in sent[at : at + 6]) for at in range(0, 60, 12)]

    return Parser(f"packets-{product}", run, (), seeds, longest=1500)


PARSERS = (
    Parser("chunk", _chunk, (BadPacket, UnknownFormat), lambda: [encode_chunk(a_chunk()), encode_chunk(a_chunk(0))]),
    Parser(
        "chunk-sealed",
        lambda data: _chunk(sealed(data)),
        (BadPacket, UnknownFormat),
        lambda: [encode_chunk(a_chunk())[:-4], encode_chunk(a_chunk(1))[:-4]],
    ),
    Parser("zstd-frame", _frame_in_chunk, (BadPacket,), _frames),
    Parser("heart", _heart, (BadPacket, UnknownFormat), lambda: [a_heart_block()]),
    Parser(
        "heart-sealed", lambda data: _heart(sealed(data)), (BadPacket, UnknownFormat), lambda: [a_heart_block()[:-4]]
    ),
    Parser("gateway-post", _post, (DeviceError, ValueError), lambda: [pack([encode_chunk(a_chunk(5))] * 2)]),
    Parser("gateway-beat", wire.decode_beat, (InvalidInput,), lambda: [_beat()]),
    Parser("gateway-orders", wire.decode_orders, (InvalidInput,), lambda: [_orders()]),
    Parser("gateway-spool", _spool, (), lambda: [_segment()]),
    Parser("phone-push", _phone, (BadPacket,), lambda: [MESSAGE]),
    Parser("advertisement", _advertisement, (), lambda: [b"\x0bPolar H10 1\x6b\x00\x14\x3f", b"\x01\x6b\x00\x7a\x01"]),
    Parser("raw-log", _raw_log, (UnknownFormat,), lambda: [RAW_LOG]),
    *(_packets(product) for product in PRODUCTS),
)
