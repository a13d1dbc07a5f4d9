"""A wearable that a scan heard, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InReach:
    """family: the product family that can be used, None for a device that Backstop does not know."""

    address: str
    name: str
    family: str | None
    rssi_dbm: int
