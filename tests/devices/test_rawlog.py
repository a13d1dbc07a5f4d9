"""A raw recording: every step with its bytes, nobody's identity, and good enough to become a test."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest

from devices.errors import UnknownFormat
from devices.hostclock import SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.profiles import movella_dot_uuids as dot
from devices.profiles import sig_uuids as sig
from devices.profiles.movella_dot_payloads import MODES, PayloadDecoder
from devices.rawlog import RawLog, read_raw_log
from devices.sim.backend import sim_radio
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable

ADDRESS = "C0:FF:EE:00:00:01"


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "It did not come to pass."
        time.sleep(0.01)


def recorded(redacted: bool) -> tuple[str, int]:
    """Record a simulated DOT raw and return the file's text and the number of samples the link received."""
    one = SimWearable(address=ADDRESS, motion=MOTIONS["idle"](1), clock=SystemClock())
    out = io.StringIO()
    log = RawLog(out, ADDRESS, one.name, redacted)
    log.tell(family="movella-dot", asked_rate_hz="30")
    with BleHub() as hub:
        request = LinkRequest(ADDRESS, "movella-dot", 30.0, "raw", radio=sim_radio([one]), tap=log.note)
        link = hub.open(request, lambda chunk: None)
        until(lambda: link.status().samples_received > 10)
        link.close()
        received = link.status().samples_received
    return out.getvalue(), received


def test_a_recording_holds_every_step_and_can_be_decoded_again() -> None:
    text, received = recorded(redacted=True)
    entries = read_raw_log(io.StringIO(text))
    steps = [(entry.kind, entry.uuid[4:8], entry.data.hex()) for entry in entries if "1517" in entry.uuid[:4]]
    started = [step for step in steps if step[0] in "WS"]
    assert [(kind, short) for kind, short, _ in started] == [("W", "1002"), ("S", "2003"), ("W", "2001"), ("W", "2001")]
    assert (started[2][2], started[3][2]) == ("010115", "010015")
    frames = [entry.data for entry in entries if entry.kind == "N"]
    decoded = PayloadDecoder(MODES[21]).decode_many(frames)
    assert decoded.bad == ()
    assert len(decoded.block.ticks) == received
    at_s = [entry.at_s for entry in entries]
    assert at_s == sorted(at_s)
    assert at_s[0] == 0
    assert "# family: movella-dot\n# asked rate hz: 30\n" in text


def test_nobody_can_be_told_from_it_unless_the_owner_wants() -> None:
    own = bytes.fromhex(ADDRESS.replace(":", ""))
    shown, _ = recorded(redacted=True)
    for secret in (own.hex(), own[::-1].hex(), own.hex().upper().encode().hex(), b"Movella DOT".hex()):
        assert secret not in shown
    assert ADDRESS not in shown
    whole, _ = recorded(redacted=False)
    assert own[::-1].hex() in whole
    values = {entry.uuid: entry.data for entry in read_raw_log(io.StringIO(whole)) if entry.kind == "R"}
    hidden = {entry.uuid: entry.data for entry in read_raw_log(io.StringIO(shown)) if entry.kind == "R"}
    assert values.keys() == hidden.keys()
    assert all(len(values[uuid]) == len(hidden[uuid]) for uuid in values)
    assert hidden[sig.SERIAL_NUMBER] == bytes(len(values[sig.SERIAL_NUMBER]))
    assert hidden[dot.DEVICE_INFO][6:20] == values[dot.DEVICE_INFO][6:20]
    assert hidden[sig.FIRMWARE_REVISION] == values[sig.FIRMWARE_REVISION]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no raw log"),
        ("something else\n", "no raw log"),
        ("# Backstop raw log 1\n0.0 N\n", "Line 2"),
        ("# Backstop raw log 1\n\n0.0 N u zz\n", "Line 3"),
        ("# Backstop raw log 1\n0.0 X u 00\n", "unknown kind 'X'"),
    ],
)
def test_what_is_no_raw_log_is_said(text: str, says: str) -> None:
    with pytest.raises(UnknownFormat, match=says):
        read_raw_log(io.StringIO(text))
