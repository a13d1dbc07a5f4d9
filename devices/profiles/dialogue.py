"""Commands whose answers come between the samples: one characteristic notifies both.

Of each connection there is one dialogue, because a characteristic has one listener: the battery is asked for before
the stream starts and while it runs, and both times the answer must be found.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

from devices.errors import NoAnswer
from devices.profiles.types import GattClient, NotifySink

# Finds the answer in one notification, given in order; None while it is not there.
Find = Callable[[bytes], bytes | None]

# A wearable answers within two connection intervals, 0.1 s at most; this covers a busy radio (own heuristic).
ANSWER_S = 3.0
# Half a second of a fast stream: more cannot come between the first question and the start (own heuristic).
_EARLY_MAX = 64


class Dialogue:
    """The listener of one connection. On the loop of its client.

    early: the latest notifications that came before anybody listened, answers among them.
    """

    def __init__(self, write_uuid: str, notify_uuid: str) -> None:
        self._write_uuid, self._notify_uuid = write_uuid, notify_uuid
        self._sink: NotifySink | None = None
        self._waiting: list[tuple[Find, asyncio.Future[bytes]]] = []
        self.early: deque[bytes] = deque(maxlen=_EARLY_MAX)

    async def begin(self, client: GattClient) -> None:
        """Switch the notifications on."""
        await client.start_notify(self._notify_uuid, lambda _characteristic, data: self._take(bytes(data)))

    async def end(self, client: GattClient) -> None:
        """Switch the notifications off; what is asked next begins anew."""
        self._sink = None
        _OPEN.pop(client, None)
        await client.stop_notify(self._notify_uuid)

    def listen(self, sink: NotifySink | None) -> None:
        """Hand every notification from here on to `sink`, answers included; None hands on nothing."""
        self._sink = sink

    async def tell(self, client: GattClient, *commands: bytes) -> None:
        """Write commands that have no answer, in order."""
        for command in commands:
            await client.write_gatt_char(self._write_uuid, command, response=True)

    async def ask(self, client: GattClient, command: bytes, find: Find, within_s: float = ANSWER_S) -> bytes | None:
        """Write a command; return what `find` makes of the first notification it knows, None if none came in time."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        question = (find, answer)
        self._waiting.append(question)
        try:
            await self.tell(client, command)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    return await answer
            return None
        finally:
            self._waiting.remove(question)

    async def demand(self, client: GattClient, command: bytes, find: Find, who: str) -> bytes:
        """Return the answer to a command that every such wearable answers. Raises NoAnswer without one."""
        answer = await self.ask(client, command, find, ANSWER_S)
        if answer is None:
            raise NoAnswer(
                f"{who} does not answer command {command.hex(' ')} within {ANSWER_S:g} s; the link is made anew."
            )
        return answer

    def _take(self, data: bytes) -> None:
        for find, answer in self._waiting:
            found = None if answer.done() else find(data)
            if found is not None:
                answer.set_result(found)
        if self._sink is not None:
            self._sink(data)
        else:
            self.early.append(data)


# By connection, forgotten with it. A dialogue must not hold its client, or neither would ever go.
_OPEN: WeakKeyDictionary[GattClient, Dialogue] = WeakKeyDictionary()


async def dialogue_with(
    client: GattClient, write_uuid: str, notify_uuid: str, beforehand: tuple[bytes, ...] = ()
) -> Dialogue:
    """Return the dialogue of a connection; the first call writes what comes beforehand, then begins to listen."""
    found = _OPEN.get(client)
    if found is None:
        found = Dialogue(write_uuid, notify_uuid)
        await found.tell(client, *beforehand)
        await found.begin(client)
        _OPEN[client] = found
    return found
