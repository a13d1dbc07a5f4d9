"""The registry of product families: one file each, listed here."""

from __future__ import annotations

from devices.errors import Refused
from devices.profiles.heart_rate import HeartRate
from devices.profiles.infinitime import InfiniTime
from devices.profiles.metamotion import MetaMotion
from devices.profiles.microbit import MicroBit
from devices.profiles.movella_dot import MovellaDot
from devices.profiles.movesense import Movesense
from devices.profiles.nordic_uart import NordicUart
from devices.profiles.polar import H10, OH1, VERITY_SENSE, PolarPmd
from devices.profiles.running_speed import RunningSpeed
from devices.profiles.thingy52 import Thingy52
from devices.profiles.types import Profile
from devices.profiles.witmotion import WitMotion
from devices.types import Advertisement

# In the order in which they are asked: the serial pipe and the standard services come last, because products of other
# families carry them as well.
_ALL: tuple[Profile, ...] = (
    PolarPmd(H10),
    PolarPmd(VERITY_SENSE),
    PolarPmd(OH1),
    MovellaDot(),
    MetaMotion(),
    Movesense(),
    WitMotion(),
    Thingy52(),
    InfiniTime(),
    MicroBit(),
    NordicUart(),
    HeartRate(),
    RunningSpeed(),
)
PROFILES: dict[str, Profile] = {profile.family: profile for profile in _ALL}


def recognise(advertisement: Advertisement) -> Profile | None:
    """Return the profile of the family that an advertisement comes from, or None for an unknown device."""
    return next((profile for profile in PROFILES.values() if profile.recognise(advertisement)), None)


def profile_of(family: str) -> Profile:
    """Return the profile of a family by its key. Raises Refused, naming the known ones."""
    try:
        return PROFILES[family]
    except KeyError:
        known = ", ".join(PROFILES)
        raise Refused(f"No product family is called '{family}'; Backstop knows {known}.") from None
