"""Wearables that no gateway links to: phones that push by themselves, and recordings that came as files."""

from __future__ import annotations

from enum import StrEnum


class Family(StrEnum):
    """Families beside the profiles of `devices.profiles`."""

    PHONE = "phone"
    FILE = "file"


TITLES = {Family.PHONE: "Phone with Sensor Logger", Family.FILE: "Recordings from files"}


def has_radio(family: str) -> bool:
    """Tell whether a gateway should look for a wearable of this family."""
    return family not in set(Family)
