"""`backstop record-raw`: against simulated wearables, as an owner would type it; wrong input is one sentence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach.commands import record_raw
from coach.errors import InvalidInput
from devices.errors import Refused
from devices.hostclock import SystemClock
from devices.rawlog import read_raw_log
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulated Bluetooth daemon needs Linux")

DOT, STRAP = "C0:FF:EE:00:00:01", "C0:FF:EE:00:00:02"


@pytest.fixture
def in_reach(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from devices.sim.bus import SimBus

    monkeypatch.setattr(record_raw, "_SCAN_S", 0.5)
    wearables = [
        SimWearable(motion=MOTIONS["idle"](1), clock=SystemClock(), product=product, address=address)
        for product, address in (("movella-dot", DOT), ("polar-h10", STRAP))
    ]
    with SimBus(wearables).running():
        yield


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    record_raw.register(parser.add_subparsers())
    args = parser.parse_args(["record-raw", *words])
    return int(args.handler(args))


@pytest.mark.usefixtures("in_reach")
def test_what_a_wearable_sends_is_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dot.txt"
    assert run(str(path), "--family", "movella-dot", "--seconds", "1") == 0
    text = path.read_text(encoding="utf-8")
    entries = read_raw_log(text.splitlines())
    notified = [entry for entry in entries if entry.kind == "N"]
    assert len(notified) >= 40
    assert {len(entry.data) for entry in notified} == {40}
    assert "# family: movella-dot\n" in text
    assert "# rate: 60 Hz\n" in text
    assert "# bad packets: 0\n" in text
    own = DOT.replace(":", "").lower()
    assert own not in text.lower().replace(":", "")
    told = capsys.readouterr().out
    assert f"{len(notified)} notifications of a Movella DOT" in told
    assert "unproven on hardware" in told


@pytest.mark.usefixtures("in_reach")
def test_one_is_chosen_by_its_address(tmp_path: Path) -> None:
    path = tmp_path / "strap.txt"
    assert run(str(path), "--address", STRAP.lower(), "--seconds", "1", "--rate-hz", "100", "--with-names") == 0
    text = path.read_text(encoding="utf-8")
    assert "# family: polar-h10\n# asked rate hz: 100\n" in text
    assert "# serial number: " in text


@pytest.mark.usefixtures("in_reach")
def test_wrong_input_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "raw.txt"
    with pytest.raises(InvalidInput, match="give a number from 1"):
        run(str(path), "--seconds", "0")
    with pytest.raises(Refused, match="Backstop knows"):
        run(str(path), "--family", "toaster")
    with pytest.raises(InvalidInput, match=r"No such wearable was heard; in reach: .*movella-dot"):
        run(str(path), "--address", "C0:FF:EE:00:00:09")
    with pytest.raises(Refused, match="does not stream at 0 Hz"):
        run(str(path), "--family", "polar-h10", "--rate-hz", "0")
    assert not path.exists()
    with pytest.raises(InvalidInput, match="there is no folder"):
        run(str(tmp_path / "none" / "raw.txt"))
    path.write_text("", encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be written"):
        run(str(path))
