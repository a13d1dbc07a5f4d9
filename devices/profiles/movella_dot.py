"""Movella (Xsens) DOT: recognise it, stream payload mode 21 (acc and angular rate with the device's clock), read it.

Source: vendor document XD0506P (28 October 2021) for the layouts, user manual XD0502P for ranges and quirks.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import BadPacket, Refused
from devices.profiles import movella_dot_uuids as dot
from devices.profiles import standard
from devices.profiles.types import Decoded, GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement, IntArray, SampleBlock

# Full scale of the DOT's sensors: 16 g and 2000 deg/s (user manual, sensor components).
_ACC_FULL_MPS2 = 16 * 9.80665
_GYR_FULL_DEGPS = 2000.0
# A tenth on top, because the factory calibration may scale a full-scale reading up (own heuristic).
_ACC_LIMIT_MPS2 = 1.1 * _ACC_FULL_MPS2
_GYR_LIMIT_DEGPS = 1.1 * _GYR_FULL_DEGPS
# Device control (1002): 32 bytes; bit 4 of the visit mask is the output rate, a u16 at offset 24.
_CONTROL_BYTES = 32
_VISIT_RATE = 0x10
_RATE_AT = 24


@dataclass(frozen=True, slots=True)
class PayloadMode:
    """One measurement mode: its number, where it is notified, and its fields within the padded notification."""

    number: int
    uuid: str
    layout: np.dtype[Any]


def _layout(size: int, *fields: str) -> np.dtype[Any]:
    """Return the layout of a u32 time stamp and float triples, padded with zeros to `size` bytes."""
    names, formats = ["ticks", *fields], ["<u4", *[("<f4", 3)] * len(fields)]
    offsets = [0, *(4 + 12 * i for i in range(len(fields)))]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


RATE_QUANTITIES = PayloadMode(dot.MODE_RATE_QUANTITIES, dot.MEDIUM_PAYLOAD, _layout(40, "acc_mps2", "gyr_degps"))
# Not streamed by Backstop: gravity is removed and there is no angular rate. Kept as the second row of the same parser.
FREE_ACCELERATION = PayloadMode(6, dot.SHORT_PAYLOAD, _layout(20, "free_acc_mps2"))


def decode_payload(mode: PayloadMode, data: bytes) -> NDArray[np.void]:
    """Return the fields of concatenated notifications of one mode as a structured array (n,).

    data: n notifications of the mode's padded size, end to end. Raises BadPacket for another length.
    """
    size = mode.layout.itemsize
    if not data or len(data) % size:
        raise BadPacket(
            f"{len(data)} bytes are no notification of payload mode {mode.number} ({size} bytes); not used."
        )
    return np.frombuffer(data, dtype=mode.layout)


def _faults(rows: NDArray[np.void], data: bytes) -> dict[str, NDArray[np.bool_]]:
    """Return for each way a mode 21 notification can be wrong which rows are so."""
    size = RATE_QUANTITIES.layout.itemsize
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    # NaN and infinity fail every comparison with a limit, so that "not within" finds them too.
    with np.errstate(invalid="ignore"):
        acc_fits = (np.abs(rows["acc_mps2"]) <= _ACC_LIMIT_MPS2).all(axis=1)
        gyr_fits = (np.abs(rows["gyr_degps"]) <= _GYR_LIMIT_DEGPS).all(axis=1)
    return {
        "its padding is not zero": raw[:, 28:].any(axis=1),
        "its acceleration is no number within 16 g": ~acc_fits,
        "its angular rate is no number within 2000 deg/s": ~gyr_fits,
    }


class RateQuantitiesDecoder:
    """Reads mode 21: one sample in each notification, nothing kept between them."""

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return one sample per valid notification, in order; the others are named in `bad`."""
        size = RATE_QUANTITIES.layout.itemsize
        sized = [i for i, frame in enumerate(frames) if len(frame) == size]
        reason = None
        if len(sized) < len(frames):
            odd = next(len(frame) for frame in frames if len(frame) != size)
            reason = f"A notification of a Movella DOT has {odd} bytes, not {size}; not used."
        if not sized:
            empty = np.empty((0, 3))
            nothing: IntArray = np.empty(0, dtype=np.int64)
            return Decoded(SampleBlock(nothing, empty, empty), nothing, tuple(range(len(frames))), reason)
        data = b"".join(frames[i] for i in sized) if len(sized) < len(frames) else b"".join(frames)
        rows = decode_payload(RATE_QUANTITIES, data)
        faults = _faults(rows, data)
        wrong = np.logical_or.reduce(list(faults.values()))
        frame_of: IntArray = np.array(sized, dtype=np.int64)
        if wrong.any():
            what = next(name for name, where in faults.items() if where.any())
            reason = reason or f"A notification of a Movella DOT is damaged or foreign: {what}; not used."
            rows, frame_of = rows[~wrong], frame_of[~wrong]
        good = set(frame_of.tolist())
        bad = () if len(good) == len(frames) else tuple(i for i in range(len(frames)) if i not in good)
        block = SampleBlock(
            rows["ticks"].astype(np.int64),
            rows["acc_mps2"].astype(np.float64),
            np.radians(rows["gyr_degps"].astype(np.float64)),
        )
        return Decoded(block, frame_of, bad, reason)


