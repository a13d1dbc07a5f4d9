"""MbientLab MetaMotion (R, RL: BMI160; S: BMI270): recognise it, stream acceleration and angular rate, read it.

Source: mbientlab/MetaWear-SDK-Cpp for commands and layouts; a debug log of a MetaMotion R (brainexe/node-metawear,
issue 46) shows the same order of commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devices.errors import BadPacket, Refused
from devices.profiles import metamotion_codes as mm
from devices.profiles import standard
from devices.profiles.dialogue import Dialogue, dialogue_with
from devices.profiles.metamotion_frames import LSB_MAX, MetaMotionDecoder, Setting, decode_battery
from devices.profiles.types import GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement

# A clipped throw is lost; one step of the widest ranges (0.5 mg, 0.06 deg/s) is below the chips' noise (data sheets).
_ACC_RANGE_G = 16
_GYR_RANGE_DEGPS = 2000
# Both sensors off, and no interrupt feeds a notification: the same bytes on both chips.
_QUIET = (
    bytes((mm.ACCELEROMETER, mm.POWER, 0)),
    bytes((mm.ACCELEROMETER, mm.INTERRUPT, 0, 1)),
    bytes((mm.GYROSCOPE, mm.POWER, 0)),
    bytes((mm.GYROSCOPE, mm.INTERRUPT, 0, 1)),
)
# What else a program that ended without a goodbye may have left running.
_QUIET_REST = (bytes((mm.SENSOR_FUSION, mm.POWER, 0)), bytes((mm.MAGNETOMETER, mm.POWER, 0)))
# The vendor's tear-down: forget all data processors, events and loggers, that is, all routes.
_FORGET_ROUTES = (bytes((mm.DATA_PROCESSOR, 0x08)), bytes((mm.EVENT, 0x05)), bytes((mm.LOGGING, 0x0A)))
# The gyroscope first, so that the first accelerations have an angular rate beside them.
_START = (
    bytes((mm.ACCELEROMETER, mm.INTERRUPT, 1, 0)),
    bytes((mm.GYROSCOPE, mm.INTERRUPT, 1, 0)),
    bytes((mm.GYROSCOPE, mm.POWER, 1)),
    bytes((mm.ACCELEROMETER, mm.POWER, 1)),
)


@dataclass(frozen=True, slots=True)
class MetaMotionOptions:
    """What no source confirms. packets_per_s_max: more than this many notifications a second thin out in silence.

    The vendor speaks of about 100 to 120; with three samples in each, 200 Hz of both sensors are 133.
    """

    packets_per_s_max: float = 140.0


@dataclass(frozen=True, slots=True)
class _Chip:
    """One of the two sensors of a board: its module, chip and data registers, and whether it packs."""

    module: int
    implementation: int
    single: int
    packed: int
    packs: bool


class MetaMotion:
    """The profile; it has no state, one instance serves all wearables."""

    family = "metamotion"
    title = "MbientLab MetaMotion"
    # The rates that both sensors of both chips offer and the radio carries.
    rates_offered_hz: tuple[float, ...] = (25.0, 50.0, 100.0, 200.0)
    ticks_per_s: int | None = None
    # A count of samples: it does not wrap in any life of a battery.
    tick_wrap: int = 2**62
    separate: bool = True
    sensors: tuple[str, ...] = ("acc", "gyr")
    notify_uuids: tuple[str, ...] = (mm.NOTIFICATION,)
    service_uuids: tuple[str, ...] = (mm.SERVICE,)
    cannot: tuple[str, ...] = (
        "It has no heart rate.",
        "It sends no time: samples are timed by their arrival, and one lost while the link stands is not noticed.",
        "It does not buffer while streaming: samples taken while the link is down are gone.",
    )
    # Ten vectors of its accelerometers and gyroscopes, one of them captured from a MetaMotion R.
    proven: bool = True

    def __init__(self, options: MetaMotionOptions | None = None) -> None:
        self._options = options or MetaMotionOptions()

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the service, or else by the name, whether this is a MetaMotion."""
        return mm.SERVICE in advertisement.service_uuids or advertisement.name.startswith(mm.NAMES)

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Set rate and ranges, read them back, start both sensors. Raises Refused, BadPacket, NoAnswer.

        The board goes on streaming when a link is lost, so it was made quiet before it was listened to.
        """
        refuse_unoffered(self, wish.rate_hz)
        talk = await self._talk(client)
        acc, gyr = await self._chips(client, talk)
        packed = acc.packs and gyr.packs
        self._refuse_too_many_packets(wish.rate_hz, packed)
        talk.early.clear()
        setting = await self._configure(client, talk, acc, gyr, wish)
        # Samples though nothing runs: a route. Only then are routes removed, somebody may still want them.
        forget = any(len(data) > 1 and not data[1] & mm.READ for data in talk.early)
        if forget:
            await talk.tell(client, *_FORGET_ROUTES)
        await self._subscribe(client, talk, (acc, gyr), packed)
        talk.listen(sink)
        await talk.tell(client, *_START)
        settings = [
            ("rate", f"{wish.rate_hz:g} Hz"),
            ("acceleration range", f"{setting.acc_range_g} g"),
            ("angular rate range", f"{setting.gyr_range_degps} deg/s"),
            ("chip", "BMI270" if acc.implementation == mm.ACC_BMI270 else "BMI160"),
            ("samples per notification", str(mm.PACKED_SAMPLES if packed else 1)),
        ]
        if forget:
            settings.append(("left by another program", "its routes were removed"))
        return Started(
            wish.rate_hz,
            MetaMotionDecoder(setting),
            tuple(settings),
            setting.acc_mps2_per_lsb * LSB_MAX,
            setting.gyr_radps_per_lsb * LSB_MAX,
            mm.PACKED_SAMPLES / wish.rate_hz if packed else 0.0,
        )

    async def stop(self, client: GattClient) -> None:
        """Switch both sensors off and unsubscribe: without it the board streams on until its battery is empty."""
        talk = await self._talk(client)
        await talk.tell(client, *_QUIET)
        talk.listen(None)
        for chip in await self._chips(client, talk):
            registers = (chip.single, chip.packed) if chip.packs else (chip.single,)
            await talk.tell(client, *(bytes((chip.module, register, 0)) for register in registers))

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1, of the settings module; None if the board does not answer. Raises BadPacket."""
        talk = await self._talk(client)
        command = bytes((mm.SETTINGS, mm.READ | mm.BATTERY))
        answer = await talk.ask(client, command, _answer_to(command))
        return None if answer is None else decode_battery(answer)[0]

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts."""
        return await standard.read_device_info(client)

    @staticmethod
    async def _talk(client: GattClient) -> Dialogue:
        return await dialogue_with(client, mm.COMMAND, mm.NOTIFICATION, (*_QUIET, *_QUIET_REST))

    async def _read(self, client: GattClient, talk: Dialogue, module: int, register: int) -> bytes:
        command = bytes((module, mm.READ | register))
        return await talk.demand(client, command, _answer_to(command), self.title)

    async def _chips(self, client: GattClient, talk: Dialogue) -> tuple[_Chip, _Chip]:
        """Ask the board what its accelerometer and gyroscope are. Raises Refused for others than the two known."""
        chips = []
        for module, known, name in (
            (mm.ACCELEROMETER, mm.ACC_DATA, "accelerometer"),
            (mm.GYROSCOPE, mm.GYR_DATA, "gyroscope"),
        ):
            info = await self._read(client, talk, module, mm.INFO)
            # An absent module answers with its header alone, or with 255 twice.
            implementation, revision = (info[2], info[3]) if len(info) >= 4 else (0xFF, 0xFF)
            if implementation not in known:
                raise Refused(
                    f"This {self.title} has a {name} that Backstop does not know (kind {implementation}): "
                    "use a MetaMotion R, RL or S."
                )
            single, packed = known[implementation]
            chips.append(_Chip(module, implementation, single, packed, revision >= mm.PACKED_SINCE))
        return chips[0], chips[1]

    def _refuse_too_many_packets(self, rate_hz: float, packed: bool) -> None:
        per_s = 2 * rate_hz / (mm.PACKED_SAMPLES if packed else 1)
        if per_s > self._options.packets_per_s_max:
            raise Refused(
                f"This {self.title}'s firmware sends one sample at a time, and at {rate_hz:g} Hz more than the radio "
                "carries: choose a lower rate or update its firmware."
            )

    @staticmethod
    async def _subscribe(client: GattClient, talk: Dialogue, chips: tuple[_Chip, _Chip], packed: bool) -> None:
        """Subscribe to one form of both sensors' notifications, and drop the other that somebody may have left."""
        for chip in chips:
            wanted, other = (chip.packed, chip.single) if packed else (chip.single, chip.packed)
            if chip.packs:
                await talk.tell(client, bytes((chip.module, other, 0)))
            await talk.tell(client, bytes((chip.module, wanted, 1)))

    async def _configure(self, client: GattClient, talk: Dialogue, acc: _Chip, gyr: _Chip, wish: Wish) -> Setting:
        """Write rate and range of both sensors and return them as read back. Raises Refused, BadPacket."""
        code = mm.RATE_CODES[int(wish.rate_hz)]
        acc_range = _chosen(
            wish.acc_range_g, _ACC_RANGE_G, mm.ACC_RANGES[acc.implementation], f"{self.title}: acc", "g"
        )
        gyr_range = _chosen(wish.gyr_range_degps, _GYR_RANGE_DEGPS, mm.GYR_RANGES, f"{self.title}: gyr", "deg/s")
        for chip, byte, range_byte, mask in (
            (acc, mm.ACC_FILTER[acc.implementation] | code, mm.ACC_RANGES[acc.implementation][acc_range], 0x0F),
            (gyr, mm.GYR_FILTER | code, mm.GYR_RANGES[gyr_range], 0x07),
        ):
            await talk.tell(client, bytes((chip.module, mm.CONFIG, byte, range_byte)))
            answer = await self._read(client, talk, chip.module, mm.CONFIG)
            if len(answer) < 4:
                raise BadPacket(f"{self.title} tells its settings in {len(answer)} bytes, not 4; they are not known.")
            # The low nibble is the rate; the chip may show bits of its own above it.
            if answer[2] & 0x0F != code or answer[3] & mask != range_byte:
                raise Refused(
                    f"{self.title} keeps other settings ({answer[2:4].hex(' ')}) than were set "
                    f"({byte:02x} {range_byte:02x}): switch it off and on again."
                )
        return Setting(acc.implementation, gyr.implementation, acc_range, gyr_range)


def _answer_to(command: bytes) -> Callable[[bytes], bytes | None]:
    return lambda data: data if data[:2] == command[:2] else None


def _chosen(wished: float | None, default: int, offered: dict[int, int], what: str, unit: str) -> int:
    """Return the full scale to set. Raises Refused, naming what is offered."""
    if wished is None:
        return default
    if wished not in offered:
        ranges = ", ".join(str(one) for one in sorted(offered))
        raise Refused(f"{what} has no range of {wished:g} {unit}; choose one of {ranges} {unit}.")
    return int(wished)
