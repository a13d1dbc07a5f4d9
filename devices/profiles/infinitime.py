"""PineTime with InfiniTime: acceleration at the watch's own rate; heart rate by the standard service.

Source: InfiniTimeOrg/InfiniTime: doc/MotionService.md, doc/ble.md. Checked against no device and no vector.
"""

from __future__ import annotations

from devices.profiles import maker_uuids as maker
from devices.profiles.subscribing import CountingDecoder, SubscribingProfile, read_triple
from devices.profiles.types import GattClient, Started, Wish


class InfiniTime(SubscribingProfile):
    """The profile."""

    family = "infinitime"
    title = "PineTime (InfiniTime)"
    # The firmware sets the rate and no document tells it (unconfirmed); the true one is measured from the arrivals.
    rates_offered_hz: tuple[float, ...] = (10.0,)
    sensors: tuple[str, ...] = ("acc", "heart")
    notify_uuids: tuple[str, ...] = (maker.INFINITIME_ACCELERATION,)
    service_uuids: tuple[str, ...] = (maker.INFINITIME_MOTION,)
    advertised_names: tuple[str, ...] = (maker.INFINITIME_NAME,)
    cannot: tuple[str, ...] = (
        "It measures no angular rate: posture and bends come from acceleration alone.",
        "Its rate is low and cannot be set: quick movements are not seen.",
        "It sends no time: samples are timed by their arrival, and one lost while the link stands is not noticed.",
    )

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Return the stream; there is nothing to set."""
        read = read_triple(maker.INFINITIME_PER_G, self.title)
        return Started(wish.rate_hz, CountingDecoder(read), (("rate", "the watch's own, not told"),))
