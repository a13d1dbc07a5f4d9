"""History analysed anew says byte for byte what a first analysis says, whatever comes or dies meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from coach.jetstream.line import NatsLine
from coach.jetstream.reanalysis import JetStreamQueue
from coach.live import LiveFeed
from coach.reanalyser import Reanalyser
from coach.service.canonical import canonical
from coach.service.reanalysis import TRIES, Halted
from coach.service.reanalysis_types import Part, RunState
from coach.store import reanalysis as rows
from coach.store.engine import Store
from coach.store.finding_tables import answer, athlete_day, exposure, finding, stretch
from coach.store.reanalysis_tables import reanalysis_day
from coach.store.tables import event, feature, stream, stream_state
from coach.work_queue import TableQueue
from coach.worker import Worker
from tests.coach.club import Club
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, TUESDAY, analysed, bent, judged
from tests.servers import Nats

# What says when a row was made, or in which order.
_WHEN = {"id", "analysed_at", "created_at", "updated_at", "settled_at", "version"}
_TOLD = (feature, exposure, stretch, stream_state, answer, athlete_day, finding)


def told(store: Store) -> dict[str, list[str]]:
    """Return every byte of what was seen and found, but when."""
    with store.read() as tx:
        return {table.name: sorted(_texts(tx.execute(select(table)).mappings())) for table in _TOLD}


def _texts(found: Any) -> list[str]:
    return [canonical({name: _plain(each) for name, each in row.items() if name not in _WHEN}) for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if value is None or isinstance(value, int | float | str | list | dict) else str(value)


def week(club: Club, days: int = 3, minutes: float = 4) -> list[date]:
    """Have some days of bending analysed, settled and judged; return them."""
    club.clock.now = THURSDAY_NOON
    dates = [MONDAY - timedelta(days=each) for each in range(days)]
    analysed(club, *(bent(each, minutes) for each in dates))
    return sorted(dates)


def work_all(club: Club, between: Callable[[], None] = lambda: None) -> None:
    """Do what is left of the run, as one worker does; what went wrong is tried again after a while."""
    queue, services = TableQueue(club.store, club.clock), club.services
    while (newest := services.reanalysis.newest()) is not None and newest.state is RunState.RUNNING:
        taken = queue.take(0.0)
        if taken is None:
            club.clock.forward(seconds=6)
        else:
            services.reanalysis.work(taken, between)


def test_it_says_what_a_first_analysis_says_and_the_old_stays_until_the_new_is_there(club: Club) -> None:
    dates = week(club, minutes=12)
    before = told(club.store)
    assert len(before["feature"]) > 100
    assert before["finding"]
    features: set[int] = set()

    def look() -> None:
        with club.store.read() as tx:
            features.add(tx.execute(select(func.count()).select_from(feature)).scalar_one())

    club.services.reanalysis.ask(None)
    work_all(club, look)
    run = club.services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.days, run.days_done, run.athletes_done, run.failed) == (RunState.DONE, len(dates), 3, 1, 0)
    assert (run.recordings, run.share) == (3, 1.0)
    assert run.chunks == len(before["feature"]) - run.recordings  # each has a tail
    assert features == {len(before["feature"])}
    assert told(club.store) == before


@pytest.mark.parametrize("late", [False, True], ids=["newest", "late"])
def test_chunks_that_come_meanwhile_are_analysed_and_the_result_is_the_same(club: Club, late: bool) -> None:
    club.clock.now = THURSDAY_NOON
    chunks = bent(MONDAY, 6)
    held = chunks[20:23] if late else chunks[60:]
    analysed(club, [each for each in chunks if each not in held])
    came = iter([held])

    def live() -> None:
        for some in came:
            assert len(club.services.log.append(some)) == len(some)
            Worker(club.services, LiveFeed()).drain()

    club.services.reanalysis.ask(None)
    work_all(club, live)
    Worker(club.services, LiveFeed()).drain()
    judged(club)
    Worker(club.services, LiveFeed()).drain()
    judged(club)
    now = told(club.store)
    # And once more, from all of its chunks.
    club.services.reanalysis.ask(None)
    work_all(club)
    assert told(club.store) == now
    assert len(now["feature"]) == len(chunks) + 1


def test_an_athlete_day_that_fails_holds_no_other_and_says_why(club: Club) -> None:
    dates = week(club)
    with club.store.begin() as tx:
        first = tx.execute(select(stream.c.id).where(stream.c.recording_id == f"bent-{dates[1]}")).scalar_one()
        tx.execute(update(stream).where(stream.c.id == first).values(upright=5))
    club.services.reanalysis.ask(None)
    work_all(club)
    run = club.services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.days_done, run.athletes_done, run.failed) == (RunState.DONE, 3, 1, 1)
    (failed,) = run.failed_days
    assert (failed.athlete_name, failed.part, failed.local_date) == ("Ada", Part.SIGNAL, dates[1])
    assert failed.reason.startswith("TypeError: ")
    with club.store.read() as tx:
        (tries,) = tx.execute(select(reanalysis_day.c.tries).where(reanalysis_day.c.state == "failed")).scalars()
    assert tries == TRIES


def test_who_stops_in_the_middle_leaves_everything_as_it_was(club: Club) -> None:
    week(club)
    before, services = told(club.store), club.services
    services.reanalysis.ask(None)
    taken = TableQueue(club.store, club.clock).take(0.0)
    assert taken is not None

    def halt() -> None:
        raise Halted("The worker stops.")

    with pytest.raises(Halted):
        services.reanalysis.work(taken, halt)
    assert told(club.store) == before
    with club.store.read() as tx:
        row = rows.get_day(tx, taken.item)
    assert row is not None
    assert (row["state"], row["tries"]) == ("waiting", 0)
    assert services.reanalysis.stop(None)
    assert not services.reanalysis.stop(None)
    assert not services.reanalysis.work(taken)
    assert TableQueue(club.store, club.clock).take(0.0) is None


def test_live_chunks_go_first_and_are_neither_lost_nor_late(club: Club) -> None:
    """A worker and a re-analysis of history at once: every live chunk is analysed within a bound."""
    week(club, 4)
    services = club.services
    live = [replace(each, recording_id="live") for each in bent(TUESDAY, 1)]
    services.reanalysis.ask(None)
    worker = Worker(services, LiveFeed())
    reanalyser = Reanalyser(services.reanalysis, TableQueue(club.store, club.clock))
    worker.start()
    reanalyser.start()
    longest_s = 0.0
    try:
        for first in range(0, len(live), 6):
            services.log.append(live[first : first + 6])
            began_s = time.monotonic()
            while services.motion.waiting():
                assert time.monotonic() - began_s < 30.0
                time.sleep(0.02)
            longest_s = max(longest_s, time.monotonic() - began_s)
        end_s = time.monotonic() + 60.0
        while (run := services.reanalysis.newest()) is not None and run.state is RunState.RUNNING:
            assert time.monotonic() < end_s
            time.sleep(0.05)
    finally:
        reanalyser.close()
        worker.close()
    assert run is not None
    assert (run.state, run.failed) == (RunState.DONE, 0)
    with club.store.read() as tx:
        (stream_id,) = tx.execute(select(stream.c.id).where(stream.c.recording_id == "live")).scalars()
        mine = feature.c.stream_id == stream_id
        assert tx.execute(select(func.count()).select_from(feature).where(mine)).scalar_one() == len(live)
    print(f"longest wait of live chunks {longest_s:.2f} s")


_SCRIPT = """
import sys
from coach.config import Config
from coach.service import build_services
from coach.store.engine import open_store
from coach.work_queue import TableQueue
from coach.service.reanalysis_types import RunState
from tests.coach.service.test_days import THURSDAY_NOON
import time

