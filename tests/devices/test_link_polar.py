"""A link to the simulated Polar sensors and to what has the standard services only, over bleak's own BlueZ backend."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.link import WearableLink
from devices.linkrequest import LinkRequest
from devices.profiles.polar_uuids import Measurement
from devices.radio import SYSTEM_RADIO
from devices.sim import heart
from devices.sim.motions import lifting
from devices.sim.polar import Polar
from devices.sim.wearable import SimWearable
from devices.types import Chunk, HeartRateSample, LinkState, LinkStatus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bleak's BlueZ backend exists on Linux only")

ADDRESS = "C0:FF:EE:00:00:01"
SPEED = 15.0
SEED = 7


class Run:
    """A simulated product on the air, a link to it by the family that its advertisement tells, and what came."""

    def __init__(self, hub: BleHub, wearable: SimWearable, clock: ScaledClock, rate_hz: float) -> None:
        self.wearable = wearable
        self.chunks: list[Chunk] = []
        self.beats: list[tuple[float, HeartRateSample]] = []
        self.states: list[LinkStatus] = []
        (seen,) = hub.scan(0.3, SYSTEM_RADIO)
        self.family = seen.family
        assert seen.family is not None
        request = LinkRequest(
            ADDRESS, seen.family, rate_hz, "rec", clock=clock, backoff_first_s=0.05, backoff_max_s=0.2, scan_s=2.0
        )
        self.link: WearableLink = hub.open(
            request,
            self.chunks.append,
            None,
            self.states.append,
            lambda beat, utc_s: self.beats.append((utc_s, beat)),
        )

    def until(self, holds: Callable[[LinkStatus], bool], within_s: float = 12.0) -> None:
        end = time.monotonic() + within_s
        while not holds(self.link.status()):
            assert time.monotonic() < end, f"It did not come to pass: {self.link.status()}"
            time.sleep(0.02)


@contextmanager
def running(product: str, rate_hz: float, speed: float = SPEED) -> Iterator[Run]:
    from devices.sim.bus import SimBus

    clock = ScaledClock.starting_now(1_800_000_000.0, speed)
    wearable = SimWearable(address=ADDRESS, motion=lifting(SEED), clock=clock, product=product, seed=SEED)
    with SimBus([wearable]).running(), BleHub() as hub:
        run = Run(hub, wearable, clock, rate_hz)
        yield run
        run.link.close()


def test_a_heart_rate_strap_beside_nothing_else() -> None:
    with running("heart-rate", 1.0) as run:
        assert run.family == "heart-rate"
        run.until(lambda _: len(run.beats) >= 40)
        status = run.link.status()
    assert (status.state, status.bad_packets, status.samples_received) == (LinkState.STREAMING, 0, 0)
    assert run.chunks == []
    arrived = [beat for _, beat in run.beats]
    # The beats that its heart made, in order and without a hole: find where the recording joined in.
    made = [tuple(np.round(heart.intervals_s(SEED, second) * 1024) / 1024) for second in range(200)]
    (start,) = [at for at in range(150) if made[at : at + 40] == [beat.rr_s for beat in arrived[:40]]]
    assert arrived[0].heart_rate_bpm == round(heart.heart_rate_bpm(start + 1.0))
    assert all(beat.contact for beat in arrived)


def test_a_running_pod_sends_and_brings_no_samples() -> None:
    with running("running-speed", 1.0) as run:
        assert run.family == "running-speed"
        run.until(lambda status: status.frames >= 20)
        status = run.link.status()
    assert (status.bad_packets, status.samples_received, run.beats, run.chunks) == (0, 0, [], [])


def test_a_verity_sense_that_stops_half_of_its_stream() -> None:
    """Nothing more is passed on, the silence is noticed, it is all started anew, both sensors are there again."""
    with running("polar-verity-sense", 52.0) as run:
        run.until(lambda status: status.samples_received > 500)
        sensor = run.wearable.firmware
        assert isinstance(sensor, Polar)
        with run.wearable.lock:
            sensor.end_streams([Measurement.GYRO])
        run.until(lambda status: status.losses == 1)
        received = run.link.status().samples_received
        run.until(lambda status: status.samples_received > received + 500)
    assert [status.problem for status in run.states if status.problem and "silent" in status.problem] != []
    last = run.chunks[-2]
    assert np.isfinite(last.acc_mps2).all()
    assert np.isfinite(last.gyr_radps).all()
    # Closed properly: nothing streams, and it is out of SDK mode.
    assert (sensor.measuring, sensor.sdk_mode) == (False, False)


def test_a_verity_sense_in_sdk_mode_is_left_in_its_own() -> None:
    with running("polar-verity-sense", 104.0, speed=8.0) as run:
        run.until(lambda status: status.samples_received > 500)
        sensor = run.wearable.firmware
        assert isinstance(sensor, Polar)
        assert sensor.sdk_mode
        assert ("mode", "SDK mode, no heart rate") in run.link.status().settings
    assert (sensor.measuring, sensor.sdk_mode, run.beats) == (False, False, [])


def test_an_h10_that_left_the_strap() -> None:
    """About 45 s later it ends the link; worn again its clock begins anew, and the recording goes on in UTC."""
    with running("polar-h10", 50.0) as run:
        run.until(lambda status: status.samples_received > 500)
        run.wearable.loosen(True)
        loose_utc_s = run.wearable.time.utc_s()
        run.until(lambda status: status.losses == 1)
        assert 45 <= run.wearable.time.utc_s() - loose_utc_s < 45 + 2 * SPEED
        run.until(lambda status: status.state is not LinkState.STREAMING)
        run.wearable.loosen(False)
        received = run.link.status().samples_received
        run.until(lambda status: status.samples_received > received + 500)
        seen_utc_s = run.wearable.time.utc_s()
    # It goes on sending until the link is closed; the first frame after the restart may wait for a busy machine.
    closed_utc_s = run.wearable.time.utc_s()
    assert sum(chunk.reception.restarts for chunk in run.chunks) == 1
    starts = [chunk.start_utc_s for chunk in run.chunks]
    assert starts == sorted(starts)
    assert seen_utc_s - 12 < starts[-1] + len(run.chunks[-1]) / 50.0 < closed_utc_s + SPEED / 2
