"""A gateway on the athlete's own machine: paired through the page, the server away for ten minutes of the recording,
the gateway killed twice meanwhile; afterwards the server holds every chunk and every block of heart rate once."""

from __future__ import annotations

import re
import struct
import sys
import time
import urllib.parse
import urllib.request
import zlib
from collections import defaultdict
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from devices.codec import decode_chunk
from devices.heartblock import decode_heart, is_heart
from devices.hostclock import ScaledClock
from devices.sim.bus import SimBus
from devices.sim.motions import MOTIONS
from devices.sim.wearable import SimWearable
from tests.scenarios.house import a_house, wait_for
from tests.scenarios.processes import GatewayProcess, Server, rows

BELT, STRAP = "C0:FF:EE:00:00:51", "C0:FF:EE:00:00:52"
RATE_HZ = 30.0
SPEED = 12.0
STORED = """select s.device_id, s.recording_id, c.seq, c.start_index, c.samples, c.missing, c.blob
    from chunk c join stream s on s.id = c.stream_id"""
HEARTS = "select device_id, recording_id, seq, beats, rr_s from heart_block"


class Browser:
    """Sign in by a one-time link and use the pages as a person does: forms, tokens, fragments."""

    def __init__(self, base: str, link: str, patience_s: float = 10.0) -> None:
        self.base, self._patience_s = base, patience_s
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open
        self.get(f"/enter/{link}")

    def get(self, path: str) -> str:
        with self._open(self.base + path, timeout=self._patience_s) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **form: str) -> str:
        token = re.search(r'"X-CSRFToken": "([^"]+)"', self.get("/wearables"))
        assert token
        headers = {"X-CSRFToken": token[1], "Origin": self.base, "HX-Request": "true"}
        body = urllib.parse.urlencode(form).encode()
        with self._open(urllib.request.Request(self.base + path, body, headers), timeout=10) as answer:
            return str(answer.read().decode())

    def live_events(self, athlete_id: str, enough: Callable[[str], bool]) -> None:
        """Read the page's event stream until it told enough; it never falls silent, so the time is bounded here."""
        end_s = time.monotonic() + 60.0
        with self._open(f"{self.base}/live/{athlete_id}", timeout=20) as stream:
            while not enough(stream.readline().decode()):
                assert time.monotonic() < end_s, "The page's event stream did not tell it."


def spooled(folder: Path) -> list[bytes]:
    """Read a spool as its format is written down, not by the code under test."""
    found = []
    for path in sorted((folder / "spool").glob("*.spool")):
        data, at = path.read_bytes(), 0
        while at + 12 <= len(data):
            magic, length, crc = struct.unpack_from("<4sII", data, at)
            blob = data[at + 12 : at + 12 + length]
            if magic != b"BSRC" or zlib.crc32(blob) != crc:
                break
            found.append(blob)
            at += 12 + length
    return found


def paired(browser: Browser) -> None:
    """Look through the gateway's radio, add the belt by hand, place it, begin: as the page asks.

    A look lasts for 20 s of the machine's time; who sees it end without the belt, as on a busy machine, looks again.
    """
    wait_for(lambda: ">running" in browser.get("/wearables"), 120, "the gateway on the page", each_s=0.3)
    browser.post("/wearables/look")

    def address_of_belt() -> str | None:
        page = browser.get("/wearables/look")
        assert "This Backstop has no Bluetooth" not in page
        found = re.search(rf'href="(/wearables/new\?address={urllib.parse.quote(BELT, safe=":")})"', page)
        if found is None and "Look again" in page:
            browser.post("/wearables/look")
        return found and found[1]

    wait_for(address_of_belt, 120, "the belt in the page's list", each_s=0.3)
    assert "Where is" in browser.get(address_of_belt() or "")
    browser.post("/wearables", address=BELT, placement="lower_back")


