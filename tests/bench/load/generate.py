"""The load itself, in a process of its own: wearables that post, dashboards that are open. Prints what it measured.

Latencies count from the moment at which a request should have gone out: one that waits because the answer before it is
late is late itself.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coach.log import pack
from tests.bench.load.club import Club, Wearer, sign_in_links
from tests.bench.load.exchange import Answer, Connection, Exchange, Listener
from tests.bench.load.signal import blobs_of, bodies

# s between the end of a chunk's signal and its post: the radio's and the gateway's part.
_SEND_AFTER_S = 0.05
# s between two pages of one dashboard. Somebody who reads, and the parts that a page fetches anew by itself.
PAGE_EVERY_S = 5.0
# Chunks in one post after a wait, as a gateway's uplink sends a backlog.
_AT_ONCE = 20
# s until what was refused at the end has to be through.
_DRAIN_S = 60.0
ATHLETES_PAGES = ("/today", "/today/findings", "/week", "/today/next")
COACHS_PAGES = ("/athletes/{0}", "/athletes", "/athletes/{0}/findings", "/athletes/{0}/plan")


@dataclass
class Measured:
    """What happened. Latencies in s."""

    ingest_s: list[float] = field(default_factory=list)
    page_s: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    page_statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: int = 0
    refused_after_s: Counter[int] = field(default_factory=Counter)
    behind_s: list[float] = field(default_factory=list)  # of this process's own timers


class Posting:
    """One wearable's gateway: chunks in order, one post at a time, what is refused waits as long as it is told."""

    def __init__(
        self, exchange: Exchange, address: tuple[str, int], wearer: Wearer, blobs: Sequence[bytes], told: Measured
    ) -> None:
        self._exchange, self._told, self._blobs = exchange, told, blobs
        self._connection = Connection(exchange, address)
        self._head = (
            f"POST /api/v1/chunks HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
            f"Authorization: Bearer {wearer.token}\r\nContent-Type: application/octet-stream\r\nContent-Length: "
        ).encode()
        self._due: deque[tuple[int, float]] = deque()
        self._waiting = False

    @property
    def through(self) -> bool:
        """Tell whether nothing waits."""
        return not self._due and not self._connection.busy

    def begin(self, first_s: float) -> None:
        """Post each chunk a second after the one before, from first_s on."""
        self._exchange.at(first_s, lambda: self._next(0, first_s))

    def _next(self, seq: int, intended_s: float) -> None:
        self._told.behind_s.append(time.perf_counter() - intended_s)
        self._due.append((seq, intended_s))
        if seq + 1 < len(self._blobs):
            self._exchange.at(intended_s + 1.0, lambda: self._next(seq + 1, intended_s + 1.0))
        self._post()

    def _post(self) -> None:
        if not self._due or self._connection.busy or self._waiting:
            return
        some = list(self._due)[:_AT_ONCE]
        body = pack([self._blobs[seq] for seq, _ in some])
        self._connection.ask(self._head + b"%d\r\n\r\n" % len(body) + body, lambda answer: self._answered(answer, some))

    def _answered(self, answer: Answer, some: list[tuple[int, float]]) -> None:
        now = time.perf_counter()
        self._told.statuses[answer.status] += 1
        if answer.status == 200:
            self._told.acknowledged += len(json.loads(answer.body)["stored"])
            for _ in some:
                self._told.ingest_s.append(now - self._due.popleft()[1])
            self._post()
            return
        wait_s = 1.0 if answer.retry_after_s is None else answer.retry_after_s
        self._told.refused_after_s[round(wait_s)] += 1
        self._waiting = True
        self._exchange.at(now + wait_s, self._again)

    def _again(self) -> None:
        self._waiting = False
        self._post()


class Dashboard:
    """One person's open page: its event stream, and a page or a part of one every few seconds."""

    def __init__(
        self, exchange: Exchange, address: tuple[str, int], source: str, paths: Sequence[str], stream: str, cookie: str
    ) -> None:
        self._exchange, self._address, self._source = exchange, address, source
        self._paths = paths
        self._connection = Connection(exchange, address, source)
        self._head = f" HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nCookie: {cookie}\r\n"
        self.listener = Listener(
            exchange, address, f"GET {stream}{self._head}Accept: text/event-stream\r\n\r\n".encode(), source
        )
        self._due: deque[tuple[str, float]] = deque()

    def begin(self, first_s: float, end_s: float, told: Measured) -> None:
        """Look at a page every PAGE_EVERY_S."""
        self._told, self._end_s = told, end_s
        self._exchange.at(first_s, lambda: self._look(0, first_s))

    def _look(self, number: int, intended_s: float) -> None:
        self._due.append((self._paths[number % len(self._paths)], intended_s))
        after_s = intended_s + PAGE_EVERY_S
        if after_s < self._end_s:
            self._exchange.at(after_s, lambda: self._look(number + 1, after_s))
        self._ask()

    def _ask(self) -> None:
        if self._due and not self._connection.busy:
            path = self._due[0][0]
            self._connection.ask(f"GET {path}{self._head}Accept: text/html\r\n\r\n".encode(), self._answered)

    def _answered(self, answer: Answer) -> None:
        path, intended_s = self._due.popleft()
        kind = re.sub(r"[0-9a-f]{32}", "ID", path)
        self._told.page_statuses[answer.status] += 1
        self._told.page_s.setdefault(kind, []).append(time.perf_counter() - intended_s)
        self._ask()


