"""Questions between samples: the right answer for each; nothing is kept of those given up, or of a connection gone."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from devices.errors import NoAnswer
from devices.profiles import dialogue
from devices.profiles.dialogue import Dialogue, dialogue_with


class Echo:
    """A connection that notifies what it was written, if it is in the mood."""

    def __init__(self, mute: bool = False) -> None:
        self.services = self
        self.notify: Callable[[Any, bytearray], Any] | None = None
        self.written: list[tuple[bytes, bool]] = []
        self._mute = mute

    def get_characteristic(self, specifier: Any) -> Any | None:
        return None

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray()

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        self.written.append((data, self.notify is not None))
        if self.notify is not None and not self._mute:
            asyncio.get_running_loop().call_soon(self.notify, None, bytearray(data))

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        self.notify = callback

    async def stop_notify(self, char_specifier: Any) -> None:
        self.notify = None


def beginning(head: bytes) -> Callable[[bytes], bytes | None]:
    return lambda data: data if data.startswith(head) else None


def test_each_question_gets_its_answer_and_the_sink_gets_all() -> None:
    async def run() -> None:
        client = Echo()
        heard: list[bytes] = []
        talk = await dialogue_with(client, "w", "n")
        assert await dialogue_with(client, "w", "n") is talk
        assert await talk.ask(client, b"early", beginning(b"early")) == b"early"
        assert list(talk.early) == [b"early"]
        talk.listen(heard.append)
        two = await asyncio.gather(
            talk.ask(client, b"a1", beginning(b"a")), talk.demand(client, b"b1", beginning(b"b"), "An echo")
        )
        assert two == [b"a1", b"b1"]
        assert heard == [b"a1", b"b1"]

    asyncio.run(run())


def test_what_comes_beforehand_is_written_before_anybody_listens() -> None:
    async def run() -> None:
        client = Echo()
        await dialogue_with(client, "w", "n", (b"hush",))
        await dialogue_with(client, "w", "n", (b"hush",))
        assert client.written == [(b"hush", False)]

    asyncio.run(run())


def test_silence_is_told_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "ANSWER_S", 0.02)

    async def run() -> None:
        client = Echo(mute=True)
        talk = await dialogue_with(client, "w", "n")
        assert await talk.ask(client, b"?", beginning(b"?"), 0.02) is None
        with pytest.raises(NoAnswer, match="An echo does not answer command 3f"):
            await talk.demand(client, b"?", beginning(b"?"), "An echo")
        given_up = asyncio.create_task(talk.ask(client, b"?", beginning(b"?"), 10.0))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert talk._waiting == []

    asyncio.run(run())


def test_what_comes_early_is_bounded() -> None:
    talk = Dialogue("w", "n")
    for i in range(1000):
        talk._take(bytes((i % 256,)))
    assert len(talk.early) == 64
    assert talk.early[-1] == bytes((999 % 256,))


def test_a_connection_that_is_gone_is_forgotten() -> None:
    client = Echo()
    asyncio.run(dialogue_with(client, "w", "n"))
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
