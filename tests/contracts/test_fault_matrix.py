"""Every fault with every product over bleak's own BlueZ backend: what is expected is in fault_table.py."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coach.analysis.integrity import DEFAULT_PARAMS, Integrity, IntegrityState, add_integrity, integrity
from devices.sim.products import PRODUCTS
from devices.types import Chunk
from tests.contracts.fault_story import CYCLE, SPEED, Cell, run
from tests.contracts.fault_table import FAULTS, Fault, Outcome, rendered

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bleak's BlueZ backend exists on Linux only")

# The mark of the links, for one of each product at once. More wearables that return together are connected one at a
# time, each in well under a quarter second; a machine that does other things beside this needs some more.
RETURN_S, EACH_S, SLACK_S = 3.0, 0.25, 1.0
# Faults that are looked at together; those that keep the radio busy have a run of their own.
_RUNS = (
    ("link lost", "out of reach", "connected and silent", "clock restart"),
    ("refused connects", "held elsewhere, hidden", "held elsewhere, refusing", "pairing needed", "pairing refused"),
    ("never sends though connected", "frames delayed", "device clock 200 ppm fast", "time stamp wraps", "low battery"),
    ("frames cut short", "frames corrupted", "frames of somebody else", "frames doubled", "frames out of order"),
    ("slow connect", "knocks beyond full scale", "strap comes loose"),
    ("Bluetooth service dies",),
    ("Bluetooth switched off",),
)
# At full figure each fault is alone, with all products.
RUNS = tuple((fault.name,) for fault in FAULTS) if os.environ.get("PROOF") else _RUNS
# The first line of a text stream may be the end of one that was cut; it is not used.
UNHEARD = {"nordic-uart": 1}
CELLS = [
    pytest.param(fault, product, id=f"{fault.name}-{product}")
    for names in RUNS
    for fault in FAULTS
    if fault.name in names
    for product in PRODUCTS
]


@cache
def story(names: tuple[str, ...]) -> dict[tuple[str, str], Cell]:
    return run([fault for fault in FAULTS if fault.name in names])


def run_of(fault: Fault) -> tuple[str, ...]:
    return next(names for names in RUNS if fault.name in names)


def cell_of(fault: Fault, product: str) -> Cell:
    return story(run_of(fault))[fault.name, product]


def integrity_of(chunks: list[Chunk]) -> Integrity:
    """Return the integrity of a whole recording, as the analysis reckons it chunk by chunk."""
    state, end = IntegrityState(), 0
    for chunk in chunks:
        pause = np.full((chunk.start_index - end, 3), np.nan)
        state = add_integrity(DEFAULT_PARAMS, state, chunk.rate_hz, pause, pause, np.zeros(len(pause), dtype=np.bool_))
        there = np.isfinite(chunk.acc_mps2[:, 0])
        state = add_integrity(
            DEFAULT_PARAMS, state, chunk.rate_hz, chunk.acc_mps2, chunk.gyr_radps, there, chunk.reception
        )
        end = chunk.start_index + len(chunk)
    return integrity(state)


def test_every_fault_is_run_once() -> None:
    assert sorted(name for names in RUNS for name in names) == sorted(fault.name for fault in FAULTS)


@pytest.mark.proof
@pytest.mark.parametrize(("fault", "product"), CELLS)
def test_what_is_shown_and_how_soon_it_is_back(fault: Fault, product: str) -> None:
    cell = cell_of(fault, product)
    assert cell.gave_up == ""
    if fault.distorts and product in fault.exempt:
        return
    told = [status for status in cell.statuses() if fault.says and re.search(fault.says, status.problem or "")]
    if fault.says:
        assert told, "the sentence was never shown"
        assert fault.state is None or any(status.state is fault.state for status in told)
        assert all((status.problem or "").endswith(".") and "\n" not in (status.problem or "") for status in told)
    else:
        assert all(status.problem is None for status in cell.statuses())
    assert cell.losses == fault.losses
    if fault.losses:
        # A gap is shown at once: the first that is told of the loss says since when nothing comes.
        first = next(status for status in cell.statuses() if status.problem or status.silent_since_utc_s)
        assert first.silent_since_utc_s is not None
    if fault.outcome is not Outcome.RECORDED:
        crowd = len(story(run_of(fault))) - len(PRODUCTS)
        assert cell.returned_s - cell.ended_s <= RETURN_S + EACH_S * crowd + SLACK_S


@pytest.mark.proof
@pytest.mark.parametrize(("fault", "product"), CELLS)
def test_the_recording_holds_what_was_sent_and_tells_what_befell_it(fault: Fault, product: str) -> None:
    cell = cell_of(fault, product)
    truth, status, whole = cell.wearable.truth, cell.link.status(), integrity_of(cell.chunks)
    if product in fault.exempt:
        assert 0 < whole.received <= truth.sensors["acc"].sent
        return
    acc, heart = truth.sensors["acc"], truth.sensors["heart"]
    frame = -(-acc.sent // max(truth.frames_sent, 1))
    # Without a clock in its frames nobody can tell a copy from a sample.
    copies = 0 if cell.has_clock else acc.duplicated
    expected = acc.sent + copies - UNHEARD.get(product, 0) * cell.sessions
    assert whole.received == expected
    assert status.bad_packets == truth.frames_damaged + truth.frames_foreign
    if heart.sent and "heart" in cell.profile.sensors:
        assert len(cell.beats) == heart.sent + heart.duplicated
    if fault.name == "knocks beyond full scale":
        assert not whole.limits_known or whole.acc_clipped_share == pytest.approx(acc.clipped / acc.sent)
    if not copies and not fault.distorts and whole.received == acc.sent:
        sent = np.sort(truth.numbers_sent) if cell.has_clock else truth.numbers_sent
        assert cell.numbers().tolist() == (sent % CYCLE).tolist()
    if fault.name == "low battery":
        assert status.battery_share is None or status.battery_share <= 0.1
    if not acc.sent:
        return
    span = int(truth.numbers_sent.max() - truth.numbers_sent.min()) + 1
    a_tenth = round(0.1 * SPEED * whole.rate_hz)
    if cell.has_clock:
        assert whole.duplicates == acc.duplicated
        assert whole.restarts == (fault.name == "clock restart")
        # A clock that began anew is tied to UTC by its first notification, which is late by the radio.
        late = a_tenth if fault.name == "clock restart" else 0
        unsure = late + UNHEARD.get(product, 0) + (fault.losses > 0)
        assert whole.lost == pytest.approx(span - expected, abs=unsure)
    elif fault.losses:
        assert whole.lost == pytest.approx(span - expected, abs=max(frame, a_tenth))


def test_the_documentation_shows_the_table() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "links.md").read_text(encoding="utf-8")
    shown = page.split("test_fault_matrix.py -->\n")[1].split("<!-- end -->")[0]
    assert shown == rendered()


@pytest.mark.proof
def test_figures(figure: Callable[[str, object, str], None]) -> None:
    cells = [cell_of(*one.values) for one in CELLS]  # type: ignore[arg-type]
    assert all(cell.gave_up == "" for cell in cells), "the figures would be of cells that never came to an end"
    back_s = [cell.returned_s - cell.ended_s for cell in cells if cell.fault.outcome is Outcome.RECOVERS]
    figure("cells, fault by product", len(cells), "")
    figure("longest way back", round(max(back_s), 2), "s after the fault's end")
