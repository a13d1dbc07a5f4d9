"""The line to NATS: told to everybody, back by itself, and nobody waits for longer than a bound."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import Any

import pytest
from nats.aio.client import Client

from coach.errors import StoreUnavailable
from coach.jetstream.line import NatsLine
from tests.servers import Nats, free_port

# s that a machine under load may take for what takes a second.
WAIT_S = 20.0


def said_until(line: NatsLine, heard: queue.Queue[tuple[str, bytes]], subject: str, data: bytes) -> tuple[str, bytes]:
    """Say something again and again, as what goes over a line is, until it was heard."""
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        line.publish(subject, data)
        try:
            return heard.get(timeout=0.2)
        except queue.Empty:
            continue
    raise AssertionError(f"{data!r} was not heard in {WAIT_S} s")


def test_what_is_published_is_heard_by_every_process_in_order_and_by_no_stranger(nats_server: Nats) -> None:
    here: queue.Queue[tuple[str, bytes]] = queue.Queue()
    there: queue.Queue[tuple[str, bytes]] = queue.Queue()
    other: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with NatsLine(nats_server.url, "one") as one, NatsLine(nats_server.url, "two") as two:
        one.subscribe("live.>", lambda *told: here.put(told))
        two.subscribe("live.>", lambda *told: there.put(told))
        two.subscribe("feed.*", lambda *told: other.put(told))
        said_until(one, there, "live.begin", b"")
        said_until(one, other, "feed.begin", b"")
        for number in range(200):
            one.publish(f"live.{number}", b"%d" % number)
        for heard in (here, there):
            told: list[tuple[str, bytes]] = []
            while len(told) < 200:
                told += [each for each in [heard.get(timeout=WAIT_S)] if each[0] != "live.begin"]
            assert told == [(f"live.{number}", b"%d" % number) for number in range(200)]
        assert other.empty()


def test_what_is_published_while_something_is_on_its_way_comes_after_it(
    nats_server: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: queue.Queue[bytes] = queue.Queue()
    under_way = threading.Event()
    publish = Client.publish

    async def slowly(client: Client, subject: str, data: bytes, *rest: Any) -> None:
        if data == b"first":
            under_way.set()
            await asyncio.sleep(0.3)
        await publish(client, subject, data, *rest)

    monkeypatch.setattr(Client, "publish", slowly)
    with NatsLine(nats_server.url, "one") as line:
        line.subscribe("a", lambda _, data: heard.put(data))
        assert line.wait_connected(WAIT_S)
        line.publish("a", b"first")
        assert under_way.wait(WAIT_S)
        line.publish("a", b"second")
        assert [heard.get(timeout=WAIT_S) for _ in range(2)] == [b"first", b"second"]


def test_a_subscription_outlives_its_server_and_ends_when_it_is_ended(nats_server: Nats) -> None:
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with NatsLine(nats_server.url, "one") as line:
        end = line.subscribe("a", lambda *told: heard.put(told))
        line.subscribe("a", lambda *_: 1 / 0)  # whose defect is its own
        said_until(line, heard, "a", b"before")
        nats_server.kill()
        while line.connected:
            time.sleep(0.01)
        line.publish("a", b"lost")
        nats_server.start()
        told = said_until(line, heard, "a", b"after")
        while told[1] == b"before":
            told = said_until(line, heard, "a", b"after")
        assert told == ("a", b"after")
        end()
        last: queue.Queue[tuple[str, bytes]] = queue.Queue()
        line.subscribe("a", lambda *told: last.put(told))
        said_until(line, last, "a", b"last")
        assert all(told[1] != b"last" for told in heard.queue)


def test_a_server_that_is_away_is_said_within_the_bound() -> None:
    with NatsLine(f"nats://127.0.0.1:{free_port()}", "one") as line:
        line.publish("a", b"nobody is there")
        began_s = time.monotonic()
        with pytest.raises(
            StoreUnavailable, match=r"^NATS at 127\.0\.0\.1:\d+ does not answer: check storage\.log_url"
        ):
            line.ask("a", b"", 0.5)
        assert time.monotonic() - began_s < WAIT_S
        assert not line.connected


def test_a_line_is_there_as_soon_as_its_server_is(nats_server: Nats) -> None:
    nats_server.kill()
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    came: queue.Queue[bool] = queue.Queue()
    with NatsLine(f"nats://127.0.0.1:{free_port()}, {nats_server.url}", "one") as line:
        line.on_connected(lambda: came.put(line.connected))
        line.subscribe("a", lambda *told: heard.put(told))
        time.sleep(0.3)
        nats_server.start()
        assert came.get(timeout=WAIT_S)
        assert said_until(line, heard, "a", b"there") == ("a", b"there")
