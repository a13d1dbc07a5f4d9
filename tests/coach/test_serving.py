"""The server's own radio: what a look hears over bleak's own backend, and what it says when it can hear nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coach.live import LiveAnalysis, LiveFeed
from coach.service.looks import Looks, LookView
from coach.serving import LiveDoor, Lookout
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.sim.bus import SimBus
from devices.sim.motions import MOTIONS
from devices.sim.reach import Elsewhere
from devices.sim.wearable import SimWearable
from tests.coach.club import START, Club, bending_chunks
from tests.coach.test_gateway import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")
NEAR, FAR = "C0:FF:EE:00:00:61", "C0:FF:EE:00:00:62"


@pytest.fixture
def wearables() -> list[SimWearable]:
    clock = SystemClock()
    return [
        SimWearable(motion=MOTIONS["idle"](1), clock=clock, address=NEAR, product="movella-dot"),
        SimWearable(motion=MOTIONS["idle"](2), clock=clock, address=FAR, product="polar-h10"),
    ]


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Looks]]:
    """Start a lookout over a radio that is there by then."""
    closing: list[Callable[[], None]] = []

    def start() -> Looks:
        looks = Looks(SystemClock())
        hub = BleHub()
        hub.start()

        lookout = Lookout(hub, looks)
        lookout.start()
        closing.extend((hub.close, lookout.close))
        looks.begin("ada")
        return looks

    yield start
    for close in reversed(closing):
        close()


def view_of(looks: Looks) -> LookView:
    view = looks.view("ada", 0)
    assert view is not None
    return view


def test_a_look_hears_each_family(wearables: list[SimWearable], looking: Callable[[], Looks]) -> None:
    with SimBus(wearables).running():
        looks = looking()
        until(lambda: len(view_of(looks).seen) == 2)
    found = {each.address: each.family for each in view_of(looks).seen}
    assert found == {NEAR: "movella-dot", FAR: "polar-h10"}
    assert all(-100 < each.rssi_dbm < 0 and each.name for each in view_of(looks).seen)
    assert view_of(looks).troubles == ()


def test_a_wearable_that_another_phone_holds_is_not_in_reach(
    wearables: list[SimWearable], looking: Callable[[], Looks]
) -> None:
    wearables[0].bond_elsewhere(Elsewhere.HIDDEN)
    with SimBus(wearables).running():
        looks = looking()
        until(lambda: len(view_of(looks).seen) == 1)
        assert view_of(looks).seen[0].address == FAR
        wearables[0].bond_elsewhere(Elsewhere.NO)
        until(lambda: len(view_of(looks).seen) == 2)


def test_an_adapter_that_is_off_is_said_and_what_to_do(
    wearables: list[SimWearable], looking: Callable[[], Looks]
) -> None:
    bus = SimBus(wearables)
    with bus.running():
        bus.power(False)
        looks = looking()
        until(lambda: bool(view_of(looks).troubles))
        (trouble,) = view_of(looks).troubles
        assert "switch it on in the system's Bluetooth settings" in trouble
        # Once it is on, the same look goes on.
        bus.power(True)
        until(lambda: len(view_of(looks).seen) == 2)
        assert view_of(looks).troubles == ()


def test_no_bluetooth_at_all_is_said_and_what_to_do(
    looking: Callable[[], Looks], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")
    looks = looking()
    until(lambda: bool(view_of(looks).troubles))
    (trouble,) = view_of(looks).troubles
    assert "Bluetooth" in trouble
    assert trouble.endswith(".")
    assert "\n" not in trouble


def test_a_lookout_rests_until_somebody_looks_and_ends(looking: Callable[[], Looks]) -> None:
    hub, looks = BleHub(), Looks(SystemClock())

    lookout = Lookout(hub, looks)
    lookout.start()
    lookout.start()
    assert [thread.name for thread in threading.enumerate()].count("lookout") == 1
    lookout.close()
    assert "lookout" not in [thread.name for thread in threading.enumerate()]


def test_one_door_for_live_blocks(club: Club) -> None:
    live = LiveAnalysis(LiveFeed(), club.services.athletes.analysis_params)
    door = LiveDoor(club.services, live)
    (view,) = club.services.wearables.for_athlete(club.athlete_id)
    club.services.poses.begin(club.athlete, club.wearable_id)
    for block in bending_chunks(0.1, 6, START.timestamp(), chunk_s=0.24):
        door.take(view, block, START.timestamp())
    live.work()
    assert club.wearable_id in live._states
    assert club.services.poses.look(club.athlete, club.wearable_id).share > 0.5
    door.forget(club.wearable_id)
    assert live._states == {}
