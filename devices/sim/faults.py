"""What can go wrong with the frames of a wearable on their way: cut, garbled, doubled, swapped, late, or foreign.

Every k-th frame counts from the switch on. A cut or garbled frame is a lost sample; a foreign frame is one too many.
A packet that goes out in several notifications is one frame here: its last one is spoilt, all are doubled or swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from devices.sim.firmware import Firmware
from devices.sim.gatt import Notifications
from devices.sim.truth import Grid
from devices.types import IntArray

# Somebody else's frame: a real one of the DOT's short payload, of a length that no stream here has.
_FOREIGN = bytes.fromhex("d8052244af9640406b2aa7405add14c000")
KINDS = ("truncate", "corrupt", "duplicate", "reorder", "foreign")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Notifications on their way: what they carry, and what befell them.

    first, end: (n,) as in Stretch. fate: "" intact, else "damaged", "copy", "late" (after its successor), "foreign",
    or "swallowed" (by a damaged or foreign one before it, with which it makes one that cannot be read).
    ready_s: the host's time before which they are not handed over. An `aside` carries no sample: an answer, the charge.
    """

    sent: Notifications
    sensor: str
    first: IntArray
    end: IntArray
    grid: Grid | None
    fate: str = ""
    ready_s: float = 0.0

    @property
    def aside(self) -> bool:
        """Tell whether it carries no sample."""
        return self.grid is None

    @property
    def samples(self) -> int:
        """Return how many samples of each of its sensors it carries."""
        if len(self.first) == 1:
            return int(self.end[0] - self.first[0])
        return int((self.end - self.first).sum())

    def split(self, at: int) -> tuple[Parcel, Parcel]:
        """Return the first `at` notifications and the rest."""
        cut = at * self.sent.size
        uuid, size, data = self.sent.uuid, self.sent.size, self.sent.data
        return (
            replace(self, sent=Notifications(uuid, size, data[:cut]), first=self.first[:at], end=self.end[:at]),
            replace(self, sent=Notifications(uuid, size, data[cut:]), first=self.first[at:], end=self.end[at:]),
        )


class FrameFaults:
    """Spoil the frames of a stream by the switches of KINDS (every k-th frame; 0 is off)."""

    def __init__(self, seed: int) -> None:
        self.delay_s = 0.0
        self._every = dict.fromkeys(KINDS, 0)
        self._seen = dict.fromkeys(KINDS, 0)
        self._rng = np.random.default_rng(seed)
        self._held: list[Parcel] = []  # a frame that waits for its successor
        self._begun: list[Parcel] = []  # the first notifications of a frame
        self._spilt = False  # what was sent last spoils what comes next

    def set(self, kind: str, every: int) -> None:
        """Switch one fault to every `every`-th frame and count from here."""
        self._every[kind] = every
        self._seen[kind] = 0

    def give_up(self) -> list[Parcel]:
        """Return what waits for a successor: the link is gone and it will have none."""
        waiting = self._held + self._begun
        self._held, self._begun, self._spilt = [], [], False
        return waiting

    def apply(self, parcels: Iterable[Parcel], firmware: Firmware, utc_s: float) -> list[Parcel]:
        """Return what is sent for these parcels of the stream, in the order sent."""
        if not self._held and not self._begun and not self._spilt and not any(self._every.values()):
            sent = list(parcels)
        else:
            sent = [told for parcel in parcels for one in _singly(parcel) for told in self._part(one, firmware)]
        return [replace(one, ready_s=utc_s + self.delay_s) for one in sent] if self.delay_s else sent

    def _part(self, part: Parcel, firmware: Firmware) -> Iterator[Parcel]:
        """Gather a frame from its notifications, of which the last one carries the samples."""
        self._begun.append(part)
        if part.samples:
            frame, self._begun = self._begun, []
            yield from self._frame(frame, firmware)

    def _frame(self, frame: list[Parcel], firmware: Firmware) -> Iterator[Parcel]:
        struck = {kind: self._strikes(kind) for kind in KINDS}
        last = frame[-1]
        if struck["truncate"]:
            last = _with(last, firmware.cut(last.sent.data), "damaged")
        elif struck["corrupt"]:
            last = _with(last, firmware.spoil(last.sent.data, self._rng), "damaged")
        elif self._spilt:
            last = replace(last, fate="swallowed")
        self._spilt = firmware.spills and (struck["truncate"] or struck["foreign"])
        frame = [*frame[:-1], last]
        held, self._held = self._held, []
        if struck["reorder"] and not held:
            self._held = [replace(one, fate=one.fate or "late") for one in frame]
        else:
            yield from frame
            if struck["duplicate"] and not last.fate:
                yield from (replace(one, fate="copy") for one in frame)
        yield from held
        if struck["foreign"]:
            yield _with(last, _FOREIGN, "foreign")

    def _strikes(self, kind: str) -> bool:
        if not self._every[kind]:
            return False
        self._seen[kind] += 1
        return self._seen[kind] % self._every[kind] == 0


def _with(frame: Parcel, data: bytes, fate: str) -> Parcel:
    return replace(frame, sent=Notifications(frame.sent.uuid, len(data), data), fate=fate)


def _singly(parcel: Parcel) -> Iterator[Parcel]:
    while len(parcel.sent) > 1:
        one, parcel = parcel.split(1)
        yield one
    yield parcel
