"""The questions after a spasm come as reminders: once per channel, not when answered, nothing of health in them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from coach.service import build_services
from coach.store.engine import Store
from programs.acute import Feels
from programs.types import Answer
from tests.coach.club import Club, FakeClock
from tests.coach.notify.receivers import HttpReceiver, http_receiver
from tests.coach.service.reminded import config_of, reminded_club, tick


@pytest.fixture
def hook():
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def hooked(store: Store, clock: FakeClock, tmp_path: Path, hook: HttpReceiver) -> Club:
    """Three in the afternoon: a spasm has begun, and the safety questions have nothing to tell."""
    club = reminded_club(store, clock, config_of(tmp_path))
    club.services.reminder_settings.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/hook")
    club.services.spasms.begin(club.athlete, club.athlete_id, "k")
    answer(club)
    return club


def answer(club: Club, **other: Answer) -> None:
    given = {question.id: Answer.NO for question in club.services.triage.questions()} | other
    club.services.triage.answer(club.athlete, club.athlete_id, given, 30)


def test_each_question_is_sent_once_whoever_looks(hooked: Club, hook: HttpReceiver) -> None:
    began, sent = hooked.clock.now, []
    for minutes in range(0, 100 * 60, 120):
        moment = began + timedelta(minutes=minutes)
        if tick(hooked, moment):
            sent.append(moment)
        hooked.clock.now = moment
        # A clock that was started beside it, or anew, finds nothing left to send.
        again = build_services(hooked.store, hooked.config, hooked.clock).reminders
        again.plan(moment)
        assert again.send_due(moment) == 0
    assert sent == [began + timedelta(hours=24), began + timedelta(hours=72)]
    posted = [json.loads(each.body) for each in hook.received]
    assert [each["kind"] for each in posted] == ["follow_up"] * 2
    assert not {"pain", "spasm", "hurt", "back"} & set(json.dumps(posted).lower().replace('"', " ").split())


def test_what_was_answered_is_not_asked(hooked: Club, hook: HttpReceiver) -> None:
    began: datetime = hooked.clock.now
    tick(hooked, began + timedelta(hours=23.5))  # planned, but not sent yet
    hooked.clock.now = began + timedelta(hours=24)
    hooked.services.spasms.tell(hooked.athlete, hooked.athlete_id, 3, Feels.BETTER, "t")
    assert tick(hooked, began + timedelta(hours=24, minutes=1)) == 0
    assert hook.received == []


def test_a_question_of_the_night_waits_for_the_morning(store: Store, clock: FakeClock, tmp_path: Path, hook) -> None:
    club = reminded_club(store, clock, config_of(tmp_path))
    club.services.reminder_settings.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/hook")
    clock.now = clock.now.replace(hour=22, minute=30)  # half past eleven in Berlin
    club.services.spasms.begin(club.athlete, club.athlete_id, "k")
    answer(club)
    asked = clock.now + timedelta(hours=24)
    sent = [h for h in range(16) if tick(club, asked + timedelta(hours=h, minutes=1))]
    assert sent == [8]  # the first look after seven in the morning


def test_nothing_is_sent_while_all_is_locked(hooked: Club, hook: HttpReceiver) -> None:
    answer(hooked, NEU=Answer.YES)
    assert tick(hooked, hooked.clock.now + timedelta(hours=24, minutes=1)) == 0
    assert hook.received == []
