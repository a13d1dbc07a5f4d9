"""Streams of JetStream: what was stored in one stays until it was handled, whichever process dies.

A stream here is a queue of work: a message is handed to one of those who take from it, again if that one does not
acknowledge it in time, and is gone once it was acknowledged. Consumers of one stream have subjects of their own.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, BadRequestError, NotFoundError
from nats.js.manager import JetStreamManager

from coach.errors import StoreUnavailable
from coach.jetstream.line import NatsLine

# s for a server to answer a question about streams. Own choice.
ASK_S = 5.0
# Messages that are on the way to the server at one time; the next ones wait for an answer. Own choice.
_ON_THE_WAY = 500
# Bytes of a message: the usual bound of servers. And of a key, subject and what goes with them.
SIZE_MAX, HEADERS_MAX = 1 << 20, 1 << 11
# Servers of a cluster that keep each message: one of them may be gone for good. Own choice.
_REPLICAS = 3
# What servers answer to that: there is no cluster; and it has no three that can keep one.
# Source: nats-server/server/errors.json.
_ONE_SERVER, _NO_THREE = 10074, 10005
_TOO_FEW = (
    "NATS is a cluster of which no three servers with JetStream are there: have three, or one without a cluster; what "
    "is sent stays with its senders until then."
)
_EPOCH = datetime.fromtimestamp(0, UTC)
# stored: the stream has it now. known: it had it already. "": nobody knows; store it again.
Told = Literal["stored", "known", ""]


@dataclass(frozen=True, slots=True)
class Stream:
    """A queue of work. max_age_s: what nobody took in that time is dropped. duplicates_s: in which an id counts.

    counted_by: the setting that says how many consumers it has, the same for every process; "" where code says it.
    """

    name: str
    subjects: tuple[str, ...]
    max_age_s: float
    duplicates_s: float
    counted_by: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who takes from a stream, by durable name, however many processes do it.

    subject: what of the stream. in_flight: handed out at one time and not acknowledged; 1 keeps the order. ack_wait_s:
    until a message is handed out again whose taker is silent.
    """

    name: str
    subject: str
    in_flight: int
    ack_wait_s: float = 30.0


class OtherNumber(StoreUnavailable):
    """A stream has another number of consumers than this process was told: what one stores, the other never takes."""


class Message(NamedTuple):
    """What is to be stored. key: a message of a key that is in the stream's memory is stored once."""

    subject: str
    key: str
    data: bytes


def make_stream(line: NatsLine, stream: Stream, consumers: Sequence[Consumer]) -> None:
    """Have a stream with its consumers; what is there stays as it is, but for its subjects and bounds.

    One that is made in a cluster is kept by three of its servers, whichever addresses this process knows, and refused
    where there are no three. Raises OtherNumber, StoreUnavailable.
    """
    line.run(lambda client: _made(client, stream, consumers), ASK_S + ASK_S * len(consumers) / 100)


def store(line: NatsLine, messages: Sequence[Message], timeout_s: float = ASK_S) -> list[Told]:
    """Store messages, in order; tell of each what the server said in time.

    Raises StoreUnavailable where no server or no stream is there. A message may have SIZE_MAX bytes with its key.
    """
    return line.run(lambda client: _stored(client, messages, timeout_s), timeout_s + ASK_S)


def forget(line: NatsLine, stream: Stream, subject: str) -> None:
    """Remove what waits under a subject. Raises StoreUnavailable."""
    line.run(lambda client: _forgotten(client, stream.name, subject), ASK_S)


class Backlog(NamedTuple):
    """What a stream holds that nobody has acknowledged. since: when its oldest message was stored; None: there is
    none."""

    messages: int
    since: datetime | None


def backlog(line: NatsLine, stream: Stream) -> Backlog:
    """Return what waits in a stream. Raises StoreUnavailable."""
    return line.run(lambda client: _backlog(client, stream.name), ASK_S)


def waiting(line: NatsLine, stream: Stream) -> int:
    """Return how many messages wait in a stream. Raises StoreUnavailable."""
    return backlog(line, stream).messages


async def is_there(client: Client, stream: Stream, number: int, stored_us: int) -> bool:
    """Tell whether the message of a number is the one that was stored then; for this package.

    A server that lost its disk, or what it had written last, gives the same number to another one.
    """
    asked = json.dumps({"seq": number}).encode()
    answer = await client.request(f"$JS.API.STREAM.MSG.GET.{stream.name}", asked, ASK_S)
    said = json.loads(answer.data).get("message")
    if said is None:
        return False
    return (datetime.fromisoformat(said["time"]) - _EPOCH) // timedelta(microseconds=1) == stored_us


