"""The Bluetooth SIG services that any wearable may carry: battery, device information, heart rate, running speed.

Source: Bluetooth SIG GATT Specification Supplement, one section per characteristic.
"""

from __future__ import annotations

import struct

from devices.errors import BadPacket
from devices.profiles import sig_uuids as sig
from devices.profiles.types import GattClient
from devices.types import HeartRateSample, RunningSample

# Order in which people look for them.
_INFO_NAMES = (
    (sig.MANUFACTURER_NAME, "manufacturer"),
    (sig.MODEL_NUMBER, "model"),
    (sig.SERIAL_NUMBER, "serial number"),
    (sig.FIRMWARE_REVISION, "firmware"),
    (sig.HARDWARE_REVISION, "hardware"),
    (sig.SOFTWARE_REVISION, "software"),
)
# Heart Rate Measurement: the unit of an RR interval is 1/1024 s.
_RR_PER_S = 1024
# Running Speed and Cadence Measurement: speed in 1/256 m/s, stride in cm, distance in dm.
_SPEED_PER_MPS, _STRIDE_PER_M, _DISTANCE_PER_M = 256, 100, 10


def has_characteristic(client: GattClient, uuid: str) -> bool:
    """Tell whether the connected wearable carries a characteristic."""
    return client.services.get_characteristic(uuid) is not None


def decode_battery_share(data: bytes) -> float:
    """Return the charge, 0 to 1, from a Battery Level value. Raises BadPacket."""
    if len(data) != 1 or data[0] > 100:
        raise BadPacket(f"Battery level {bytes(data).hex(' ') or '(empty)'} is not one byte of 0 to 100 %; not used.")
    return data[0] / 100


async def read_battery_share(client: GattClient) -> float | None:
    """Return the charge, 0 to 1, or None if the wearable has no battery service. Raises BadPacket."""
    if not has_characteristic(client, sig.BATTERY_LEVEL):
        return None
    return decode_battery_share(bytes(await client.read_gatt_char(sig.BATTERY_LEVEL)))


async def read_device_info(client: GattClient) -> tuple[tuple[str, str], ...]:
    """Return (name, value) for each Device Information text that the wearable carries and fills."""
    found = []
    for uuid, name in _INFO_NAMES:
        if has_characteristic(client, uuid):
            text = bytes(await client.read_gatt_char(uuid)).decode("utf-8", "replace").strip("\0 ")
            if text:
                found.append((name, text))
    return tuple(found)


def decode_heart_rate(data: bytes) -> HeartRateSample:
    """Return one Heart Rate Measurement. Raises BadPacket for a length that its flags do not explain."""
    data = bytes(data)
    if not data:
        raise BadPacket("An empty heart rate notification; not used.")
    flags = data[0]
    wide, energy, intervals = flags & 0x01, flags & 0x08, flags & 0x10
    at = 1 + (2 if wide else 1)
    rr_at = at + (2 if energy else 0)
    rr_bytes = len(data) - rr_at
    if rr_bytes < 0 or rr_bytes % 2 or (rr_bytes and not intervals):
        raise BadPacket(f"Heart rate notification {data.hex(' ')} has not the length its flags say; not used.")
    rate_bpm = int.from_bytes(data[1:at], "little")
    intervals_raw = struct.unpack_from(f"<{rr_bytes // 2}H", data, rr_at)
    contact = bool(flags & 0x02) if flags & 0x04 else None
    energy_kj = int.from_bytes(data[at:rr_at], "little") if energy else None
    return HeartRateSample(rate_bpm, tuple(raw / _RR_PER_S for raw in intervals_raw), contact, energy_kj)


def decode_running(data: bytes) -> RunningSample:
    """Return one Running Speed and Cadence Measurement. Raises BadPacket for a length that its flags do not explain."""
    data = bytes(data)
    flags = data[0] if data else 0
    layout = "<BHB" + ("H" if flags & 0x01 else "") + ("I" if flags & 0x02 else "")
    if len(data) != struct.calcsize(layout):
        raise BadPacket(
            f"Running notification {data.hex(' ') or '(empty)'} has not the length its flags say; not used."
        )
    _, speed, cadence_spm, *rest = struct.unpack(layout, data)
    stride_m = rest.pop(0) / _STRIDE_PER_M if flags & 0x01 else None
    distance_m = rest.pop(0) / _DISTANCE_PER_M if flags & 0x02 else None
    return RunningSample(speed / _SPEED_PER_MPS, cadence_spm, bool(flags & 0x04), stride_m, distance_m)
