"""The clock: due once, whoever is down, races or changes the clock."""

from __future__ import annotations

import subprocess
import sys
import threading
import time as real_time
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from coach.clock import SessionClock, close_stale, judge_days, plan_ahead, release_due
from coach.config import Config
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.types import SessionState
from coach.store import athletes, plans, sessions
from coach.store.engine import Store
from coach.worker import Worker
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club

COUNT = 230
BERLIN = ZoneInfo("Europe/Berlin")


def plan_sessions(club: Club, dues: list[datetime]) -> None:
    """Insert planned sessions as the tables want them; what places them is tested elsewhere."""
    with club.store.begin() as tx:
        values = {"state": "accepted", "prescription": {}, "need_kinds": [], "finding_ids": []}
        plan_id = plans.add(tx, {"athlete_id": club.athlete_id, "created_at": club.clock.now, **values})
        for number, due_at in enumerate(dues):
            row = {
                "athlete_id": club.athlete_id,
                "plan_id": plan_id,
                "slot": f"slot-{number}",
                "state": "planned",
                "local_date": due_at.date(),
                "local_time": due_at.time(),
                "time_zone": "Europe/Berlin",
                "due_at": due_at,
                "duration_min": 12,
                "exercises": [],
                "because": "because",
                "created_at": club.clock.now,
                "updated_at": club.clock.now,
            }
            sessions.add(tx, row)


def test_a_day_that_has_ended_is_judged_by_the_clock_and_the_page_is_told(club: Club) -> None:
    club.services.log.append(bending_chunks(14, 6, START.timestamp() - 14 * 60))
    feed = LiveFeed()
    Worker(club.services, feed).drain()
    assert judge_days(club.services, feed, club.clock.now) == 0
    night = datetime(2026, 11, 24, 23, 1, tzinfo=UTC)  # a minute after midnight in Berlin
    with feed.subscribe(club.athlete_id) as reader:
        club.clock.now = night
        assert judge_days(club.services, feed, night) == 1
        assert judge_days(club.services, feed, night) == 0
        told = reader.get_batch(0)
    answers = club.services.findings.answers(club.coach, club.athlete_id, START.date())
    assert {each.day_over for each in answers} == {True}
    assert [event["kind"] for event in told if event["kind"] == "finding"] == ["finding"]


def states(club: Club) -> list[str]:
    with club.store.read() as tx:
        return list(tx.exec_driver_sql("SELECT state FROM planned_session ORDER BY due_at, id").scalars())


def test_due_sessions_are_released_once_and_the_page_is_told(club: Club) -> None:
    plan_sessions(club, [START - timedelta(minutes=1), START, START + timedelta(seconds=1)])
    feed = LiveFeed()
    with feed.subscribe(club.athlete_id) as reader:
        assert release_due(club.services, feed, START) == 2
        assert release_due(club.services, feed, START) == 0
        told = reader.get_batch(0)
    assert [event["kind"] for event in told] == ["session", "session"]
    assert release_due(club.services, feed, START + timedelta(seconds=1)) == 1


def test_a_session_due_while_the_service_was_down_is_released_once_after_the_restart(club: Club) -> None:
    plan_sessions(club, [START + timedelta(hours=1)])
    later = FakeClock(START + timedelta(days=3))
    restarted = build_services(club.store, club.config, later)
    assert [each.state for each in restarted.plans.release_due(later.now)] == [SessionState.DUE]
    assert restarted.plans.release_due(later.now) == ()
    # It is closed by the time since its release, not since it was due.
    assert restarted.plans.close_stale(later.now) == 0


def test_after_a_long_pause_nobody_gets_several_days_at_once(club: Club) -> None:
    plan_sessions(club, [START + timedelta(days=day) for day in range(5)])
    later = START + timedelta(days=3, hours=1)
    released = club.services.plans.release_due(later)
    assert [each.due_at for each in released] == [START + timedelta(days=3)]
    assert states(club) == ["cancelled", "cancelled", "cancelled", "due", "planned"]


def test_a_session_that_is_late_waits_for_the_end_of_the_night_where_the_athlete_is(club: Club) -> None:
    plan_sessions(club, [START, START + timedelta(days=1)])
    night = datetime(2026, 11, 25, 1, tzinfo=UTC)  # two in Berlin
    assert release_due(club.services, LiveFeed(), night) == 0
    assert release_due(club.services, LiveFeed(), night + timedelta(minutes=90)) == 0
    assert release_due(club.services, LiveFeed(), night + timedelta(minutes=91)) == 1
    with club.store.begin() as tx:
        athletes.change(tx, club.athlete_id, travel=[["2026-11-26", "2026-11-30", "Asia/Tokyo"]])
    assert release_due(club.services, LiveFeed(), datetime(2026, 11, 26, 17, tzinfo=UTC)) == 0  # two in Tokyo
    assert release_due(club.services, LiveFeed(), datetime(2026, 11, 26, 18, 31, tzinfo=UTC)) == 1


@pytest.mark.parametrize(("late_h", "left"), [(24.0, "due"), (12.0, "cancelled")])
def test_the_policy_cancel_takes_what_is_late_also_without_a_later_one(store: Store, late_h: float, left: str) -> None:
    config = Config(sessions={"missed": "cancel", "late_h": late_h})  # type: ignore[arg-type]
    club = found_club(store, FakeClock(START), config=config)
    plan_sessions(club, [START])
    release_due(club.services, LiveFeed(), START + timedelta(hours=20))
    assert states(club) == [left]


