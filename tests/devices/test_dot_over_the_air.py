"""A DOT's other payload modes and the synchronisation of several, through links and hub, against the simulation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from devices.errors import Refused
from devices.hostclock import ScaledClock, SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.profiles import movella_dot_sync as sync
from devices.profiles.movella_dot import DotOptions, MovellaDot
from devices.profiles.movella_dot_payloads import MODES
from devices.sim.backend import sim_radio
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable
from devices.types import Chunk

SAMPLES = {20, 21, 26}


@pytest.fixture
def hub() -> Iterator[BleHub]:
    with BleHub() as running:
        yield running


def until(holds: Callable[[], bool], within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def test_every_open_mode_streams_through_a_link(hub: BleHub) -> None:
    clock = ScaledClock.starting_now(1_800_000_000.0, 4.0)
    made = {}
    for number in MODES:
        address = f"C0:FF:EE:00:03:{number:02X}"
        made[number] = SimWearable(motion=MOTIONS["bows"](1), clock=clock, address=address, rate_hz=30)
    radio = sim_radio(list(made.values()))
    rows: dict[int, list[Any]] = {number: [] for number in MODES}
    chunks: dict[int, list[Chunk]] = {number: [] for number in MODES}
    links = {}
    for number, one in made.items():
        profile = MovellaDot(DotOptions(mode=number, on_rows=rows[number].append))
        request = LinkRequest(one.address, profile.family, 30.0, "rec", clock=clock, radio=radio, profile=profile)
        links[number] = hub.open(request, chunks[number].append)
    until(lambda: all(sum(map(len, told)) >= 20 for told in rows.values()))
    for one in made.values():
        one.go_silent(True)
    time.sleep(0.3)
    hub.close()
    for number, link in links.items():
        told = np.concatenate(rows[number])
        sent = made[number].truth.frames_sent
        status = link.status()
        assert (len(told), status.bad_packets) == (sent, 0), number
        assert set(told.dtype.names) == {"ticks", *MODES[number].fields}
        received = sum(len(chunk) for chunk in chunks[number])
        assert received == (sent if number in SAMPLES else 0), number
        if "quaternion_wxyz" in told.dtype.names:
            np.testing.assert_allclose(np.linalg.norm(told["quaternion_wxyz"], axis=1), 1, atol=1e-5)
        if "acc_mps2" in told.dtype.names:
            # Bowing: gravity is in it, and it turns.
            assert 7 < float(np.linalg.norm(told["acc_mps2"], axis=1).mean()) < 12


def test_several_dots_share_one_time_line(hub: BleHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their clocks were hours apart before; afterwards their time stamps agree."""
    clock = ScaledClock.starting_now(1_800_000_000.0, 10.0)
    ones = [
        SimWearable(motion=MOTIONS["idle"](n), clock=clock, address=f"C0:FF:EE:00:04:{n:02X}", uptime_s=3600.0 * n)
        for n in range(1, 4)
    ]
    radio = sim_radio(ones)
    addresses = [one.address for one in ones]
    monkeypatch.setattr(sync, "WAIT_S", sync.WAIT_S / 10)
    hub.synchronise_dots(addresses, 60.0, radio)
    assert all(one.firmware.follows == addresses[0] and one.firmware.measuring for one in ones)  # type: ignore[attr-defined]
    ticks: dict[str, list[int]] = {address: [] for address in addresses}
    links = []
    for address in addresses:
        profile = MovellaDot(DotOptions(on_rows=lambda rows, told=ticks[address]: told.extend(rows["ticks"].tolist())))
        request = LinkRequest(address, profile.family, 60.0, "rec", clock=clock, radio=radio, profile=profile)
        links.append(hub.open(request, lambda chunk: None))
    until(lambda: all(link.status().samples_received > 120 for link in links))
    hub.close()
    first = np.array([told[0] for told in ticks.values()])
    # All began within seconds of each other, and their time stamps say so.
    assert np.ptp(first) / 1e6 < 60.0
    assert all(one.rate_hz == 60.0 for one in ones)


def test_a_dot_with_a_link_is_not_synchronised(hub: BleHub) -> None:
    ones = [
        SimWearable(motion=MOTIONS["idle"](n), clock=SystemClock(), address=f"C0:FF:EE:00:05:{n:02X}") for n in (1, 2)
    ]
    radio = sim_radio(ones)
    hub.open(LinkRequest(ones[0].address, "movella-dot", 60.0, "rec", radio=radio), lambda chunk: None)
    with pytest.raises(Refused, match=f"Close the link to {ones[0].address}"):
        hub.synchronise_dots([one.address for one in ones], 60.0, radio)
    with pytest.raises(Refused, match="choose one of"):
        hub.synchronise_dots([one.address for one in ones], 61.0, radio)
