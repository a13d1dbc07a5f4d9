"""Several Movella DOTs on one time line: the synchronisation that the sensors do among themselves.

One is the root, the others follow it. Each is told, then all are disconnected, because they talk to each other; after
14 s they can be asked what came of it. Source: vendor document XD0506P (28 October 2021), section 5.3; the accuracy
(1 ppm after 30 min, 4 ppm after 1 h) is the user manual's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from devices.errors import BadPacket, NoAnswer, Refused
from devices.profiles import movella_dot_uuids as dot
from devices.profiles import standard
from devices.profiles.types import GattClient

# Opens a connection to the DOT with this address and closes it at the end.
Connect = Callable[[str], AbstractAsyncContextManager[GattClient]]

# From the last disconnection until the results can be read. Source: the same document.
WAIT_S = dot.SYNC_WAIT_S
# An answer by notification takes less than a connection interval or two; the document names no time (own heuristic).
_ANSWER_S = 5.0
_RESULTS = {
    5: "it received too few samples of the root",
    7: "its clock ran too differently",
    8: "the start time did not fit",
    9: "it was not started",
}


def encode_message(identifier: int, data: bytes) -> bytes:
    """Return a message: identifier, length, data, and the byte that makes the sum of all a multiple of 256."""
    body = bytes((identifier, len(data))) + data
    return body + bytes((-sum(body) % 256,))


def decode_message(message: bytes) -> tuple[int, bytes]:
    """Return identifier and data. Raises BadPacket for a length or a checksum that does not fit."""
    if len(message) < 3 or len(message) != message[1] + 3 or sum(message) % 256:
        raise BadPacket(f"{bytes(message).hex(' ') or '(empty)'} is no whole message of a Movella DOT; not used.")
    return message[0], bytes(message[2:-1])


def start_message(root_address: str) -> bytes:
    """Return the message that makes a DOT follow the root with this address, or be it. Raises Refused."""
    try:
        root = bytes.fromhex(root_address.replace(":", ""))
    except ValueError:
        root = b""
    if len(root) != 6:
        raise Refused(f"'{root_address}' is no Bluetooth address: write the root's like D4:CA:6E:00:00:01.")
    return encode_message(dot.MESSAGE_SYNC, bytes((dot.SYNC_START,)) + root[::-1])


async def synchronise(
    connect: Connect,
    addresses: Sequence[str],
    prepare: Callable[[GattClient], Awaitable[object]],
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Give these DOTs a common time; the first becomes the root. Raises Refused, naming each that failed and why.

    prepare: sets their rate, which cannot be changed afterwards. No link may hold them meanwhile, and afterwards they
    measure until `stop_synchronisation`. connect: see Connect. wait: sleeps, for tests.
    """
    if len(set(addresses)) < 2:
        raise Refused("A synchronisation needs at least two different sensors: name them all.")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(address)) for address in addresses]
        for client in clients:
            await prepare(client)
        for client in clients:
            await client.write_gatt_char(dot.MESSAGE_CONTROL, start_message(addresses[0]), response=True)
    await wait(WAIT_S)
    failed = []
    for address in addresses:
        async with connect(address) as client:
            result = await _read_result(client)
        if result != dot.SYNC_DONE:
            failed.append(f"{address}: {_RESULTS.get(result, f'result {result}')}")
    if failed:
        raise Refused(f"The synchronisation failed ({'; '.join(failed)}): lay the sensors side by side and try again.")


async def stop_synchronisation(client: GattClient) -> None:
    """End it on one DOT, which then stops measuring. Raises Refused, NoAnswer."""
    message, (kind, result) = await _ask(client, dot.SYNC_STOP)
    if kind != dot.SYNC_STOPPED or result != dot.SYNC_DONE:
        raise Refused(
            f"The DOT did not end its synchronisation (answer {message.hex(' ')}): switch it off and on again."
        )


async def is_synchronised(client: GattClient) -> bool:
    """Tell whether a DOT shares its time with others; one without the message service does not."""
    if not standard.has_characteristic(client, dot.MESSAGE_CONTROL):
        return False
    _, (kind, status) = await _ask(client, dot.SYNC_QUERY)
    return kind == dot.SYNC_STATUS and status == dot.SYNC_STATUS_SYNCED


async def _read_result(client: GattClient) -> int:
    message = bytes(await client.read_gatt_char(dot.MESSAGE_ACKNOWLEDGE))
    identifier, data = decode_message(message)
    if identifier != dot.MESSAGE_SYNC or len(data) != 2 or data[0] != dot.SYNC_RESULT:
        raise BadPacket(f"{message.hex(' ')} does not tell the result of a synchronisation; synchronise again.")
    return data[1]


async def _ask(client: GattClient, what: int) -> tuple[bytes, tuple[int, int]]:
    """Write a sync message of one byte and return the notified answer, whole and its two bytes of data."""
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def listen(_characteristic: object, data: bytearray) -> None:
        if not answered.done():
            answered.set_result(bytes(data))

    await client.start_notify(dot.MESSAGE_NOTIFICATION, listen)
    try:
        await client.write_gatt_char(
            dot.MESSAGE_CONTROL, encode_message(dot.MESSAGE_SYNC, bytes((what,))), response=True
        )
        async with asyncio.timeout(_ANSWER_S):
            message = await answered
    except TimeoutError as error:
        raise NoAnswer("The DOT did not answer a message about its synchronisation; try again.") from error
    finally:
        await client.stop_notify(dot.MESSAGE_NOTIFICATION)
    identifier, data = decode_message(message)
    if identifier != dot.MESSAGE_SYNC or len(data) != 2:
        raise BadPacket(f"{message.hex(' ')} answers nothing about a synchronisation; try again.")
    return message, (data[0], data[1])
