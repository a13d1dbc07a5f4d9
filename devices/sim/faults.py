"""What can go wrong with the frames of a wearable on their way: cut short, garbled, or joined by somebody else's.

Every k-th frame counts from the switch on. A damaged frame is a lost sample; a foreign frame is one too many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.sim.gatt import Notifications
from devices.types import IntArray

# A cut anywhere would do; after the time stamp and two and a quarter values it leaves a frame that looks begun.
_CUT_BYTES = 13
# Offsets of the highest bytes of the six float32 values of a mode 21 frame, and what makes any of them absurd.
_HIGH_BYTES = (7, 11, 15, 19, 23, 27)
_ABSURD = 0x7F
# A frame of the vendor's short payload (20 bytes): the right wearable, the wrong characteristic.
_FOREIGN = bytes.fromhex("d8052244af9640406b2aa7405add14c000000000")


class FrameFaults:
    """Spoil a run of frames by the switches `truncate`, `corrupt` and `foreign` (every k-th frame; 0 is off)."""

    def __init__(self) -> None:
        self.truncate = 0
        self.corrupt = 0
        self.foreign = 0
        self._seen = {"truncate": 0, "corrupt": 0, "foreign": 0}

    def set(self, kind: str, every: int) -> None:
        """Switch one fault to every `every`-th frame and count from here."""
        setattr(self, kind, every)
        self._seen[kind] = 0

    def apply(self, uuid: str, frames: NDArray[np.uint8]) -> tuple[list[Notifications], NDArray[np.bool_], int]:
        """Return what is sent for frames (n, size), which stay intact (n,), and how many foreign ones joined."""
        count, size = frames.shape
        cut = self._struck("truncate", self.truncate, count)
        garbled = self._struck("corrupt", self.corrupt, count) & ~cut
        joined = self._struck("foreign", self.foreign, count)
        for row in np.flatnonzero(garbled):
            frames[row, _HIGH_BYTES[row % len(_HIGH_BYTES)]] = _ABSURD
        sent: list[Notifications] = []
        begun = 0
        for row in np.flatnonzero(cut | joined):
            if row > begun:
                sent.append(Notifications(uuid, size, frames[begun:row].tobytes()))
            kept = _CUT_BYTES if cut[row] else size
            sent.append(Notifications(uuid, kept, frames[row, :kept].tobytes()))
            if joined[row]:
                sent.append(Notifications(uuid, len(_FOREIGN), _FOREIGN))
            begun = int(row) + 1
        if begun < count:
            sent.append(Notifications(uuid, size, frames[begun:].tobytes()))
        return sent, ~(cut | garbled), int(joined.sum())

    def _struck(self, kind: str, every: int, count: int) -> NDArray[np.bool_]:
        if not every:
            return np.zeros(count, dtype=np.bool_)
        numbers = self._seen[kind] + 1 + np.arange(count)
        self._seen[kind] += count
        return np.asarray(numbers % every == 0)


class TickLog:
    """Which ticks were sent intact, kept as runs of the sample grid so that a long stream costs nothing."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int, int]] = []  # first index, end, rate in Hz, tick of index 0
        self.count = 0

    def add(self, indices: IntArray, rate_hz: int, first_tick: int) -> None:
        """Append ascending grid indices (n,)."""
        self.count += len(indices)
        for part in np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1):
            if not len(part):
                continue
            start, end = int(part[0]), int(part[-1]) + 1
            if self._runs and self._runs[-1][1:] == (start, rate_hz, first_tick):
                start = self._runs.pop()[0]
            self._runs.append((start, end, rate_hz, first_tick))

    def ticks(self) -> IntArray:
        """Return the ticks (n,) in the order sent."""
        parts = [ticks_at(np.arange(start, end), rate, first) for start, end, rate, first in self._runs]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def ticks_at(indices: IntArray, rate_hz: int, first_tick: int) -> IntArray:
    """Return the device's u32 us counter at samples (n,) of the grid whose sample 0 had `first_tick`."""
    # Whole numbers all the way: the rounding must not drift over days.
    since = (indices.astype(np.int64) * 2_000_000 + rate_hz) // (2 * rate_hz)
    return np.asarray((first_tick + since) % 2**32, dtype=np.int64)
