"""What a wearable has made and not yet handed over, in order; it keeps the books as it hands over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from devices.sim.faults import Parcel
from devices.sim.firmware import Answer, Stretch
from devices.sim.gatt import Notifications
from devices.sim.truth import SENSORS, Grid, Ledger, SensorTruth
from devices.types import IntArray

_NOTHING: IntArray = np.zeros(0, dtype=np.int64)


class Outbox:
    """A queue of parcels. A parcel that is not ready holds back those behind it, but for asides."""

    def __init__(self, ledger: Ledger, has_gyroscope: bool) -> None:
        self.waiting = 0  # notifications
        self._ledger = ledger
        self._has_gyroscope = has_gyroscope
        self._queue: deque[Parcel] = deque()
        self._clipped: dict[str, set[int]] = {"acc": set(), "gyr": set()}

    def produced(self, parcels: Iterable[Parcel]) -> None:
        """Count the samples of parcels that were just made."""
        for parcel in parcels:
            for counts in self._of(parcel):
                counts.produced += parcel.samples

    def put(self, parcels: Iterable[Parcel]) -> None:
        """Append parcels of the stream."""
        for parcel in parcels:
            self._queue.append(parcel)
            self.waiting += len(parcel.sent)

    def put_aside(self, answer: Answer) -> None:
        """Append a notification that carries no sample."""
        sent = Notifications(answer.uuid, len(answer.data), answer.data)
        self.put([Parcel(sent, "", _NOTHING, _NOTHING, None)])

    def mark_clipped(self, sensor: str, indices: IntArray) -> None:
        """Remember which grid samples were cut to full scale, until they are handed over."""
        self._clipped[sensor].update(indices.tolist())

    def forget_clipped(self) -> None:
        """Begin a new grid."""
        for indices in self._clipped.values():
            indices.clear()

    def drop(self, uuid: str | None = None) -> None:
        """Lose what waits (for one characteristic): the link is gone, the radio silent, nobody listens any more."""
        kept: deque[Parcel] = deque()
        for parcel in self._queue:
            if uuid not in (None, parcel.sent.uuid):
                kept.append(parcel)
                continue
            self.waiting -= len(parcel.sent)
            if not parcel.aside and parcel.fate not in ("copy", "foreign"):
                for counts in self._of(parcel):
                    counts.unsent += parcel.samples
        self._queue = kept

    def take(self, room: int, utc_s: float) -> list[Notifications]:
        """Hand over what is ready, at most `room` notifications."""
        told: list[Notifications] = []
        kept: list[Parcel] = []
        while room > 0 and self._queue:
            parcel = self._queue.popleft()
            if (kept and not parcel.aside) or parcel.ready_s > utc_s:
                kept.append(parcel)
                continue
            if len(parcel.sent) > room:
                parcel, rest = parcel.split(room)
                self._queue.appendleft(rest)
            room -= len(parcel.sent)
            self.waiting -= len(parcel.sent)
            if not parcel.aside:
                self._account(parcel)
            told.append(parcel.sent)
        self._queue.extendleft(reversed(kept))
        return told

    def _of(self, parcel: Parcel) -> tuple[SensorTruth, ...]:
        return self._ledger.of(parcel.sensor, self._has_gyroscope)

    def _account(self, parcel: Parcel) -> None:
        ledger, samples, frames = self._ledger, parcel.samples, len(parcel.sent)
        if parcel.fate == "foreign":
            ledger.frames_foreign += frames
        elif parcel.fate in ("damaged", "swallowed"):
            ledger.frames_damaged += frames * (parcel.fate == "damaged")
            for counts in self._of(parcel):
                counts.damaged += samples
        elif parcel.fate == "copy":
            ledger.frames_duplicated += frames
            for counts in self._of(parcel):
                counts.duplicated += samples
        else:
            ledger.frames_sent += frames
            ledger.frames_reordered += frames * (parcel.fate == "late")
            for counts in self._of(parcel):
                counts.sent += samples
                counts.reordered += samples * (parcel.fate == "late")
            self._list(parcel)

    def _list(self, parcel: Parcel) -> None:
        """Put the samples on the list of what was sent, and count those at full scale."""
        if parcel.sensor == "heart" or parcel.grid is None:
            return
        sensors = (parcel.sensor,) if parcel.sensor else SENSORS if self._has_gyroscope else SENSORS[:1]
        for first, end in runs(parcel.first, parcel.end):
            for sensor in sensors:
                if end > first:
                    self._ledger.sent(sensor, first, end, parcel.grid)
                if clipped := self._clipped[sensor]:
                    told = {index for index in clipped if first <= index < end}
                    self._ledger.sensors[sensor].clipped += len(told)
                    clipped -= told


def beat(answer: Answer, second: int, grid: Grid) -> Parcel:
    """Return a notification of the heart rate stream as a parcel; it counts as one sample of "heart"."""
    sent = Notifications(answer.uuid, len(answer.data), answer.data)
    return Parcel(sent, "heart", np.array([second]), np.array([second + 1]), grid)


def runs(first: IntArray, end: IntArray) -> list[tuple[int, int]]:
    """Return the ranges first .. end - 1 (n,) as few (first, end): what adjoins is joined."""
    if len(first) == 1:
        return [(int(first[0]), int(end[0]))]
    breaks = np.flatnonzero(first[1:] != end[:-1])
    starts = np.concatenate([first[:1], first[1:][breaks]])
    ends = np.concatenate([end[:-1][breaks], end[-1:]])
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def in_order(stretches: list[Stretch], grid: Grid) -> list[Parcel]:
    """Return the notifications as parcels in the order of their last sample; equal ones in the order given."""
    if len(stretches) == 1:
        return [_parcel(stretches[0], slice(None), grid)]
    ends = np.concatenate([one.end for one in stretches])
    owner = np.repeat(np.arange(len(stretches)), [len(one.end) for one in stretches])
    row = np.concatenate([np.arange(len(one.end)) for one in stretches])
    order = np.argsort(ends, kind="stable")
    owner, row = owner[order], row[order]
    parcels = []
    for start, end in runs_of(owner):
        one = stretches[int(owner[start])]
        parcels.append(_parcel(one, slice(int(row[start]), int(row[end - 1]) + 1), grid))
    return parcels


def runs_of(owner: IntArray) -> list[tuple[int, int]]:
    """Return (start, end) of each run of equal values."""
    edges = np.flatnonzero(np.diff(owner)) + 1
    bounds = [0, *edges.tolist(), len(owner)]
    return [(start, end) for start, end in pairwise(bounds) if end > start]


def _parcel(one: Stretch, rows: slice, grid: Grid) -> Parcel:
    payloads = one.payloads[rows]
    sent = Notifications(one.uuid, payloads.shape[1], payloads.tobytes())
    return Parcel(sent, one.sensor, one.first[rows], one.end[rows], grid)
