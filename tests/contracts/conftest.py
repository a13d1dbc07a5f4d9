"""The two ways to a simulated wearable, and the two databases, for every contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach.store.engine import Store, migrate, open_store
from devices.radio import SYSTEM_RADIO
from devices.sim.backend import SimAdapter, sim_radio
from devices.sim.wearable import SimWearable
from tests.coach.club import Club, FakeClock, found_club
from tests.contracts.ways import Open, Way


def _over_hook(wearable: SimWearable) -> Way:
    adapter = SimAdapter()
    return Way(wearable, sim_radio([wearable], adapter), adapter.power)


@pytest.fixture(params=["bluez", "hook"])
def way(request: pytest.FixtureRequest) -> Iterator[Open]:
    if request.param == "hook":
        yield _over_hook
        return
    if sys.platform != "linux":
        pytest.skip("bleak talks to a Bluetooth daemon on Linux only")
    from devices.sim.bus import SimBus

    opened: list[SimBus] = []
    with pytest.MonkeyPatch.context() as patch:

        def over_bus(wearable: SimWearable) -> Way:
            bus = SimBus([wearable])
            bus.start()
            opened.append(bus)
            patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
            return Way(wearable, SYSTEM_RADIO, bus.power)

        yield over_bus
        for bus in opened:
            bus.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of the newest schema in each database."""
    where = tmp_path / "backstop.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with open_store(where) as opened:
        migrate(opened)
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def club(store: Store, clock: FakeClock) -> Club:
    return found_club(store, clock)
