"""A plain heart rate strap: any product that has the standard Heart Rate service and no other profile here.

Source: Bluetooth SIG Heart Rate Service 1.0 and GATT Specification Supplement.
"""

from __future__ import annotations

from devices.profiles import sig_uuids as sig
from devices.profiles.standard import decode_heart_rate
from devices.profiles.subscribing import SubscribingProfile, ValueDecoder
from devices.profiles.types import GattClient, Started, Wish

# The service leaves the interval open; once a second is common. A strap may tell more rarely (own heuristic).
_FRAME_S = 2.0


class HeartRate(SubscribingProfile):
    """The profile. It stands behind all others in the registry, because many products carry this service as well."""

    family = "heart-rate"
    title = "Heart rate strap"
    # Nominal: how often a strap sends is its own choice.
    rates_offered_hz: tuple[float, ...] = (1.0,)
    sensors: tuple[str, ...] = ("heart",)
    notify_uuids: tuple[str, ...] = (sig.HEART_RATE_MEASUREMENT,)
    service_uuids: tuple[str, ...] = (sig.HEART_RATE_SERVICE,)
    advertised_uuids = service_uuids
    cannot: tuple[str, ...] = (
        "It carries no motion samples: heart rate and beat-to-beat intervals only, no posture, bends or repetitions.",
        "Some straps tell no beat-to-beat intervals.",
        "It does not buffer for Backstop: beats told while the link is down are gone.",
    )
    proven = True

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Return the stream; there is nothing to set."""
        return Started(wish.rate_hz, ValueDecoder(decode_heart_rate), frame_s=_FRAME_S)