def seconds_of_clock(clock: ScaledClock, seconds: float) -> None:
    end = clock.utc_s() + seconds
    while clock.utc_s() < end:
        time.sleep(0.02)


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")
def test_a_server_that_is_away_and_a_gateway_that_is_killed_cost_no_chunk_that_was_made(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    away_s = full_or_quick(600, 90)
    with a_house(tmp_path / "server") as house:
        me, athlete_id = house.athlete, house.athlete_id
        token = house.services.tokens.issue(me, athlete_id, "laptop at home")
        house.services.wearables.add(me, athlete_id, STRAP, "movella-dot", "Strap", "chest")
        link = house.services.accounts.issue_sign_in_link(me.user_id)
    clock = ScaledClock.starting_now(time.time() - away_s - 300, SPEED)
    wearables = [
        SimWearable(motion=MOTIONS["lifting"](seed), clock=clock, rate_hz=RATE_HZ, address=address, seed=seed)
        for seed, address in enumerate((BELT, STRAP), 3)
    ]
    server, bus = Server(tmp_path / "server"), SimBus(wearables)
    # The server's own machine has no Bluetooth.
    no_radio = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path / 'nobody'}"}
    bus.start()
    here = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address, "BACKSTOP_SHARED_CLOCK": clock.to_text()}
    gateway = GatewayProcess(tmp_path / "gateway", server.url, token, **here)
    try:
        server.start(**no_radio)
        gateway.start()
        browser = Browser(server.url, link)
        paired(browser)
        wait_for(lambda: len({row[0] for row in rows(server.folder, STORED)}) == 2, 60, "chunks of both wearables")
        wait_for(
            lambda: browser.get("/wearables").count("> streaming") == 2, 60, "both wearables on the page", each_s=0.3
        )
        browser.live_events(athlete_id, lambda line: line.startswith("data:") and '"signal"' in line)

        server.kill()
        away_from_s = clock.utc_s()
        on_disk: set[bytes] = set()
        for _ in range(2):
            seconds_of_clock(clock, away_s / 4)
            gateway.kill()
            on_disk |= set(spooled(gateway.folder))
            gateway.start()
            # It knows its wearables without the server.
            wait_for(lambda: all(wearable.connected for wearable in wearables), 60, "the links")
        seconds_of_clock(clock, max(away_s / 4, away_from_s + away_s - clock.utc_s()))
        server.start(**no_radio)
        wait_for(lambda: "Everything that waited is delivered." in gateway.said, 60, "what waited")
        assert gateway.stop() == 0
    finally:
        gateway.stop()
        server.stop()
        bus.close()
    hearts = {blob for blob in on_disk if is_heart(blob)}
    holds_every_chunk_once(server.folder, on_disk - hearts, wearables, figure)
    holds_every_heart_block_once(server.folder, hearts)
    assert spooled(gateway.folder) == []
    assert token not in gateway.said
    figure("server away", away_s, "s of the recording")


def holds_every_heart_block_once(folder: Path, on_disk: set[bytes]) -> None:
    stored = rows(folder, HEARTS)
    by_recording = defaultdict(list)
    for device, recording, seq, *_ in stored:
        by_recording[device, recording].append(seq)
    for seqs in by_recording.values():
        assert sorted(seqs) == list(range(len(seqs)))
    assert sorted(device for device, _ in by_recording) == [BELT] * 3 + [STRAP] * 3
    assert len(on_disk) >= 10
    blocks = [decode_heart(blob) for blob in on_disk]
    here = {(each.device_id, each.recording_id, each.seq, each.beats.tobytes(), each.rr_s.tobytes()) for each in blocks}
    assert here <= set(stored)


def holds_every_chunk_once(
    folder: Path, on_disk: set[bytes], wearables: list[SimWearable], figure: Callable[[str, object, str], None]
) -> None:
    stored = rows(folder, STORED)
    keys = [row[:3] for row in stored]
    assert len(keys) == len(set(keys))
    by_recording = defaultdict(list)
    for device, recording, seq, *_ in stored:
        by_recording[device, recording].append(seq)
    # No number is missing in any recording, and each start of the gateway has begun one of each wearable.
    for seqs in by_recording.values():
        assert sorted(seqs) == list(range(len(seqs)))
    assert sorted(device for device, _ in by_recording) == [BELT] * 3 + [STRAP] * 3
    # What lay on the gateway's disk at the kills is here, byte for byte.
    assert len(on_disk) >= 10
    assert on_disk <= {row[6] for row in stored}
    assert {decode_chunk(blob).device_id for blob in on_disk} == {BELT, STRAP}
    # A kill costs what was in memory: the chunk under way (5 s), and what was on its way on a busy machine, of which
    # each second holds twelve of the recording here.
    for wearable in wearables:
        kept = sum(samples - missing for device, _, _, _, samples, missing, _ in stored if device == wearable.address)
        sent = wearable.truth.sensors["acc"].sent
        lost = sent - kept
        assert 0 <= lost <= 2 * (5 + 2 * SPEED) * RATE_HZ, (wearable.address, sent, kept)
        figure(f"samples of {wearable.address} sent, and lost in two kills", f"{sent}, {lost}")
    figure("chunks stored once", len(keys))
    figure("of them on the gateway's disk at a kill", len(on_disk))
