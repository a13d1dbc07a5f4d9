"""A product that sends as soon as somebody listens: what such profiles have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from devices.errors import BadPacket, Refused
from devices.profiles import standard
from devices.profiles.types import Decoded, GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement, FloatArray, HeartRateSample, RunningSample, SampleBlock

_G_MPS2 = 9.80665
_TRIPLE_BYTES = 6


class ReadFrame(Protocol):
    """Reads the samples of one notification: acc in m/s^2 and gyr in rad/s, (n, 3) each. Raises BadPacket."""

    def __call__(self, data: bytes) -> tuple[FloatArray, FloatArray]: ...


def read_triple(per_g: float, title: str) -> ReadFrame:
    """Return the reader of notifications that are one acceleration: three i16, `per_g` to the g."""

    def read(data: bytes) -> tuple[FloatArray, FloatArray]:
        if len(data) != _TRIPLE_BYTES:
            raise BadPacket(f"A notification of a {title} has {len(data)} bytes, not {_TRIPLE_BYTES}; not used.")
        acc_mps2 = np.frombuffer(data, dtype="<i2").astype(np.float64)[None, :] * (_G_MPS2 / per_g)
        return acc_mps2, np.full((1, 3), np.nan)

    return read


class CountingDecoder:
    """Reads a stream without a clock, a whole number of samples in each notification, and numbers the samples."""

    def __init__(self, read: ReadFrame) -> None:
        self._read = read
        self._next = 0

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the samples of all valid notifications, in order; the others are named in `bad`."""
        acc, gyr = [np.empty((0, 3))], [np.empty((0, 3))]
        counts, bad, reason = [], [], None
        for position, data in enumerate(frames):
            try:
                acc_mps2, gyr_radps = self._read(bytes(data))
            except BadPacket as error:
                bad.append(position)
                reason = reason or str(error)
                continue
            acc.append(acc_mps2)
            gyr.append(gyr_radps)
            counts.append((position, len(acc_mps2)))
        frame_of = np.repeat([at for at, _ in counts], [count for _, count in counts]).astype(np.int64)
        ticks = np.arange(self._next, self._next + len(frame_of))
        self._next += len(frame_of)
        return Decoded(SampleBlock(ticks, np.concatenate(acc), np.concatenate(gyr)), frame_of, tuple(bad), reason)


def no_samples() -> SampleBlock:
    """Return a block of nothing."""
    return SampleBlock(np.empty(0, dtype=np.int64), np.empty((0, 3)), np.empty((0, 3)))


class ValueDecoder:
    """Reads a stream of one heart rate or running value in each notification, and no samples."""

    def __init__(self, read: Callable[[bytes], HeartRateSample | RunningSample]) -> None:
        self._read = read

    def decode_many(self, frames: Sequence[bytes]) -> Decoded:
        """Return the values of all valid notifications, in order; the others are named in `bad`."""
        heart: list[tuple[int, HeartRateSample]] = []
        running: list[tuple[int, RunningSample]] = []
        bad, reason = [], None
        for position, data in enumerate(frames):
            try:
                value = self._read(bytes(data))
            except BadPacket as error:
                bad.append(position)
                reason = reason or str(error)
                continue
            if isinstance(value, HeartRateSample):
                heart.append((position, value))
            else:
                running.append((position, value))
        nothing = np.empty(0, dtype=np.int64)
        return Decoded(no_samples(), nothing, tuple(bad), reason, tuple(heart), tuple(running))


class SubscribingProfile:
    """The part of a profile that subscribes, lets go, and reads the standard services. It has no state.

    advertised_uuids, advertised_names: an advertisement with one of these services, or a name that begins so, is one.
    """

    advertised_uuids: tuple[str, ...] = ()
    advertised_names: tuple[str, ...] = ()

    family: str
    title: str
    rates_offered_hz: tuple[float, ...]
    ticks_per_s: int | None = None
    # A count of samples: it does not wrap in any life of a battery.
    tick_wrap: int = 2**62
    separate: bool = False
    sensors: tuple[str, ...]
    notify_uuids: tuple[str, ...]
    service_uuids: tuple[str, ...]
    cannot: tuple[str, ...]
    proven: bool = False

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the services on the air, or else by the name."""
        served = any(uuid in advertisement.service_uuids for uuid in self.advertised_uuids)
        return served or (bool(self.advertised_names) and advertisement.name.startswith(self.advertised_names))

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Do what comes before listening, and return what the stream will be. Raises Refused, BadPacket."""
        raise NotImplementedError

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Prepare and subscribe.

        Raises Refused for a rate that is not offered, a range (none of these has one to set), a missing stream.
        """
        refuse_unoffered(self, wish.rate_hz)
        if wish.acc_range_g is not None or wish.gyr_range_degps is not None:
            raise Refused(f"{self.title} does not let a range be set: leave it open.")
        for uuid in self.notify_uuids:
            if not standard.has_characteristic(client, uuid):
                raise Refused(f"{self.title} lacks the characteristic {uuid} of its stream: update its firmware.")
        started = await self.prepare(client, wish)
        for uuid in self.notify_uuids:
            await client.start_notify(uuid, lambda _characteristic, data: sink(bytes(data)))
        return started

    async def stop(self, client: GattClient) -> None:
        """Unsubscribe."""
        for uuid in self.notify_uuids:
            await client.stop_notify(uuid)

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1, None if there is no battery service. Raises BadPacket."""
        return await standard.read_battery_share(client)

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts."""
        return await standard.read_device_info(client)
