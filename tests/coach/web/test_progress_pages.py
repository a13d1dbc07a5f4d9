"""A step with its yes, what changed, and what somebody has and wants, as pages and forms."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from coach.service.diary import CheckIn
from coach.service.types import SessionState
from programs.types import Answer


@pytest.fixture
def training(accepted):
    """Ada trains two green sessions of her program; the world stands at the morning after the second."""
    world = accepted
    world.app.config["WTF_CSRF_ENABLED"] = False
    services, ada = world.services, world.ada
    services.diary.check_in(ada.identity, ada.athlete_id, CheckIn(pain_at_rest=0), "first")
    for number in range(2):
        train(world, number, 0)
    return world


def train(world, number: int, pain: int) -> None:
    services, ada = world.services, world.ada
    today = world.clock.now.date()
    weeks = (services.plans.week(ada.athlete_id, today + timedelta(weeks=week)) for week in (0, 1))
    session = next(each for week in weeks for each in week if each.state is SessionState.PLANNED)
    world.clock.now = session.due_at
    services.plans.release_due(world.clock.now)
    world.clock.forward(minutes=20)
    form = {"outcome": "done", "effort": "3", "pain_during": str(pain), "pain_after": str(pain)}
    answer = world.client(ada).post(f"/sessions/{session.session_id}/outcome", data=form)
    assert answer.status_code == 303
    world.clock.now = (world.clock.now + timedelta(days=1)).replace(hour=6)
    services.diary.check_in(ada.identity, ada.athlete_id, CheckIn(pain_at_rest=pain), f"m{number}")


def desk(world) -> str:
    return world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").text


def test_the_coach_sees_a_step_and_the_athlete_that_it_waits(training) -> None:
    page = desk(training)
    assert "A next step" in page
    assert "Ada&#39;s last two sessions were easy on the back" in page
    today = training.client(training.ada).get("/today").text
    assert "Your last two sessions were easy on your back" in today
    assert "waits for your coach" in today
    assert "/accept" not in today
    assert "a proposal waits for you" in training.client(training.kim).get("/athletes").text


@pytest.mark.parametrize(("word", "shown"), [("accept", "One change this week"), ("decline", "")])
def test_yes_and_not_now(training, word: str, shown: str) -> None:
    (act,) = set(re.findall(rf'action="(/steps/[0-9a-f]+/{word})"', desk(training)))
    ada = training.client(training.ada)
    assert ada.post(act).status_code == 403
    kim = training.client(training.kim)
    assert kim.post(act).status_code == 303
    page = desk(training)
    assert "A next step" not in page
    assert shown in page
    assert kim.post(act).status_code == 409
    told = kim.post(act, headers={"HX-Request": "true"})
    assert told.status_code == 200
    assert "not open any more" in told.text


def test_a_red_session_is_told_to_both_with_its_free_day(training) -> None:
    train(training, 2, 5)
    for page in (desk(training), training.client(training.ada).get("/today").text):
        assert "one step easier" in page
        assert "The free day is Today" in page
    assert "one step easier" in training.client(training.ada).get("/week").text


def test_rest_stands_in_the_week_as_items_of_its_own_with_their_because(training) -> None:
    plan = training.services.plans.active(training.ada.athlete_id)
    assert plan is not None
    page = training.client(training.ada).get("/week").text
    assert "Rest that belongs to it" in page
    for rule in plan.prescription.rest:
        assert rule.text[:40] in page
        assert rule.because[-40:] in page


def test_what_is_at_hand_is_kept_and_wrong_time_is_said(training) -> None:
    ada = training.client(training.ada)
    act = f"/athletes/{training.ada.athlete_id}/choices"
    assert "this is what most homes have" in ada.get("/choices").text
    assert ada.post(act, data={"equipment": ["chair"], "session_max_min": "15"}).status_code == 303
    page = ada.get("/choices").text
    assert "this is what most homes have" not in page
    assert re.search(r'value="chair" checked', page)
    assert not re.search(r'value="band" checked', page)
    assert 'value="15"' in page
    wrong = ada.post(act, data={"equipment": ["chair"], "session_max_min": "2"})
    assert wrong.status_code == 422
    assert "8 to 60 minutes" in wrong.text


def test_an_exercise_is_said_no_to_from_the_session_and_taken_back(training) -> None:
    ada = training.client(training.ada)
    week = training.services.plans.week(training.ada.athlete_id, training.clock.now.date())
    session = next(each for each in week if each.state is SessionState.PLANNED)
    page = ada.get(f"/sessions/{session.session_id}").text
    acts = re.findall(r'action="(/athletes/[0-9a-f]+/exercises/curl_up/no)"', page)
    assert len(acts) == 1
    assert ada.post(acts[0]).status_code == 303
    assert "Curl-up" not in ada.get(f"/sessions/{session.session_id}").text
    listed = ada.get("/choices").text
    (back,) = re.findall(r'action="(/athletes/[0-9a-f]+/exercises/curl_up/yes)"', listed)
    assert "Curl-up" in desk(training)  # among the changes of the week
    assert ada.post(back).status_code == 303
    assert "exercises/curl_up/yes" not in ada.get("/choices").text


def test_a_step_is_not_shown_while_questions_wait(training) -> None:
    services, ada = training.services, training.ada
    answers = {question.id: Answer.NO for question in services.triage.questions()} | {"NEU": Answer.YES}
    services.triage.answer(ada.identity, ada.athlete_id, answers, 30)
    today = training.client(training.ada).get("/today").text
    assert "A next step" not in today
    assert "Your program is paused" in today
