"""A fast stream with link losses over bleak's own BlueZ backend: every frame that was sent arrives, in order, and what
was not sent is a gap on the device's own clock."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from devices.hostclock import ScaledClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.sim.bus import SimBus
from devices.sim.motions import lifting
from devices.sim.wearable import SimWearable
from devices.types import Chunk, LinkState

RATE_HZ = 60
# Times faster than real time; 1,200 frames a second leave room on a busy machine.
SPEED = 20.0


def wait_for(happened: Callable[[], bool], timeout_s: float, what: str) -> None:
    give_up_s = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < give_up_s, f"{what} within {timeout_s} s"
        time.sleep(0.005)


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")
def test_no_frame_is_lost_and_every_gap_is_seen(
    full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    frames = full_or_quick(30_000, 3_000)
    clock = ScaledClock.starting_now(1_790_000_000.0, SPEED)
    wearable = SimWearable(motion=lifting(7), clock=clock, rate_hz=RATE_HZ, address="C0:FF:EE:00:00:21")
    chunks: list[Chunk] = []
    with SimBus([wearable]).running(), BleHub() as hub:
        request = LinkRequest(wearable.address, "movella-dot", RATE_HZ, "rec", clock, chunk_duration_s=5.0)
        link = hub.open(request, chunks.append)
        for loss in range(3):
            target = frames * (loss + 1) // 4
            wait_for(lambda: wearable.frames_sent >= target, 120, f"{target} frames")  # noqa: B023
            connects = wearable.truth.connects
            wearable.drop_link()
            wait_for(lambda: wearable.truth.connects > connects, 20, "a new connection")  # noqa: B023
        wait_for(lambda: wearable.frames_sent >= frames, 120, f"{frames} frames")
        wearable.go_silent(True)
        time.sleep(0.3)
        link.close()
        status = link.status()
    truth = wearable.truth
    assert truth.connects == 4
    assert status.losses == 3
    assert status.bad_packets == 0
    assert status.frames == truth.frames_sent == truth.ticks_sent.size
    assert status.samples_received == truth.frames_sent

    # The chunks hold exactly the samples that were sent, each on its place on the device's grid.
    placed = np.concatenate([chunk.start_index + np.flatnonzero(np.isfinite(chunk.acc_mps2[:, 0])) for chunk in chunks])
    sent = np.rint((truth.ticks_sent - truth.ticks_sent[0]) * 1e-6 * RATE_HZ).astype(int)
    np.testing.assert_array_equal(placed, sent)
    assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
    holes = np.flatnonzero(np.diff(sent) > 1)
    assert holes.size == 3, "three losses are three gaps on the device's clock"

    # And with the values that the body made: the samples are the motion's own.
    values = np.concatenate([chunk.gyr_radps[np.isfinite(chunk.gyr_radps[:, 0])] for chunk in chunks])
    made = wearable.motion_index(truth.ticks_sent)
    expected = np.concatenate(
        [wearable.motion.samples(int(k), 1, RATE_HZ)[1] for k in made[:: max(1, made.size // 200)]]
    )
    np.testing.assert_allclose(values[:: max(1, made.size // 200)], expected, atol=2e-5)
    figure("frames sent and received", status.samples_received, "of " + str(truth.frames_sent))
    figure("lost while connected", truth.frames_sent - status.samples_received)
    figure("gaps seen for 3 losses", int(holes.size))


def test_closing_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    clock = ScaledClock.starting_now(1_790_000_000.0, 1.0)
    wearable = SimWearable(motion=lifting(7), clock=clock, address="C0:FF:EE:00:00:22")
    with SimBus([wearable]).running(), BleHub() as hub:
        link = hub.open(LinkRequest(wearable.address, "movella-dot", 60, "rec", clock), lambda chunk: None)
        wait_for(lambda: link.status().state is LinkState.STREAMING, 20, "a stream")
    left = {thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()}
    assert left == set()
