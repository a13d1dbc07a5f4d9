"""The two ways to a simulated wearable, for every contract."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from devices.radio import SYSTEM_RADIO
from devices.sim.backend import SimAdapter, sim_radio
from devices.sim.wearable import SimWearable
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