class MovellaDot:
    """The profile; it has no state, one instance serves all wearables."""

    family = "movella-dot"
    title = "Movella DOT"
    # Vendor document, device control: rates for streaming. 120 Hz is for recording on the device only.
    rates_offered_hz: tuple[float, ...] = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
    # Time stamp: u32 microseconds since power-on.
    ticks_per_s: int | None = 1_000_000
    tick_wrap: int = 2**32
    separate: bool = False
    sensors: tuple[str, ...] = ("acc", "gyr")
    notify_uuids: tuple[str, ...] = (dot.MEDIUM_PAYLOAD,)
    service_uuids: tuple[str, ...] = (dot.MEASUREMENT_SERVICE,)
    cannot: tuple[str, ...] = (
        "It has no heart rate.",
        "It does not buffer: samples taken while the link is down are gone.",
        "At most five stream well to one computer (user manual).",
    )
    # Two captured notifications and none of mode 21.
    proven: bool = False

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the company identifier, or else by the name, whether this is a DOT."""
        return dot.COMPANY_ID in advertisement.manufacturer_data or advertisement.name.startswith(dot.NAMES)

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Set the output rate and read it back, subscribe, start mode 21. Raises Refused, BadPacket.

        The notification is enabled before the start command: the vendor's order, and no first sample is missed.
        """
        refuse_unoffered(self, wish.rate_hz)
        state = bytes(await client.read_gatt_char(dot.MEASUREMENT_CONTROL))
        if len(state) >= 2 and state[1]:
            # Left measuring by a program that ended without a stop; the rate cannot change meanwhile.
            await self.stop(client)
        actual_hz = await self._set_rate(client, int(wish.rate_hz))
        await client.start_notify(dot.MEDIUM_PAYLOAD, lambda _characteristic, data: sink(bytes(data)))
        await client.write_gatt_char(dot.MEASUREMENT_CONTROL, bytes((1, 1, RATE_QUANTITIES.number)), response=True)
        return Started(
            actual_hz,
            RateQuantitiesDecoder(),
            (("rate", f"{actual_hz:g} Hz"),),
            _ACC_FULL_MPS2,
            math.radians(_GYR_FULL_DEGPS),
        )

    async def stop(self, client: GattClient) -> None:
        """Stop the measurement."""
        await client.write_gatt_char(dot.MEASUREMENT_CONTROL, bytes((1, 0, RATE_QUANTITIES.number)), response=True)

    async def _set_rate(self, client: GattClient, rate_hz: int) -> float:
        control = bytearray(await self._read_control(client))
        control[0] = _VISIT_RATE
        struct.pack_into("<H", control, _RATE_AT, rate_hz)
        await client.write_gatt_char(dot.DEVICE_CONTROL, bytes(control), response=True)
        (actual_hz,) = struct.unpack_from("<H", await self._read_control(client), _RATE_AT)
        if actual_hz != rate_hz:
            raise Refused(
                f"{self.title} stays at {actual_hz} Hz though {rate_hz} Hz was set: switch it off and on again."
            )
        return float(actual_hz)

    @staticmethod
    async def _read_control(client: GattClient) -> bytes:
        control = bytes(await client.read_gatt_char(dot.DEVICE_CONTROL))
        if len(control) != _CONTROL_BYTES:
            raise BadPacket(f"Device control has {len(control)} bytes, not {_CONTROL_BYTES}; the rate cannot be set.")
        return control

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1, from the vendor's characteristic (level, charging), else from the standard one."""
        if not standard.has_characteristic(client, dot.DOT_BATTERY):
            return await standard.read_battery_share(client)
        data = bytes(await client.read_gatt_char(dot.DOT_BATTERY))
        if len(data) != 2:
            raise BadPacket(f"DOT battery value {data.hex(' ')} has not two bytes; not used.")
        return standard.decode_battery_share(data[:1])

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts; what they leave out comes from the vendor's device info (1001)."""
        found = dict(await standard.read_device_info(client))
        if standard.has_characteristic(client, dot.DEVICE_INFO):
            data = bytes(await client.read_gatt_char(dot.DEVICE_INFO))
            if len(data) == 34:
                found.setdefault("firmware", ".".join(str(part) for part in data[6:9]))
                found.setdefault("serial number", f"{int.from_bytes(data[20:28], 'little'):X}")
                found.setdefault("model", data[28:34].decode("ascii", "replace").strip("\0 "))
        return tuple(found.items())
