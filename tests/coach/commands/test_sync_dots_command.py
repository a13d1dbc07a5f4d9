"""`backstop sync-dots`: against simulated wearables on bleak's own backend; wrong input is one sentence."""

from __future__ import annotations

import sys

import pytest

from coach.__main__ import main
from devices.hostclock import ScaledClock
from devices.profiles import movella_dot_sync as sync
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable


@pytest.mark.skipif(sys.platform != "linux", reason="the simulated Bluetooth daemon needs Linux")
def test_two_sensors_agree(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from devices.sim.bus import SimBus

    clock = ScaledClock.starting_now(1_800_000_000.0, 10.0)
    monkeypatch.setattr(sync, "WAIT_S", sync.WAIT_S / 10)
    ones = [
        SimWearable(motion=MOTIONS["idle"](n), clock=clock, address=f"C0:FF:EE:00:06:{n:02X}", uptime_s=900.0 * n)
        for n in (1, 2)
    ]
    with SimBus(ones).running():
        assert main(["sync-dots", *(one.address.lower() for one in ones)]) == 0
    assert f"share the time of {ones[0].address}" in capsys.readouterr().out
    assert all(one.firmware.follows == ones[0].address for one in ones)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["C0:FF:EE:00:06:01"], "Name two to 5 different sensors; 1 were named"),
        (["C0:FF:EE:00:06:01", "c0:ff:ee:00:06:01"], "1 were named"),
        ([f"C0:FF:EE:00:06:0{n}" for n in range(6)], "6 were named"),
        (["C0:FF:EE:00:06:01", "C0:FF:EE:00:06:02", "--rate-hz", "61"], "choose one of"),
    ],
)
def test_wrong_input_is_one_sentence(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync-dots", *words]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
