"""What the simulation of one product must offer: its registers, its answers and the bytes of its stream.

A firmware knows no time, no motion, no transport and no fault. It shares nothing but constants (UUIDs, opcodes, scales)
with devices/profiles, so that a mistake in a layout there is not mirrored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devices.sim.gatt import GattService
from devices.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Answer:
    """A notification or indication that a write brought about: sent at once, before any later sample."""

    uuid: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive stream notifications of one characteristic and one size.

    payloads: (n, size). first, end: (n,) each carries the grid samples first .. end - 1 (of one sensor, for a product
    that sends its sensors apart; `sensor` is then "acc" or "gyr", else "").
    """

    uuid: str
    payloads: NDArray[np.uint8]
    first: IntArray
    end: IntArray
    sensor: str = ""


class Firmware(Protocol):
    """One simulated product. A write answers or is refused with AttError.

    product: key in PRODUCTS. name: as advertised. company_id, company_data: manufacturer data, None where the product
    has none. advertised_uuids: service UUIDs on the air. table: the attribute table. stream_uuids: what carries samples.
    rates_hz: what it offers; rate_hz: the rate now set. has_gyroscope: whether it measures angular rate.
    ranges: full scale now set, acc in m/s^2 and gyr in rad/s; samples beyond it are clipped by the wearable.
    """

    product: str
    name: str
    company_id: int | None
    advertised_uuids: tuple[str, ...]
    table: tuple[GattService, ...]
    stream_uuids: tuple[str, ...]
    rates_hz: tuple[float, ...]
    rate_hz: float
    has_gyroscope: bool

    @property
    def measuring(self) -> bool:
        """Tell whether samples are being sent to whoever listens."""
        ...

    @property
    def ranges(self) -> tuple[float, float]: ...

    def company_data(self) -> bytes: ...

    def link_lost(self) -> None:
        """Forget what does not outlive a link."""
        ...

    def subscribed(self, uuid: str, wanted: bool) -> None:
        """Learn that a characteristic's notifications were switched; some products start by this alone."""
        ...

    def read(self, uuid: str, battery_percent: int) -> bytes:
        """Return the value of a readable characteristic. Raises AttError."""
        ...

    def write(self, uuid: str, data: bytes, battery_percent: int) -> tuple[Answer, ...]:
        """Take a write; return the notifications that answer it, in order. Raises AttError."""
        ...

    def encode(self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray) -> list[Stretch]:
        """Return the notifications that these consecutive samples complete, in the order sent.

        indices: (n,) grid numbers. device_us: (n,) microseconds since power-on by the device's own clock, not wrapped.
        Samples of a packet that is not full are kept for the next call, and dropped by `link_lost` or a stop.
        """
        ...
