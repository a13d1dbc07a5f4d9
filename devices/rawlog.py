"""What passes between a profile and its wearable, byte by byte, as lines of text that can become a test vector.

A line is `seconds kind characteristic bytes`: R read, W written, S subscribed, U unsubscribed, N notified; the seconds
count from the first line. Lines that begin with # tell what the device is. Nothing here decodes anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TextIO

from devices.errors import UnknownFormat
from devices.profiles import movella_dot_uuids as dot
from devices.profiles import sig_uuids as sig
from devices.profiles.types import GattClient, GattServices

_HEAD = "# Backstop raw log 1"
_KINDS = ("R", "W", "S", "U", "N")
# Values, or parts of them, that tell one device from another of its kind.
_PRIVATE: dict[str, tuple[slice, ...]] = {
    sig.SERIAL_NUMBER: (slice(None),),
    sig.SYSTEM_ID: (slice(None),),
    dot.DEVICE_INFO: (slice(0, 6), slice(20, 28)),
    # The tag, which people name after themselves.
    dot.DEVICE_CONTROL: (slice(8, 24),),
}
# Shorter words occur by chance in every stream (own heuristic).
_NAME_MIN = 6

# Told kind, characteristic and bytes of each step.
Tap = Callable[[str, str, bytes], None]


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One line: real time in s since the first, kind (see the module), characteristic, bytes."""

    at_s: float
    kind: str
    uuid: str
    data: bytes


class RawLog:
    """Writes the lines. `note` is a Tap; call it from one thread.

    redacted: the address (in any order of its bytes), the name, serial numbers and tags become zeros.
    """

    def __init__(self, out: TextIO, address: str, name: str, redacted: bool = True) -> None:
        self._out, self._redacted = out, redacted
        self._begun_s: float | None = None
        own = bytes.fromhex(address.replace(":", "")) if address.count(":") == 5 else b""
        hidden = {own, own[::-1], *(part.encode() for part in (name, *name.split()) if len(part) >= _NAME_MIN)}
        self._hidden = sorted((one for one in hidden if one), key=len, reverse=True)
        self.notifications = 0
        print(_HEAD, file=out)

    def tell(self, **facts: object) -> None:
        """Write what is known of the device, one fact a line."""
        for name, value in facts.items():
            print(f"# {name.replace('_', ' ')}: {value}", file=self._out)

    def note(self, kind: str, uuid: str, data: bytes) -> None:
        """Write one step."""
        now_s = time.monotonic()
        if self._begun_s is None:
            self._begun_s = now_s
        self.notifications += kind == "N"
        shown = self._hide(uuid, data) if self._redacted else data
        print(f"{now_s - self._begun_s:.4f} {kind} {uuid} {shown.hex()}".rstrip(), file=self._out)

    def _hide(self, uuid: str, data: bytes) -> bytes:
        shown = bytearray(data)
        for part in _PRIVATE.get(uuid, ()):
            shown[part] = bytes(len(shown[part]))
        for secret in self._hidden:
            shown = shown.replace(secret, bytes(len(secret)))
        return bytes(shown)


class Tapped:
    """A GattClient that tells each step to a tap and is otherwise the one it wraps."""

    def __init__(self, client: GattClient, tap: Tap) -> None:
        self._client, self._tap = client, tap

    @property
    def services(self) -> GattServices:
        return self._client.services

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        data = await self._client.read_gatt_char(char_specifier)
        self._tap("R", str(char_specifier), bytes(data))
        return data

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        self._tap("W", str(char_specifier), bytes(data))
        await self._client.write_gatt_char(char_specifier, data, response=response)

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        uuid = str(char_specifier)

        def heard(characteristic: Any, data: bytearray) -> None:
            self._tap("N", uuid, bytes(data))
            callback(characteristic, data)

        self._tap("S", uuid, b"")
        await self._client.start_notify(char_specifier, heard)

    async def stop_notify(self, char_specifier: Any) -> None:
        self._tap("U", str(char_specifier), b"")
        await self._client.stop_notify(char_specifier)


def read_raw_log(lines: Iterable[str]) -> list[RawEntry]:
    """Return the entries of a raw log. Raises UnknownFormat, naming the line."""
    entries = []
    numbered = enumerate(lines, start=1)
    if next(numbered, (1, ""))[1].strip() != _HEAD:
        raise UnknownFormat(f"This is no raw log: its first line is not '{_HEAD}'.")
    for number, line in numbered:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            at_s, kind, uuid, *rest = text.split(" ")
            entry = RawEntry(float(at_s), kind, uuid, bytes.fromhex("".join(rest)))
        except ValueError as error:
            raise UnknownFormat(f"Line {number} of the raw log cannot be read ({text[:60]}).") from error
        if kind not in _KINDS:
            raise UnknownFormat(f"Line {number} of the raw log has the unknown kind '{kind}'.")
        entries.append(entry)
    return entries
