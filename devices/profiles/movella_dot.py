"""Movella (Xsens) DOT: recognise it, set and read back its rate, stream one of its payload modes, reset its heading.

Source: vendor document XD0506P (28 October 2021) for the registers, user manual XD0502P for ranges and quirks. The
layouts are in movella_dot_payloads.py, the synchronisation of several in movella_dot_sync.py.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from devices.errors import BadPacket, Refused
from devices.profiles import movella_dot_uuids as dot
from devices.profiles import standard
from devices.profiles.movella_dot_payloads import (
    ACC_FULL_MPS2,
    GYR_FULL_DEGPS,
    PayloadDecoder,
    RowsSink,
    mode_of,
)
from devices.profiles.movella_dot_sync import is_synchronised
from devices.profiles.types import GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement

# Device control (1002): 32 bytes; bit 4 of the visit mask is the output rate, a u16 at offset 24.
_CONTROL_BYTES = 32
_VISIT_RATE = 0x10
_RATE_AT = 24


@dataclass(frozen=True, slots=True)
class DotOptions:
    """What may be chosen of a DOT beyond rate and range (which it has only one of).

    mode: payload mode; 20, 21 and 26 stream specific force and angular rate, the fused ones give no samples and hand
    their rows to on_rows. mode_26_has_gravity: unconfirmed on hardware, set it by a look at a sensor at rest.
    """

    mode: int = dot.MODE_RATE_QUANTITIES
    mode_26_has_gravity: bool = True
    on_rows: RowsSink | None = None


class MovellaDot:
    """The profile. It has no state beyond its options; one instance serves all wearables."""

    family = "movella-dot"
    title = "Movella DOT"
    # Vendor document, device control: rates for streaming. 120 Hz is for recording on the device only.
    rates_offered_hz: tuple[float, ...] = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
    # Time stamp: u32 microseconds since power-on.
    ticks_per_s: int | None = 1_000_000
    tick_wrap: int = 2**32
    separate: bool = False
    sensors: tuple[str, ...] = ("acc", "gyr")
    service_uuids: tuple[str, ...] = (dot.MEASUREMENT_SERVICE,)
    cannot: tuple[str, ...] = (
        "It has no heart rate.",
        "It does not buffer a stream: samples taken while the link is down are gone.",
        "At most five stream well to one computer (user manual).",
        "Its high-fidelity modes (1, 17, 25) are encoded in a way that only the maker's library reads.",
    )
    # Two captured notifications, and none of the modes that are streamed.
    proven: bool = False

    def __init__(self, options: DotOptions | None = None) -> None:
        """Raises Refused for a mode that Backstop does not read."""
        self._options = options or DotOptions()
        self._mode = mode_of(self._options.mode)
        self.notify_uuids: tuple[str, ...] = (self._mode.uuid,)

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the company identifier, or else by the name, whether this is a DOT."""
        return dot.COMPANY_ID in advertisement.manufacturer_data or advertisement.name.startswith(dot.NAMES)

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Set the output rate and read it back, subscribe, start the mode. Raises Refused, BadPacket.

        The notification is enabled before the start command: the vendor's order, and no first sample is missed.
        """
        refuse_unoffered(self, wish.rate_hz)
        await self._halt(client, int(wish.rate_hz))
        actual_hz = await self.set_rate(client, int(wish.rate_hz))
        await client.start_notify(self._mode.uuid, lambda _characteristic, data: sink(bytes(data)))
        await client.write_gatt_char(dot.MEASUREMENT_CONTROL, bytes((1, 1, self._mode.number)), response=True)
        has_gravity = self._mode.number != 26 or self._options.mode_26_has_gravity
        return Started(
            actual_hz,
            PayloadDecoder(self._mode, has_gravity, self._options.on_rows),
            (("rate", f"{actual_hz:g} Hz"), ("payload mode", f"{self._mode.number} ({self._mode.title})")),
            ACC_FULL_MPS2,
            math.radians(GYR_FULL_DEGPS),
        )

    async def stop(self, client: GattClient) -> None:
        """Stop the measurement."""
        await client.write_gatt_char(dot.MEASUREMENT_CONTROL, bytes((1, 0, self._mode.number)), response=True)

    async def reset_heading(self, client: GattClient) -> None:
        """Make the present heading the zero of the fused modes; while measuring, and once until it is reverted."""
        await client.write_gatt_char(dot.HEADING_CONTROL, dot.HEADING_RESET, response=True)

    async def revert_heading(self, client: GattClient) -> None:
        """Undo `reset_heading`."""
        await client.write_gatt_char(dot.HEADING_CONTROL, dot.HEADING_REVERT, response=True)

    async def _halt(self, client: GattClient, rate_hz: int) -> None:
        """Stop a measurement that a program left running: its rate cannot change meanwhile.

        Sensors that were synchronised measure too, and a stop might cost them their common time (unconfirmed): these
        are left alone as long as their rate is the wanted one.
        """
        state = bytes(await client.read_gatt_char(dot.MEASUREMENT_CONTROL))
        if len(state) < 3 or not state[1]:
            return
        (present_hz,) = struct.unpack_from("<H", await self._read_control(client), _RATE_AT)
        if present_hz == rate_hz and await is_synchronised(client):
            return
        await client.write_gatt_char(dot.MEASUREMENT_CONTROL, bytes((1, 0, state[2])), response=True)

    async def set_rate(self, client: GattClient, rate_hz: int) -> float:
        """Set the output rate of a DOT that does not measure, and return it as read back. Raises Refused, BadPacket."""
        control = bytearray(await self._read_control(client))
        if struct.unpack_from("<H", control, _RATE_AT) != (rate_hz,):
            control[0] = _VISIT_RATE
            struct.pack_into("<H", control, _RATE_AT, rate_hz)
            await client.write_gatt_char(dot.DEVICE_CONTROL, bytes(control), response=True)
            control = bytearray(await self._read_control(client))
        (actual_hz,) = struct.unpack_from("<H", control, _RATE_AT)
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
