"""Every fault by name: what it does to a wearable or to this machine's Bluetooth, and what argument it takes.

The same switches are methods of SimWearable and SimBus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devices.sim.bus import SimBus
from devices.sim.reach import Elsewhere, Pairing
from devices.sim.wearable import SimWearable


@dataclass(frozen=True, slots=True)
class Argument:
    """What a fault takes.

    word: how it is called in the list. default: taken when none is given; None: it needs one. whole: no fractions.
    """

    word: str
    low: float
    high: float
    default: float | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Exactly one of the two acts is there: on one wearable, or on this machine's Bluetooth."""

    meaning: str
    on_wearable: Callable[[SimWearable, float], None] | None = None
    on_service: Callable[[SimBus], None] | None = None
    argument: Argument | None = None


def _wearable(meaning: str, act: Callable[[SimWearable, float], None], argument: Argument | None = None) -> Fault:
    return Fault(meaning, on_wearable=act, argument=argument)


# Long enough for every use, short enough to catch a slip of the finger.
_EVERY = Argument("K", 1, 1e6, whole=True)
_SECONDS = Argument("S", 0, 86400)
_SWITCH = Argument("0/1", 0, 1, 1.0, whole=True)

FAULTS: dict[str, Fault] = {
    # The link
    "drop_link": _wearable("lose the link; it can be made again at once", lambda one, _: one.drop_link()),
    "leave_reach": _wearable(
        "go out of reach; the link is given up S s later (2)",
        lambda one, x: one.leave_reach(x),
        Argument("S", 0, 86400, 2.0),
    ),
    "come_back": _wearable("be in reach again", lambda one, _: one.come_back()),
    "stop_advertising": _wearable("be found by nobody; a link stands", lambda one, _: one.stop_advertising()),
    "start_advertising": _wearable("be found again", lambda one, _: one.start_advertising()),
    "refuse_connects": _wearable(
        "refuse the next N connects (1)",
        lambda one, x: one.refuse_connects(int(x)),
        Argument("N", 0, 1e6, 1.0, whole=True),
    ),
    "slow_connect": _wearable("let connects take S s of real time", lambda one, x: one.slow_connect(x), _SECONDS),
    "held_hidden": _wearable(
        "be held by another central, and not seen", lambda one, _: one.bond_elsewhere(Elsewhere.HIDDEN)
    ),
    "held_refusing": _wearable(
        "be held by another central, seen and refusing", lambda one, _: one.bond_elsewhere(Elsewhere.REFUSING)
    ),
    "released": _wearable("be held by nobody else any more", lambda one, _: one.bond_elsewhere(Elsewhere.NO)),
    "pairing_needed": _wearable("want to be paired first", lambda one, _: one.want_pairing(Pairing.NEEDED)),
    "pairing_refused": _wearable("want it and refuse it", lambda one, _: one.want_pairing(Pairing.REFUSED)),
    "pairing_off": _wearable("want no pairing", lambda one, _: one.want_pairing(Pairing.NONE)),
    "go_silent": _wearable("send nothing though linked; 0 ends it", lambda one, x: one.go_silent(bool(x)), _SWITCH),
    # The frames
    "truncate_every": _wearable("cut every K-th frame short", lambda one, x: one.truncate_every(int(x)), _EVERY),
    "corrupt_every": _wearable("damage every K-th frame", lambda one, x: one.corrupt_every(int(x)), _EVERY),
    "duplicate_every": _wearable("send every K-th frame twice", lambda one, x: one.duplicate_every(int(x)), _EVERY),
    "reorder_every": _wearable("send every K-th after its next", lambda one, x: one.reorder_every(int(x)), _EVERY),
    "foreign_every": _wearable("add a foreign frame to every K-th", lambda one, x: one.foreign_every(int(x)), _EVERY),
    "delay_frames": _wearable("hand every frame over S s late", lambda one, x: one.delay_frames(x), _SECONDS),
    # The device
    "drift": _wearable("run the device's clock so much fast", lambda one, x: one.drift(x), Argument("PPM", -1e4, 1e4)),
    "power_cycle": _wearable("go off and on: its clock begins anew", lambda one, _: one.power_cycle()),
    "near_wrap": _wearable(
        "the same, with a counter that wraps in S s (5)",
        lambda one, x: one.near_wrap(x),
        Argument("S", 0, 86400, 5.0),
    ),
    "battery": _wearable(
        "have this charge; at 0 it goes off", lambda one, x: one.set_battery(x), Argument("SHARE", 0, 1)
    ),
    "knock_every": _wearable("be hit beyond its range every S s", lambda one, x: one.knock_every(x), _SECONDS),
    "loosen": _wearable("swing, fall and lie; 0: be worn again", lambda one, x: one.loosen(bool(x)), _SWITCH),
    # This machine
    "service_dies": Fault("the Bluetooth service dies without a word", on_service=lambda bus: bus.die()),
    "service_returns": Fault("a new one starts", on_service=lambda bus: bus.revive()),
    "adapter_off": Fault("the Bluetooth adapter is switched off", on_service=lambda bus: bus.power(False)),
    "adapter_on": Fault("and on", on_service=lambda bus: bus.power(True)),
}