def signed_in(exchange: Exchange, address: tuple[str, int], source: str, link: str) -> str:
    """Use a one-time link from a loopback address of the person's own; return the cookie."""
    connection = http.client.HTTPConnection(*address, timeout=30, source_address=(source, 0))
    connection.request("GET", link)
    answer = connection.getresponse()
    answer.read()
    cookies = [each.split(";")[0] for each in answer.headers.get_all("Set-Cookie") or []]
    connection.close()
    if answer.status != 303 or not cookies:
        raise SystemExit(f"signing in was answered by {answer.status}")
    return "; ".join(cookies)


def dashboards(
    exchange: Exchange, address: tuple[str, int], club: Club, directory: Path, count: int
) -> list[Dashboard]:
    """Open so many dashboards: one half coaches at an athlete's desk, the other athletes at home."""
    coaches = list(club.coaches[: count // 2])
    mine = [each for each in club.wearers if each.athlete_id not in {athlete_id for _, athlete_id in coaches}]
    athletes = mine[: count - len(coaches)]
    people = [
        (user_id, [path.format(athlete_id) for path in COACHS_PAGES], athlete_id) for user_id, athlete_id in coaches
    ]
    people += [(each.user_id, list(ATHLETES_PAGES), each.athlete_id) for each in athletes]
    links = sign_in_links(directory, [user_id for user_id, _, _ in people])
    opened = []
    for number, ((_, paths, athlete_id), link) in enumerate(zip(people, links, strict=True)):
        source = f"127.0.1.{number + 1}"
        cookie = signed_in(exchange, address, source, link)
        shifted = [*paths[number % len(paths) :], *paths[: number % len(paths)]]
        opened.append(Dashboard(exchange, address, source, shifted, f"/live/{athlete_id}", cookie))
    return opened


def main(arguments: Sequence[str]) -> int:
    """Generate the load and write what was measured as JSON."""
    parser = argparse.ArgumentParser()
    for name, kind in (("port", int), ("dashboards", int), ("seconds", int), ("directory", Path), ("club", Path)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    options = parser.parse_args(arguments)
    club, address, exchange, told = Club.load(options.club), ("127.0.0.1", options.port), Exchange(), Measured()
    # The signal carries its own times, so its begin is fixed before it is coded: half a millisecond a chunk is ample.
    coding_s = 10.0 + 0.0005 * len(club.wearers) * options.seconds
    begin_utc_s = round(time.time() + coding_s)
    moving = bodies(options.seconds + 20)
    count = len(club.wearers)
    blobs = [
        list(blobs_of(wearer.address, number, begin_utc_s + number / count, options.seconds, moving))
        for number, wearer in enumerate(club.wearers)
    ]
    open_ones = dashboards(exchange, address, club, options.directory, options.dashboards)
    postings = [Posting(exchange, address, each, mine, told) for each, mine in zip(club.wearers, blobs, strict=True)]
    begin_s = time.perf_counter() + begin_utc_s - time.time()
    if begin_s < time.perf_counter():
        raise SystemExit("coding the signal took longer than was planned for")
    end_s = begin_s + options.seconds + 1.0
    for number, posting in enumerate(postings):
        posting.begin(begin_s + 1.0 + _SEND_AFTER_S + number / count)
    for number, page in enumerate(open_ones):
        page.begin(begin_s + PAGE_EVERY_S * number / max(1, len(open_ones)), end_s, told)
    gc.freeze()
    gc.disable()
    print(json.dumps({"begins_utc_s": begin_utc_s}), flush=True)
    exchange.run(_over(end_s + 1.0, postings))
    print(json.dumps(_result(told, open_ones, count * options.seconds)), flush=True)
    return 0


def _over(end_s: float, postings: Sequence[Posting]) -> Callable[[], bool]:
    def over() -> bool:
        now = time.perf_counter()
        return now > end_s and (now > end_s + _DRAIN_S or all(each.through for each in postings))

    return over


def _result(told: Measured, open_ones: Sequence[Dashboard], sent: int) -> dict[str, object]:
    return {
        "sent": sent,
        "acknowledged": told.acknowledged,
        "ingest_s": told.ingest_s,
        "page_s": told.page_s,
        "statuses": told.statuses,
        "page_statuses": told.page_statuses,
        "refused_after_s": told.refused_after_s,
        "generator_behind_s": sorted(told.behind_s)[int(0.99 * len(told.behind_s))],
        "streams": len(open_ones),
        "events": sum(each.listener.events for each in open_ones),
        "streams_refused": sum(each.listener.refused for each in open_ones),
        "streams_ended": sum(each.listener.ended for each in open_ones),
        "cpu_s": time.process_time(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
