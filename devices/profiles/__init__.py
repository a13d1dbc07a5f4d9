"""The registry of product families: one file each, listed here."""

from __future__ import annotations

from devices.errors import Refused
from devices.profiles.movella_dot import MovellaDot
from devices.profiles.types import Profile
from devices.types import Advertisement

PROFILES: dict[str, Profile] = {profile.family: profile for profile in (MovellaDot(),)}


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
