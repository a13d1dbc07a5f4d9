"""A wearable whose samples tell their number, a consumer that keeps everything, and how a link between is opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from devices.hostclock import HostClock, ScaledClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.radio import Radio
from devices.sim.wearable import SimWearable
from devices.types import Chunk, FloatArray, LinkState, LinkStatus

ADDRESS = "C0:FF:EE:00:00:01"
# Prime, so that a sample lost or doubled shows at once.
CYCLE = 997


class Numbered:
    """A motion whose values tell their number."""

    duration_s: float | None = None

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        acc = np.zeros((count, 3))
        acc[:, 0] = np.arange(start_index, start_index + count) % CYCLE / 10
        return acc, np.zeros((count, 3))


class Received:
    """A consumer that keeps everything."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.live: list[Chunk] = []
        self.states: list[LinkStatus] = []

    def numbers(self) -> list[int]:
        """Return the grid indices received, checking that order and place are kept and each value is the right one."""
        found: list[int] = []
        end = 0
        shifts = set()
        for seq, chunk in enumerate(self.chunks):
            assert chunk.seq == seq
            assert chunk.start_index >= end
            end = chunk.start_index + len(chunk)
            there = ~np.isnan(chunk.acc_mps2[:, 0])
            assert chunk.missing == np.count_nonzero(~there)
            index = chunk.start_index + np.flatnonzero(there)
            shifts |= set(((np.rint(chunk.acc_mps2[there, 0] * 10) - index) % CYCLE).tolist())
            found += index.tolist()
        assert len(shifts) <= 1
        return found


def fast(speed: float) -> ScaledClock:
    return ScaledClock.starting_now(1_800_000_000.0, speed)


def wearable_on(clock: HostClock, **changes: Any) -> SimWearable:
    return SimWearable(address=ADDRESS, motion=Numbered(), clock=clock, **changes)


def asked(clock: HostClock, radio: Radio, **changes: Any) -> LinkRequest:
    values = {"scan_s": 2.0, "connect_timeout_s": 2.0, "backoff_first_s": 0.05, "backoff_max_s": 0.2} | changes
    return LinkRequest(ADDRESS, "movella-dot", 60.0, "rec", clock=clock, radio=radio, **values)


def opened(hub: BleHub, request: LinkRequest, received: Received) -> WearableLink:
    return hub.open(request, received.chunks.append, received.live.append, received.states.append)


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def received_at_least(link: WearableLink, samples: int) -> Callable[[], bool]:
    return lambda: link.status().samples_received >= samples


def state_is(link: WearableLink, state: LinkState) -> Callable[[], bool]:
    return lambda: link.status().state is state
