"""A gateway away from its server, over real HTTP to the real app; links come by hand, so that each word counts."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from coach.errors import Gone, NotAllowed
from coach.live import LiveAnalysis, LiveFeed
from coach.service.erasing import empty
from coach.service.tokens import Scope
from coach.serving import LiveDoor
from coach.store import erasing, recordings
from coach.web import admission, create_app
from coach.web.admission import Admission
from devices.hub import Seen
from devices.types import Advertisement, LinkState, LinkStatus
from tests.coach.club import ADDRESS, Club, bending_chunks
from tests.coach.outposts import NOW_S, Away, Moods, ScanningHub
from tests.coach.test_gateway import until


@pytest.fixture
def away(club: Club, tmp_path: Path) -> Iterator[Away]:
    before = set(threading.enumerate())
    feed = LiveFeed(4)
    live = LiveAnalysis(feed, club.services.athletes.analysis_params)
    app = create_app(club.services, feed, club.config, "k" * 32, clock=club.clock, door=LiveDoor(club.services, live))
    moods = Moods(app.wsgi_app)
    server = make_server("127.0.0.1", 0, moods, threaded=True)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    token = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    made = Away(club, feed, live, moods, f"http://127.0.0.1:{server.server_port}", tmp_path, token)
    yield made
    for close in made.closing:
        close()
    server.shutdown()
    server.server_close()
    serving.join(10)
    until(lambda: not [each for each in set(threading.enumerate()) - before if "outpost" in each.name])


def test_it_serves_what_the_server_names_and_delivers_every_chunk(away: Away) -> None:
    running, club = away.gateway(), away.club
    until(running.linked)
    link = running.hub.links[0]
    assert (link.request.address, link.request.rate_hz) == (ADDRESS, 60)
    chunks = bending_chunks(1, 6, NOW_S)
    for chunk in chunks:
        link.on_chunk(chunk)
    until(lambda: away.stored() == {chunk.key for chunk in chunks})
    until(lambda: running.spool.waiting == 0)
    club.services.wearables.set_placement(club.athlete, club.wearable_id, "hip")
    until(lambda: len(link.recordings) == 2)
    second = club.services.wearables.add(club.athlete, club.athlete_id, "C0:FF:EE:00:00:09", "movella-dot", "x", "hip")
    until(lambda: len(running.hub.links) == 2)
    club.services.wearables.forget(club.athlete, second)
    until(lambda: running.hub.links[1].closed)
    assert not link.closed
    assert away.said[0] == "Gateway of Ada, serving Chest strap."


def test_another_athletes_wearables_are_never_named(away: Away) -> None:
    club = away.club
    other = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    club.services.wearables.add(club.coach, other, "C0:FF:EE:00:00:0B", "movella-dot", "Bo's", "hip")
    running = away.gateway()
    until(running.linked)
    assert [view.name for view in running.outpost.wearables()] == ["Chest strap"]


def test_links_show_on_the_board_until_the_gateway_leaves_or_falls_silent(away: Away) -> None:
    club, running = away.club, away.gateway()
    until(running.linked)
    until(lambda: (status := away.status()) is not None and status.state is LinkState.STREAMING)
    with away.feed.subscribe(club.athlete_id) as reader:
        gone = LinkStatus(LinkState.BLOCKED, NOW_S, "Another phone has it: close the app there.")
        running.hub.links[0].shown = gone
        running.hub.links[0].on_status(gone)
        until(lambda: (status := away.status()) is not None and status.problem == gone.problem)
        until(lambda: any(event["kind"] == "link" for event in reader.get_batch(1)))
    assert any("Another phone has it" in sentence for sentence in away.said)
    (view,) = club.services.gateways.of_athlete(club.athlete, club.athlete_id).values()
    assert view.present
    running.close()
    assert away.status() is None
    (view,) = club.services.gateways.of_athlete(club.athlete, club.athlete_id).values()
    assert not view.present
    away.gateway()
    until(lambda: away.status() is not None)
    away.moods.away = True
    since = club.clock.now.timestamp()
    club.clock.forward(seconds=20)
    status = away.status()
    assert status is not None
    assert (status.state, status.since_utc_s) == (LinkState.STOPPED, since)
    assert "laptop does not report any more" in (status.problem or "")


def test_a_server_that_is_away_costs_nothing_and_is_said_once(away: Away) -> None:
    running = away.gateway()
    until(running.linked)
    away.moods.away = True
    chunks = bending_chunks(2, 6, NOW_S)
    for chunk in chunks:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: running.spool.waiting == len(chunks))
    until(lambda: not running.contact.online)
    time.sleep(0.3)
    away.moods.away = False
    until(lambda: away.stored() == {chunk.key for chunk in chunks})
    until(lambda: "Everything that waited is delivered." in away.said)
    assert sum("try again later" in sentence for sentence in away.said) == 1


def test_a_foreign_network_that_answers_for_the_name_does_not_end_a_gateway_that_was_accepted(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = away.gateway()
    until(running.linked)
    with monkeypatch.context() as elsewhere:
        # The socket is real; only what it says of its far end is that of a server of the internet.
        elsewhere.setattr(socket.socket, "getpeername", lambda _: ("93.184.216.34", 80))
        until(lambda: any("open internet" in sentence for sentence in away.said))
        assert not running.contact.ended.is_set()
    until(lambda: any("is there again" in sentence for sentence in away.said))


def test_an_answer_that_was_lost_is_asked_for_again_and_changes_nothing(away: Away) -> None:
    running = away.gateway()
    until(running.linked)
    away.moods.lose_answers = 3
    chunks = bending_chunks(1, 6, NOW_S)
    for chunk in chunks:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: away.stored() == {chunk.key for chunk in chunks})
    until(lambda: running.spool.waiting == 0)
    assert away.moods.lose_answers == 0
    assert away.club.services.log.counts.known > 0
    assert away.club.services.log.counts.refused == 0


def test_two_writers_that_met_in_the_servers_database_do_not_end_a_gateway(away: Away) -> None:
    running = away.gateway()
    until(running.linked)
    away.moods.conflicts = 2
    chunks = bending_chunks(0.5, 6, NOW_S)
    for chunk in chunks:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: away.stored() == {chunk.key for chunk in chunks})
    assert away.moods.conflicts == 0
    assert not running.contact.ended.is_set()


def test_orders_that_cannot_be_kept_are_followed_all_the_same(away: Away) -> None:
    (away.folder / "gateway" / "orders.new").mkdir(parents=True)  # no file can be written there
    running = away.gateway()
    until(running.linked)
    chunk = bending_chunks(0.1, 6, NOW_S)[0]
    running.hub.links[0].on_chunk(chunk)
    until(lambda: len(away.stored()) == 1)
    assert away.stored() == {chunk.key}
    assert not running.contact.ended.is_set()
    assert not (away.folder / "gateway" / "orders").exists()


def test_a_body_that_is_too_large_goes_in_halves_and_a_chunk_that_is_refused_holds_up_no_other(away: Away) -> None:
    running = away.gateway()
    until(running.linked)
    away.moods.away = True
    chunks = bending_chunks(1, 6, NOW_S)
    strange = replace(chunks[0], device_id="C0:FF:EE:00:00:FF")
    for chunk in (*chunks[:5], strange, *chunks[5:]):
        running.hub.links[0].on_chunk(chunk)
    until(lambda: running.spool.waiting == len(chunks) + 1)
    away.moods.bytes_max = 2500
    away.moods.away = False
    until(lambda: running.spool.waiting == 0)
    assert away.stored() == {chunk.key for chunk in chunks}
    assert away.moods.counts > 3
    assert any("refuses 1 chunks for good" in sentence for sentence in away.said)


def test_a_revoked_token_ends_it_with_a_sentence_and_keeps_what_waits(away: Away) -> None:
    club, running = away.club, away.gateway()
    until(running.linked)
    (view,) = club.services.tokens.of_athlete(club.athlete, club.athlete_id)
    club.services.tokens.revoke(club.athlete, view.token_id)
    for chunk in bending_chunks(0.5, 6, NOW_S):
        running.hub.links[0].on_chunk(chunk)
    until(running.contact.ended.is_set)
    assert "make a new one" in (running.contact.problem or "")
    running.close()
    assert running.spool.waiting == 6
    assert away.stored() == set()
    # With a new token the same folder goes on.
    token = club.services.tokens.issue(club.athlete, club.athlete_id, "laptop")
    again = away.gateway(token=token)
    until(lambda: len(away.stored()) == 6)
    until(lambda: again.spool.waiting == 0)
    assert token not in " ".join(away.said)


def test_who_was_erased_is_forgotten_by_a_gateway_that_was_away(away: Away) -> None:
    """Its spool and what it knew of them; a token that is only unknown takes nothing away."""
    club, running = away.club, away.gateway()
    until(running.linked)
    away.moods.away = True
    for chunk in bending_chunks(0.5, 6, NOW_S):
        running.hub.links[0].on_chunk(chunk)
    until(lambda: running.spool.waiting == 6)
    folder = away.folder / "gateway"
    assert any(each.read_bytes() for each in (folder / "spool").glob("*.spool"))
    with club.store.begin() as tx:
        erasure_id = erasing.begin(tx, club.athlete_id, "hash", "athlete", club.clock.now)
    empty(club.store, club.athlete_id, erasure_id, "athlete", club.clock.now)
    away.moods.away = False
    until(running.contact.ended.is_set)
    assert "has erased" in (running.contact.problem or "")
    running.close()
    assert running.spool.waiting == 0
    assert list((folder / "spool").glob("*.spool")) == []
    assert not (folder / "orders.json").exists()
    with pytest.raises(NotAllowed) as unknown:
        club.services.tokens.holder("x-y", Scope.GATEWAY)
    assert not isinstance(unknown.value, Gone)


def test_one_token_is_for_one_machine_and_a_restart_is_the_same_machine(away: Away) -> None:
    first = away.gateway()
    until(first.linked)
    second = away.gateway("another machine")
    until(second.contact.ended.is_set)
    assert "in use on another machine" in (second.contact.problem or "")
    assert not first.contact.ended.is_set()
    first.contact.closing.set()  # killed: nothing more is said by it
    third = away.gateway("gateway")
    until(third.linked)
    until(lambda: third.contact.online)
    assert not third.contact.ended.is_set()


def test_signal_of_one_athlete_is_never_sent_under_anothers_token(away: Away) -> None:
    club, running = away.club, away.gateway()
    until(running.linked)
    away.moods.away = True
    for chunk in bending_chunks(0.5, 6, NOW_S):
        running.hub.links[0].on_chunk(chunk)
    until(lambda: running.spool.waiting == 6)
    running.close()
    away.moods.away = False
    other = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    token = club.services.tokens.issue(club.coach, other, "Bo's laptop")
    wrong = away.gateway(token=token)
    until(wrong.contact.ended.is_set)
    assert "another athlete" in (wrong.contact.problem or "")
    assert (wrong.spool.waiting, away.moods.counts) == (6, 0)


def test_without_a_server_a_restart_still_knows_its_wearables(away: Away) -> None:
    first = away.gateway()
    until(first.linked)
    first.close()
    away.moods.away = True
    again = away.gateway()
    until(again.linked)
    assert again.hub.links[0].request.address == ADDRESS
    chunk = bending_chunks(0.1, 6, NOW_S)[0]
    again.hub.links[0].on_chunk(chunk)
    until(lambda: again.spool.waiting == 1)


def test_a_full_spool_keeps_the_oldest_and_says_so_once(away: Away) -> None:
    running = away.gateway(spool_bytes=3000)
    until(running.linked)
    away.moods.away = True
    until(lambda: not running.contact.online)
    chunks = bending_chunks(3, 6, NOW_S)
    for chunk in chunks:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: running.gateway.counts.refused + running.gateway.counts.acknowledged == len(chunks))
    kept = running.spool.waiting
    assert 0 < kept < len(chunks)
    assert running.outpost.log.left_out == len(chunks) - kept
    away.moods.away = False
    until(lambda: running.spool.waiting == 0)
    assert away.stored() == {chunk.key for chunk in chunks[:kept]}
    assert sum("The spool is full" in sentence for sentence in away.said) == 1


def test_a_look_from_the_page_is_heard_by_the_gateways_radio(away: Away) -> None:
    club, running = away.club, away.gateway()
    looks, present = club.services.looks, 1
    until(running.linked)
    looks.begin(club.athlete_id)
    until(lambda: (view := looks.view(club.athlete_id, present)) is not None and bool(view.troubles))
    assert looks.view(club.athlete_id, present).troubles == (str(ScanningHub.heard),)  # type: ignore[union-attr]
    running.hub.heard = [Seen(Advertisement("C0:FF:EE:00:00:77", "DOT", (), {}, -60), "movella-dot")]
    until(lambda: (view := looks.view(club.athlete_id, present)) is not None and bool(view.seen))
    view = looks.view(club.athlete_id, present)
    assert view is not None
    assert [(each.address, each.rssi_dbm, each.family) for each in view.seen] == [
        ("C0:FF:EE:00:00:77", -60, "movella-dot")
    ]
    assert view.troubles == ()
    club.clock.forward(seconds=60)
    until(lambda: not running.outpost._looking)


def test_live_blocks_travel_only_while_somebody_looks(away: Away) -> None:
    club, running = away.club, away.gateway()
    until(running.linked)
    blocks = bending_chunks(0.5, 6, NOW_S, chunk_s=0.24)
    running.hub.links[0].on_live(blocks[0])
    time.sleep(0.2)
    with away.feed.subscribe(club.athlete_id) as reader:
        until(lambda: club.wearable_id in running.outpost._orders.watching)  # type: ignore[union-attr]
        for block in blocks[1:21]:
            running.hub.links[0].on_live(block)
        events: list[dict[str, Any]] = []

        def told() -> bool:
            away.live.work()
            events.extend(event for event in reader.get_batch(0.05) if event["kind"] == "signal")
            return sum(len(event["t_utc_s"]) for event in events) > 20

        until(told)
    assert events[0]["since_utc_s"] == pytest.approx(blocks[1].start_utc_s)
    assert 0 <= time.time() - events[-1]["notified_utc_s"] < 10
    assert away.stored() == set()


def test_connection_logs_come_with_the_reports(away: Away) -> None:
    club, running = away.club, away.gateway()
    until(running.linked)
    link = running.hub.links[0]
    link.on_chunk(bending_chunks(0.1, 6, NOW_S)[0])
    until(lambda: bool(club.services.gateways.logs(club.athlete, club.athlete_id)))
    (log,) = club.services.gateways.logs(club.athlete, club.athlete_id)
    assert (log.wearable_name, log.wearable_id) == ("Chest strap", club.wearable_id)
    text = club.services.gateways.log_text(club.athlete, log.log_id)
    assert link.recordings[0] in text
    assert ADDRESS not in text


def test_a_server_with_too_much_to_do_is_waited_for_as_it_says_and_gets_everything_in_order(
    away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = away.gateway()
    until(running.linked)
    chunks = bending_chunks(5, 6, NOW_S)
    busy = {"chunks": 0}
    asked: list[float] = []

    def waiting() -> int:
        return busy["chunks"]

    app = away.moods.app
    over = Admission(app, pages_max=8, ingest_max=8, waiting=waiting, waiting_max=10)
    monkeypatch.setattr(admission, "_LOOK_S", 0.05)
    monkeypatch.setattr(admission, "_BACKLOG_S", 1)

    def counted(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] == admission.STORED:
            asked.append(time.monotonic())
        return over(environ, start)

    away.moods.app = counted
    busy["chunks"] = 11
    for chunk in chunks[:20]:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: len(asked) >= 3)
    assert away.stored() == set()
    assert running.spool.waiting == 20
    # It was told to come again after a second, and does not ask before.
    assert min(later - sooner for sooner, later in pairwise(asked)) >= 1.0
    busy["chunks"] = 0
    for chunk in chunks[20:]:
        running.hub.links[0].on_chunk(chunk)
    until(lambda: away.stored() == {chunk.key for chunk in chunks})
    with away.club.store.read() as tx:
        stream = recordings.find_stream(tx, ADDRESS, "rec")
        rows = recordings.chunks_after(tx, stream["id"], -1, 10_000)
    assert [row["seq"] for row in sorted(rows, key=lambda row: row["id"])] == [chunk.seq for chunk in chunks]
    assert [each for each in away.said if "too much to do" in each]
    assert not [each for each in away.said if "cannot be reached" in each]


def test_more_posts_at_once_than_threads_are_refused_at_once_and_pages_are_not(away: Away) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def slow(environ: dict[str, Any], start: Any) -> Any:
        entered.release()
        leave.wait(10)
        start("200 OK", [])
        return [b""]

    door = Admission(slow, pages_max=1, ingest_max=2, waiting=lambda: 0, waiting_max=10)
    told: list[tuple[str, dict[str, str]]] = []

    def ask(path: str) -> None:
        answer = door({"PATH_INFO": path}, lambda status, head: told.append((status, dict(head))))
        b"".join(answer)
        answer.close()  # type: ignore[attr-defined]

    at_work = [threading.Thread(target=ask, args=(admission.STORED,)) for _ in range(2)]
    at_work.append(threading.Thread(target=ask, args=("/today",)))
    for each in at_work:
        each.start()
    for _ in at_work:
        assert entered.acquire(timeout=5)
    for path in (admission.STORED, "/today"):
        assert list(door({"PATH_INFO": path}, lambda status, head: told.append((status, dict(head)))))
    assert [(status, head["Retry-After"]) for status, head in told] == [("503 Service Unavailable", "1")] * 2
    leave.set()
    for each in at_work:
        each.join(10)
    told.clear()
    ask(admission.STORED)
    assert [status for status, _ in told] == ["200 OK"]


def test_a_place_is_given_back_whatever_closing_does_and_whether_it_runs_is_told_without_one() -> None:
    class Broken(list[bytes]):
        def close(self) -> None:
            raise OSError("gone")

    def app(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        return Broken([b""])

    told: list[str] = []

    def ask(path: str) -> Any:
        return door({"PATH_INFO": path}, lambda status, head: told.append(status[:3]))

    door = Admission(app, pages_max=1, ingest_max=1, waiting=lambda: 0, waiting_max=10)
    for _ in range(2):
        answer = ask("/today")
        for _ in range(2):
            with contextlib.suppress(OSError):
                answer.close()
    held = ask("/today")
    assert ask("/today")
    ask("/healthz").clear()
    assert told == ["200", "200", "200", "503", "200"]
    with pytest.raises(OSError, match="gone"):
        held.close()
