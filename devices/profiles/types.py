"""What a product family must offer, and what it may ask of a connection. No bleak here: a profile sees a GattClient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from devices.errors import Refused
from devices.types import Advertisement, IntArray, SampleBlock

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
    """Samples of several notifications decoded at once.

    frame_of: (n,) for each sample the position of its notification among those given.
    bad: positions of the notifications that carried no valid sample; reason: why the first of them did not.
    """

    block: SampleBlock
    frame_of: IntArray
    bad: tuple[int, ...] = ()
    reason: str | None = None


class Profile(Protocol):
    """One product family: how to know it, start it, read it.

    family: key in tables and requests. rates_offered_hz: what it streams; others are refused.
    ticks_per_s, tick_wrap: the device clock in its frames. notify_uuids: where its samples come from.
    service_uuids: services that every one of the family has once connected, to find it among the connected.
    cannot: what it does not give, one sentence each.
    """

    family: str
    title: str
    rates_offered_hz: tuple[float, ...]
    ticks_per_s: int
    tick_wrap: int
    notify_uuids: tuple[str, ...]
    service_uuids: tuple[str, ...]
    cannot: tuple[str, ...]

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement comes from this family."""
        ...

    async def start(self, client: GattClient, rate_hz: float, sink: NotifySink) -> float:
        """Start the stream into `sink`; return the rate in Hz as read back. Raises Refused, BadPacket."""
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

    def decode(self, data: bytes) -> SampleBlock:
        """Return the samples of one notification. Raises BadPacket."""
        ...

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples of several notifications, in order; never raises for what the radio brought."""
        ...


def refuse_unoffered(profile: Profile, rate_hz: float) -> None:
    """Raise Refused, naming what is offered, if the product does not stream at `rate_hz`."""
    if rate_hz not in profile.rates_offered_hz:
        offered = ", ".join(f"{rate:g}" for rate in profile.rates_offered_hz)
        raise Refused(f"{profile.title} does not stream at {rate_hz:g} Hz; choose one of {offered} Hz.")
