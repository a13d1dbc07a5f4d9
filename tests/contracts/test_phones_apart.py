"""A phone that somebody is at keeps no other phone waiting, and one phone is at one place at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from coach.errors import StoreUnavailable
from coach.service.phones import Heard
from coach.service.tokens import Scope
from coach.store.claims import alone
from coach.store.engine import open_store
from coach.turns import Turns
from tests.coach.club import Club, FakeClock, found_club
from tests.coach.web.test_phone_push import Phone

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def paired(club: Club, name: str) -> tuple[str, str]:
    return club.services.phones.add(club.athlete, club.athlete_id, name, "chest")


def pushed(club: Club, token: str, second: int) -> Heard:
    body = json.dumps(Phone(club).message(second)).encode()
    return club.services.phones.receive(club.services.tokens.holder(token, Scope.PHONE), body)


@pytest.fixture
def on_server(postgres_url: str) -> Iterator[Club]:
    """One file has one process that phones push to; a server has many."""
    with open_store(postgres_url) as store:
        yield found_club(store, FakeClock())


def test_a_phone_that_is_busy_elsewhere_keeps_no_other_one_waiting(on_server: Club) -> None:
    club = on_server
    (busy, its_token), (_, token) = paired(club, "busy"), paired(club, "free")
    heard: list[Heard] = []
    pushing = threading.Thread(target=lambda: heard.append(pushed(club, its_token, 0)))
    with alone(club.store, "phone", busy), club.store.apart() as looking:
        pushing.start()
        end_s = time.monotonic() + 60
        while not looking.exec_driver_sql(_WAITING).scalar_one() and time.monotonic() < end_s:
            time.sleep(0.02)
        assert "readings of free" in pushed(club, token, 0).answer
        assert not heard
    pushing.join(60)
    assert "readings of busy" in heard[0].answer


def test_of_two_silent_phones_the_busy_one_is_left_for_the_next_look(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    (busy, its_token), (_, token) = paired(club, "busy"), paired(club, "free")
    for second in range(3):
        pushed(club, its_token, second)
        pushed(club, token, second)
    now = club.clock.forward(seconds=20)
    with monkeypatch.context() as patched, club.services.phones._turns.of(busy):
        patched.setattr("coach.turns._WAIT_S", 0.01)
        assert club.services.phones.close_quiet(now) == 1
    assert club.services.phones.close_quiet(now) == 1
    assert club.services.phones.close_quiet(now) == 0
    assert len(club.services.phones._turns) == 0


def test_a_turn_is_one_threads_at_a_time_and_nothing_stays_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, at_it, most = Turns(), [0, 0], [0, 0]

    def work(key: int) -> None:
        for _ in range(50):
            with turns.of(str(key)):
                at_it[key] += 1
                most[key] = max(most[key], at_it[key])
                time.sleep(0)
                at_it[key] -= 1

    threads = [threading.Thread(target=work, args=(number % 2,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert most == [1, 1]
    assert len(turns) == 0
    monkeypatch.setattr("coach.turns._WAIT_S", 0.01)
    with turns.of("a"), turns.of("b"), pytest.raises(StoreUnavailable, match="busy"), turns.of("a"):
        pass
    assert len(turns) == 0
