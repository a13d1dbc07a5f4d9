"""The bytes of the standard services as simulated products send them: heart rate, running speed and cadence.

Source: Bluetooth SIG GATT Specification Supplement, Heart Rate Measurement and RSC Measurement.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

# Bits 1 and 2 of a heart rate's flags: not supported, supported and without contact, with contact.
NO_CONTACT_SENSOR, CONTACT_LOST, CONTACT = 0, 2, 3


def heart_rate(
    bpm: int, rr_units: Sequence[int] = (), contact: int = CONTACT, energy_kj: int | None = None, wide: bool = False
) -> bytes:
    """Return a Heart Rate Measurement. rr_units: intervals in 1/1024 s. wide: the rate in two bytes."""
    flags = wide | contact << 1 | (energy_kj is not None) << 3 | bool(len(rr_units)) << 4
    told = struct.pack("<BH" if wide else "<BB", flags, bpm)
    if energy_kj is not None:
        told += struct.pack("<H", energy_kj)
    return told + struct.pack(f"<{len(rr_units)}H", *rr_units)


def running(
    speed_units: int, cadence_spm: int, is_running: bool, stride_cm: int | None = None, distance_dm: int | None = None
) -> bytes:
    """Return an RSC Measurement. speed_units: in 1/256 m/s."""
    flags = (stride_cm is not None) | (distance_dm is not None) << 1 | is_running << 2
    told = struct.pack("<BHB", flags, speed_units, cadence_spm)
    if stride_cm is not None:
        told += struct.pack("<H", stride_cm)
    if distance_dm is not None:
        told += struct.pack("<I", distance_dm)
    return told
