"""What a Polar sensor says of itself before anybody connects: its model, and the heart rate it broadcasts.

Source: polarofficial/polar-ble-sdk: BleAdvertisementContent.kt, BlePolarHrAdvertisement.kt, PolarAdvDataUtility.kt.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.profiles.polar_uuids import COMPANY_ID
from devices.types import Advertisement

_PREFIX = "Polar"
# A block whose first byte has bit 6 is [type][length][bytes]; another one is the heart rate block, the last.
_TYPED = 0x40
_HEART_BYTES = 3


@dataclass(frozen=True, slots=True)
class BroadcastHeart:
    """The heart rate block. heart_rate_bpm: the slow average where there is one, else the fast one."""

    heart_rate_bpm: int
    contact: bool
    battery_low: bool


def model_of(name: str) -> str | None:
    """Return the model within `Polar <model> <id>` in lower case, None for another name."""
    words = name.split(" ")
    return " ".join(words[1:-1]).lower() if len(words) > 2 and words[0] == _PREFIX else None


def decode_broadcast_heart(data: bytes) -> BroadcastHeart | None:
    """Return the heart rate block of the manufacturer data (company identifier taken off), None without one."""
    at = 0
    while at < len(data) and data[at] & _TYPED:
        at += 2 + data[at + 1] if at + 1 < len(data) else 2
    block = data[at:]
    if len(block) < _HEART_BYTES:
        return None
    rate_bpm = block[3] if len(block) > _HEART_BYTES else block[2]
    return BroadcastHeart(rate_bpm, bool(block[0] & 0x02), bool(block[0] & 0x01))


def told_on_air(advertisement: Advertisement) -> str:
    """Return for people what the broadcast says: heart rate, whether it is worn, a low battery; "" without one."""
    data = advertisement.manufacturer_data.get(COMPANY_ID)
    heart = None if data is None else decode_broadcast_heart(data)
    if heart is None:
        return ""
    said = ["worn" if heart.contact else "not on the skin"]
    if heart.contact and heart.heart_rate_bpm:
        said.append(f"{heart.heart_rate_bpm} bpm")
    if heart.battery_low:
        said.append("battery low: charge it or change it first")
    return ", ".join(said)
