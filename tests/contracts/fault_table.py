"""What is expected of a link for each fault: data, read by test_fault_matrix.py and shown in docs/links.md.

Every fault is a switch of the simulated wearable, or of the simulated Bluetooth service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from devices.sim.bus import SimBus
from devices.sim.reach import Elsewhere, Pairing
from devices.sim.wearable import SimWearable
from devices.types import LinkState


class Outcome(StrEnum):
    """What becomes of a recording with the fault in it."""

    RECOVERS = "recovers by itself"
    PERSON = "needs the person"
    RECORDED = "recorded as it is"


Switch = Callable[[SimWearable], None]


def _nothing(_: SimWearable) -> None:
    """Leave everything as it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. says: a regular expression for the sentence shown while it lasts, "" for none; sentence: for the docs.

    before: thrown before the first connect; during: while the stream runs; after: what ends it. state: shown while it
    lasts. losses: links lost by it. together: it befalls all wearables at once and ends when all have told.
    apart: it ends only when the link has let go, because a goodbye listens to nothing any more.
    distorts: values are not the motion's any more. service: befalls the machine's Bluetooth, not a wearable.
    recording: what the recording tells afterwards. exempt: product -> why this is not so there.
    """

    name: str
    outcome: Outcome
    recording: str
    says: str = ""
    sentence: str = ""
    state: LinkState | None = None
    losses: int = 0
    together: bool = False
    apart: bool = False
    distorts: bool = False
    service: Callable[[SimBus, bool], None] | None = None
    before: Switch = _nothing
    during: Switch = _nothing
    after: Switch = _nothing
    exempt: dict[str, str] = field(default_factory=dict)

    @property
    def interrupts(self) -> bool:
        """Tell whether it ends a stream that runs."""
        return self.losses > 0

    @property
    def prevents(self) -> bool:
        """Tell whether it keeps a stream from beginning."""
        return bool(self.says) and not self.interrupts


def _lose(one: SimWearable) -> None:
    one.stop_advertising()
    one.drop_link()


def _refuse(one: SimWearable) -> None:
    one.refuse_connects(2)
    one.drop_link()


def _slow(one: SimWearable) -> None:
    one.slow_connect(60.0)
    one.drop_link()


def _want_pairing(state: Pairing) -> Switch:
    def switch(one: SimWearable) -> None:
        one.want_pairing(state)
        one.drop_link()

    return switch


_GAP = "a gap of the true length (to 0.1 s where the product has no clock)"
_TEXT = {"nordic-uart": "its stream is text: what is cut or added spoils the line behind it as well"}
# A Polar Verity Sense packs two seconds and more into a frame.
_LONG_FRAMES = dict.fromkeys(
    ("polar-verity-sense", "polar-verity-sense-mg"),
    "its frames hold seconds: one that was overtaken looks like a clock that began anew",
)

LINK_FAULTS: tuple[Fault, ...] = (
    Fault(
        "link lost",
        Outcome.RECOVERS,
        _GAP,
        says="was lost; it is searched again",
        sentence="The link to … was lost; it is searched again.",
        state=LinkState.SCANNING,
        losses=1,
        during=_lose,
        after=lambda one: one.start_advertising(),
    ),
    Fault(
        "out of reach",
        Outcome.RECOVERS,
        _GAP,
        says="was lost; it is searched again|fell silent",
        sentence="The link to … was lost; it is searched again.",
        state=LinkState.SCANNING,
        losses=1,
        during=lambda one: one.leave_reach(supervision_s=2.0),
        after=lambda one: one.come_back(),
    ),
    Fault(
        "connected and silent",
        Outcome.RECOVERS,
        _GAP,
        says="fell silent",
        sentence="… fell silent for 2 s; the link is made anew.",
        losses=1,
        apart=True,
        during=lambda one: one.go_silent(True),
        after=lambda one: one.go_silent(False),
    ),
    Fault(
        "never sends though connected",
        Outcome.PERSON,
        "nothing until it sends",
        says="is connected but sends nothing",
        sentence="… is connected but sends nothing: switch it off and on again.",
        state=LinkState.BLOCKED,
        before=lambda one: one.go_silent(True),
        after=lambda one: one.go_silent(False),
    ),
    Fault(
        "refused connects",
        Outcome.RECOVERS,
        _GAP,
        says="could not be reached while connecting",
        sentence="… could not be reached while connecting (…); close other apps that use it.",
        state=LinkState.WAITING,
        losses=1,
        during=_refuse,
    ),
    Fault(
        "slow connect",
        Outcome.RECOVERS,
        _GAP,
        says="did not answer in time while connecting",
        sentence="… did not answer in time while connecting; bring it closer.",
        state=LinkState.WAITING,
        losses=1,
        together=True,
        during=_slow,
        after=lambda one: one.slow_connect(0.0),
    ),
    Fault(
        "held elsewhere, hidden",
        Outcome.PERSON,
        _GAP,
        says="was not heard within .*close other apps",
        sentence="Wearable … was not heard within 10 s: switch it on, bring it closer, and close other apps that use "
        "it.",
        state=LinkState.SCANNING,
        losses=1,
        during=lambda one: one.bond_elsewhere(Elsewhere.HIDDEN),
        after=lambda one: one.bond_elsewhere(Elsewhere.NO),
    ),
    Fault(
        "held elsewhere, refusing",
        Outcome.PERSON,
        _GAP,
        says="is heard but lets nobody connect: close other apps",
        sentence="… is heard but lets nobody connect: close other apps that use it, also on other phones and "
        "computers, or switch it off and on again.",
        state=LinkState.BLOCKED,
        losses=1,
        during=lambda one: one.bond_elsewhere(Elsewhere.REFUSING),
        after=lambda one: one.bond_elsewhere(Elsewhere.NO),
    ),
    Fault(
        "pairing needed",
        Outcome.RECOVERS,
        _GAP,
        says="was lost",
        sentence="nothing but the loss: it is paired once, without a question",
        losses=1,
        during=_want_pairing(Pairing.NEEDED),
    ),
    Fault(
        "pairing refused",
        Outcome.PERSON,
        _GAP,
        says="refused to be paired .*: put it into pairing mode",
        sentence="… refused to be paired (…): put it into pairing mode as its manual says, and remove it from the "
        "other phone or computer it belongs to.",
        state=LinkState.BLOCKED,
        losses=1,
        during=_want_pairing(Pairing.REFUSED),
        after=lambda one: one.want_pairing(Pairing.NONE),
    ),
    Fault(
        "clock restart",
        Outcome.RECOVERS,
        "a gap of the true length to 0.1 s, counted as a restart",
        says="was lost",
        sentence="The link to … was lost; it is searched again.",
        losses=1,
        during=lambda one: one.power_cycle(),
    ),
)

FRAME_FAULTS: tuple[Fault, ...] = (
    Fault(
        "frames cut short",
        Outcome.RECORDED,
        "its samples are a gap, the frame is counted as damaged; where the product has no clock, a short gap closes up",
        before=lambda one: one.truncate_every(5),
        exempt=_TEXT,
    ),
    Fault(
        "frames corrupted",
        Outcome.RECORDED,
        "its samples are a gap, the frame is counted as damaged; a wrong value that could be true is told by nobody",
        before=lambda one: one.corrupt_every(5),
        exempt=_TEXT,
    ),
    Fault(
        "frames of somebody else",
        Outcome.RECORDED,
        "counted as damaged, no sample is lost",
        before=lambda one: one.foreign_every(5),
        exempt=_TEXT,
    ),
    Fault(
        "frames doubled",
        Outcome.RECORDED,
        "each sample once, the copies counted; where the product has no clock, a copy is a sample",
        before=lambda one: one.duplicate_every(5),
    ),
    Fault(
        "frames out of order",
        Outcome.RECORDED,
        "each sample in its place; where the product has no clock, in the order of arrival",
        before=lambda one: one.reorder_every(5),
        exempt=_TEXT | _LONG_FRAMES,
    ),
    Fault(
        "frames delayed",
        Outcome.RECORDED,
        "nothing is lost; where the product has no clock, times are late by the delay",
        before=lambda one: one.delay_frames(1.0),
    ),
    Fault(
        "device clock 200 ppm fast",
        Outcome.RECORDED,
        "nothing is lost; the drift is told within a minute",
        before=lambda one: one.drift(200.0),
    ),
    Fault(
        "time stamp wraps",
        Outcome.RECORDED,
        "nothing is seen of it",
        before=lambda one: one.near_wrap(5.0),
    ),
    Fault(
        "low battery",
        Outcome.RECORDED,
        "the charge is shown from the connect on",
        before=lambda one: one.set_battery(0.04),
    ),
    Fault(
        "knocks beyond full scale",
        Outcome.RECORDED,
        "values at full scale are counted as clipped where the product tells its full scale",
        distorts=True,
        before=lambda one: one.knock_every(1.0),
    ),
    Fault(
        "strap comes loose",
        Outcome.RECORDED,
        "values of no body, which nobody can tell at once; lying still and turned is told after minutes (integrity.md)",
        distorts=True,
        before=lambda one: one.loosen(True),
        exempt={"polar-h10": "it ends the link about 45 s after it has left the skin, which is a link lost"},
    ),
)


def _dies(bus: SimBus, begins: bool) -> None:
    if begins:
        bus.die()
    else:
        bus.revive()


_NO_BLUETOOTH = (
    "This machine has no usable Bluetooth (…): plug in an adapter and start the Bluetooth service, or run `backstop "
    "simulate` and start Backstop with the line that it prints."
)
SERVICE_FAULTS: tuple[Fault, ...] = (
    Fault(
        "Bluetooth service dies",
        Outcome.RECOVERS,
        _GAP,
        says="This machine has no usable Bluetooth",
        sentence=_NO_BLUETOOTH,
        state=LinkState.BLOCKED,
        losses=1,
        together=True,
        service=_dies,
    ),
    Fault(
        "Bluetooth switched off",
        Outcome.PERSON,
        _GAP,
        says="This machine has no usable Bluetooth",
        sentence=_NO_BLUETOOTH,
        state=LinkState.BLOCKED,
        losses=1,
        together=True,
        service=lambda bus, begins: bus.power(not begins),
    ),
)
FAULTS: tuple[Fault, ...] = (*LINK_FAULTS, *SERVICE_FAULTS, *FRAME_FAULTS)


def rendered() -> str:
    """Return the table as docs/links.md shows it."""
    lines = ["| fault | expected | shown while it lasts | recorded | but |", "|---|---|---|---|---|"]
    for fault in FAULTS:
        shown = f"{fault.state.value}: {fault.sentence}" if fault.state else fault.sentence
        reasons: dict[str, list[str]] = {}
        for product, reason in fault.exempt.items():
            reasons.setdefault(reason, []).append(product)
        but = "; ".join(f"{', '.join(products)}: {reason}" for reason, products in reasons.items())
        lines.append(f"| {fault.name} | {fault.outcome} | {shown} | {fault.recording} | {but} |")
    return "\n".join(lines) + "\n"
