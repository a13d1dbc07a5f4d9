"""WitMotion WT901BLECL, WT9011DCL (BLE 5.0): recognise it, set its rate, stream acceleration and angular rate, read it.

Source: see witmotion_codes.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from devices.errors import Refused
from devices.profiles import standard
from devices.profiles import witmotion_codes as wit
from devices.profiles.dialogue import Dialogue, dialogue_with
from devices.profiles.types import GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.profiles.witmotion_frames import (
    ACC_MPS2_PER_LSB,
    GYR_RADPS_PER_LSB,
    RegisterFinder,
    WitMotionDecoder,
    decode_battery_share,
    decode_registers,
)
from devices.types import Advertisement

_LSB_MAX = wit.FULL_SCALE_LSB - 1
# A firmware without the register is not waited for long (own heuristic).
_MAYBE_S = 1.0


@dataclass(frozen=True, slots=True)
class WitMotionOptions:
    """What no source confirms for every firmware.

    frame_bytes: 20, or 28 where date and time are added to each motion frame. battery: ask register 0x64, which one
    WT901BLE67 was seen to answer. rate_settles_s: so long after a change frames of the old rate may still come; that
    sensor took "within a second". write_pause_s: between two settings, as the vendor's SDK does.
    """

    frame_bytes: int = wit.FRAME_BYTES
    battery: bool = True
    rate_settles_s: float = 1.0
    write_pause_s: float = 0.15


class WitMotion:
    """The profile; it has no state, one instance serves all wearables."""

    family = "witmotion"
    title = "WitMotion WT901BLE"
    # 20, 50 and 100 Hz were measured on a WT901BLE67; 200 Hz is in register tables only, unconfirmed over Bluetooth.
    rates_offered_hz: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
    ticks_per_s: int | None = None
    # A count of samples: it does not wrap in any life of a battery.
    tick_wrap: int = 2**62
    separate: bool = False
    sensors: tuple[str, ...] = ("acc", "gyr")
    notify_uuids: tuple[str, ...] = (wit.NOTIFICATION,)
    service_uuids: tuple[str, ...] = (wit.SERVICE,)
    cannot: tuple[str, ...] = (
        "It has no heart rate.",
        "It sends no time: samples are timed by their arrival, and one lost while the link stands is not noticed.",
        "It has no checksum: a value changed on the way is not noticed.",
        "Its ranges are fixed at 16 g and 2000 deg/s.",
        "It keeps the rate that was set, also when switched off: other programs meet the last one.",
        "It does not buffer: samples taken while the link is down are gone.",
    )
    # One captured motion frame with its values stated, and none of the vendor's.
    proven: bool = False

    def __init__(self, options: WitMotionOptions | None = None) -> None:
        self._options = options or WitMotionOptions()

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the service, which not every advertisement carries, or by the name whether this is a WitMotion."""
        return wit.SERVICE in advertisement.service_uuids or advertisement.name.startswith(wit.NAMES)

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Set the rate unless it is set, read it back, choose six axes. Raises Refused, BadPacket, NoAnswer.

        It streams by itself. If the rate is as wished already, as after a lost link, what came so far counts; else what
        comes until the new rate has settled belongs to the old one and is not used. The settings are not saved: they
        are set at every start, and saving wears the flash.
        """
        refuse_unoffered(self, wish.rate_hz)
        self._refuse_range("acceleration", wish.acc_range_g, wit.ACC_RANGE_G, "g")
        self._refuse_range("angular rate", wish.gyr_range_degps, wit.GYR_RANGE_DEGPS, "deg/s")
        talk = await self._talk(client)
        early = await self._set_rate(client, talk, wish.rate_hz)
        talk.listen(sink)
        for data in early:
            sink(data)
        await self._set(client, talk, wit.ALGORITHM, wit.SIX_AXES)
        return Started(
            wish.rate_hz,
            WitMotionDecoder(self._options.frame_bytes),
            (
                ("rate", f"{wish.rate_hz:g} Hz"),
                ("acceleration range", f"{wit.ACC_RANGE_G} g (fixed)"),
                ("angular rate range", f"{wit.GYR_RANGE_DEGPS} deg/s (fixed)"),
            ),
            ACC_MPS2_PER_LSB * _LSB_MAX,
            GYR_RADPS_PER_LSB * _LSB_MAX,
            max(1 / wit.NOTIFICATIONS_PER_S, 1 / wish.rate_hz),
        )

    async def _set_rate(self, client: GattClient, talk: Dialogue, rate_hz: float) -> tuple[bytes, ...]:
        """Return the notifications so far that have the wished rate, now set. Raises Refused, NoAnswer."""
        code = wit.RATE_CODES[int(rate_hz)]
        if await self._read_rate(client, talk) == code:
            return tuple(talk.early)
        await self._set(client, talk, wit.RATE, code)
        await asyncio.sleep(self._options.rate_settles_s)
        kept = await self._read_rate(client, talk)
        if kept != code:
            hz = next((f"{rate} Hz" for rate, one in wit.RATE_CODES.items() if one == kept), f"rate code {kept}")
            raise Refused(
                f"{self.title} stays at {hz} though {rate_hz:g} Hz was set: choose that rate, or switch it off and on."
            )
        return ()

    async def _set(self, client: GattClient, talk: Dialogue, register: int, value: int) -> None:
        """Write a register. The rate was seen to need no unlock; the manual demands one for all."""
        for command in (wit.UNLOCK, _write(register, value)):
            await talk.tell(client, command)
            await asyncio.sleep(self._options.write_pause_s)

    async def _read_rate(self, client: GattClient, talk: Dialogue) -> int:
        answer = await talk.demand(client, _write(wit.READ, wit.RATE), RegisterFinder(wit.RATE), self.title)
        return decode_registers(answer)[1][0]

    async def stop(self, client: GattClient) -> None:
        """Stop listening: there is no command to stop, the sensor streams to whoever has its notifications on."""
        await (await self._talk(client)).end(client)

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1, by the vendor's table of voltages; None if register 0x64 is not answered."""
        if not self._options.battery:
            return None
        talk = await self._talk(client)
        answer = await talk.ask(client, _write(wit.READ, wit.BATTERY), RegisterFinder(wit.BATTERY), _MAYBE_S)
        return None if answer is None else decode_battery_share(decode_registers(answer)[1][0])

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts, if it has them."""
        return await standard.read_device_info(client)

    @staticmethod
    async def _talk(client: GattClient) -> Dialogue:
        return await dialogue_with(client, wit.COMMAND, wit.NOTIFICATION)

    def _refuse_range(self, what: str, wished: float | None, fixed: int, unit: str) -> None:
        if wished is not None and wished != fixed:
            raise Refused(
                f"The {what} range of a {self.title} is fixed at {fixed} {unit}, not {wished:g}: leave it open."
            )


def _write(register: int, value: int) -> bytes:
    """Return the command that writes a register; writing to READ asks for one."""
    return bytes((*wit.COMMAND_HEAD, register, *value.to_bytes(2, "little")))
