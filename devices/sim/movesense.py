"""The firmware of a simulated Movesense: the GATT SensorData Protocol with /Meas/IMU6 and /Meas/HR.

It has an encoder of its own and shares nothing but constants with devices/profiles. As the real sensor it forgets all
subscriptions when the link is lost, has room for four, and sends what is too long for one notification in two.
Source: the maker's sample firmware (public copies) and clients, see devices/profiles/movesense_codes.py.
"""

from __future__ import annotations

import re
import struct

import numpy as np
from numpy.typing import NDArray

from devices.profiles import movesense_codes as ms
from devices.profiles import sig_uuids as sig
from devices.sim import heart
from devices.sim.firmware import Answer, FirmwareDefaults, Stretch, offered_rate
from devices.sim.gatt import AttCode, AttError, GattService, build_table
from devices.types import FloatArray, IntArray

# Samples in a packet by rate: 8 at 104 Hz in the maker's example client, 1 and 2 at the lowest (rest unconfirmed).
_SAMPLES = {13.0: 1, 26.0: 2, 52.0: 4, 104.0: 8, 208.0: 8}
_DEFAULT_RATE_HZ = 52.0
_ACC_RANGE_G, _GYR_RANGE_DEGPS = 8, 2000
_NOT_FOUND = 404
_PATH = re.compile(r"/?Meas/IMU6/(\d+)\Z")
_READ, _NOTIFY, _READ_NOTIFY, _WRITE = ("read",), ("notify",), ("read", "notify"), ("write",)
TABLE: tuple[GattService, ...] = build_table(
    (
        (
            sig.DEVICE_INFORMATION_SERVICE,
            tuple(
                (uuid, _READ)
                for uuid in (
                    sig.MANUFACTURER_NAME,
                    sig.MODEL_NUMBER,
                    sig.SERIAL_NUMBER,
                    sig.FIRMWARE_REVISION,
                )
            ),
        ),
        (sig.BATTERY_SERVICE, ((sig.BATTERY_LEVEL, _READ_NOTIFY),)),
        (ms.SERVICE, ((ms.COMMAND, _WRITE), (ms.NOTIFICATION, _NOTIFY))),
    )
)


def encode_packets(reference: int, ticks_ms: IntArray, *blocks: FloatArray) -> NDArray[np.uint8]:
    """Return whole packets (k, size): DATA, reference, u32 ms of the first sample, then each sensor's block.

    ticks_ms: (k,). blocks: one (k, n, 3) for each sensor, in the units sent (m/s^2, deg/s, uT).
    """
    count = len(ticks_ms)
    head = np.full((count, 2), (ms.DATA, reference), dtype=np.uint8)
    time = (np.asarray(ticks_ms) % 2**32).astype("<u4")[:, None].view(np.uint8)
    values = [np.ascontiguousarray(block.reshape(count, -1), dtype="<f4").view(np.uint8) for block in blocks]
    return np.concatenate([head, time, *values], axis=1)


def encode_heart(reference: int, mean_bpm: float, rr_ms: NDArray[np.uint16]) -> bytes:
    """Return one heart rate packet: float32 bpm, then each RR interval in ms."""
    return bytes((ms.DATA, reference)) + struct.pack("<f", mean_bpm) + rr_ms.astype("<u2").tobytes()


