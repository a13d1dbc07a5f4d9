"""Movesense (HR+, HR2, MD, Flash): recognise it, stream motion and heart rate by the GATT SensorData Protocol, read it.

Source: see movesense_codes.py. Sensors with firmware before 2.3 have the protocol only with the maker's sample app.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from devices.errors import BadPacket, NoAnswer, Refused
from devices.profiles import movesense_codes as ms
from devices.profiles import movesense_frames as frames
from devices.profiles import standard
from devices.profiles.dialogue import ANSWER_S, Dialogue, dialogue_with
from devices.profiles.movesense_frames import MovesenseDecoder, MovesenseOptions, decode_status
from devices.profiles.types import GattClient, NotifySink, Started, Wish, refuse_unoffered
from devices.types import Advertisement

_G_MPS2 = 9.80665
# The sample firmware answers no read and no subscription that went well, only one that did not (own heuristic).
_MAYBE_S = 0.5
# Seen at 104 Hz in the maker's example client; the rates below it send fewer, 13 Hz one.
_SAMPLES_MOST = 8


class Movesense:
    """The profile; it has no state, one instance serves all wearables."""

    family = "movesense"
    title = "Movesense"
    # The API's rates up to what one link carries; 416 to 1666 Hz would need 10 to 40 kB a second.
    rates_offered_hz: tuple[float, ...] = (13.0, 26.0, 52.0, 104.0, 208.0)
    # Time stamp: u32 milliseconds since power-on.
    ticks_per_s: int | None = ms.TICKS_PER_S
    tick_wrap: int = 2**32
    separate: bool = False
    sensors: tuple[str, ...] = ("acc", "gyr", "heart")
    notify_uuids: tuple[str, ...] = (ms.NOTIFICATION,)
    service_uuids: tuple[str, ...] = (ms.SERVICE,)
    cannot: tuple[str, ...] = (
        "Its ranges cannot be set over this protocol, and not every firmware tells them.",
        "It needs firmware 2.3 or later, or the maker's GATT sensor data app.",
        "It takes one connection at a time.",
        "It does not buffer while streaming: samples taken while the link is down are gone.",
    )
    # Two stream vectors, both assembled by a client's tests.
    proven: bool = False

    def __init__(self, options: MovesenseOptions | None = None) -> None:
        self._options = options or MovesenseOptions()

    def recognise(self, advertisement: Advertisement) -> bool:
        """Tell by the name, the maker's company identifier or the advertised service whether this is a Movesense.

        Suunto's identifier and the member services are on its watches as well, so that they count only together.
        """
        own = ms.SERVICE in advertisement.service_uuids or ms.COMPANY_IDS[0] in advertisement.manufacturer_data
        if own or advertisement.name:
            return own or advertisement.name.startswith(ms.NAME)
        member = any(uuid in advertisement.service_uuids for uuid in ms.ADVERTISED)
        return member and any(company in advertisement.manufacturer_data for company in ms.COMPANY_IDS)

    async def start(self, client: GattClient, wish: Wish, sink: NotifySink) -> Started:
        """Read the ranges, subscribe to heart rate and motion. Raises Refused, BadPacket, NoAnswer."""
        refuse_unoffered(self, wish.rate_hz)
        talk = await self._talk(client)
        acc_g, gyr_degps = await self._ranges(client, talk) if self._options.ask_ranges else (None, None)
        _refuse_other("acceleration", wish.acc_range_g, acc_g, "g")
        _refuse_other("angular rate", wish.gyr_range_degps, gyr_degps, "deg/s")
        await self._clear(client, talk)
        talk.listen(sink)
        heart = await self._subscribe(client, talk, frames.HEART, ms.HEART_PATH, _MAYBE_S)
        motion = await self._subscribe(client, talk, frames.IMU, f"{ms.IMU_PATH}{wish.rate_hz:g}", ANSWER_S)
        if motion is None:
            raise NoAnswer(f"{self.title} sends nothing {ANSWER_S:g} s after it was asked to; the link is made anew.")
        if motion != ms.STATUS_OK:
            raise Refused(_why(motion, wish.rate_hz))
        return Started(
            wish.rate_hz,
            MovesenseDecoder(
                wish.rate_hz, self._options, acc_g or max(ms.ACC_RANGES_G), gyr_degps or max(ms.GYR_RANGES_DEGPS)
            ),
            (
                ("rate", f"{wish.rate_hz:g} Hz"),
                ("acceleration range", _told(acc_g, "g")),
                ("angular rate range", _told(gyr_degps, "deg/s")),
                ("heart rate", "asked for" if heart in (None, ms.STATUS_OK) else f"not given (status {heart})"),
            ),
            acc_g * _G_MPS2 if acc_g else None,
            math.radians(gyr_degps) if gyr_degps else None,
            _SAMPLES_MOST / wish.rate_hz,
        )

    async def stop(self, client: GattClient) -> None:
        """Drop both subscriptions."""
        talk = await self._talk(client)
        await talk.tell(client, bytes((ms.UNSUBSCRIBE, frames.IMU)), bytes((ms.UNSUBSCRIBE, frames.HEART)))

    async def read_battery_share(self, client: GattClient) -> float | None:
        """Return the charge, 0 to 1, from the standard service. Raises BadPacket."""
        return await standard.read_battery_share(client)

    async def read_device_info(self, client: GattClient) -> tuple[tuple[str, str], ...]:
        """Return the standard texts, and what HELLO adds: serial number, product, application."""
        found = dict(await standard.read_device_info(client))
        talk = await self._talk(client)
        answer = await talk.ask(client, bytes((ms.HELLO, frames.HELLO)), _answer_to(frames.HELLO), _MAYBE_S)
        for name, text in _hello(answer or b""):
            found.setdefault(name, text)
        return tuple(found.items())

    @staticmethod
    async def _talk(client: GattClient) -> Dialogue:
        return await dialogue_with(client, ms.COMMAND, ms.NOTIFICATION)

    @staticmethod
    async def _clear(client: GattClient, talk: Dialogue) -> None:
        """Drop what a program that ended without a goodbye left subscribed; its table has four places.

        The answers are waited for: they bear the reference of the subscriptions that follow.
        """
        for reference in (frames.IMU, frames.HEART):
            command = bytes((ms.UNSUBSCRIBE, reference))
            if await talk.ask(client, command, _answer_to(reference), _MAYBE_S) is None:
                await talk.tell(client, bytes((ms.UNSUBSCRIBE, frames.HEART)))
                return

    @staticmethod
    async def _subscribe(client: GattClient, talk: Dialogue, reference: int, path: str, within_s: float) -> int | None:
        """Return the status of a subscription, also when only its first data tells that it stands; None for silence."""
        command = bytes((ms.SUBSCRIBE, reference)) + path.encode("ascii")
        answer = await talk.ask(client, command, _answer_to(reference, ms.ANSWER, ms.DATA), within_s)
        if answer is None:
            return None
        return ms.STATUS_OK if answer[0] == ms.DATA else decode_status(answer)

    @staticmethod
    async def _ranges(client: GattClient, talk: Dialogue) -> tuple[int | None, int | None]:
        """Return the full scales in g and deg/s; None where the firmware does not tell, or tells an impossible one."""
        told: list[int | None] = []
        for reference, path, known in (
            (frames.ACC_CONFIG, ms.ACC_CONFIG_PATH, ms.ACC_RANGES_G),
            (frames.GYR_CONFIG, ms.GYR_CONFIG_PATH, ms.GYR_RANGES_DEGPS),
        ):
            command = bytes((ms.GET, reference)) + path.encode("ascii") + b"\0"
            answer = await talk.ask(client, command, _answer_to(reference), _MAYBE_S)
            if answer is None:
                # A firmware that does not know how to be read will not learn it for the other sensor.
                return None, None
            # The API's types: u8 for g, u16 for deg/s, after the status (layout unconfirmed).
            value = int.from_bytes(answer[4:], "little")
            told.append(value if _status(answer) == ms.STATUS_OK and value in known else None)
        return told[0], told[1]


def _answer_to(reference: int, *kinds: int) -> Callable[[bytes], bytes | None]:
    wanted = kinds or (ms.ANSWER,)
    return lambda data: data if len(data) > 2 and data[0] in wanted and data[1] == reference else None


def _status(answer: bytes) -> int | None:
    try:
        return decode_status(answer)
    except BadPacket:
        return None


def _refuse_other(what: str, wished: float | None, told: int | None, unit: str) -> None:
    """Raise Refused if a range is wished that the sensor is not known to have: it cannot be set."""
    if wished is not None and wished != told:
        has = f"it has {told} {unit}" if told else "it does not tell which it has"
        raise Refused(
            f"The {what} range of a Movesense cannot be set to {wished:g} {unit} over this protocol, and {has}: "
            "leave the range open."
        )


def _told(value: int | None, unit: str) -> str:
    return f"{value} {unit}" if value else "not told by this firmware"


def _why(status: int, rate_hz: float) -> str:
    """Return the sentence for a motion subscription that was refused."""
    if status == ms.STATUS_FULL:
        return "This Movesense serves as many streams as it can (status 507): end the other program, or restart it."
    return (
        f"This Movesense does not give motion at {rate_hz:g} Hz (status {status}): choose another rate, or update it."
    )


def _hello(answer: bytes) -> list[tuple[str, str]]:
    """Return what HELLO tells: a version byte, then texts that end in 0. The sample app says only "Hello"."""
    texts = answer[3:].split(b"\0") if b"\0" in answer[3:] else []
    names = ("serial number", "model", "", "application", "firmware")
    return [(name, text.decode("utf-8", "replace")) for name, text in zip(names, texts, strict=False) if name and text]
