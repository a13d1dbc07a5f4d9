"""What the simulation of one product must offer: its registers, its answers and the bytes of its stream.

A firmware knows no motion, no transport and no fault, and of time only what the wearable tells it. It shares nothing
but constants (UUIDs, opcodes, scales) with devices/profiles, so that a mistake in a layout there is not mirrored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devices.errors import Refused
from devices.profiles.sig_uuids import BATTERY_LEVEL, HEART_RATE_MEASUREMENT
from devices.sim import heart
from devices.sim.gatt import GattService
from devices.types import FloatArray, IntArray

# What `FirmwareDefaults.cut` leaves of a frame: a third looks begun and is whole for no product.
_CUT_SHARE = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """A notification or indication of its own, outside the samples: what a write brought about, or the time of day."""

    uuid: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Stream notifications of one characteristic and one size, in order.

    payloads: (n, size). first, end: (n,) each carries the grid samples first .. end - 1 (of one sensor, for a product
    that sends its sensors apart; `sensor` is then "acc" or "gyr", else "").
    """

    uuid: str
    payloads: NDArray[np.uint8]
    first: IntArray
    end: IntArray
    sensor: str = ""


class Firmware(Protocol):
    """One simulated product. A write answers or is refused with AttError. `FirmwareDefaults` has the usual answers.

    product: key in PRODUCTS. name: as advertised. company_id, company_data: manufacturer data, None where the product
    has none. advertised_uuids: service UUIDs on the air. table: the attribute table. stream_uuids: what carries samples
    or beats. battery_uuids: what notifies a change of the charge. rates_hz: what it offers; rate_hz: the rate now set.
    has_gyroscope: whether it measures angular rate. ranges: full scale now set, acc in m/s^2 and gyr in rad/s; samples
    beyond it are clipped by the wearable before `encode` gets them. clock_wraps_after_s: when the time in its frames
    begins anew, None where it has none or never wraps. off_body_s: how long after it left the body it ends the link and
    goes off until it is worn again, None for a product that does not. power_off_asked: a central told it to switch off;
    the wearable does so and sets it back. device_us: time since power-on by the device's own clock, which the wearable
    sets before every call. hears: addresses of the other wearables in the air. follows: whose clock its time stamps
    keep, None its own. spills: it sends a text, so that a notification without its end spoils the next one too.
    """

    power_off_asked: bool
    device_us: int
    hears: frozenset[str]

    @property
    def spills(self) -> bool: ...

    @property
    def follows(self) -> str | None: ...

    @property
    def product(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def company_id(self) -> int | None: ...

    @property
    def advertised_uuids(self) -> tuple[str, ...]: ...

    @property
    def table(self) -> tuple[GattService, ...]: ...

    @property
    def stream_uuids(self) -> tuple[str, ...]: ...

    @property
    def battery_uuids(self) -> tuple[str, ...]: ...

    @property
    def rates_hz(self) -> tuple[float, ...]: ...

    @property
    def rate_hz(self) -> float: ...

    @property
    def has_gyroscope(self) -> bool: ...

    @property
    def clock_wraps_after_s(self) -> float | None: ...

    @property
    def off_body_s(self) -> float | None: ...

    @property
    def measuring(self) -> bool:
        """Tell whether samples are being sent to whoever listens."""
        ...

    @property
    def ranges(self) -> tuple[float, float]: ...

    def company_data(self) -> bytes: ...

    def powered_on(self) -> None:
        """Forget what does not outlive a power-off."""
        ...

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
        """Take a write; return the notifications that answer it, in order. Raises AttError.

        They are sent before any later sample, and not at all where nobody subscribed to them.
        """
        ...

    def encode(
        self, indices: IntArray, device_us: IntArray, acc_mps2: FloatArray, gyr_radps: FloatArray
    ) -> list[Stretch]:
        """Return the notifications that these consecutive samples complete.

        indices: (n,) grid numbers. device_us: (n,) microseconds since power-on by the device's own clock, not wrapped.
        n is 1 or 2 at real speed and hundreds in a fast replay. Samples of a packet that is not full are kept for the
        next call, and dropped by `link_lost` or a stop. Notifications are sent in the order of their last sample;
        those with the same one in the order of the list. One for which nobody subscribed is not sent.
        """
        ...

    def each_second(self, seed: int, second: int) -> tuple[Answer, ...]:
        """Return what goes out at the end of this whole second of device time: heart rate, steps."""
        ...

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the frame as damaged on the way, so that a careful reader can tell."""
        ...

    def cut(self, payload: bytes) -> bytes:
        """Return the beginning of the frame, so that a careful reader can tell; not empty."""
        ...


class FirmwareDefaults:
    """What most products have in common; a product inherits it and says what is different."""

    product: str
    name: str
    stream_uuids: tuple[str, ...]
    rates_hz: tuple[float, ...]
    rate_hz: float
    has_gyroscope: bool
    company_id: int | None = None
    advertised_uuids: tuple[str, ...] = ()
    table: tuple[GattService, ...] = ()
    battery_uuids: tuple[str, ...] = (BATTERY_LEVEL,)
    clock_wraps_after_s: float | None = None
    off_body_s: float | None = None
    power_off_asked: bool = False
    device_us: int = 0
    hears: frozenset[str] = frozenset()
    spills: bool = False

    @property
    def follows(self) -> str | None:
        """Return nobody: its clock is its own."""
        return None

    def company_data(self) -> bytes:
        """Return nothing: no manufacturer data beyond the identifier."""
        return b""

    def powered_on(self) -> None:
        """Keep everything, but for what a link loss ends."""
        self.link_lost()

    def link_lost(self) -> None:
        """Keep everything."""

    def subscribed(self, uuid: str, wanted: bool) -> None:
        """Take no notice."""

    def each_second(self, seed: int, second: int) -> tuple[Answer, ...]:
        """Return the standard Heart Rate Measurement where the table has one."""
        if not any(one.uuid == HEART_RATE_MEASUREMENT for service in self.table for one in service.characteristics):
            return ()
        return (Answer(HEART_RATE_MEASUREMENT, heart.measurement(seed, second)),)

    def spoil(self, payload: bytes, rng: np.random.Generator) -> bytes:
        """Return the frame with its first byte inverted: most products begin with a header."""
        return bytes((payload[0] ^ 0xFF,)) + payload[1:]

    def cut(self, payload: bytes) -> bytes:
        """Return the first third."""
        return payload[: max(1, len(payload) // _CUT_SHARE)]


def offered_rate(title: str, rates_hz: tuple[float, ...], default_hz: float, rate_hz: float | None) -> float:
    """Return the rate to start with. Raises Refused, naming the offered ones, for a rate that the product lacks."""
    if rate_hz is None:
        return default_hz
    if rate_hz not in rates_hz:
        offered = ", ".join(f"{rate:g}" for rate in rates_hz)
        raise Refused(f"{title} does not stream at {rate_hz:g} Hz; it offers {offered} Hz, choose one of these.")
    return float(rate_hz)
