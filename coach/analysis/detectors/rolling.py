"""Rolling windows over minutes: sums up to each minute, and the stretches that qualifying windows make together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.analysis.detectors.seen import MINUTE_S
from coach.analysis.detectors.types import Minutes, Window
from coach.analysis.quality import BoolArray
from devices.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Rolling:
    """Windows of `length_min` clock minutes; one ends with each minute that is there. first: (n,) their first minutes.

    Minutes that are not there add nothing.
    """

    minutes: Minutes
    length_min: int
    first: IntArray

    def sums(self, values: FloatArray | IntArray) -> FloatArray:
        """Return the sum over each window, (n,)."""
        total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
        summed: FloatArray = total[1:] - total[self.first]
        return summed

    def stretches(self, qualifies: BoolArray) -> list[slice]:
        """Return the minutes of qualifying windows, (n,) flags, those of windows that touch in time taken together."""
        starts, found = self.minutes.start_utc_s, list[slice]()
        for last in np.flatnonzero(qualifies).tolist():
            first = int(self.first[last])
            if found and starts[first] <= starts[found[-1].stop - 1] + MINUTE_S + 1e-6:
                found[-1] = slice(found[-1].start, last + 1)
            else:
                found.append(slice(first, last + 1))
        return found


def rolling(minutes: Minutes, length_min: float) -> Rolling:
    """Return the windows of so many minutes, at least one."""
    length = max(round(length_min), 1)
    begins = minutes.start_utc_s - (length - 1) * MINUTE_S
    return Rolling(minutes, length, minutes.start_utc_s.searchsorted(begins - 1e-6).astype(np.int64))


def trimmed(part: slice, active: BoolArray) -> slice:
    """Return the minutes from the first active one to the last, (n,) flags of all minutes; empty when none is."""
    places = np.flatnonzero(active[part])
    if not places.size:
        return slice(part.start, part.start)
    return slice(part.start + int(places[0]), part.start + int(places[-1]) + 1)


def window_of(minutes: Minutes, part: slice) -> Window:
    """Return the stretch of these minutes, of which there is at least one, with the recording that shows its begin."""
    start, last = float(minutes.start_utc_s[part.start]), float(minutes.start_utc_s[part.stop - 1])
    return Window(start, last + MINUTE_S, minutes.stream_id[part.start])


def windows_where(minutes: Minutes, active: BoolArray, pause_s: float) -> list[Window]:
    """Return the runs of active minutes, (n,) flags; a pause of up to `pause_s` does not part them."""
    places = np.flatnonzero(active)
    if not places.size:
        return []
    parted = np.flatnonzero(np.diff(minutes.start_utc_s[places]) > pause_s + MINUTE_S + 1e-6) + 1
    return [window_of(minutes, slice(int(each[0]), int(each[-1]) + 1)) for each in np.split(places, parted)]
