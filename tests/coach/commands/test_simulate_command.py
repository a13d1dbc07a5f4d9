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
        (["--fault", "drop_link@soon"], "soon"),
        (["--fault", "drop_link:3@3"], "no argument"),
        (["--fault", "slow_connect@3"], "needs an argument"),
        (["--fault", "truncate_every:-1@3"], "-1"),
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
    with pytest.raises(InvalidInput):
        simulate.parse_fault("go_silent:nan@1")


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("movella-dot", "lifting", "desk", "idle", "bows", *simulate.FAULTS))


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
