"""A running pod: any product that has the standard Running Speed and Cadence service and no other profile here.

Source: Bluetooth SIG Running Speed and Cadence Service 1.0 and GATT Specification Supplement.
"""

from __future__ import annotations

from devices.profiles import sig_uuids as sig
from devices.profiles.standard import decode_running
from devices.profiles.subscribing import SubscribingProfile, ValueDecoder
from devices.profiles.types import GattClient, Started, Wish

# The service asks for about one a second while there is motion (section 3.1.1).
_FRAME_S = 2.0


class RunningSpeed(SubscribingProfile):
    """The profile."""

    family = "running-speed"
    title = "Running pod"
    rates_offered_hz: tuple[float, ...] = (1.0,)
    sensors: tuple[str, ...] = ("running",)
    notify_uuids: tuple[str, ...] = (sig.RUNNING_SPEED_MEASUREMENT,)
    service_uuids: tuple[str, ...] = (sig.RUNNING_SPEED_SERVICE,)
    advertised_uuids = service_uuids
    cannot: tuple[str, ...] = (
        "It carries no motion samples: speed, cadence and stride only, no posture, bends or repetitions.",
        "It may send nothing while it is at rest.",
        "Backstop reads its speed and cadence, keeps none of them and shows none.",
    )
    # Two vectors of the vendor's tests.
    proven = False

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Return the stream; there is nothing to set."""
        return Started(wish.rate_hz, ValueDecoder(decode_running), frame_s=_FRAME_S)
