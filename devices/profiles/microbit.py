"""The micro:bit's accelerometer service, which Bangle.js (app `btadv`) offers as well.

Source: lancaster-university/microbit-docs: accelerometer-service.md; espruino/BangleApps: apps/btadv/app.ts. Checked
against no device and no vector.
"""

from __future__ import annotations

from devices.errors import Refused
from devices.profiles import maker_uuids as maker
from devices.profiles import standard
from devices.profiles.subscribing import CountingDecoder, SubscribingProfile, read_triple
from devices.profiles.types import GattClient, Started, Wish

# Allowed periods of the micro:bit in ms (unconfirmed, hence read back) that make a rate of use here.
_PERIODS_MS = {12.5: 80, 50.0: 20, 100.0: 10}


class MicroBit(SubscribingProfile):
    """The profile. A Bangle.js has no period to set; what it sends at is its own (12.5 Hz by default, unconfirmed)."""

    family = "microbit"
    title = "Bangle.js or micro:bit"
    rates_offered_hz: tuple[float, ...] = tuple(_PERIODS_MS)
    sensors: tuple[str, ...] = ("acc", "heart")
    notify_uuids: tuple[str, ...] = (maker.MICROBIT_DATA,)
    service_uuids: tuple[str, ...] = (maker.MICROBIT_SERVICE,)
    advertised_uuids = service_uuids
    # Neither advertises the service in every setting.
    advertised_names: tuple[str, ...] = ("Bangle.js", "BBC micro:bit")
    cannot: tuple[str, ...] = (
        "It measures no angular rate: posture and bends come from acceleration alone.",
        "A Bangle.js needs its app btadv running, a micro:bit a program with the accelerometer service.",
        "It sends no time: samples are timed by their arrival, and one lost while the link stands is not noticed.",
        "A micro:bit has no heart rate; a Bangle.js has one while its app sends it.",
        "It tells its battery's charge only where its program offers the standard battery service.",
    )

    async def prepare(self, client: GattClient, wish: Wish) -> Started:
        """Set the period and read it back where there is one. Raises Refused."""
        started = Started(wish.rate_hz, CountingDecoder(read_triple(maker.MICROBIT_PER_G, self.title)))
        if not standard.has_characteristic(client, maker.MICROBIT_PERIOD):
            if wish.rate_hz != min(self.rates_offered_hz):
                raise Refused(
                    f"This {self.title} does not let its rate be set: choose {min(self.rates_offered_hz):g} Hz."
                )
            return started
        wanted = _PERIODS_MS[wish.rate_hz].to_bytes(2, "little")
        await client.write_gatt_char(maker.MICROBIT_PERIOD, wanted, response=True)
        kept = bytes(await client.read_gatt_char(maker.MICROBIT_PERIOD))
        if kept != wanted:
            raise Refused(
                f"{self.title} stays at a period of {int.from_bytes(kept, 'little')} ms: choose another rate than "
                f"{wish.rate_hz:g} Hz."
            )
        return Started(wish.rate_hz, started.decoder, (("rate", f"{wish.rate_hz:g} Hz"),))
