"""The service is killed with -9 at random moments of a replay: what was acknowledged is stored once, and the findings
are those of a run that nobody disturbed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from coach.commands.simulate import MOTIONS
from coach.config import Config
from coach.errors import StoreUnavailable
from coach.instance import database_path
from coach.remote_log import RemoteLog
from coach.service import Services, build_services
from coach.service.canonical import canonical
from coach.service.types import FindingView
from coach.store.engine import open_store
from coach.uplink import Uplink
from coach.worker import Worker
from devices.codec import encode_chunk
from devices.hostclock import ScaledClock, SystemClock
from devices.hub import BleHub
from devices.link import LinkRequest
from devices.sim.bus import SimBus
from devices.sim.wearable import SimWearable
from devices.types import Chunk
from tests.scenarios.house import House, a_house, wait_for
from tests.scenarios.processes import Server, rows

ADDRESS = "C0:FF:EE:00:00:41"
MOTION_S = 840.0
SPEED = 60.0


@pytest.mark.proof
@pytest.mark.skipif(sys.platform != "linux", reason="the simulated BlueZ needs Linux")
def test_acknowledged_chunks_are_stored_once_and_findings_equal_the_undisturbed_run(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    kills = full_or_quick(20, 2)
    chunks = replayed()
    with a_house(tmp_path / "undisturbed") as house:
        pair(house)
        assert set(house.services.log.append(chunks)) == {chunk.key for chunk in chunks}
        Worker(house.services, house.feed).drain()
        undisturbed = findings_of(house.services, house.athlete_id)
    assert undisturbed, "the replay holds a pattern"

    with a_house(tmp_path / "killed") as house:
        pair(house)
        token = house.services.tokens.issue(house.athlete, house.athlete_id, "laptop")
        athlete_id = house.athlete_id
    server = Server(tmp_path / "killed")
    server.start()
    acknowledged: list[str] = []
    uplink = Uplink(server.url, token)
    try:
        deliver(server, RemoteLog(uplink), chunks, kills, acknowledged)
        wait_for(lambda: pending(server.folder) == 0, 60, "the worker")
    finally:
        uplink.close()
        server.stop()
    question = "select s.device_id, s.recording_id, c.seq, c.blob from chunk c join stream s on s.id = c.stream_id"
    stored = rows(server.folder, question)
    keys = sorted(f"{device}-{recording}-{seq}" for device, recording, seq, _ in stored)
    assert keys == sorted(set(acknowledged)) == sorted(chunk.key for chunk in chunks)
    assert sorted(blob for *_, blob in stored) == sorted(encode_chunk(chunk) for chunk in chunks)
    with opened(server.folder) as services:
        disturbed = findings_of(services, athlete_id)
    assert disturbed == undisturbed
    figure("kills", kills)
    figure("chunks acknowledged, stored once", len(stored))


def replayed() -> list[Chunk]:
    """Return the chunks of a replay through bleak."""
    clock = ScaledClock.starting_now(time.time() - MOTION_S, SPEED)
    wearable = SimWearable(motion=MOTIONS["lifting"](11), clock=clock, rate_hz=30, address=ADDRESS)
    chunks: list[Chunk] = []
    with SimBus([wearable]).running(), BleHub() as hub:
        link = hub.open(LinkRequest(ADDRESS, "movella-dot", 30, "replay", clock), chunks.append)
        wait_for(lambda: wearable.frames_sent >= MOTION_S * 30, 60, "the replay")
        link.close()
    return chunks


def pair(house: House) -> None:
    house.services.wearables.add(house.athlete, house.athlete_id, ADDRESS, "movella-dot", "Replay", "chest")


def deliver(server: Server, log: RemoteLog, chunks: Sequence[Chunk], kills: int, acknowledged: list[str]) -> None:
    """Send every chunk until it is acknowledged, as a gateway does, while the server is killed again and again."""
    chance = random.Random(20)
    moments = sorted(chance.uniform(0.02, 0.98) * len(chunks) for _ in range(kills))
    for number, chunk in enumerate(chunks):
        while moments and moments[0] <= number:
            moments.pop(0)
            # At a random moment within the sending and the analysis of what was sent.
            killer = subprocess.Popen(
                ["sh", "-c", f"sleep {chance.uniform(0.0, 0.05):.4f}; kill -9 -{server.process.pid}"]
            )  # type: ignore[union-attr]
            acknowledged.extend(attempt(log, chunk))
            killer.wait(10)
            server.process.wait(10)  # type: ignore[union-attr]
            server.start()
        while chunk.key not in acknowledged[-8:]:
            got = attempt(log, chunk)
            acknowledged.extend(got)
            if not got:
                time.sleep(0.1)


def attempt(log: RemoteLog, chunk: Chunk) -> tuple[str, ...]:
    try:
        return log.append([chunk])
    except StoreUnavailable:
        return ()


def pending(folder: Path) -> int:
    with opened(folder) as services:
        return len(services.motion.pending_streams())


@contextmanager
def opened(folder: Path) -> Iterator[Services]:
    store = open_store(database_path(folder))
    try:
        yield build_services(store, Config(), SystemClock())
    finally:
        store.close()


def findings_of(services: Services, athlete_id: str) -> list[str]:
    """Return the findings of days that were judged to where the data reach, whatever waited for its minute."""
    services.days.judge_listed(athlete_id)
    return [comparable(finding) for finding in services.findings.for_athlete(athlete_id)]


def comparable(finding: FindingView) -> str:
    """Return every byte but the names that a database gives."""
    nameless = replace(finding, finding_id="", athlete_id="")
    return re.sub(r'"stream_id":"[0-9a-f]{32}"', '"stream_id":""', canonical(nameless))
