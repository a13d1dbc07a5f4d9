"""`backstop simulate`: wrong input is one sentence; right input is a bus that can be found and goes away again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from coach.commands import simulate
from coach.errors import CoachError, InvalidInput
from devices.errors import DeviceError
from devices.sim.motions import MOTIONS
from devices.sim.products import PRODUCTS
from devices.sim.wearable import SimWearable
from tests.devices.sim.stepped import SteppedClock

linux = pytest.mark.skipif(sys.platform != "linux", reason="the simulated Bluetooth daemon needs Linux")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    simulate.register(parser.add_subparsers())
    args = parser.parse_args(["simulate", *words])
    return int(args.handler(args))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "two.npz"
    still = np.tile([0.0, 9.81, 0.0], (250, 1))
    np.savez(path, fs=25.0, chest_acc=still, chest_gyr=0 * still, hip_acc=still, hip_gyr=0 * still)
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--product", "toaster"], "movella-dot"),
        (["--product", "polar-h10", "--product", "toaster"], "movella-dot"),
        (["--product", "polar-h10", "--product", "witmotion", "--count", "1"], "--count 1"),
        (["--motion", "strong-arm", "--motion", "weak-arms"], "weak-arm"),
        (["--product", "polar-h10", "--product", "movella-dot", "--rate-hz", "25"], "1, 4, 10, 12, 15, 20, 30, 60"),
        (["--motion", "flying"], "lifting, desk"),
        (["--rate-hz", "25"], "1, 4, 10, 12, 15, 20, 30, 60"),
        (["--rate-hz", "120"], "1, 4, 10, 12, 15, 20, 30, 60"),
        (["--count", "0"], "--count"),
        (["--speed", "nan"], "--speed"),
        (["--speed", "-3"], "--speed"),
        (["--battery", "87"], "--battery"),
        (["--duration-s", "0"], "--duration-s"),
        (["--place", "chest"], "recording"),
        (["--fault", "melt@3"], "drop_link"),
        (["--fault", "drop_link"], "NAME"),
        (["--fault", "drop_lnk@3"], "drop_link"),
        (["--fault", "drift:fast@3"], "fast"),
        (["--fault", "drift@3"], "drift:PPM@3"),
        (["--fault", "loosen:2@3"], "0 to 1"),
        (["--fault", "drop_link@soon"], "soon"),
        (["--fault", "drop_link:3@3"], "no argument"),
        (["--fault", "slow_connect@3"], "needs an argument"),
        (["--fault", "truncate_every:-1@3"], "-1"),
        (["--fault", "truncate_every:0@3"], "from 1 to"),
        (["--fault", "foreign_every:0@3"], "from 1 to"),
        (["--fault", "reorder_every:1.5@3"], "whole"),
        (["--fault", "battery:87@3"], "0 to 1"),
        (["nowhere.npz"], "nowhere.npz"),
        (["nowhere.npz", "--motion", "desk"], "not both"),
    ],
)
def test_wrong_input_is_one_sentence(words: list[str], told: str) -> None:
    with pytest.raises((CoachError, DeviceError), match=re.escape(told)) as caught:
        run(*words, "--duration-s", "0.01") if "--duration-s" not in words else run(*words)
    assert "\n" not in str(caught.value)


@linux
@pytest.mark.parametrize(
    ("words", "told"),
    [([], "name one with --place"), (["--place", "foot"], "'foot'"), (["--repeat-to-s", "-5"], "--repeat-to-s")],
)
def test_a_recording_needs_a_place_that_it_has(recording: Path, words: list[str], told: str) -> None:
    with pytest.raises((CoachError, DeviceError), match=re.escape(told)):
        run(str(recording), *words)


def test_faults_are_read() -> None:
    assert simulate.parse_fault("drop_link@12.5") == simulate.PlannedFault(12.5, "drop_link", 0.0)
    assert simulate.parse_fault("slow_connect:2@0").argument == 2.0
    assert simulate.parse_fault("go_silent@1").argument == 1.0
    assert simulate.parse_fault("drift:-150@1").argument == -150.0
    with pytest.raises(InvalidInput):
        simulate.parse_fault("go_silent:nan@1")


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (*PRODUCTS, *MOTIONS, *simulate.FAULTS))
    assert all(len(line) <= 80 for line in shown.splitlines())
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  ") and line[2] != " "}
    assert " * " in rows["movella-dot"], "two captured notifications prove nothing"
    assert " * " not in rows["polar-h10"]
    assert "25, 50, 100, 200 Hz" in rows["polar-h10"]


def test_every_fault_can_be_thrown_at_every_product() -> None:
    clock = SteppedClock()
    for product in PRODUCTS:
        wearable = SimWearable(motion=MOTIONS["desk"](1), clock=clock, product=product)
        for fault in simulate.FAULTS.values():
            if fault.on_wearable is not None:
                takes = fault.argument
                fault.on_wearable(wearable, 0.0 if takes is None else takes.high if takes.default is None else 1.0)
                clock.now_s += 0.1
                wearable.take(100)
        assert fault.on_service is not None, "the last ones are this machine's"


@linux
def test_products_are_mixed_and_the_service_can_die(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--product", "polar-h10", "--product", "witmotion", "--count", "3", "--duration-s", "0.4"]
    assert run(*words, "--fault", "service_dies@0.1", "--fault", "service_returns@0.2", "--fault", "battery:0@0.2") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(" C0:")[0] for line in shown[1:4]] == ["Polar H10 EE000001", "WT901BLE67", "Polar H10 EE000003"]
    assert "Now: service_dies (the Bluetooth service dies without a word)." in shown
    assert shown[-1].startswith("0 of 3 connected")


@linux
def test_it_runs_for_its_time_and_cleans_up(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(str(recording), "--place", "chest", "--duration-s", "0.3", "--speed", "20", "--fault", "drop_link@1") == 0
    )
    shown = capsys.readouterr().out
    line = shown.splitlines()[0]
    found = re.fullmatch(
        r"DBUS_SYSTEM_BUS_ADDRESS=unix:path=(\S+) BACKSTOP_SHARED_CLOCK=([\d.]+):20:([\d.]+) "
        r"backstop run --no-simulate",
        line,
    )
    assert found, line
    assert not Path(found[1]).parent.exists()
    # Ten seconds of recording that end about now.
    assert abs(float(found[2]) + 10 - time.time()) < 5
    assert abs(float(found[3]) - time.monotonic()) < 5
    assert "30 Hz" in shown
    assert "Now: drop_link" in shown


@linux
def test_another_process_finds_two_and_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from bleak import BleakScanner

    program = (
        "import argparse; from coach.commands import simulate; p = argparse.ArgumentParser();"
        "simulate.register(p.add_subparsers()); a = p.parse_args(['simulate', '--count', '2']);"
        "raise SystemExit(a.handler(a))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            address = child.stdout.readline().split()[0].partition("=")[2]
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            seen = asyncio.run(BleakScanner.discover(timeout=0.4))
            assert sorted(device.address for device in seen) == ["C0:FF:EE:00:00:01", "C0:FF:EE:00:00:02"]
            child.send_signal(2)
            assert child.wait(10) == 0
            assert not Path(address.removeprefix("unix:path=")).parent.exists()
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
