"""Nordic Thingy:52: raw acceleration and angular rate, the rate set and read back.

Source: NordicSemiconductor/Nordic-Thingy52-FW: ble_tms.h, m_motion.c, drv_motion.c, thingy_config.h. Checked against
no device and no vector.
"""

from __future__ import annotations

import struct

import numpy as np

from devices.errors import BadPacket, Refused
from devices.profiles import maker_uuids as maker
from devices.profiles.subscribing import CountingDecoder, SubscribingProfile
from devices.profiles.types import GattClient, Started, Wish
from devices.types import FloatArray

_G_MPS2 = 9.80665
# Acceleration, angular rate and compass, three i16 each.
_FRAME_BYTES = 18
# Motion configuration: pedometer, temperature and compass interval u16 ms, motion rate u16 Hz, wake on motion u8.
_CONFIG = struct.Struct("<HHHHB")


def decode_raw(data: bytes) -> tuple[FloatArray, FloatArray]:
    """Return acc in m/s^2 and gyr in rad/s, (1, 3) each. Raises BadPacket."""
    if len(data) != _FRAME_BYTES:
        raise BadPacket(f"A raw notification of a Thingy:52 has {len(data)} bytes, not {_FRAME_BYTES}; not used.")
    values = np.frombuffer(data, dtype="<i2").astype(np.float64).reshape(3, 1, 3)
    return values[0] * (_G_MPS2 / maker.THINGY_ACC_PER_G), np.radians(values[1] / maker.THINGY_GYR_PER_DEGPS)


class Thingy52(SubscribingProfile):
    """The profile. The device does not tell its full scale: nothing is said to be clipped."""

    family = "thingy52"
    title = "Nordic Thingy:52"
    # The firmware takes 5 to 200 Hz; these divide its sensor's 200 Hz (own choice).
    rates_offered_hz: tuple[float, ...] = (5.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0, 200.0)
    sensors: tuple[str, ...] = ("acc", "gyr")
    notify_uuids: tuple[str, ...] = (maker.THINGY_RAW,)
    service_uuids: tuple[str, ...] = (maker.THINGY_MOTION,)
    advertised_uuids: tuple[str, ...] = (maker.THINGY_CONFIGURATION,)
    cannot: tuple[str, ...] = (
        "It has no heart rate.",
        "It sends no time: samples are timed by their arrival, and one lost while the link stands is not noticed.",
        "It does not tell its full scale: clipped values are not noticed.",
    )

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Set the motion rate and read it back. Raises Refused, BadPacket."""
        rate_hz = int(wish.rate_hz)
        fields = await self._read(client)
        await client.write_gatt_char(
            maker.THINGY_MOTION_CONFIG, _CONFIG.pack(*fields[:3], rate_hz, fields[4]), response=True
        )
        actual_hz = (await self._read(client))[3]
        if actual_hz != rate_hz:
            raise Refused(f"{self.title} stays at {actual_hz} Hz though {rate_hz} Hz was set: switch it off and on.")
        return Started(float(actual_hz), CountingDecoder(decode_raw), (("rate", f"{actual_hz} Hz"),))

    async def _read(self, client: GattClient) -> tuple[int, ...]:
        data = bytes(await client.read_gatt_char(maker.THINGY_MOTION_CONFIG))
        if len(data) != _CONFIG.size:
            raise BadPacket(f"{self.title} tells a motion configuration of {len(data)} bytes, not {_CONFIG.size}.")
        return _CONFIG.unpack(data)
