"""What ends a link or comes in between: a close at any moment, a scan that went deaf, a battery that is not told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import devices.airtime
import devices.link
import devices.session
from devices.airtime import Airtime
from devices.errors import Disconnected, NotFound
from devices.finishing import finish
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles.movella_dot import MovellaDot
from devices.profiles.movella_dot_uuids import DEVICE_INFO, DOT_BATTERY, MEASUREMENT_CONTROL
from devices.profiles.types import GattClient
from devices.radio import Radio
from devices.sim.backend import sim_radio
from devices.sim.gatt import AttCode, AttError
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable
from devices.types import Chunk, LinkState

ADDRESS = "C0:FF:EE:00:00:01"


@pytest.fixture
def hub() -> Iterator[BleHub]:
    with BleHub() as running:
        yield running
    assert not any(thread.name == "backstop-radio" for thread in threading.enumerate())


def wearable(kind: type[SimWearable] = SimWearable) -> SimWearable:
    return kind(address=ADDRESS, motion=MOTIONS["idle"](1), clock=SystemClock())


def asked(radio: Radio, **changes: Any) -> LinkRequest:
    values = {"scan_s": 1.0, "connect_timeout_s": 2.0, "silence_s": 0.5, "backoff_first_s": 0.05} | changes
    return LinkRequest(ADDRESS, "movella-dot", 60.0, "rec", radio=radio, **values)


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def is_streaming(link: WearableLink) -> Callable[[], bool]:
    return lambda: link.status().state is LinkState.STREAMING and link.status().samples_received > 5


async def _all_tasks() -> set[str]:
    me = asyncio.current_task()
    return {task.get_name() for task in asyncio.all_tasks() if task is not me}


def test_what_was_begun_is_finished_before_a_cancellation_goes_on() -> None:
    async def story() -> tuple[bool, bool]:
        done = []

        async def goodbye() -> None:
            await asyncio.sleep(0.05)
            done.append(True)

        task = asyncio.ensure_future(finish(goodbye()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait((task,))
        return bool(done), task.cancelled()

    assert asyncio.run(story()) == (True, True)


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5])
def test_a_link_closed_at_any_moment_leaves_nothing_behind(hub: BleHub, after_s: float) -> None:
    one = wearable()
    link = hub.open(asked(sim_radio([one])), lambda chunk: None)
    time.sleep(after_s)
    link.close()
    assert link.status().state is LinkState.STOPPED
    assert not one.connected
    # The one left is the hub's own.
    assert len(hub.call(_all_tasks())) == 1
    again = hub.open(asked(sim_radio([one])), lambda chunk: None)
    until(is_streaming(again))


class SlowToStop:
    """A radio over which it takes its time to tell the wearable to stop."""

    def __init__(self, one: SimWearable) -> None:
        self.told = threading.Event()
        radio, told = sim_radio([one]), self.told
        client: Any = radio.client_backend

        class Slow(client):  # type: ignore[misc]
            async def write_gatt_char(self, characteristic: Any, data: Any, response: bool) -> None:
                if characteristic.uuid == MEASUREMENT_CONTROL and bytes(data)[1] == 0:
                    told.set()
                    await asyncio.sleep(0.3)
                await super().write_gatt_char(characteristic, data, response)

        self.radio = Radio(radio.scanner_backend, Slow)


def test_a_close_during_the_goodbye_to_a_silent_wearable_still_disconnects(hub: BleHub) -> None:
    one = wearable()
    slow = SlowToStop(one)
    link = hub.open(asked(slow.radio), lambda chunk: None)
    until(is_streaming(link))
    one.go_silent(True)
    assert slow.told.wait(5.0)
    link.close()
    assert not one.connected
    assert len(hub.call(_all_tasks())) == 1


def test_a_link_that_did_not_close_in_time_can_be_opened_again(hub: BleHub, monkeypatch: pytest.MonkeyPatch) -> None:
    one = wearable()
    chunks: list[Chunk] = []
    link = hub.open(asked(SlowToStop(one).radio), chunks.append)
    until(is_streaming(link))
    monkeypatch.setattr(devices.link, "_CLOSE_S", 0.05)
    with pytest.raises(Disconnected, match="did not answer"):
        link.close()
    until(lambda: link.status().state is LinkState.STOPPED)
    assert chunks, "what was there is handed on all the same"
    until(lambda: not one.connected)
    until(is_streaming(hub.open(asked(sim_radio([one])), chunks.append)))


def deaf_at_first(radio: Radio, started: list[float]) -> Radio:
    """Return the radio with a scanner that hears nothing the first time, as one whose service was started anew."""
    scanner: Any = radio.scanner_backend

    class Deaf(scanner):  # type: ignore[misc]
        async def start(self) -> None:
            started.append(time.monotonic())
            if len(started) > 1:
                await super().start()

    return Radio(Deaf, radio.client_backend)


def test_a_scan_gone_deaf_is_begun_anew_though_somebody_always_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.airtime, "_DEAF_S", 0.5)
    started: list[float] = []

    async def story() -> str:
        air = Airtime(deaf_at_first(sim_radio([wearable()]), started))
        # It searches all the time for another one, which never comes.
        other = asyncio.ensure_future(air.find("C0:FF:EE:00:00:09", (), 5.0))
        await asyncio.sleep(0.1)
        with pytest.raises(NotFound):
            await air.find(ADDRESS, (), 0.1)
        found = await air.find(ADDRESS, (), 2.0)
        other.cancel()
        await asyncio.wait((other,))
        return found.device.address

    assert asyncio.run(story()) == ADDRESS
    assert len(started) == 2


class Unwilling(SimWearable):
    """A wearable that tells its charge once."""

    asked = 0

    def read(self, uuid: str) -> bytes:
        if uuid == DOT_BATTERY:
            self.asked += 1
            if self.asked > 1:
                raise AttError(AttCode.REQUEST_NOT_SUPPORTED, "The charge is not told now.")
        return super().read(uuid)


def test_a_battery_that_cannot_be_read_does_not_end_the_stream(hub: BleHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.session, "_BATTERY_EVERY_S", 0.1)
    one = wearable(Unwilling)
    assert isinstance(one, Unwilling)
    link = hub.open(asked(sim_radio([one])), lambda chunk: None)
    until(lambda: one.asked > 3)
    status = link.status()
    assert (status.state, status.losses) == (LinkState.STREAMING, 0)
    assert status.battery_share == pytest.approx(0.87)


class Silent(SimWearable):
    """Refuses to tell anything of itself."""

    def read(self, uuid: str) -> bytes:
        if uuid in (DOT_BATTERY, DEVICE_INFO):
            raise AttError(AttCode.REQUEST_NOT_SUPPORTED, "It is not told.")
        return super().read(uuid)


def test_a_wearable_that_tells_nothing_of_itself_streams_all_the_same(hub: BleHub) -> None:
    link = hub.open(asked(sim_radio([wearable(Silent)])), lambda chunk: None)
    until(is_streaming(link))
    status = link.status()
    assert (status.battery_share, status.device_info, status.losses) == (None, (), 0)
    assert "failed" not in link.log_text()


class Confused(MovellaDot):
    """Has a defect in its goodbye."""

    async def stop(self, client: GattClient) -> None:
        raise KeyError("nobody thought of this")


def test_a_defect_in_a_goodbye_leaves_nothing_connected(hub: BleHub) -> None:
    one = wearable()
    link = hub.open(asked(sim_radio([one]), profile=Confused()), lambda chunk: None)
    until(is_streaming(link))
    link.close()
    assert not one.connected


class Forgetful(MovellaDot):
    """Answers what it is asked of its battery once, and says nothing later."""

    asked = 0

    async def read_battery_share(self, client: GattClient) -> float | None:
        self.asked += 1
        return await super().read_battery_share(client) if self.asked == 1 else None


def test_a_battery_that_gives_no_answer_any_more_stays_as_it_was_told(
    hub: BleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices.session, "_BATTERY_EVERY_S", 0.1)
    profile = Forgetful()
    link = hub.open(asked(sim_radio([wearable()]), profile=profile), lambda chunk: None)
    until(lambda: profile.asked > 3)
    assert link.status().battery_share == pytest.approx(0.87)


def test_a_scan_while_the_hub_closes_ends_with_a_sentence() -> None:
    hub = BleHub()
    hub.start()
    raised: list[Exception] = []

    def scan() -> None:
        try:
            hub.scan(5.0, sim_radio([wearable()]))
        except Disconnected as error:
            raised.append(error)

    thread = threading.Thread(target=scan)
    thread.start()
    time.sleep(0.2)
    hub.close()
    thread.join(5.0)
    assert not thread.is_alive()
    assert "ended meanwhile" in str(raised[0])
