"""What happened on one link during one recording, entry by entry, to be sent to whoever helps.

Addresses, names and serial numbers are taken out on rendering, unless the owner wants them in.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

# How it began and how it ended tell most; a day of losses lies between (own choice, some 200 kB).
_FIRST_MAX, _LAST_MAX = 200, 1800
# After the first entries, what repeats is one entry with a count, also where it alternates with another: a scan that is
# refused every second for a day says nothing more than that. Own choice.
_ALTERNATING = 2
# An address as people, BlueZ's object paths and file names write it, and macOS's identifiers for a device.
_ADDRESS = re.compile(r"\b(?:dev_)?[0-9A-F]{2}(?:[:_-][0-9A-F]{2}){5}\b", re.IGNORECASE)
_IDENTIFIER = re.compile(r"\b[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\b", re.IGNORECASE)
# Shorter words occur by chance in every sentence.
_SECRET_MIN = 4


class LinkEvent(StrEnum):
    """What an entry tells of."""

    OPENED = "opened"
    SCAN = "scan"
    FOUND = "found"
    CONNECT = "connect"
    CONNECTED = "connected"
    PAIR = "pair"
    REFUSED = "refused"
    FAILED = "failed"
    SUBSCRIBED = "subscribed"
    FIRST_FRAME = "first frame"
    SILENCE = "silence"
    LOSS = "loss"
    BAD_PACKETS = "bad packets"
    BATTERY = "battery"
    CLOCK_RESTART = "clock restart"
    DRIFT = "drift"
    RECORDING = "recording"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event: when (Unix s), what, a sentence or nothing, figures as (name, value); again so often, until when."""

    utc_s: float
    event: LinkEvent
    text: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    again: int = 0
    until_utc_s: float = 0.0

    def repeats(self, other: LogEntry) -> bool:
        """Tell whether both say the same, but for when."""
        return (self.event, self.text, self.figures) == (other.event, other.text, other.figures)


class LinkLog:
    """A bounded log: the first and the last entries are kept, what falls between is counted. Append from one thread."""

    def __init__(self, recording_id: str, family: str) -> None:
        self.recording_id = recording_id
        self._family = family
        self._first: list[LogEntry] = []
        self._last: deque[LogEntry] = deque(maxlen=_LAST_MAX)
        self._left_out = 0
        self._secrets: dict[str, str] = {}

    def add(self, utc_s: float, event: LinkEvent, text: str = "", **figures: object) -> None:
        """Append an entry; figures that are None are left out."""
        told = tuple((name, f"{value}") for name, value in figures.items() if value is not None)
        entry = LogEntry(utc_s, event, text, told)
        if len(self._first) < _FIRST_MAX:
            self._first.append(entry)
            return
        for at in range(-1, -1 - min(_ALTERNATING, len(self._last)), -1):
            known = self._last[at]
            if known.repeats(entry):
                self._last[at] = replace(known, again=known.again + 1, until_utc_s=utc_s)
                return
        self._left_out += len(self._last) == _LAST_MAX
        self._last.append(entry)

    def hide(self, secret: str, instead: str) -> None:
        """Show `instead` for this text (an address, a name, a serial number) in a redacted rendering."""
        if len(secret) >= _SECRET_MIN:
            self._secrets[secret] = instead

    def following(self, recording_id: str) -> LinkLog:
        """Return an empty log for the next recording on the same link; it hides the same."""
        log = LinkLog(recording_id, self._family)
        log._secrets = dict(self._secrets)
        return log

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """Return what is kept, oldest first."""
        return (*self._first, *tuple(self._last))

    def render(self, redacted: bool = True) -> str:
        """Return the log as lines of text; `redacted` takes addresses, names and serial numbers out."""
        head = [f"Backstop connection log, {self._family}, recording {self.recording_id}"]
        lines = [_line(entry) for entry in self._first]
        if self._left_out:
            lines.append(f"({self._left_out} entries are left out here)")
        text = "\n".join([*head, *lines, *(_line(entry) for entry in tuple(self._last))]) + "\n"
        return self._redact(text) if redacted else text

    def _redact(self, text: str) -> str:
        # The longest first: a name may contain the serial number.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = re.sub(re.escape(secret), f"<{self._secrets[secret]}>", text, flags=re.IGNORECASE)
        return _IDENTIFIER.sub("<identifier>", _ADDRESS.sub("<address>", text))


def _line(entry: LogEntry) -> str:
    figures = " ".join(f"{name}={value}" for name, value in entry.figures)
    again = f"and {entry.again} times more until {_when(entry.until_utc_s)}" if entry.again else ""
    return " | ".join(part for part in (_when(entry.utc_s), entry.event.value, figures, entry.text, again) if part)


def _when(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
