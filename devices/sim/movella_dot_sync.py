"""The message service of a simulated Movella DOT, as far as it is about synchronisation.

Source: vendor document XD0506P (28 October 2021), section 5.3.
"""

from __future__ import annotations

from devices.profiles import movella_dot_uuids as dot
from devices.sim.firmware import Answer
from devices.sim.gatt import AttCode, AttError

_LONGEST_BYTES = 160
# What the vendor's document calls a result that was never asked for, and one with too few samples of the root.
_NOT_STARTED, _TOO_FEW = 9, 5


class Synchronisation:
    """What one sensor knows of the common time. Once told to start, it listens while it is disconnected.

    follows: address of the root whose time it keeps, None while it keeps its own.
    """

    def __init__(self) -> None:
        self.follows: str | None = None
        self._root: str | None = None  # asked to follow
        self._alone_since_us: int | None = None
        self._result = _NOT_STARTED

    def disconnected(self, device_us: int) -> None:
        """Begin to listen for the root, if told to."""
        if self._root is not None and self._alone_since_us is None:
            self._alone_since_us = device_us

    def settle(self, device_us: int, hears: frozenset[str]) -> bool:
        """Look whether it has listened long enough; tell whether it has just begun to keep the root's time."""
        if self._root is None or self._alone_since_us is None:
            return False
        enough = device_us - self._alone_since_us >= dot.SYNC_WAIT_S * 1e6 and self._root in hears
        self._result = dot.SYNC_DONE if enough else _TOO_FEW
        self.follows = self._root if enough else None
        self._root = self._alone_since_us = None
        return enough

    def acknowledgement(self) -> bytes:
        """Return what is read after a start: the result."""
        return _message(bytes((dot.SYNC_RESULT, self._result)))

    def take(self, message: bytes) -> tuple[Answer, ...]:
        """Take a message. Raises AttError for one that is not whole or not known."""
        if not 3 <= len(message) <= _LONGEST_BYTES or len(message) != message[1] + 3:
            raise AttError(AttCode.INVALID_LENGTH, f"A message of {len(message)} bytes is not what it says.")
        if sum(message) % 256:
            raise AttError(AttCode.VALUE_NOT_ALLOWED, "The message's sum is not a multiple of 256.")
        what = message[2:-1]
        if message[0] != dot.MESSAGE_SYNC or not what:
            raise AttError(AttCode.VALUE_NOT_ALLOWED, f"This simulation knows no message {message.hex(' ')}.")
        if what[0] == dot.SYNC_START and len(what) == 7:
            self._root = ":".join(f"{byte:02X}" for byte in what[:0:-1])
            self._result, self._alone_since_us = _NOT_STARTED, None
            return ()
        if what == bytes((dot.SYNC_STOP,)):
            self.follows = self._root = self._alone_since_us = None
            return (Answer(dot.MESSAGE_NOTIFICATION, _message(bytes((dot.SYNC_STOPPED, dot.SYNC_DONE)))),)
        if what == bytes((dot.SYNC_QUERY,)):
            status = dot.SYNC_STATUS_UNSYNCED if self.follows is None else dot.SYNC_STATUS_SYNCED
            return (Answer(dot.MESSAGE_NOTIFICATION, _message(bytes((dot.SYNC_STATUS, status)))),)
        raise AttError(AttCode.VALUE_NOT_ALLOWED, f"This simulation knows no sync message {what.hex(' ')}.")


def _message(data: bytes) -> bytes:
    head = bytes((dot.MESSAGE_SYNC, len(data))) + data
    return head + bytes(((256 - sum(head)) % 256,))
