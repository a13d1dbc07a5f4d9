"""Synchronisation of several DOTs: the vendor's messages, and the order of what is done with the sensors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import BadPacket, Disconnected, Refused
from devices.profiles import movella_dot_sync as sync
from devices.profiles.movella_dot import MovellaDot
from devices.profiles.types import Wish
from tests.devices.profiles.vectors import Vector, reads

CONTROL, ACKNOWLEDGE, NOTIFICATION = (f"1517700{n}-4947-11e9-8646-d663bd873d93" for n in (1, 2, 3))
DEVICE_CONTROL, MEASUREMENT = (f"1517{short}-4947-11e9-8646-d663bd873d93" for short in ("1002", "2001"))
ADDRESSES = ("D4:CA:6E:F1:69:3D", "D4:CA:6E:00:00:02", "D4:CA:6E:00:00:03")


@reads(55)
def test_the_start_message_names_the_root_backwards(vector: Vector) -> None:
    assert sync.start_message(vector.expected["root_node_mac"]) == vector.data


@reads(57, 59, 62)
def test_messages_of_one_byte(vector: Vector) -> None:
    identifier, data = sync.decode_message(vector.data)
    assert sync.encode_message(identifier, data) == vector.data
    said = {"StopSync": (2, b"\x02"), "GetSyncStatus": (2, b"\x08"), "recording GetState": (1, b"\x02")}
    assert (identifier, data) == said[vector.expected["message"]]


class Dot:
    """The message service of one DOT as the vendor's document tells it, and what happens to it."""

    def __init__(self, address: str, story: list[str], result: int = 0) -> None:
        self.address, self.story, self.result = address, story, result
        self.answers: dict[bytes, bytes] = {}
        self.listener: Callable[[Any, bytearray], Any] | None = None
        self.services = self
        self.synced = False

    def get_characteristic(self, specifier: Any) -> Any | None:
        return specifier if specifier == CONTROL else None

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        if char_specifier == MEASUREMENT:
            return bytearray((1, self.synced, 21))
        if char_specifier == DEVICE_CONTROL:
            return bytearray(24) + bytearray((60, 0)) + bytearray(6)
        assert char_specifier == ACKNOWLEDGE
        self.story.append(f"read {self.address}")
        return bytearray((2, 2, 3, self.result, (-7 - self.result) % 256))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        assert response is True
        self.story.append(f"write {self.address} {char_specifier[4:8]} {data.hex()}")
        if data in self.answers and self.listener is not None:
            self.listener(None, bytearray(self.answers[data]))

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        self.listener = callback

    async def stop_notify(self, char_specifier: Any) -> None:
        self.listener = None


def synchronised(results: dict[str, int]) -> list[str]:
    """Synchronise three sensors with these results and return what was done in which order."""
    story: list[str] = []
    dots = {address: Dot(address, story, results.get(address, 0)) for address in ADDRESSES}

    @asynccontextmanager
    async def connect(address: str) -> AsyncIterator[Dot]:
        story.append(f"connect {address}")
        yield dots[address]
        story.append(f"disconnect {address}")

    async def wait(seconds: float) -> None:
        story.append(f"wait {seconds:g}")

    async def prepare(dot: Any) -> None:
        story.append(f"prepare {dot.address}")

    asyncio.run(sync.synchronise(connect, ADDRESSES, prepare, wait))
    return story


def test_all_are_told_then_all_are_let_go_then_all_are_asked() -> None:
    story = synchronised({})
    told = [f"{what} {one}" for what in ("connect", "prepare") for one in ADDRESSES]
    told += [f"write {one} 7001 0207013d69f16ecad453" for one in ADDRESSES]
    assert story[:9] == told
    assert sorted(story[9:12]) == sorted("disconnect " + one for one in ADDRESSES)
    assert story[12] == "wait 14"
    asked = [f"{what} {one}" for one in ADDRESSES for what in ("connect", "read", "disconnect")]
    assert story[13:] == asked


def test_each_that_failed_is_named_with_the_reason() -> None:
    with pytest.raises(Refused, match=rf"{ADDRESSES[1]}: .*too few samples.*{ADDRESSES[2]}: result 77"):
        synchronised({ADDRESSES[1]: 5, ADDRESSES[2]: 77})


def test_one_sensor_or_a_wrong_address_is_refused() -> None:
    with pytest.raises(Refused, match="at least two"):
        asyncio.run(sync.synchronise(pytest.fail, ADDRESSES[:1] * 2, pytest.fail))  # type: ignore[arg-type]
    for wrong in ("", "D4:CA", "no address"):
        with pytest.raises(Refused, match="no Bluetooth address"):
            sync.start_message(wrong)


@reads(56)
def test_the_acknowledgement_is_read(vector: Vector) -> None:
    dot = Dot(ADDRESSES[0], [], vector.expected["result"])
    assert bytes(asyncio.run(dot.read_gatt_char(ACKNOWLEDGE))) == vector.data
    assert sync.decode_message(vector.data) == (2, b"\x03\x00")


@reads(60, 61)
def test_the_status_is_asked_for(vector: Vector) -> None:
    dot = Dot(ADDRESSES[0], [])
    dot.answers[bytes.fromhex("020108f5")] = vector.data
    assert asyncio.run(sync.is_synchronised(dot)) is vector.expected["status"].endswith(" synced")
    assert dot.listener is None


@reads(58)
def test_the_synchronisation_is_stopped(vector: Vector) -> None:
    dot = Dot(ADDRESSES[0], [])
    dot.answers[bytes.fromhex("020102fb")] = vector.data
    asyncio.run(sync.stop_synchronisation(dot))
    dot.answers[bytes.fromhex("020102fb")] = bytes.fromhex("02025001ab")
    with pytest.raises(Refused, match="did not end"):
        asyncio.run(sync.stop_synchronisation(dot))


def test_a_dot_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "_ANSWER_S", 0.05)
    with pytest.raises(Disconnected, match="did not answer"):
        asyncio.run(sync.is_synchronised(Dot(ADDRESSES[0], [])))


def test_a_synchronised_dot_is_started_without_a_stop() -> None:
    """A stop might cost it the common time; its rate is the wanted one already."""
    dot = Dot(ADDRESSES[0], [])
    dot.synced = True
    dot.answers[bytes.fromhex("020108f5")] = bytes.fromhex("02025104a7")
    started = asyncio.run(MovellaDot().start(dot, Wish(60.0), lambda data: None))
    assert started.rate_hz == 60
    assert [step.split(" ", 2)[2] for step in dot.story] == ["7001 020108f5", "2001 010115"]


@given(st.binary(max_size=12))
def test_any_bytes_are_a_message_or_a_bad_packet(data: bytes) -> None:
    try:
        identifier, content = sync.decode_message(data)
    except BadPacket:
        return
    assert sync.encode_message(identifier, content) == data
