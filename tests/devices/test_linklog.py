"""The connection log: what it keeps, and that nobody can be told from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import devices.linklog
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.linklog import LinkEvent, LinkLog
from devices.sim.backend import sim_radio
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable

ADDRESS = "C0:FF:EE:00:00:01"


@pytest.fixture
def hub() -> Iterator[BleHub]:
    with BleHub() as running:
        yield running


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def test_an_entry_is_a_line_with_its_time_and_figures() -> None:
    log = LinkLog("r1", "Movella DOT")
    log.add(1_800_000_000.25, LinkEvent.FOUND, "connected already", rssi_dbm=-60, battery=None)
    assert log.render() == (
        "Backstop connection log, Movella DOT, recording r1\n"
        "2027-01-15T08:00:00.250Z | found | rssi_dbm=-60 | connected already\n"
    )


def test_what_is_tried_in_vain_for_a_day_is_a_few_lines_and_its_end_is_told() -> None:
    log = LinkLog("r1", "Movella DOT")
    for second in range(86_400):
        log.add(second, LinkEvent.SCAN, up_to_s=10.0)
        log.add(second + 0.5, LinkEvent.REFUSED, "no Bluetooth")
    log.add(86_400.0, LinkEvent.FOUND)
    assert len(log.entries) == 200 + 3
    assert log.render().splitlines()[-3:] == [
        "1970-01-01T00:01:40.000Z | scan | up_to_s=10.0 | and 86299 times more until 1970-01-01T23:59:59.000Z",
        "1970-01-01T00:01:40.500Z | refused | no Bluetooth | and 86299 times more until 1970-01-01T23:59:59.500Z",
        "1970-01-02T00:00:00.000Z | found",
    ]


def test_addresses_names_and_numbers_are_taken_out_by_default() -> None:
    log = LinkLog("r1", "Movella DOT")
    log.hide("Anna's strap 1234ABCD", "name")
    log.hide("1234ABCD", "serial number")
    log.hide("", "nothing")
    text = (
        "anna's strap 1234abcd at C0:FF:EE:00:00:01 is /org/bluez/hci0/dev_C0_FF_EE_00_00_01/service0010, "
        "c0-ff-ee-00-00-02 and 6E400001-B5A3-F393-E0A9-E50E24DCCA9E, number 1234abcd."
    )
    log.add(0.0, LinkEvent.FAILED, text)
    shown = log.render()
    for secret in ("anna", "1234", "C0:FF", "C0_FF", "c0-ff", "6E400001"):
        assert secret.lower() not in shown.lower().replace("1970-01-01", "")
    assert "<name> at <address> is /org/bluez/hci0/<address>/service0010" in shown
    assert text in log.render(redacted=False)
    # The next recording's log hides the same.
    following = log.following("r2")
    following.add(0.0, LinkEvent.FAILED, text)
    assert "anna" not in following.render().lower()
    assert "recording r2" in following.render()


def test_it_is_bounded_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.linklog, "_FIRST_MAX", 3)
    monkeypatch.setattr(devices.linklog, "_LAST_MAX", 2)
    log = LinkLog("r1", "Movella DOT")
    for number in range(9):
        log.add(float(number), LinkEvent.LOSS, f"loss {number}")
    lines = log.render().splitlines()
    assert [line.rsplit(" ", 1)[-1] for line in lines[1:4]] == ["0", "1", "2"]
    assert lines[4] == "(4 entries are left out here)"
    assert [line.rsplit(" ", 1)[-1] for line in lines[5:]] == ["7", "8"]
    assert len(log.entries) == 5


def test_a_link_tells_its_story(hub: BleHub) -> None:
    one = SimWearable(address=ADDRESS, motion=MOTIONS["idle"](1), clock=SystemClock())
    one.refuse_connects(1)
    request = LinkRequest(
        ADDRESS, "movella-dot", 60.0, "first", radio=sim_radio([one]), backoff_first_s=0.05, silence_s=0.4
    )
    link = hub.open(request, lambda chunk: None)
    until(lambda: link.status().samples_received > 5)
    one.go_silent(True)
    until(lambda: link.status().losses == 1)
    assert link.status().silent_since_utc_s is not None
    one.go_silent(False)
    until(lambda: link.status().silent_since_utc_s is None)
    link.new_recording("second")
    until(lambda: "battery" in link.log_text(recording_id="first"))
    link.close()
    first, second = link.log_text(recording_id="first"), link.log_text()
    told = [line.split(" | ")[1] for line in first.splitlines()[1:]]
    in_order = ["opened", "scan", "found", "connect", "failed", "scan", "found", "connect", "connected", "battery"]
    in_order += ["subscribed", "first frame", "silence", "loss", "scan", "found"]
    assert told[: len(in_order)] == in_order
    assert "rate=60 Hz" in first
    assert ADDRESS not in first
    assert ADDRESS in link.log_text(redacted=False, recording_id="first")
    assert [line.split(" | ")[1] for line in second.splitlines()[1:]] == ["recording", "closed"]
    assert link.log_text(recording_id="unknown") == ""


def test_silence_is_told_before_the_link_is_given_up_and_a_loss_at_once(hub: BleHub) -> None:
    one = SimWearable(address=ADDRESS, motion=MOTIONS["idle"](1), clock=SystemClock())
    told: list[tuple[str, bool]] = []
    request = LinkRequest(ADDRESS, "movella-dot", 60.0, "rec", radio=sim_radio([one]), silence_s=1.0)
    link = hub.open(
        request,
        lambda chunk: None,
        on_status=lambda status: told.append((status.state.value, status.silent_since_utc_s is not None)),
    )
    until(lambda: link.status().samples_received > 5)
    one.go_silent(True)
    until(lambda: link.status().silent_since_utc_s is not None)
    assert link.status().state.value == "streaming"
    since_utc_s = link.status().silent_since_utc_s
    assert since_utc_s is not None
    assert 0.3 < time.time() - since_utc_s < 0.95
    one.go_silent(False)
    until(lambda: link.status().silent_since_utc_s is None)
    assert link.status().losses == 0
    one.stop_advertising()
    one.drop_link()
    until(lambda: link.status().losses == 1)
    assert told == [
        ("connecting", False),
        ("streaming", False),
        ("streaming", True),
        ("streaming", False),
        ("scanning", True),
    ]