class Clock:
    # As long after that Thursday as this machine has worked since: what the dead held is free soon.
    def utc_s(self):
        return THURSDAY_NOON.timestamp() + 3600 + float(sys.argv[2]) + time.monotonic() - BEGAN_S

BEGAN_S = time.monotonic()
with open_store(sys.argv[1]) as store:
    services = build_services(store, Config(), Clock())
    queue = TableQueue(store, Clock(), hold_s=1.0)
    print("at work", flush=True)
    while (run := services.reanalysis.newest()).state is RunState.RUNNING:
        taken = queue.take(0.0)
        if taken is None:
            time.sleep(0.05)
        else:
            services.reanalysis.work(taken)
"""


def test_killed_twice_it_goes_on_and_does_each_day_once(
    club: Club, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    dates = week(club, full_or_quick(1000, 5), 2)
    before = told(club.store)
    club.services.reanalysis.ask(None)
    began_s = time.monotonic()
    for number, kill_at in enumerate((len(dates) // 4, len(dates) // 2, None)):
        where = club.store.url.removeprefix("sqlite:///")
        process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, where, str(600 * number)], env={**os.environ}, stdout=subprocess.PIPE
        )
        try:
            while kill_at is not None and done_of(club) < kill_at:
                assert process.poll() is None
                time.sleep(0.01)
            if kill_at is not None:
                process.send_signal(signal.SIGKILL)
            assert process.wait(300.0) == (0 if kill_at is None else -signal.SIGKILL)
        finally:
            process.kill()
            process.communicate()
    figure("re-analysis with two kills", round(len(dates) / (time.monotonic() - began_s), 1), "athlete-days/s")
    run = club.services.reanalysis.newest()
    assert run is not None
    assert (run.state, run.days_done, run.failed) == (RunState.DONE, len(dates), 0)
    assert told(club.store) == before
    with club.store.read() as tx:
        tries = list(tx.execute(select(reanalysis_day.c.tries)).scalars())
        anew = tx.execute(select(func.count()).select_from(event).where(event.c.action == "analysed anew")).scalar_one()
    # Whatever was under way when it was killed was begun again; nothing else.
    assert sum(tries) - len(tries) <= 2
    assert len(dates) <= anew <= len(dates) + 2


def done_of(club: Club) -> int:
    run = club.services.reanalysis.newest()
    return 0 if run is None else run.days_done


def test_over_jetstream_it_is_done_too_and_a_queue_that_was_lost_is_filled_from_the_rows(
    club: Club, nats_server: Nats
) -> None:
    """Two workers; in the middle the server is killed and what it had stored is gone."""
    dates = week(club, 4, 2)
    before, run_id = told(club.store), club.services.reanalysis.ask(None)
    lines = [NatsLine(nats_server.url, "test") for _ in range(2)]
    workers = [Reanalyser(club.services.reanalysis, JetStreamQueue(each, 2.0)) for each in lines]
    for line in lines:
        line.start()
        assert line.wait_connected(30.0)
    try:
        assert workers[0].work_once()
        nats_server.kill()
        shutil.rmtree(nats_server.folder / "store")
        nats_server.start()
        for each in workers:
            each.start()
        end_s = time.monotonic() + 120.0
        while (run := club.services.reanalysis.view(run_id)).state is RunState.RUNNING:
            assert time.monotonic() < end_s
            time.sleep(0.1)
    finally:
        for each in workers:
            each.close()
        for line in lines:
            line.close()
    assert (run.state, run.days_done, run.athletes_done, run.failed) == (RunState.DONE, len(dates), 1, 0)
    assert told(club.store) == before
