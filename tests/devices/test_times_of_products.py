"""Every simulated product through its own profile: each sample at its own place, and the time it is told to be taken.

The radio is the test's: connection events, each a little late by chance, on a clock that the test moves. So an hour
takes seconds, and the simulator's truth is exact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from devices.chunker import ChunkerParams
from devices.intake import Intake
from devices.profiles import recognise
from devices.profiles.types import Wish
from devices.sim.products import PRODUCTS
from devices.sim.wearable import SimWearable
from devices.types import Chunk, FloatArray
from tests.devices.plain_product import START_UTC_S, Host

# Each acceleration tells its number; a prime number of steps that every product's resolution tells apart.
CYCLE, STEP_MPS2 = 97, 0.6
INTERVAL_S, LATE_S, JITTER_S = 0.015, 0.001, 0.002
# Streams of motion; two send heart rate or a value a second, two time their frames as their siblings do.
LEFT_OUT = {"heart-rate", "running-speed", "polar-verity-sense-mg", "metamotion-r"}
PRODUCTS_OF_MOTION = [name for name in PRODUCTS if name not in LEFT_OUT]
# Time stamps in short frames, at rates that do not keep step with 15 ms.
MANY_STAMPS = {"movella-dot", "movesense"}
WITHOUT_CLOCK = {"metamotion", "witmotion", "thingy52", "infinitime", "microbit", "bangle-js"}

Figure = Callable[[str, object, str], None]


class Numbered:
    """A motion whose acceleration tells its number."""

    duration_s: float | None = None

    def samples(self, start_index: int, count: int, rate_hz: float) -> tuple[FloatArray, FloatArray]:
        acc = np.zeros((count, 3))
        acc[:, 0] = np.arange(start_index, start_index + count) % CYCLE * STEP_MPS2
        return acc, np.full((count, 3), 0.25)


class DirectClient:
    """A connection to a simulated wearable without a radio; what it notifies goes to whoever subscribed."""

    def __init__(self, wearable: SimWearable) -> None:
        self.wearable, self.services = wearable, self
        self._callbacks: dict[str, Callable[[Any, bytearray], Any]] = {}
        wearable.open_link(lambda: None)

    def get_characteristic(self, specifier: Any) -> Any | None:
        return next((one for row in self.wearable.table for one in row.characteristics if one.uuid == specifier), None)

    async def read_gatt_char(self, char_specifier: Any) -> bytearray:
        return bytearray(self.wearable.read(char_specifier))

    async def write_gatt_char(self, char_specifier: Any, data: bytes, response: bool | None = None) -> None:
        self.wearable.write(char_specifier, bytes(data))
        self.pump()

    async def start_notify(self, char_specifier: Any, callback: Callable[[Any, bytearray], Any]) -> None:
        self._callbacks[char_specifier] = callback
        self.wearable.subscribe(char_specifier, True)
        self.pump()

    async def stop_notify(self, char_specifier: Any) -> None:
        self.wearable.subscribe(char_specifier, False)

    def pump(self) -> None:
        """Hand over what is due."""
        for part in self.wearable.take(64):
            for payload in part.payloads():
                self._callbacks[part.uuid](None, bytearray(payload))


@dataclass
class Story:
    """What came of a run. error_s: of each chunk's start; taken_s: when it was taken, s after the motion's start."""

    chunks: list[Chunk]
    wearable: SimWearable
    taken_s: FloatArray
    error_s: FloatArray


def run(product: str, duration_s: float, drift_ppm: float, uptime_s: float = 0.0) -> Story:
    rng = np.random.default_rng(5)
    device_clock, host = Host(), Host()
    # Its sketch sends as fast as it was written to.
    own_hz = 50.0 if product == "nordic-uart" else None
    wearable = SimWearable(
        motion=Numbered(),
        clock=device_clock,
        product=product,
        rate_hz=own_hz,
        drift_ppm=drift_ppm,
        uptime_s=uptime_s,
    )
    advertisement = wearable.advertisement()
    assert advertisement is not None
    profile = recognise(advertisement)
    assert profile is not None
    client = DirectClient(wearable)
    # A Bangle.js does not let its rate be set.
    most_hz = 12.5 if product == "bangle-js" else 60.0
    rate_hz = max(rate for rate in profile.rates_offered_hz if rate <= most_hz)
    chunks: list[Chunk] = []
    params = ChunkerParams(wearable.address, rate_hz, 0)
    intake = Intake(profile, params, "rec", host, 1.0, chunks.append, None)
    started = asyncio.run(profile.start(client, Wish(rate_hz), intake.take))
    intake.begin_session(started)
    for event in range(1, round(duration_s / INTERVAL_S)):
        device_clock.now_s = START_UTC_S + event * INTERVAL_S
        host.now_s = max(host.now_s, device_clock.now_s + LATE_S + rng.exponential(JITTER_S))
        client.pump()
        if event % 7 == 0:
            intake.drain(host.now_s)
    intake.flush(host.now_s + 1.0)
    begun_utc_s = wearable.truth.motion_start_utc_s
    assert begun_utc_s is not None
    true_hz = wearable.rate_hz * (1 + drift_ppm * 1e-6)
    numbers = true_numbers(chunks)
    starts = np.array([numbers[chunk.start_index] for chunk in chunks])
    told_s = np.array([chunk.start_utc_s for chunk in chunks]) - begun_utc_s
    return Story(chunks, wearable, starts / true_hz, told_s - starts / true_hz)


def true_numbers(chunks: list[Chunk]) -> dict[int, int]:
    """Return the motion's number of the sample at each place, from what the samples themselves say."""
    numbers: dict[int, int] = {}
    number = -1
    for chunk in chunks:
        for row in np.flatnonzero(np.isfinite(chunk.acc_mps2[:, 0])).tolist():
            said = round(chunk.acc_mps2[row, 0] / STEP_MPS2)
            number = said if number < 0 else number + (said - number) % CYCLE
            numbers[chunk.start_index + row] = number
    return numbers


