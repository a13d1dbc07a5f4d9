"""A server that gateways are away from, what a network does to requests, and the gateways: for the tests of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coach.config import Config
from coach.delivery import Contact, ContactParams
from coach.gateway import Gateway, request_from
from coach.live import LiveAnalysis, LiveFeed
from coach.outpost import Outpost
from coach.spool import Spool
from coach.store import recordings
from coach.uplink import Uplink
from devices.errors import NoRadio
from devices.hostclock import SystemClock
from devices.hub import Seen
from devices.types import LinkStatus
from tests.coach.club import ADDRESS, START, Club
from tests.coach.test_gateway import HandHub

NOW_S = START.timestamp()
FAST = ContactParams(report_s=0.2, backoff_first_s=0.05, backoff_max_s=0.1)
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ScanningHub(HandHub):
    """A hub that also scans."""

    heard: list[Seen] | NoRadio = NoRadio("This machine has no Bluetooth adapter: plug one in.")

    def scan(self, duration_s: float) -> list[Seen]:
        time.sleep(0.05)
        if isinstance(self.heard, NoRadio):
            raise self.heard
        return self.heard


class Moods:
    """Between the socket and the app: what a network and a restart do to requests. counts: posts of chunks."""

    def __init__(self, app: Wsgi) -> None:
        self.app, self.counts = app, 0
        self.lose_answers = self.conflicts = 0
        self.bytes_max: int | None = None
        self.away = False

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if self.away:
            start("503 Service Unavailable", [])
            return [b""]
        if environ["PATH_INFO"] == "/api/v1/chunks":
            self.counts += 1
            if self.bytes_max is not None and int(environ["CONTENT_LENGTH"]) > self.bytes_max:
                environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                start("413 Too Large", [])
                return [b""]
            if self.conflicts:
                self.conflicts -= 1
                environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                start("409 Conflict", [])
                return [b""]
            if self.lose_answers:
                self.lose_answers -= 1
                b"".join(self.app(environ, lambda *_: None))
                start("502 Bad Gateway", [])
                return [b""]
        return self.app(environ, start)


@dataclass
class Away:
    """A server of the club's, and the means to start gateways."""

    club: Club
    feed: LiveFeed
    live: LiveAnalysis
    moods: Moods
    url: str
    folder: Path
    token: str
    said: list[str] = field(default_factory=list)
    closing: list[Callable[[], None]] = field(default_factory=list)

    def gateway(self, folder: str = "gateway", token: str | None = None, spool_bytes: int = 10_000_000) -> Running:
        where = self.folder / folder
        where.mkdir(exist_ok=True)
        hub = ScanningHub()
        spool = Spool(where / "spool", spool_bytes)
        contact = Contact(spool, self.said.append, FAST)
        uplinks = lambda: Uplink(self.url, token or self.token)  # noqa: E731
        outpost = Outpost(uplinks, where, spool, hub, SystemClock(), contact)  # type: ignore[arg-type]
        gateway = Gateway(hub, outpost, outpost.log, request_from(Config(), SystemClock()))  # type: ignore[arg-type]
        running = Running(hub, spool, contact, outpost, gateway)
        outpost.start()
        gateway.start()
        self.closing.append(running.close)
        return running

    def stored(self) -> set[str]:
        club = self.club
        with club.store.read() as tx:
            stream = recordings.find_stream(tx, ADDRESS, "rec")
            rows = recordings.chunks_after(tx, stream["id"], -1, 10_000) if stream else []
        assert len({row["seq"] for row in rows}) == len(rows)
        return {f"{ADDRESS}-rec-{row['seq']}" for row in rows}

    def status(self) -> LinkStatus | None:
        return self.club.services.wearables.get(self.club.athlete, self.club.wearable_id).status


@dataclass
class Running:
    hub: ScanningHub
    spool: Spool
    contact: Contact
    outpost: Outpost
    gateway: Gateway
    closed: bool = False

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.gateway.close()
            self.outpost.close()
            self.spool.close()

    def linked(self) -> bool:
        return bool(self.hub.links)
