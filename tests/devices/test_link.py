"""The link against the simulated wearable, over bleak's hook and over bleak's own BlueZ backend."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from devices.errors import Disconnected, NoRadio, Refused
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.profiles.movella_dot_uuids import DEVICE_CONTROL
from devices.radio import SYSTEM_RADIO, Radio
from devices.sim.backend import sim_radio
from devices.sim.wearable import SimWearable
from devices.types import Chunk, HeartRateSample, LinkState
from tests.devices.linked import (
    ADDRESS,
    CYCLE,
    Numbered,
    Received,
    asked,
    fast,
    opened,
    received_at_least,
    state_is,
    until,
    wearable_on,
)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="bleak's BlueZ backend exists on Linux only")


@pytest.fixture(params=["hook", pytest.param("bluez", marks=linux_only)])
def radio_of(request: pytest.FixtureRequest) -> Iterator[Callable[[SimWearable], Radio]]:
    """Put a wearable on the air, in one way or the other."""
    if request.param == "hook":
        yield lambda wearable: sim_radio([wearable])
        return
    from devices.sim.bus import SimBus

    opened: list[Any] = []

    def on_the_bus(wearable: SimWearable) -> Radio:
        opened.append(SimBus([wearable]).running())
        opened[-1].__enter__()
        return SYSTEM_RADIO

    yield on_the_bus
    for context in opened:
        context.__exit__(None, None, None)


def test_scan_connect_stream_close(hub: BleHub, received: Received, radio_of: Callable[[SimWearable], Radio]) -> None:
    clock = fast(20)
    wearable = wearable_on(clock)
    radio = radio_of(wearable)
    (seen,) = hub.scan(0.3, radio)
    assert (seen.advertisement.address, seen.family) == (ADDRESS, "movella-dot")
    link = opened(hub, asked(clock, radio), received)
    until(received_at_least(link, 800))
    status = link.status()
    assert (status.state, status.problem, status.rate_hz) == (LinkState.STREAMING, None, 60.0)
    assert status.battery_share == 0.87
    assert dict(status.device_info)["model"] == "Movella DOT"
    assert status.rssi_dbm is not None
    link.close()
    assert link.status().state is LinkState.STOPPED
    assert not wearable.connected
    numbers = received.numbers()
    assert numbers == list(range(len(numbers)))
    # The last frames may still have been on their way when the stream was stopped.
    assert wearable.truth.frames_sent - len(numbers) <= 60
    assert (link.status().bad_packets, link.status().losses) == (0, 0)
    assert [state.state for state in received.states] == [LinkState.CONNECTING, LinkState.STREAMING, LinkState.STOPPED]
    assert received.chunks[0].start_utc_s == pytest.approx(wearable.truth.motion_start_utc_s, abs=20 * 0.1)
    link.close()


@pytest.mark.proof
def test_three_losses_leave_gaps_and_lose_no_frame(
    hub: BleHub,
    received: Received,
    radio_of: Callable[[SimWearable], Radio],
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    """Every frame that was sent is received, in order; what was not sent meanwhile is a gap of the right length."""
    frames = full_or_quick(30_000, 2_000)
    clock = fast(30)
    wearable = wearable_on(clock, uptime_s=2**32 / 1e6 - frames / 120)
    begun_s = time.monotonic()
    link = opened(hub, asked(clock, radio_of(wearable)), received)
    for loss in range(1, 4):
        until(received_at_least(link, loss * frames // 4), within_s=60.0)
        wearable.drop_link()
        until(lambda loss=loss: link.status().losses == loss)  # type: ignore[misc]
    until(received_at_least(link, frames), within_s=60.0)
    duration_s = time.monotonic() - begun_s
    # Nothing is under way when the count is taken.
    wearable.go_silent(True)
    time.sleep(0.2)
    link.close()
    truth = wearable.truth
    numbers = received.numbers()
    assert len(numbers) == truth.frames_sent
    sent_index = np.rint((truth.ticks_sent - truth.ticks_sent[0]) % 2**32 * 60 / 1e6).astype(int)
    assert numbers == sent_index.tolist()
    assert truth.connects == 4
    status = link.status()
    assert (status.losses, status.bad_packets) == (3, 0)
    assert status.samples_received + status.samples_missing == numbers[-1] + 1
    assert [block.seq for block in received.live] == list(range(len(received.live)))
    assert len(received.live) <= 4 * duration_s + 5
    figure("frames lost", truth.frames_sent - len(numbers), f"of {truth.frames_sent}")


def test_silence_drops_the_link_and_it_comes_back(
    hub: BleHub, received: Received, radio_of: Callable[[SimWearable], Radio]
) -> None:
    clock = SystemClock()
    wearable = wearable_on(clock)
    link = opened(hub, asked(clock, radio_of(wearable), silence_s=0.3), received)
    until(received_at_least(link, 5))
    wearable.go_silent(True)
    until(lambda: "fell silent" in (link.status().problem or ""))
    assert link.status().losses == 1
    wearable.go_silent(False)
    until(state_is(link, LinkState.STREAMING))
    assert link.status().problem is None
    link.close()
    received.numbers()


@linux_only
def test_a_bluetooth_service_that_dies_is_noticed_and_said(hub: BleHub, received: Received) -> None:
    from devices.sim.bus import SimBus

    clock = SystemClock()
    bus = SimBus([wearable_on(clock)])
    with bus.running():
        link = opened(hub, asked(clock, SYSTEM_RADIO, silence_s=0.3), received)
        until(received_at_least(link, 5))
        bus.die()
        until(state_is(link, LinkState.BLOCKED))
        assert "backstop simulate" in (link.status().problem or "")
        bus.revive()
        until(state_is(link, LinkState.STREAMING))
        link.close()
    assert link.status().losses == 1


# What a killed gateway leaves behind: it ends in the middle of the stream, without a word to anybody.
KILLED = f"""
import os
from devices.hub import BleHub
from devices.link import LinkRequest
hub = BleHub()
hub.start()
hub.open(LinkRequest("{ADDRESS}", "movella-dot", 30.0, "killed"), lambda chunk: None, lambda block: os._exit(9))
hub._thread.join()
"""


@linux_only
def test_a_wearable_left_connected_by_a_killed_program_is_found_again(hub: BleHub, received: Received) -> None:
    """It does not advertise, and it still measures at another rate."""
    from devices.sim.bus import SimBus

    clock = SystemClock()
    wearable = wearable_on(clock)
    with SimBus([wearable], keep_links=True).running():
        assert subprocess.run([sys.executable, "-c", KILLED], timeout=30, check=False).returncode == 9
        assert wearable.connected
        assert wearable.advertisement() is None
        link = opened(hub, asked(clock, SYSTEM_RADIO), received)
        until(received_at_least(link, 20))
        assert wearable.rate_hz == 60
        link.close()
    assert wearable.truth.connects == 1


def test_refused_connects_are_tried_again_with_longer_waits(
    hub: BleHub, received: Received, radio_of: Callable[[SimWearable], Radio]
) -> None:
    clock = SystemClock()
    wearable = wearable_on(clock)
    wearable.refuse_connects(3)
    link = opened(hub, asked(clock, radio_of(wearable), backoff_max_s=5.0), received)
    until(state_is(link, LinkState.STREAMING))
    since = [status.since_utc_s for status in received.states if status.state is LinkState.WAITING]
    assert len(since) == 3
    assert all(status.problem for status in received.states if status.state is LinkState.WAITING)
    # At least the waits of 0.05 and 0.1 s, less the jitter of a fifth.
    assert since[1] - since[0] >= 0.04
    assert since[2] - since[1] >= 0.08
    assert link.status().losses == 0


def test_a_connect_that_takes_too_long_is_given_up(hub: BleHub, received: Received) -> None:
    clock = SystemClock()
    wearable = wearable_on(clock)
    wearable.slow_connect(5.0)
    link = opened(hub, asked(clock, sim_radio([wearable]), connect_timeout_s=0.2), received)
    until(state_is(link, LinkState.WAITING))
    assert "in time" in (link.status().problem or "")
    wearable.slow_connect(0.0)
    until(state_is(link, LinkState.STREAMING))


def test_spoilt_and_foreign_frames_are_counted_and_not_fatal(
    hub: BleHub, received: Received, radio_of: Callable[[SimWearable], Radio]
) -> None:
    clock = fast(20)
    wearable = wearable_on(clock)
    wearable.truncate_every(17)
    wearable.corrupt_every(23)
    wearable.foreign_every(29)
    link = opened(hub, asked(clock, radio_of(wearable)), received)
    until(received_at_least(link, 600))
    wearable.go_silent(True)
    time.sleep(0.2)
    link.close()
    truth, status = wearable.truth, link.status()
    assert truth.frames_damaged > 40
    assert status.bad_packets == truth.frames_damaged + truth.frames_foreign
    assert len(received.numbers()) == status.samples_received == truth.frames_sent
    assert status.losses == 0


def test_a_device_that_was_switched_off_and_on_goes_on_in_utc(hub: BleHub, received: Received) -> None:
    clock = fast(10)
    wearable = wearable_on(clock, uptime_s=1000.0)
    link = opened(hub, asked(clock, sim_radio([wearable])), received)
    until(received_at_least(link, 300))
    wearable.power_cycle()
    until(lambda: link.status().losses == 1)
    before = link.status().samples_received
    until(received_at_least(link, before + 300))
    link.close()
    first, last = received.chunks[0], received.chunks[-1]
    told_s = last.start_utc_s - first.start_utc_s
    assert (last.start_index - first.start_index) / 60.0 == pytest.approx(told_s, abs=1.0)
    assert last.start_utc_s + len(last) / 60.0 == pytest.approx(clock.utc_s(), abs=10 * 0.3)
    assert link.status().bad_packets == 0


def test_a_new_recording_begins_on_the_open_link(hub: BleHub, received: Received) -> None:
    clock = fast(10)
    wearable = wearable_on(clock)
    link = opened(hub, asked(clock, sim_radio([wearable])), received)
    until(received_at_least(link, 200))
    link.new_recording("upright")
    assert {chunk.recording_id for chunk in received.chunks} == {"rec"}
    so_far = link.status().samples_received
    until(received_at_least(link, so_far + 200))
    link.close()
    first = next(chunk for chunk in received.chunks if chunk.recording_id == "upright")
    assert (first.seq, first.start_index) == (0, 0)
    assert wearable.truth.connects == 1
    # Nothing is lost between the two.
    last = [chunk for chunk in received.chunks if chunk.recording_id == "rec"][-1]
    assert round(first.acc_mps2[0, 0] * 10) == (round(last.acc_mps2[-1, 0] * 10) + 1) % CYCLE


def test_a_wearable_out_of_reach_is_searched_until_it_comes(hub: BleHub, received: Received) -> None:
    clock = SystemClock()
    wearable = wearable_on(clock)
    wearable.stop_advertising()
    link = opened(hub, asked(clock, sim_radio([wearable]), scan_s=0.2), received)
    until(lambda: link.status().problem is not None)
    assert link.status().state is LinkState.SCANNING
    assert "switch it on" in (link.status().problem or "")
    wearable.start_advertising()
    until(state_is(link, LinkState.STREAMING))


def test_no_bluetooth_is_a_sentence_with_the_remedy(
    hub: BleHub, received: Received, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if sys.platform != "linux":
        pytest.skip("The bus can be taken away on Linux only")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    link = opened(hub, asked(SystemClock(), SYSTEM_RADIO), received)
    until(state_is(link, LinkState.BLOCKED))
    problem = link.status().problem or ""
    assert problem.startswith("This machine has no usable Bluetooth")
    assert "`backstop simulate`" in problem
    with pytest.raises(NoRadio, match="backstop simulate"):
        hub.scan(0.1)
    assert "Traceback" not in caplog.text


def test_two_links_share_one_radio(hub: BleHub) -> None:
    clock = fast(5)
    pair = [SimWearable(address=f"C0:FF:EE:00:00:0{n}", motion=Numbered(), clock=clock) for n in (1, 2)]
    radio = sim_radio(pair)
    links, got = [], [Received(), Received()]
    for wearable, consumer in zip(pair, got, strict=True):
        request = LinkRequest(wearable.address, "movella-dot", 60.0, "rec", clock=clock, radio=radio, scan_s=2.0)
        links.append(opened(hub, request, consumer))
    for link in links:
        until(received_at_least(link, 100))
    with pytest.raises(Refused, match="linked already"):
        opened(hub, links[0].request, got[0])


class Stubborn(SimWearable):
    """A wearable that answers to a new rate and keeps its own."""

    def write(self, uuid: str, data: bytes) -> None:
        if uuid != DEVICE_CONTROL:
            super().write(uuid, data)


def test_a_setting_that_the_wearable_refuses_needs_the_person(hub: BleHub, received: Received) -> None:
    clock = SystemClock()
    wearable = Stubborn(address=ADDRESS, motion=Numbered(), clock=clock, rate_hz=30)
    link = opened(hub, asked(clock, sim_radio([wearable])), received)
    until(state_is(link, LinkState.BLOCKED))
    assert "stays at 30 Hz though 60 Hz was set" in (link.status().problem or "")
    until(lambda: wearable.truth.connects >= 2)
    link.close()
    assert received.chunks == []


def test_heart_rate_comes_beside_the_motion(hub: BleHub, received: Received) -> None:
    clock = fast(10)
    beats: list[tuple[HeartRateSample, float]] = []
    wearable = wearable_on(clock)
    hub.open(
        asked(clock, sim_radio([wearable])),
        received.chunks.append,
        None,
        None,
        lambda beat, utc: beats.append((beat, utc)),
    )
    until(lambda: len(beats) >= 5)
    assert all(30 <= beat.heart_rate_bpm <= 220 for beat, _ in beats)
    assert [utc for _, utc in beats] == sorted(utc for _, utc in beats)


def test_a_consumer_that_fails_does_not_end_the_link(hub: BleHub, caplog: pytest.LogCaptureFixture) -> None:
    clock = fast(20)

    def fails(chunk: Chunk) -> None:
        raise ValueError(chunk.key)

    link = hub.open(asked(clock, sim_radio([wearable_on(clock)]), chunk_duration_s=1.0), fails)
    until(lambda: "A consumer of the link failed" in caplog.text)
    until(received_at_least(link, link.status().samples_received + 100))
    assert link.status().state is LinkState.STREAMING


def test_what_cannot_be_opened_is_refused_at_once(hub: BleHub, received: Received) -> None:
    radio = sim_radio([])
    for family, rate_hz, says in (
        ("movella-dot", 50.0, "choose one of"),
        ("none", 60.0, "Backstop knows .*movella-dot"),
    ):
        with pytest.raises(Refused, match=says):
            opened(hub, LinkRequest(ADDRESS, family, rate_hz, "rec", radio=radio), received)


def test_closing_leaves_no_thread_and_no_task() -> None:
    hub = BleHub()
    hub.start()
    hub.start()
    clock = SystemClock()
    received = Received()
    wearable = wearable_on(clock)
    link = opened(hub, asked(clock, sim_radio([wearable])), received)
    until(received_at_least(link, 5))

    async def tasks() -> set[str]:
        return {task.get_name() for task in asyncio.all_tasks()}

    before = hub.call(tasks())
    assert f"link {ADDRESS}" in before
    link.close()
    assert len(hub.call(tasks())) == 2  # the hub's own, and the one that asks
    # A link in the middle of its search ends as well.
    wearable.stop_advertising()
    opened(hub, asked(clock, sim_radio([wearable])), received)
    hub.close()
    hub.close()
    assert not any(thread.name == "backstop-radio" for thread in threading.enumerate())
    with pytest.raises(Disconnected, match="not running"):
        hub.scan(0.1)
