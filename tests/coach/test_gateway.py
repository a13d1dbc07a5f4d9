"""The gateway over a small real hub: what links hand on reaches the log, whatever the log does meanwhile."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from coach.config import Config
from coach.errors import InvalidInput, NotAllowed, StoreUnavailable
from coach.gateway import Gateway, request_from
from coach.live import LiveAnalysis, LiveFeed
from coach.log import ChunkLog
from coach.remote_log import RemoteLog
from coach.service.tokens import Scope
from coach.serving import LiveDoor, LocalServing
from coach.uplink import Uplink
from coach.worker import Worker
from devices.link import LinkRequest
from devices.types import Chunk, HeartRateSample, LinkState, LinkStatus
from tests.coach.club import ADDRESS, START, Club, bending_chunks

NOW_S = START.timestamp()


@dataclass
class HandLink:
    """A link whose chunks come by hand."""

    request: LinkRequest
    on_chunk: Callable[[Chunk], None]
    on_live: Callable[[Chunk], None]
    on_status: Callable[[LinkStatus], None]
    on_heart_rate: Callable[[HeartRateSample, float], None]
    recordings: list[str] = field(default_factory=list)
    flushed: list[Chunk] = field(default_factory=list)
    closed: bool = False
    shown: LinkStatus = field(default_factory=lambda: LinkStatus(LinkState.STREAMING, NOW_S, battery_share=0.8))

    def log_text(self, redacted: bool, recording_id: str) -> str:
        return f"{recording_id} {'at <address>' if redacted else 'at ' + self.request.address}, {len(self.recordings)}"

    def status(self) -> LinkStatus:
        return self.shown

    def new_recording(self, recording_id: str) -> None:
        self.recordings.append(recording_id)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            for chunk in self.flushed:
                self.on_chunk(chunk)


class HandHub:
    """A hub that opens such links."""

    def __init__(self) -> None:
        self.links: list[HandLink] = []

    def open(self, request: LinkRequest, on_chunk: Any, on_live: Any, on_status: Any, on_heart_rate: Any) -> HandLink:
        self.links.append(HandLink(request, on_chunk, on_live, on_status, on_heart_rate, [request.recording_id]))
        return self.links[-1]

    def close_links(self) -> None:
        for link in self.links:
            link.close()


class MoodyLog:
    """A log that is away for a number of tries."""

    def __init__(self, log: ChunkLog, away: int) -> None:
        self._log, self.away, self.calls = log, away, 0

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        self.calls += 1
        if self.calls <= self.away:
            raise StoreUnavailable("The log is away.")
        return self._log.append(chunks)


def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def hub() -> HandHub:
    return HandHub()


def gateway_over(club: Club, hub: HandHub, log: ChunkLog) -> tuple[Gateway, LiveFeed, LiveAnalysis]:
    feed = LiveFeed()
    live = LiveAnalysis(feed, club.services.athletes.analysis_params)
    serving = LocalServing(club.services, LiveDoor(club.services, live), feed)
    return Gateway(hub, serving, log, request_from(club.config, club.clock)), feed, live  # type: ignore[arg-type]


def test_chunks_reach_the_log_and_links_follow_the_wearables(club: Club, hub: HandHub) -> None:
    before = set(threading.enumerate())
    gateway, feed, live = gateway_over(club, hub, club.services.log)
    gateway.start()
    until(lambda: len(hub.links) == 1)
    link = hub.links[0]
    assert (link.request.address, link.request.family, link.request.rate_hz) == (ADDRESS, "movella-dot", 60)
    until(lambda: club.services.wearables.get(club.coach, club.wearable_id).status is not None)
    chunks = bending_chunks(1, 6, NOW_S)
    with feed.subscribe(club.athlete_id) as reader:
        for chunk in chunks[:-2]:
            link.on_chunk(chunk)
        for block in bending_chunks(0.2, 6, NOW_S, chunk_s=0.24):
            link.on_live(block)
        link.on_status(link.status())
        link.on_status(link.status())
        live.work()
        kinds = [event["kind"] for event in reader.get_batch(1)]
    assert kinds.count("link") == 1
    assert "signal" in kinds
    until(lambda: gateway.counts.acknowledged == len(chunks) - 2)
    club.services.wearables.calibrate(club.coach, club.wearable_id, (1, 0, 0))
    until(lambda: len(link.recordings) == 2)
    assert len(set(link.recordings)) == 2
    link.flushed = chunks[-2:]  # what a link still holds when it is closed
    gateway.close()
    gateway.close()
    assert link.closed
    assert gateway.counts.acknowledged == len(chunks)
    assert gateway.counts.waiting == gateway.counts.dropped == 0
    assert club.services.wearables.get(club.coach, club.wearable_id).status is None
    assert set(threading.enumerate()) <= before
    logs = club.services.gateways.logs(club.athlete, club.athlete_id)
    assert len(logs) == 2
    texts = [club.services.gateways.log_text(club.athlete, log.log_id) for log in logs]
    assert {text.split()[0] for text in texts} == set(link.recordings)
    assert all(ADDRESS not in text for text in texts)
    assert ADDRESS in club.services.gateways.log_text(club.athlete, logs[0].log_id, redacted=False)


def test_a_log_that_is_away_is_tried_again_and_nothing_is_lost(club: Club, hub: HandHub) -> None:
    moody = MoodyLog(club.services.log, away=3)
    gateway, _, _ = gateway_over(club, hub, moody)
    gateway.start()
    until(lambda: bool(hub.links))
    chunks = bending_chunks(1, 6, NOW_S)
    for chunk in chunks:
        hub.links[0].on_chunk(chunk)
    until(lambda: gateway.counts.acknowledged == len(chunks))
    gateway.close()
    assert moody.calls > 3
    assert club.services.log.counts.stored == len(chunks)
    assert Worker(club.services, LiveFeed()).drain() == len(chunks)


class Defective:
    """A log with a defect that shows once."""

    def __init__(self, log: ChunkLog) -> None:
        self._log, self.calls = log, 0

    def append(self, chunks: Sequence[Chunk]) -> tuple[str, ...]:
        self.calls += 1
        if self.calls == 1:
            raise RuntimeError("nobody thought of this")
        return self._log.append(chunks)


def test_a_defect_below_ends_neither_the_thread_nor_the_links(club: Club, hub: HandHub) -> None:
    gateway, _, _ = gateway_over(club, hub, Defective(club.services.log))
    gateway.start()
    until(lambda: bool(hub.links))
    first, second = bending_chunks(0.2, 6, NOW_S)[:2]
    hub.links[0].on_chunk(first)
    until(lambda: gateway.counts.refused == 1)
    hub.links[0].on_chunk(second)
    until(lambda: gateway.counts.acknowledged == 1)
    gateway.close()
    assert hub.links[0].closed


def test_forgotten_and_simulated_wearables_have_no_link(club: Club, hub: HandHub) -> None:
    services = club.services
    services.wearables.add(club.coach, club.athlete_id, "sim", "movella-dot", "s", "hip", simulated=True)
    gateway, _, _ = gateway_over(club, hub, services.log)
    gateway.start()
    until(lambda: len(hub.links) == 1)
    second = services.wearables.add(club.coach, club.athlete_id, "C0:FF:EE:00:00:09", "movella-dot", "x", "hip")
    until(lambda: len(hub.links) == 2)
    services.wearables.forget(club.coach, second)
    until(lambda: hub.links[1].closed)
    gateway.close()
    assert len(hub.links) == 2


def test_refused_chunks_are_counted_and_do_not_hold_up_others(club: Club, hub: HandHub) -> None:
    gateway, _, _ = gateway_over(club, hub, club.services.log)
    gateway.start()
    until(lambda: bool(hub.links))
    good, other = bending_chunks(0.2, 6, NOW_S)[:2]
    hub.links[0].on_chunk(replace(other, device_id="stranger"))
    hub.links[0].on_chunk(good)
    until(lambda: gateway.counts.acknowledged == 1)
    gateway.close()
    assert gateway.counts.refused == 1


class Server:
    """A web server of one address, over the real ingest."""

    def __init__(self, club: Club) -> None:
        self.status: int | None = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                token = self.headers["Authorization"].removeprefix("Bearer ")
                try:
                    answer = {
                        "stored": club.services.ingest.receive(club.services.tokens.holder(token, Scope.GATEWAY), body)
                    }
                    status = outer.status or 200
                except NotAllowed:
                    answer, status = {"error": {"what": "This token is not known here."}}, 401
                except InvalidInput:
                    answer, status = {"stored": ()}, 400
                self.send_response(status if self.path == "/api/v1/chunks" else 404)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,)).start()


@pytest.fixture
def server(club: Club) -> Iterator[Server]:
    running = Server(club)
    yield running
    running.httpd.shutdown()
    running.httpd.server_close()


def test_a_remote_log_is_acknowledged_after_the_servers_commit(club: Club, server: Server) -> None:
    chunks = bending_chunks(1, 6, NOW_S, lost=(2,))
    log = RemoteLog(Uplink(server.url, club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")))
    keys = tuple(chunk.key for chunk in chunks)
    assert log.append(chunks) == keys
    assert log.append(chunks) == keys
    assert log.append([replace(chunks[0], device_id="stranger")]) == ()
    assert log.append([]) == ()
    assert club.services.log.counts.stored == len(chunks)
    server.status = 503
    with pytest.raises(StoreUnavailable):
        log.append(chunks)


def test_a_remote_log_says_what_is_wrong(club: Club, server: Server) -> None:
    chunk = bending_chunks(0.1, 6, NOW_S)[0]
    with pytest.raises(NotAllowed):
        RemoteLog(Uplink(server.url, "guess")).append([chunk])
    token = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    with pytest.raises(StoreUnavailable):
        RemoteLog(Uplink(server.url + "/elsewhere", token)).append([chunk])
    for url in ("ftp://x", "backstop", "http://"):
        with pytest.raises(InvalidInput):
            Uplink(url, token)
    server.httpd.shutdown()
    server.httpd.server_close()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        RemoteLog(Uplink(server.url, token)).append([chunk])


def test_requests_follow_the_configuration(club: Club) -> None:
    config = Config(chunk={"duration_s": 2}, link={"silence_s": 3})  # type: ignore[arg-type]
    (view,) = club.services.wearables.all()
    request = request_from(config, club.clock)(view, "rec")
    assert request is not None
    assert (request.chunk_duration_s, request.silence_s, request.recording_id) == (2, 3, "rec")
