"""Variants of products that nobody sells apart, over bleak's own BlueZ backend: they lose nothing either.

A board of old firmware that sends single samples, a Movesense with the sample app, a WitMotion whose module cuts its
stream anywhere. The products themselves are in the table of faults.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest

from devices.sim.metamotion import MetaMotion
from devices.sim.movesense import Movesense
from devices.sim.products import PRODUCTS
from devices.sim.witmotion import WitMotionCut
from tests.contracts import fault_story
from tests.contracts.fault_table import LINK_FAULTS

VARIANTS = {
    "metamotion-unpacked": partial(MetaMotion, revision=0),
    "movesense-sample-app": partial(Movesense, modern=False),
    "witmotion-cut": WitMotionCut,
}


@pytest.mark.skipif(sys.platform != "linux", reason="bleak's BlueZ backend exists on Linux only")
def test_variants_come_back_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, make in VARIANTS.items():
        monkeypatch.setitem(PRODUCTS, name, make)
    monkeypatch.setattr(fault_story, "PRODUCTS", VARIANTS)
    cells = fault_story.run([fault for fault in LINK_FAULTS if fault.name in ("link lost", "clock restart")])
    assert len(cells) == 2 * len(VARIANTS)
    for name, cell in cells.items():
        assert (cell.gave_up, cell.losses) == ("", 1), name
        truth = cell.wearable.truth
        assert truth.sensors["acc"].sent > 100, name
        np.testing.assert_array_equal(cell.numbers(), truth.numbers_sent % fault_story.CYCLE, err_msg=str(name))
        assert cell.link.status().bad_packets == 0, name