class Movesense(FirmwareDefaults):
    """The sensor's commands and streams.

    modern: answers every command and can be read, as firmware 2.3 does; the sample app tells errors only.
    """

    product = "movesense"
    company_id = ms.COMPANY_IDS[0]
    advertised_uuids = (ms.ADVERTISED[0],)
    table = TABLE
    stream_uuids = (ms.NOTIFICATION,)
    rates_hz = tuple(_SAMPLES)
    has_gyroscope = True
    clock_wraps_after_s = 2**32 / ms.TICKS_PER_S
    ranges = (_ACC_RANGE_G * 9.80665, float(np.radians(_GYR_RANGE_DEGPS)))

    def __init__(self, address: str, rate_hz: float | None = None, modern: bool = True) -> None:
        self.rate_hz = offered_rate("A Movesense", self.rates_hz, _DEFAULT_RATE_HZ, rate_hz)
        # Twelve digits, of the address, so that each simulated sensor has its own.
        self._serial = f"{int(address.replace(':', ''), 16) % 10**12:012d}"
        self.name = f"{ms.NAME} {self._serial}"
        self._modern = modern
        # Reference: path.
        self._subscriptions: dict[int, str] = {}
        self._kept: tuple[IntArray, IntArray, FloatArray, FloatArray] | None = None

    @property
    def measuring(self) -> bool:
        """Tell whether motion is subscribed."""
        return self._reference_of(_PATH) is not None

    def link_lost(self) -> None:
        """Forget all subscriptions."""
        self._subscriptions.clear()
        self._kept = None

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the charge or a standard text. Raises AttError."""
        if uuid == sig.BATTERY_LEVEL:
            return bytes((battery_percent,))
        texts = {
            sig.MANUFACTURER_NAME: "Movesense",
            sig.MODEL_NUMBER: "Movesense",
            sig.SERIAL_NUMBER: self._serial,
            # Said aloud, so that nobody takes it for a product on sale.
            sig.FIRMWARE_REVISION: "2.3.1-simulated",
        }
        if uuid not in texts:
            raise AttError(AttCode.READ_NOT_PERMITTED, f"Characteristic {uuid} cannot be read.")
        return texts[uuid].encode()

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a command. Raises AttError."""
        if uuid != ms.COMMAND:
            raise AttError(AttCode.WRITE_NOT_PERMITTED, f"Characteristic {uuid} cannot be written.")
        if len(data) < 2 or not data[1]:
            raise AttError(AttCode.INVALID_LENGTH, "A command has a code and a reference that is not 0.")
        code, reference = data[0], data[1]
        path = data[2:].rstrip(b"\0").decode("ascii", "replace")
        told = {
            ms.HELLO: lambda: self._hello(),
            ms.SUBSCRIBE: lambda: self._subscribe(reference, path),
            ms.UNSUBSCRIBE: lambda: self._unsubscribe(reference),
            ms.GET: lambda: self._get(path),
        }.get(code, lambda: b"")()
        return (Answer(ms.NOTIFICATION, bytes((ms.ANSWER, reference)) + told),) if told else ()

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return the packets that these samples fill, the long ones in two notifications."""
        reference = self._reference_of(_PATH)
        if reference is None:
            return []
        rows = (indices, device_us, acc_mps2, np.degrees(gyr_radps))
        # Numbers are consecutive within a packet; a gap starts a new one.
        if self._kept is not None and self._kept[0][-1] + 1 == indices[0]:
            numbers, times_us, acc, gyr = (np.concatenate(pair) for pair in zip(self._kept, rows, strict=True))
        else:
            numbers, times_us, acc, gyr = rows
        samples = _SAMPLES[self.rate_hz]
        full = len(numbers) // samples
        used = full * samples
        rest = (numbers[used:], times_us[used:], acc[used:], gyr[used:])
        self._kept = rest if len(rest[0]) else None
        if not full:
            return []
        by_packet = (full, samples, 3)
        ticks_ms = times_us[:used:samples] // 1000
        packets = encode_packets(reference, ticks_ms, acc[:used].reshape(by_packet), gyr[:used].reshape(by_packet))
        return _in_parts(reference, packets, numbers[:used:samples], samples)

    def cut(self, payload: bytes) -> bytes:
        """Return the command and the reference only: more might be a first part, which waits for its continuation."""
        return payload[:2]

    def each_second(self, seed: int, second: int) -> tuple[Answer, ...]:
        """Return the heart rate packet of a second in which the heart beat, if it is subscribed."""
        reference = self._reference_of(re.compile(r"/?Meas/HR\Z"))
        if reference is None:
            return ()
        rr_s = heart.intervals_s(seed, second)
        if not len(rr_s):
            return ()
        rr_ms = np.rint(1000 * rr_s).astype(np.uint16)
        return (Answer(ms.NOTIFICATION, encode_heart(reference, heart.heart_rate_bpm(second + 1.0), rr_ms)),)

    def _reference_of(self, path: re.Pattern[str]) -> int | None:
        return next((reference for reference, one in self._subscriptions.items() if path.match(one)), None)

    def _hello(self) -> bytes:
        if not self._modern:
            return b"Hello"
        texts = (self._serial, "Movesense simulated", "0C8CDC000000", "gatt_sensordata_app", "1.0.0")
        return b"\x01" + b"".join(text.encode() + b"\0" for text in texts)

    def _subscribe(self, reference: int, path: str) -> bytes:
        if len(self._subscriptions) >= ms.SUBSCRIPTIONS_MAX:
            # The one status that the sample firmware sends with the high byte first.
            return ms.STATUS_FULL.to_bytes(2, "big")
        motion = _PATH.match(path)
        if motion and float(motion[1]) in _SAMPLES:
            if float(motion[1]) != self.rate_hz:
                self._kept = None
            self.rate_hz = float(motion[1])
        elif path.lstrip("/") != ms.HEART_PATH.lstrip("/"):
            return self._status(_NOT_FOUND)
        self._subscriptions[reference] = path
        return self._status(ms.STATUS_OK) if self._modern else b""

    def _unsubscribe(self, reference: int) -> bytes:
        path = self._subscriptions.pop(reference, "")
        if _PATH.match(path):
            self._kept = None
        return self._status(ms.STATUS_OK if path else _NOT_FOUND) if self._modern else b""

    def _get(self, path: str) -> bytes:
        values = {
            ms.ACC_CONFIG_PATH: _ACC_RANGE_G.to_bytes(1, "little"),
            ms.GYR_CONFIG_PATH: _GYR_RANGE_DEGPS.to_bytes(2, "little"),
        }
        if not self._modern:
            return b""
        return self._status(ms.STATUS_OK) + values[path] if path in values else self._status(_NOT_FOUND)

    @staticmethod
    def _status(status: int) -> bytes:
        return status.to_bytes(2, "little")


def _in_parts(reference: int, packets: NDArray[np.uint8], first: IntArray, samples: int) -> list[Stretch]:
    """Return packets (k, size) as notifications of the size that the sensor sends at most.

    The last part carries the samples; a part before it carries none and goes out just before it.
    """
    end = first + samples
    room = ms.NOTIFICATION_BYTES
    if packets.shape[1] <= room:
        return [Stretch(ms.NOTIFICATION, packets, first, end)]
    head = np.full((len(packets), 2), (ms.DATA_CONTINUED, reference), dtype=np.uint8)
    last = np.concatenate([head, packets[:, room:]], axis=1)
    # Equal ends keep the order of the list: the last part of a packet, then the first of the next.
    return [Stretch(ms.NOTIFICATION, last, first, end), Stretch(ms.NOTIFICATION, packets[:, :room], first, first)]
