"""The simulated products: one line each. A factory takes the address and a rate (None: the product's own choice)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from devices.errors import Refused
from devices.sim.firmware import Firmware
from devices.sim.maker_products import SimBangleJs, SimBoard, SimInfiniTime, SimMicroBit, SimThingy52
from devices.sim.metamotion import MetaMotion, MetaMotionR
from devices.sim.movella_dot import MovellaDot
from devices.sim.movesense import Movesense
from devices.sim.polar import H10, OH1, VERITY_SENSE, VERITY_SENSE_MG, Polar
from devices.sim.standard_products import HeartRateStrap, RunningPod
from devices.sim.witmotion import WitMotion

PRODUCTS: dict[str, Callable[[str, float | None], Firmware]] = {
    "movella-dot": MovellaDot,
    "polar-h10": partial(Polar, H10),
    "polar-verity-sense": partial(Polar, VERITY_SENSE),
    # Another generation of its firmware, which sends in other units.
    "polar-verity-sense-mg": partial(Polar, VERITY_SENSE_MG),
    "polar-oh1": partial(Polar, OH1),
    # With BMI270; the R has a BMI160, whose registers differ.
    "metamotion": MetaMotion,
    "metamotion-r": MetaMotionR,
    "movesense": Movesense,
    "witmotion": WitMotion,
    "heart-rate": HeartRateStrap,
    "running-speed": RunningPod,
    "thingy52": SimThingy52,
    "infinitime": SimInfiniTime,
    "microbit": SimMicroBit,
    "bangle-js": SimBangleJs,
    "nordic-uart": SimBoard,
}


def make_firmware(product: str, address: str, rate_hz: float | None = None) -> Firmware:
    """Return the firmware of a product. Raises Refused, naming what exists, for a product or a rate that does not."""
    if product not in PRODUCTS:
        raise Refused(f"No simulated product is called {product!r}; there is {', '.join(sorted(PRODUCTS))}.")
    return PRODUCTS[product](address, rate_hz)