async def _made(client: Client, stream: Stream, consumers: Sequence[Consumer]) -> None:
    manager = client.jetstream(timeout=ASK_S)
    wanted = StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,  # a full disk refuses what is new, and keeps what was acknowledged
        max_age=stream.max_age_s,
        duplicate_window=stream.duplicates_s,
        num_replicas=_REPLICAS,
        description=f"{len(consumers)} consumers" if stream.counted_by else None,
    )
    try:
        there = await manager.stream_info(stream.name)
    except NotFoundError:
        there = await _added(manager, wanted)
    _require_same_number(there, stream, len(consumers))
    await manager.update_stream(replace(wanted, num_replicas=there.config.num_replicas))
    known = {each.name for each in await manager.consumers_info(stream.name)}
    for each in consumers:
        if each.name not in known:
            await manager.add_consumer(
                stream.name,
                ConsumerConfig(
                    durable_name=each.name,
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=each.ack_wait_s,
                    filter_subject=each.subject,
                    max_ack_pending=each.in_flight,
                ),
            )


async def _added(manager: JetStreamManager, wanted: StreamConfig) -> StreamInfo:
    try:
        return await manager.add_stream(wanted)
    except APIError as error:
        if error.err_code == _ONE_SERVER:
            return await _added(manager, replace(wanted, num_replicas=1))
        if error.err_code == _NO_THREE:
            raise StoreUnavailable(_TOO_FEW) from None
        if not isinstance(error, BadRequestError):
            raise
        return await manager.stream_info(str(wanted.name))  # somebody else made it at this moment, as another one


def _require_same_number(there: StreamInfo, stream: Stream, mine: int) -> None:
    """Compare with whoever made the stream, who may still be making its consumers."""
    said = re.match(r"(\d+) consumers", there.config.description or "")
    theirs = max(int(said[1]) if said else 0, there.state.consumer_count)
    if stream.counted_by and theirs not in (0, mine):
        raise OtherNumber(
            f"The stream {stream.name} in NATS has {theirs} consumers, and {stream.counted_by} is {mine} here: set the "
            "number that every other process has, or change it for all of them as docs/scaling.md says."
        )


async def _stored(client: Client, messages: Sequence[Message], timeout_s: float) -> list[Told]:
    """Send all, each with a place of its own for the answer, and wait for the answers together."""
    told: list[Told] = [""] * len(messages)
    refused: list[str] = []
    room = asyncio.Semaphore(_ON_THE_WAY)
    every = asyncio.Event()
    left = len(messages)

    async def hear(message: Msg) -> None:
        nonlocal left
        said = json.loads(message.data) if message.data else {"error": {"description": "there is no such stream"}}
        if "error" in said:
            refused.append(str(said["error"].get("description", said["error"])))
        else:
            told[int(message.subject.rpartition(".")[2])] = "known" if said.get("duplicate") else "stored"
        room.release()
        left -= 1
        if left == 0:
            every.set()

    inbox = client.new_inbox()
    answers = await client.subscribe(f"{inbox}.*", cb=hear)
    try:
        async with asyncio.timeout(timeout_s):
            for number, message in enumerate(messages):
                await room.acquire()
                await client.publish(message.subject, message.data, f"{inbox}.{number}", {"Nats-Msg-Id": message.key})
            if messages:
                await every.wait()
    except TimeoutError:
        pass
    finally:
        await answers.unsubscribe()
    if refused and not any(told):
        raise StoreUnavailable(f"NATS stores nothing now ({refused[0]}): check the server, its disk and its log.")
    return told


async def _forgotten(client: Client, stream: str, subject: str) -> None:
    await client.jetstream(timeout=ASK_S).purge_stream(stream, subject=subject)


async def _backlog(client: Client, stream: str) -> Backlog:
    said = json.loads((await client.request(f"$JS.API.STREAM.INFO.{stream}", b"", ASK_S)).data)
    if "error" in said:
        raise StoreUnavailable(f"NATS does not know what waits ({said['error'].get('description')}): check its log.")
    held = int(said["state"]["messages"])
    return Backlog(held, datetime.fromisoformat(said["state"]["first_ts"]) if held else None)
