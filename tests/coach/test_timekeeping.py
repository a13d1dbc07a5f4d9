"""A clock that jumps: noticed, told, nothing released or sent twice, nothing forgotten by it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from coach.clock import close_stale, forget_old, plan_ahead, release_due
from coach.live import LiveFeed
from coach.service import build_services
from coach.service.timekeeping import Timekeeping
from coach.store import events
from coach.store.engine import Store
from coach.worker import Worker
from devices.hostclock import JumpWatch
from tests.coach.club import START, Club, FakeClock, bending_chunks
from tests.coach.notify.receivers import http_receiver
from tests.coach.service.reminded import config_of, reminded_club, tick
from tests.coach.service.reminded import plan_sessions as plan_reminded
from tests.coach.test_clock import plan_sessions, states

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
JUMPS = [HOUR, DAY, YEAR, -HOUR, -DAY]


class Passing:
    """A time that nobody sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def together(clock: FakeClock, passing: Passing, by: timedelta) -> None:
    clock.now += by
    passing.now_s += by.total_seconds()


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_is_told_by_its_size_and_even_time_is_none(jump: timedelta) -> None:
    clock, passing = FakeClock(), Passing()
    watch = JumpWatch(clock, passing)
    for _ in range(5):
        together(clock, passing, timedelta(hours=7))
        clock.now += timedelta(seconds=2)  # slewed
        assert watch.look() == 0.0
    clock.now += jump
    assert watch.look() == pytest.approx(jump.total_seconds(), abs=1.0)
    assert watch.look() == 0.0


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumped_is_named_and_nothing_is_forgotten_by_it_for_a_day(club: Club, jump: timedelta) -> None:
    passing = Passing()
    time = Timekeeping(club.store, club.clock, passing)
    time.begin()
    assert time.believed()
    assert time.says == "It runs evenly."
    club.clock.now += jump
    assert not time.believed()
    assert f"jumped {'ahead' if jump > timedelta(0) else 'back'} by {abs(jump)} at" in time.says
    together(club.clock, passing, timedelta(hours=22))
    assert not time.believed()
    together(club.clock, passing, timedelta(hours=1))
    assert time.believed()


def test_across_a_restart_a_clock_behind_what_is_stored_is_named_and_a_long_pause_forgets_nothing_at_once(
    club: Club,
) -> None:
    with club.store.begin() as tx:
        events.record(tx, club.clock.now, "clock", "was here", "test", "x")
    passing = Passing()

    def restarted(after: timedelta) -> Timekeeping:
        time = Timekeeping(club.store, FakeClock(START + after), passing)
        time.begin()
        return time

    assert restarted(HOUR).believed()
    assert restarted(7 * DAY).believed()
    back = restarted(-DAY)
    assert not back.believed()
    assert "back by 1 day, 0:00:00 while Backstop was down" in back.says
    assert not restarted(YEAR).believed()


def test_a_year_ahead_by_mistake_costs_no_signal(club: Club) -> None:
    club.services.log.append(bending_chunks(2, 6, START.timestamp() - 120))
    feed = LiveFeed()
    Worker(club.services, feed).drain()
    club.services.machine.time.begin()

    def signal_bytes() -> int:
        with club.store.read() as tx:
            return int(tx.exec_driver_sql("select sum(length(blob)) from chunk").scalar_one())

    before = signal_bytes()
    club.clock.now += 3 * YEAR
    assert close_stale(club.services, feed, club.clock.now) == 1
    assert forget_old(club.services, feed, club.clock.now) == 0
    assert signal_bytes() == before > 0
    # The same is forgotten by a clock that is believed, so that the assertion above says something.
    believed = build_services(club.store, club.config, club.clock)
    believed.retention.forget(club.clock.now)
    assert signal_bytes() < before / 10


@pytest.mark.parametrize("jump", JUMPS)
def test_sessions_are_released_once_whatever_the_clock_does(club: Club, jump: timedelta) -> None:
    plan_sessions(club, [START + timedelta(minutes=10 * number) for number in range(1, 4)])
    feed, released = LiveFeed(), list[str]()

    def tick() -> None:
        now = club.clock.now
        released.extend(each.session_id for each in club.services.plans.release_due(now))
        plan_ahead(club.services, feed, now)
        close_stale(club.services, feed, now)
        release_due(club.services, feed, now)

    club.clock.now = START + timedelta(minutes=10)
    tick()
    assert len(released) == 1
    club.clock.now += jump
    tick()
    tick()
    club.clock.now -= jump
    for _ in range(30):
        club.clock.now += timedelta(minutes=1)
        tick()
    assert len(released) == len(set(released))
    assert "planned" not in states(club)


@pytest.mark.parametrize("jump", JUMPS)
def test_chunks_keep_their_order_whatever_the_clock_does(club: Club, jump: timedelta) -> None:
    chunks = bending_chunks(4, 6, START.timestamp() - 240)
    worker = Worker(club.services, LiveFeed())
    for number, chunk in enumerate(chunks):
        if number == 20:
            club.clock.now += jump
        assert club.services.log.append([chunk]) == (chunk.key,)
        if number % 5 == 0:
            worker.drain()
    worker.drain()
    with club.store.read() as tx:
        row = tx.exec_driver_sql(
            "select s.max_seq, t.last_seq, (select count(*) from chunk) from stream s "
            "join stream_state t on t.stream_id = s.id"
        ).one()
        late = tx.exec_driver_sql("select count(*) from set_aside").scalar_one()
    assert row == (len(chunks) - 1, len(chunks) - 1, len(chunks))
    assert late == 0


@pytest.mark.parametrize("jump", JUMPS)
def test_reminders_are_sent_once_whatever_the_clock_does(
    store: Store, clock: FakeClock, tmp_path: Path, jump: timedelta
) -> None:
    with http_receiver() as hook:
        club = reminded_club(store, clock, config_of(tmp_path))
        club.services.reminder_settings.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/hook")
        plan_reminded(club, [START + HOUR, START + 2 * HOUR])
        assert tick(club, START + timedelta(minutes=31)) == 1
        tick(club, club.clock.now + jump)
        tick(club)
        club.clock.now -= jump
        for _ in range(100):
            tick(club, club.clock.now + timedelta(minutes=1))
    sent = Counter(json.loads(each.body)["starts_at"] for each in hook.received)
    assert max(sent.values()) == 1
    assert len(sent) == 2