@pytest.mark.parametrize("product", PRODUCTS_OF_MOTION)
def test_each_sample_has_its_place_and_its_time(product: str, figure: Figure) -> None:
    story = run(product, 100.0, 200.0)
    numbers = true_numbers(story.chunks)
    # Places go up with the product's own samples: none dropped, none doubled, none moved.
    assert len({number - place for place, number in numbers.items()}) == 1
    assert sum(chunk.missing + chunk.reception.duplicates + chunk.reception.late for chunk in story.chunks) == 0
    assert len(numbers) > 60 * story.wearable.rate_hz
    worst_ms = 1e3 * float(np.abs(story.error_s[story.taken_s > 60.0] - LATE_S).max())
    figure(f"time error of {product} at 200 ppm after a minute", round(worst_ms, 2), "ms")
    # Where packets keep step with the connection's events nothing shows before they slip by one.
    assert worst_ms < (5.0 if product in MANY_STAMPS else 5.0 + 1e3 * INTERVAL_S)
    if product != "polar-verity-sense":
        # Nor is the error larger than what is said of it. The Verity Sense tells too little in its first minutes.
        told = [chunk.reception.clock_uncertainty_s for chunk in story.chunks]
        late = [at for at, taken_s in enumerate(story.taken_s) if taken_s > 20.0]
        assert all(abs(story.error_s[at] - LATE_S) <= (told[at] or 0.0) for at in late)
    drifts = [chunk.reception.drift_ppm for chunk in story.chunks]
    assert drifts[0] is None
    if product in MANY_STAMPS:
        assert drifts[-1] == pytest.approx(200.0, abs=20.0)
    if product in WITHOUT_CLOCK:
        assert drifts == [None] * len(drifts)


@pytest.mark.proof
@pytest.mark.parametrize("drift_ppm", [-200.0, 200.0])
def test_an_hour_of_the_simulated_dot_is_within_5_ms_after_the_first_minute(
    drift_ppm: float, full_or_quick: Callable[[int, int], int], figure: Figure
) -> None:
    """The simulator's own clock, its bytes, and a counter that wraps on the way."""
    minutes = full_or_quick(60, 2)
    story = run("movella-dot", minutes * 60.0, drift_ppm, uptime_s=2**32 / 1e6 - 100.0)
    worst_ms = 1e3 * float(np.abs(story.error_s[story.taken_s > 60.0] - LATE_S).max())
    figure(f"time error of the simulated DOT at {drift_ppm:+g} ppm over {minutes} min", round(worst_ms, 2), "ms")
    assert worst_ms < 5.0
    assert story.chunks[-1].reception.drift_ppm == pytest.approx(drift_ppm, abs=5.0)
    assert story.chunks[-1].reception.restarts == 0
    # A clock that runs fast takes more samples in the same time.
    taken = minutes * 60 * story.wearable.rate_hz * (1 + drift_ppm * 1e-6)
    assert len(true_numbers(story.chunks)) == pytest.approx(taken, abs=5)
