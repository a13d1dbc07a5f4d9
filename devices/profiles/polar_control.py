"""Polar's control point: commands, answers, lists of settings, and the talk with a connected wearable.

Source: polarofficial/polar-ble-sdk: online_measurement.pdf v1.0, PmdControlPointResponse.kt, PmdSetting.kt.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.errors import BadPacket, NoAnswer, Refused
from devices.profiles import polar_uuids as pmd
from devices.profiles.polar_uuids import Measurement, Op, Setting, Status
from devices.profiles.types import GattClient

# An answer comes within a few connection intervals; this long without one and none will come (own heuristic).
_ANSWER_S = 5.0
# The longest known list of settings takes two parts (own heuristic).
_PARTS_MAX = 16

# What the wearable means by a refusal, and what to do.
_REFUSALS: dict[int, str] = {
    Status.BAD_OP: "it does not know the command; update its firmware",
    Status.BAD_MEASUREMENT: "it does not have this sensor; choose another wearable",
    Status.NOT_SUPPORTED: "it does not do this in its present mode; update its firmware or choose other settings",
    Status.BAD_LENGTH: "it could not read the command; update its firmware",
    Status.BAD_PARAMETER: "it does not take one of the settings; choose others",
    Status.ALREADY_IN_STATE: "it says that this is so already; switch it off and on again",
    Status.BAD_RESOLUTION: "it does not have this resolution; choose other settings",
    Status.BAD_RATE: "it does not have this rate; choose another",
    Status.BAD_RANGE: "it does not have this range; choose another",
    Status.BAD_MTU: "the link carries too small packets; use another Bluetooth adapter",
    Status.BAD_CHANNELS: "it does not have this number of channels; choose other settings",
    Status.WRONG_STATE: "it is busy with a recording or another stream; end that, or switch it off and on again",
    Status.IN_CHARGER: "it is in its charger; take it out",
    Status.DISK_FULL: "its memory is full; empty it with the maker's app",
}

Settings = Mapping[Setting, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One part of an answer. more: further parts follow. parameters: the bytes behind the five of the head."""

    op: int
    measurement: int
    status: int
    more: bool
    parameters: bytes


@dataclass(frozen=True, slots=True)
class Features:
    """What the wearable has. measurements: bits by Measurement."""

    measurements: int
    sdk_mode: bool

    def has(self, measurement: Measurement) -> bool:
        """Tell whether it measures this."""
        return bool(self.measurements >> measurement & 1)


def decode_features(data: bytes) -> Features:
    """Return what a read of the control point tells. Raises BadPacket."""
    if len(data) < 3 or data[0] != pmd.FEATURES:
        raise BadPacket(f"Polar feature bytes {data.hex(' ') or '(empty)'} do not begin with 0f; connect again.")
    return Features(data[1], bool(data[2] & pmd.FEATURE_SDK_MODE))


def decode_answer(data: bytes) -> Answer:
    """Return one part of an answer. Raises BadPacket."""
    if len(data) < 4 or data[0] != pmd.ANSWER:
        raise BadPacket(f"{data.hex(' ') or '(empty)'} is no answer of a Polar control point; not used.")
    more = len(data) > 4 and data[4] != 0
    return Answer(data[1], data[2] & pmd.MEASUREMENT_MASK, data[3], more, bytes(data[5:]))


def decode_stopped(data: bytes) -> tuple[int, ...]:
    """Return the measurements that the device itself stopped, none for another message."""
    if not data or data[0] != pmd.STOPPED_BY_DEVICE:
        return ()
    return tuple(one & pmd.MEASUREMENT_MASK for one in data[1:])


def decode_settings(data: bytes) -> dict[Setting, tuple[float, ...]]:
    """Return a list of settings. A single byte is reserved and no list. Raises BadPacket."""
    settings: dict[Setting, tuple[float, ...]] = {}
    at = 0
    while len(data) > 1 and at < len(data):
        kind, count = data[at], data[at + 1] if at + 1 < len(data) else 0
        size = pmd.SETTING_BYTES[Setting(kind)] if kind in pmd.SETTING_BYTES else 0
        end = at + 2 + count * size
        if not count or not size or end > len(data):
            raise BadPacket(f"Polar settings {data.hex(' ')} cannot be read from byte {at} on; connect again.")
        values = [data[start : start + size] for start in range(at + 2, end, size)]
        if kind == Setting.FACTOR:
            settings[Setting(kind)] = tuple(struct.unpack("<f", value)[0] for value in values)
        else:
            settings[Setting(kind)] = tuple(int.from_bytes(value, "little") for value in values)
        at = end
    return settings


def start_command(measurement: Measurement, chosen: Mapping[Setting, int]) -> bytes:
    """Return the command that starts a measurement with one value for each setting."""
    command = bytes((Op.START, measurement))
    for kind, value in chosen.items():
        command += bytes((kind, 1)) + value.to_bytes(pmd.SETTING_BYTES[kind], "little")
    return command


class ControlPoint:
    """The talk with one connected wearable: one command, one answer.

    Indications must be enabled first (`open`): a command without them gets no answer. on_stopped: called with the
    measurements that the device stops by itself.
    """

    def __init__(self, client: GattClient, title: str, on_stopped: Callable[[tuple[int, ...]], None]) -> None:
        self._client, self._title, self._on_stopped = client, title, on_stopped
        self._said: asyncio.Queue[Answer] = asyncio.Queue()

    async def open(self) -> None:
        """Enable the indications."""
        await self._client.start_notify(pmd.PMD_CONTROL, self._on_indication)

    def _on_indication(self, _characteristic: object, data: bytearray) -> None:
        if stopped := decode_stopped(bytes(data)):
            self._on_stopped(stopped)
            return
        try:
            self._said.put_nowait(decode_answer(bytes(data)))
        except BadPacket:
            # Neither answer nor news: whoever waits for an answer will say that none came.
            return

    async def try_command(self, command: bytes) -> tuple[int, bytes]:
        """Return status and parameters, all parts joined. Raises NoAnswer if no answer comes."""
        while not self._said.empty():
            self._said.get_nowait()
        await self._client.write_gatt_char(pmd.PMD_CONTROL, command, response=True)
        parameters = b""
        for _ in range(_PARTS_MAX):
            answer = await self._next(command)
            parameters += answer.parameters
            if answer.status != Status.OK or not answer.more:
                return answer.status, parameters
        raise BadPacket(f"{self._title} answers {command.hex(' ')} in more than {_PARTS_MAX} parts; connect again.")

    async def _next(self, command: bytes) -> Answer:
        try:
            async with asyncio.timeout(_ANSWER_S):
                while True:
                    answer = await self._said.get()
                    # A late answer to an earlier command is passed over; some commands are about no measurement.
                    if answer.op == command[0] and (len(command) < 2 or answer.measurement == command[1]):
                        return answer
        except TimeoutError:
            raise NoAnswer(
                f"{self._title} did not answer {command.hex(' ')} within {_ANSWER_S:g} s; the link is made anew."
            ) from None

    async def command(self, command: bytes, what: str) -> bytes:
        """Return the parameters of the answer. Raises Refused with the reason, NoAnswer."""
        status, parameters = await self.try_command(command)
        if status != Status.OK:
            raise self.refusal(status, what)
        return parameters

    def refusal(self, status: int, what: str) -> Refused:
        """Return the sentence for a status: what was wanted, why not, what to do."""
        why = _REFUSALS.get(status, f"it answers with status {status}; switch it off and on again")
        return Refused(f"{self._title} does not {what}: {why}.")
