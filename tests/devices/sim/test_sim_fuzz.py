"""Whatever a central asks, in whatever order: a simulated product answers, or refuses with an ATT error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.sim.gatt import AttError
from devices.sim.motions import lifting
from devices.sim.products import PRODUCTS
from devices.sim.wearable import SimWearable
from tests.devices.sim.stepped import SteppedClock

# What is done, to which characteristic (by position), with which bytes, and how long after.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "read", "on", "off", "lose", "cycle"]),
        st.integers(0, 40),
        st.one_of(st.binary(max_size=40), st.lists(st.sampled_from(range(32)), max_size=12).map(bytes)),
        st.floats(0.0, 3.0),
    ),
    max_size=25,
)


def do(one: SimWearable, what: str, uuid: str, data: bytes) -> None:
    if what == "write":
        one.write(uuid, data)
    elif what == "read":
        assert isinstance(one.read(uuid), bytes)
    elif what in ("on", "off"):
        one.subscribe(uuid, what == "on")
    elif what == "lose":
        one.drop_link()
        one.open_link(lambda: None)
    else:
        one.power_cycle()
        one.open_link(lambda: None)


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_garbage_is_refused_and_crashes_nothing(product: str, full_or_quick: Callable[[int, int], int]) -> None:
    @given(steps=STEPS)
    @settings(max_examples=full_or_quick(2000, 25), deadline=None)
    def story(steps: list[tuple[str, int, bytes, float]]) -> None:
        clock = SteppedClock()
        one = SimWearable(motion=lifting(1), clock=clock, product=product)
        one.open_link(lambda: None)
        uuids = [row.uuid for service in one.table for row in service.characteristics]
        for what, place, data, wait_s in steps:
            if not one.connected:
                # It was switched off by a command; a person switches it on again.
                one.reach.off = False
                one.open_link(lambda: None)
            with suppress(AttError):
                do(one, what, uuids[place % len(uuids)], data)
            clock.now_s += wait_s
            for part in one.take(1000):
                assert len(part.data) == len(part) * part.size > 0
        assert one.rate_hz in one.firmware.rates_hz
        counts = one.truth.sensors["acc"]
        assert counts.produced >= counts.sent + counts.damaged + counts.unsent

    story()
