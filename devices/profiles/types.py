"""What a product family must offer, and what it may ask of a connection. No bleak here: a profile sees a GattClient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from devices.errors import Refused
from devices.types import Advertisement, HeartRateSample, IntArray, RunningSample, SampleBlock

NotifySink = Callable[[bytes], None]


class GattServices(Protocol):
    """The attribute table of a connected wearable."""

    def get_characteristic(self, specifier: Any) -> Any | None: ...


class GattClient(Protocol):
    """The part of a bleak client that profiles use; UUIDs are the 36-character form."""

    @property
    def services(self) -> GattServices: ...

    async def read_gatt_char(self, char_specifier: Any) -> bytearray: ...

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None: ...

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None: ...

    async def stop_notify(self, char_specifier: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """What several notifications, decoded at once, carried.

    frame_of: (n,) for each sample the position of its notification among those given (of the one that completed it).
    bad: positions of the notifications that carried nothing valid, -1 for one of an earlier call that waited in vain
    for its continuation; reason: why the first of them did not. Of a byte stream: the ones with bytes of no frame.
    heart, running: heart rate and intervals, speed and cadence of the same stream, each with the position of its
    notification.
    A notification that only waits for its continuation, or answers a command, is neither a sample nor bad.
    """

    block: SampleBlock
    frame_of: IntArray
    bad: tuple[int, ...] = ()
    reason: str | None = None
    heart: tuple[tuple[int, HeartRateSample], ...] = ()
    running: tuple[tuple[int, RunningSample], ...] = ()


class Decoder(Protocol):
    """Reads the stream of one connection, in order; keeps what one notification leaves for the next."""

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return what several notifications carry, in order; never raises for what the radio brought."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """How a stream is wanted. rate_hz: one that is offered. *_range_*: full scale, None for the profile's choice."""

    rate_hz: float
    acc_range_g: float | None = None
    gyr_range_degps: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A stream that runs. rate_hz: as read back. settings: what else was, (name, value with unit) for people.

    *_limit_*: full scale as read back (gyr None without one); a value at it is clipped.
    frame_s: usual time between two notifications, where it is longer than that between two samples; silence is judged
    by it.
    """

    rate_hz: float
    decoder: Decoder
    settings: tuple[tuple[str, str], ...] = ()
    acc_limit_mps2: float | None = None
    gyr_limit_radps: float | None = None
    frame_s: float = 0.0


class Profile(Protocol):
    """One product family: how to know it, start it, read it. Has no state; one instance serves all wearables.

    family: key in tables and requests. rates_offered_hz: what it streams; others are refused.
    ticks_per_s, tick_wrap: the device clock in its frames; ticks_per_s is None for a product without one, whose rows
    are then timed by their arrival. separate: acc and gyr come in frames of their own.
    sensors: of "acc", "gyr", "heart", "running".
    notify_uuids: where its samples come from. service_uuids: services that every one of the family has once connected,
    to find it among the connected. cannot: what it does not give, one sentence each.
    proven: at least three stream vectors of real devices or the vendor's tests are decoded by the tests; else the
    family is shown as "unproven on hardware".
    """

    family: str
    title: str
    rates_offered_hz: tuple[float, ...]
    ticks_per_s: int | None
    tick_wrap: int
    separate: bool
    sensors: tuple[str, ...]
    notify_uuids: tuple[str, ...]
    service_uuids: tuple[str, ...]
    cannot: tuple[str, ...]
    proven: bool

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement comes from this family."""
        ...

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Start the stream into `sink` (each notification's bytes, in order). Raises Refused, BadPacket.

        Rate and ranges are read back where the device tells them; one that does not do as asked is refused.
        """
        ...

    async def stop(self, client: GattClient) -> None:
        """Stop the stream."""
        ...

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the battery's charge, 0 to 1, or None if the wearable does not tell. Raises BadPacket."""
        ...

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return (name, value) pairs for people: maker, model, serial number, firmware."""
        ...


def refuse_unoffered(profile: Profile, rate_hz: float) -> None:
    """Raise Refused, naming what is offered, if the product does not stream at `rate_hz`."""
    if rate_hz not in profile.rates_offered_hz:
        offered = ", ".join(f"{rate:g}" for rate in profile.rates_offered_hz)
        raise Refused(f"{profile.title} does not stream at {rate_hz:g} Hz; choose one of {offered} Hz.")
