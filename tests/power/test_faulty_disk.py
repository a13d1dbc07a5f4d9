"""A whole server on a disk that is full, read-only or failing: nothing is acknowledged that is not kept, pages go on
telling what is stored and say in a sentence what is the matter, and afterwards everything goes on by itself."""

from __future__ import annotations

import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from coach.errors import StoreUnavailable
from coach.instance import database_path
from coach.log import pack
from coach.remote_log import RemoteLog
from coach.spool import Spool, SpoolLog
from coach.uplink import Uplink
from devices.codec import encode_chunk
from devices.types import Chunk
from tests.coach.club import bending_chunks
from tests.power.shim import Failing, Shim
from tests.scenarios.house import a_house, wait_for
from tests.scenarios.processes import Server, rows
from tests.scenarios.test_gateway_away import Browser

ADDRESS = "C0:FF:EE:00:00:01"
SENTENCES = {
    Failing.FULL: "The disk is full",
    Failing.READ_ONLY: "The disk is read-only",
    Failing.SYNC_FAILS: "The disk fails to keep what is written",
    Failing.WRITE_FAILS: "The disk fails to keep what is written",
}


@dataclass(frozen=True, slots=True)
class Served:
    server: Server
    shim: Shim
    browser: Browser
    log: RemoteLog
    token: str
    chunks: Iterator[Chunk]
    acknowledged: list[str]

    def send(self, count: int) -> list[Chunk]:
        """Send chunks and remember what was acknowledged."""
        sent = [next(self.chunks) for _ in range(count)]
        self.acknowledged.extend(self.log.append(sent))
        return sent

    def until_refused(self) -> list[Chunk]:
        """Send chunks until some are not stored, which are returned: a full disk has room where the log had been."""
        for _ in range(20):
            try:
                sent = [next(self.chunks) for _ in range(30)]
                self.acknowledged.extend(self.log.append(sent))
            except StoreUnavailable:
                return sent
        pytest.fail("the disk took everything")

    def refusal(self, chunks: Sequence[Chunk]) -> tuple[int, str]:
        """Post chunks that cannot be stored; return the status and Retry-After."""
        body = pack([encode_chunk(each) for each in chunks])
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream"}
        with pytest.raises(urllib.error.HTTPError) as told:
            urllib.request.urlopen(
                urllib.request.Request(f"{self.server.url}/api/v1/chunks", body, headers), timeout=30
            )
        with told.value as answer:
            return answer.code, str(answer.headers["Retry-After"])

    def page(self) -> str:
        return self.browser.get("/wearables")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("faulty")
    with a_house(folder / "server") as house:
        house.services.wearables.add(house.athlete, house.athlete_id, ADDRESS, "movella-dot", "Strap", "chest")
        token = house.services.tokens.issue(house.athlete, house.athlete_id, "laptop")
        link = house.services.accounts.issue_sign_in_link(house.athlete.user_id)
    server, shim = Server(folder / "server"), Shim(folder, folder / "server")
    uplink = Uplink(server.url, token)
    try:
        server.start(**shim.environment(journal=False))
        chunks = iter(bending_chunks(100.0, 8, time.time() - 9000.0))
        yield Served(server, shim, Browser(server.url, link), RemoteLog(uplink), token, chunks, [])
    finally:
        shim.fail(Failing.NOT)
        uplink.close()
        server.stop()


@pytest.mark.parametrize("failing", list(SENTENCES), ids=lambda each: each.name)
def test_a_disk_that_takes_nothing_costs_nothing_that_was_acknowledged(
    served: Served, failing: Failing, tmp_path: Path
) -> None:
    served.send(3)
    wait_for(lambda: analysed(served), 60, "the worker")
    served.shim.fail(failing)
    waiting = served.until_refused()
    status, retry_after = served.refusal(waiting)
    assert status == 503
    assert int(retry_after) > 0
    assert served.shim.struck
    with pytest.raises(StoreUnavailable):
        served.log.append(waiting)
    # A gateway keeps them on its own disk meanwhile.
    spool = Spool(tmp_path / "spool", 10_000_000)
    assert len(SpoolLog(spool).append(waiting)) == len(waiting)
    assert SENTENCES[failing] in served.page()
    with pytest.raises(urllib.error.HTTPError) as told:
        served.browser.get("/readyz")
    told.value.close()
    assert told.value.code == 503
    before = stored(served)

    served.shim.fail(Failing.NOT)
    # Nobody sends anything: the page knows by itself when it is over.
    wait_for(lambda: SENTENCES[failing] not in served.page(), 60, "the disk's return", each_s=0.5)
    assert stored(served) == before
    batch = spool.peek(len(waiting), 10_000_000)
    served.acknowledged.extend(served.log.append_encoded(batch))
    spool.drop(len(batch))
    spool.close()
    served.send(2)
    wait_for(lambda: analysed(served), 60, "the worker")
    assert set(served.acknowledged) <= stored(served)
    with closing(sqlite3.connect(database_path(served.server.folder))) as found:
        assert found.execute("pragma integrity_check").fetchall() == [("ok",)]


def stored(served: Served) -> set[str]:
    question = (
        "select s.device_id || '-' || s.recording_id || '-' || c.seq from chunk c join stream s on s.id = c.stream_id"
    )
    return {key for (key,) in rows(served.server.folder, question)}


def analysed(served: Served) -> bool:
    behind = "select count(*) from stream s join stream_state t on t.stream_id = s.id where s.max_seq > t.last_seq"
    return rows(served.server.folder, behind) == [(0,)]
