"""How soon a link is back: what ends a wait, who goes first, and what a dead service leaves behind."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles.movella_dot_uuids import MEASUREMENT_CONTROL
from devices.radio import SYSTEM_RADIO, Radio
from devices.sim.backend import sim_radio
from devices.sim.gatt import AttCode, AttError
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable
from devices.types import LinkState

# Reconnect within 3 s of being reachable again: the mark of the links. The slack is for a busy machine.
RETURN_S, SLACK_S = 3.0, 1.0

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="bleak's BlueZ backend exists on Linux only")


@pytest.fixture
def hub() -> Iterator[BleHub]:
    with BleHub() as running:
        yield running
    assert not any(thread.name == "backstop-radio" for thread in threading.enumerate())


def wearable(number: int = 1) -> SimWearable:
    return SimWearable(address=f"C0:FF:EE:00:00:{number:02X}", motion=MOTIONS["idle"](number), clock=SystemClock())


def opened(hub: BleHub, one: SimWearable, radio: Radio, **changes: Any) -> WearableLink:
    values = {"silence_s": 0.6, "connect_timeout_s": 1.0} | changes
    return hub.open(LinkRequest(one.address, "movella-dot", 60.0, "rec", radio=radio, **values), lambda chunk: None)


def until(holds: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def streams(link: WearableLink) -> Callable[[], bool]:
    return lambda: link.status().state is LinkState.STREAMING


def test_an_advertisement_ends_a_long_wait(hub: BleHub) -> None:
    one = wearable()
    one.slow_connect(60.0)
    link = opened(hub, one, sim_radio([one]), backoff_first_s=30.0)
    until(lambda: link.status().state is LinkState.WAITING, 4.0)
    one.stop_advertising()
    time.sleep(0.5)
    one.slow_connect(0.0)
    before = link.log_text().count("| connect\n")
    one.start_advertising()
    until(streams(link), RETURN_S + SLACK_S)
    assert link.log_text().count("| connect\n") == before + 1
    assert link.status().problem is None


def test_a_wearable_that_advertises_and_refuses_is_asked_now_and_then_only(hub: BleHub) -> None:
    one = wearable()
    one.refuse_connects(10_000)
    link = opened(hub, one, sim_radio([one]))
    until(lambda: link.status().state is LinkState.BLOCKED, 15.0)
    assert "lets nobody connect: close other apps" in (link.status().problem or "")
    before = link.log_text().count("| connect\n")
    time.sleep(4.5)
    assert link.log_text().count("| connect\n") - before in (2, 3)
    one.refuse_connects(0)
    until(streams(link), RETURN_S + SLACK_S)
    assert link.status().problem is None


def test_one_that_does_not_answer_keeps_nobody_else_away(hub: BleHub) -> None:
    dead, alive = wearable(1), wearable(2)
    radio = sim_radio([dead, alive])
    good = opened(hub, alive, radio)
    until(streams(good), 4.0)
    dead.slow_connect(60.0)
    bad = opened(hub, dead, radio, connect_timeout_s=30.0)
    until(lambda: bad.status().state is LinkState.CONNECTING, 4.0)
    time.sleep(0.3)
    alive.drop_link()
    until(lambda: good.status().losses == 1, 2.0)
    until(streams(good), RETURN_S + SLACK_S)
    # To make room is no failure: it is tried again at once.
    assert bad.status().state in (LinkState.SCANNING, LinkState.CONNECTING)
    assert bad.status().problem is None
    dead.slow_connect(0.0)


@linux_only
def test_a_service_that_was_away_is_noticed_by_all_links(hub: BleHub) -> None:
    """One streams and one is searched for: the scan that runs for it outlives the service and hears nothing more."""
    from devices.sim.bus import SimBus

    near, far = wearable(1), wearable(2)
    far.stop_advertising()
    bus = SimBus([near, far])
    with bus.running():
        links = [opened(hub, one, SYSTEM_RADIO) for one in (near, far)]
        until(streams(links[0]), 6.0)
        bus.die()
        until(lambda: all(link.status().state is LinkState.BLOCKED for link in links), 8.0)
        far.start_advertising()
        bus.revive()
        for link in links:
            until(streams(link), RETURN_S + SLACK_S)
        assert [link.status().losses for link in links] == [1, 0]  # the second had not been found before
        assert all(link.status().problem is None for link in links)
        for link in links:
            link.close()


def test_a_wearable_that_comes_late_is_recorded_from_then_on(hub: BleHub) -> None:
    one = wearable()
    one.stop_advertising()
    link = opened(hub, one, sim_radio([one]), scan_s=0.3)
    until(lambda: link.status().problem is not None, 3.0)
    link.new_recording("begun before it came")
    one.start_advertising()
    until(streams(link), RETURN_S + SLACK_S)
    until(lambda: link.status().samples_received > 10, 2.0)
    assert "first frame" in link.log_text(recording_id="begun before it came")


class HalfDeaf(SimWearable):
    """A wearable that streams by itself and loses every command that sets it up, as after a failed update."""

    asked = 0

    def write(self, uuid: str, data: bytes) -> None:
        self.asked += 1
        if uuid == MEASUREMENT_CONTROL:
            super().write(uuid, data)
            raise AttError(AttCode.REQUEST_NOT_SUPPORTED, "It does what it was told and says that it did not.")
        super().write(uuid, data)


def test_frames_from_a_start_that_fails_do_not_make_it_a_stream(hub: BleHub) -> None:
    """Else the link would be made anew without a wait, for ever."""
    one = HalfDeaf(address="C0:FF:EE:00:00:01", motion=MOTIONS["idle"](1), clock=SystemClock())
    link = opened(hub, one, sim_radio([one]), backoff_first_s=0.3)
    until(lambda: link.log_text().count("| refused") >= 3, 8.0)
    assert "refused while starting the stream" in (link.status().problem or "")
    waited = [line[11:23] for line in link.log_text().splitlines() if "| refused" in line]
    seconds = [sum(float(part) * 60**at for at, part in enumerate(reversed(text.split(":")))) for text in waited]
    # 0.3 and 0.6 s, less the jitter of a fifth.
    assert seconds[1] - seconds[0] >= 0.24
    assert seconds[2] - seconds[1] >= 0.48