def test_the_hours_to_answer_are_those_of_the_configuration(store: Store) -> None:
    club = found_club(store, FakeClock(START), config=Config(sessions={"answer_h": 50}))  # type: ignore[arg-type]
    plan_sessions(club, [START])
    release_due(club.services, LiveFeed(), START)
    assert close_stale(club.services, LiveFeed(), START + timedelta(hours=49)) == 0
    assert close_stale(club.services, LiveFeed(), START + timedelta(hours=51)) == 1


def test_racing_threads_release_each_session_exactly_once(club: Club) -> None:
    plan_sessions(club, [START - timedelta(seconds=number) for number in range(COUNT)])
    released: list[str] = []
    lock = threading.Lock()

    def tick() -> None:
        own = build_services(club.store, club.config, club.clock)
        for session in own.plans.release_due(START):
            with lock:
                released.append(session.session_id)

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(released) == len(set(released)) == COUNT
    assert set(states(club)) == {"due"}


TICKING = """
import sys
from datetime import datetime
from coach.config import Config
from coach.service import build_services
from coach.store.engine import open_store
from devices.hostclock import SystemClock
with open_store(sys.argv[1]) as store:
    services = build_services(store, Config(), SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    for session in services.plans.release_due(datetime.fromisoformat(sys.argv[2])):
        print(session.session_id)
"""


def test_racing_processes_release_each_session_exactly_once(club: Club) -> None:
    plan_sessions(club, [START - timedelta(seconds=number) for number in range(COUNT)])
    command = [sys.executable, "-c", TICKING, club.store.url, START.isoformat()]
    clocks = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in clocks:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in clocks:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    released = [line for process in clocks for line in process.communicate()[0].split()]
    assert [process.returncode for process in clocks] == [0, 0]
    assert len(released) == len(set(released)) == COUNT


def test_a_locked_athletes_sessions_stay_and_do_not_hold_up_others(club: Club, store: Store) -> None:
    plan_sessions(club, [START] * 3)
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE athlete SET lock = 'all'")
    assert release_due(club.services, LiveFeed(), START) == 0
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE athlete SET lock = 'none'")
    assert release_due(club.services, LiveFeed(), START) == 3


def out_of_the_night(moment: datetime) -> datetime:
    """Return the first minute, from a moment on, that is not from 01:00 to 03:30 in Berlin."""
    while time(1) <= moment.astimezone(BERLIN).time() < time(3, 31):
        moment += timedelta(minutes=1)
    return moment


@pytest.mark.parametrize(
    ("first_tick", "hours"),
    # Berlin: the hour from 2 is skipped on 29 March 2026 (1:00 UTC) and comes twice on 25 October (0:00 and 1:00 UTC).
    [(datetime(2026, 3, 28, 22, 0, tzinfo=UTC), 8), (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 8)],
)
def test_every_due_moment_of_a_night_with_a_change_is_released_once_and_none_in_the_hours_of_the_change(
    store: Store, first_tick: datetime, hours: int
) -> None:
    club = found_club(store, FakeClock(first_tick))
    plan_sessions(club, [first_tick + timedelta(minutes=30 * number) for number in range(2 * hours)])
    feed, tick = LiveFeed(), timedelta(minutes=7)
    late: list[timedelta] = []
    while club.clock.now < first_tick + timedelta(hours=hours):
        for each in club.services.plans.release_due(club.clock.now):
            assert not time(1) <= club.clock.now.astimezone(BERLIN).time() < time(3, 31)
            late.append(club.clock.now - out_of_the_night(each.due_at))
        assert plan_ahead(club.services, feed, club.clock.now) == 0
        club.clock.now += tick
    assert len(late) == 2 * hours
    assert timedelta(0) <= min(late)
    assert max(late) < tick


def test_stale_ends_are_closed(club: Club) -> None:
    plan_sessions(club, [START])
    release_due(club.services, LiveFeed(), START)
    assert close_stale(club.services, LiveFeed(), START + timedelta(hours=37)) == 1
    assert states(club) == ["skipped"]


def test_the_background_clock_ticks_at_once_and_leaves_no_thread(club: Club) -> None:
    plan_sessions(club, [START])
    before = set(threading.enumerate())
    clock = SessionClock(club.services, LiveFeed(), Config(), club.clock)
    clock.start()
    clock.start()
    deadline = real_time.monotonic() + 10
    while states(club) != ["due"] and real_time.monotonic() < deadline:
        real_time.sleep(0.01)
    clock.close()
    clock.close()
    assert states(club) == ["due"]
    assert set(threading.enumerate()) <= before


def test_a_failing_tick_does_not_stop_the_clock(club: Club, tmp_path: Path) -> None:
    plan_sessions(club, [START])
    config = Config(clock={"release_tick_s": 0.05})  # type: ignore[arg-type]
    with club.store.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE planned_session RENAME TO away")
    clock = SessionClock(club.services, LiveFeed(), config, club.clock)
    clock.start()
    real_time.sleep(0.2)
    with club.store.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO planned_session")
    deadline = real_time.monotonic() + 10
    while states(club) != ["due"] and real_time.monotonic() < deadline:
        real_time.sleep(0.01)
    clock.close()
    assert states(club) == ["due"]
