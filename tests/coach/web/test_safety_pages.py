"""What the pages say of a lock of starting, of a session that fell back, and of pauses that were seen."""

from __future__ import annotations

from programs.phases import FALLBACK_WORDS
from programs.types import Answer
from tests.coach.web.test_pages import text_of


def answers(world, **other: Answer) -> None:
    given = {question.id: Answer.NO for question in world.services.triage.questions()} | other
    world.services.triage.answer(world.ada.identity, world.ada.athlete_id, given, 30)


def test_a_review_first_shows_walking_and_rest_on_today_and_no_accepting(nothing_to_tell, csrf_of) -> None:
    world = nothing_to_tell
    world.services.plans.accept(world.plan_id, world.kim.identity)
    answers(world, CAN=Answer.YES)
    today = text_of(world.client(world.ada).get("/today").text)
    assert "Walking and rest until a doctor has looked" in today
    assert "Please book a medical review before starting." in today
    assert all(sentence in today for sentence in FALLBACK_WORDS.split(". "))  # the first in sight, the rest behind it
    assert "Your program is paused" not in today
    session = world.services.plans.week(world.ada.athlete_id, world.clock.now.date())[0]
    page = text_of(world.client(world.ada).get(f"/sessions/{session.session_id}").text)
    assert "Easy walk" in page
    assert "Bird-dog" not in page
    assert "this session waits too" not in page
    desk = text_of(world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").text)
    assert "walking and rest stand in for Ada's sessions" in desk
    assert "medical review before starting" not in desk  # the details are the athlete's


def test_in_an_emergency_today_names_the_help_and_no_report(world) -> None:
    client = world.client(world.ada)
    answers(world, CAN=Answer.YES)
    assert "Take the report to a doctor" in client.get("/today").text
    answers(world, CES=Answer.YES)
    today = text_of(client.get("/today").text)
    assert "emergency number 112 now" in today
    assert "Take the report to a doctor" not in today


def test_today_says_how_many_pauses_were_seen(nothing_to_tell) -> None:
    world = nothing_to_tell
    client = world.client(world.ada)
    assert "/today/pauses" in client.get("/today").text
    assert text_of(client.get("/today/pauses").text).strip() == ""  # no program asks for pauses yet
    world.services.plans.accept(world.plan_id, world.kim.identity)
    seen = text_of(client.get("/today/pauses").text)
    assert "No pause was due yet today." in seen  # the newest of the twelve minutes are not settled
    assert "What the wearable sees counts as taken." in seen
    world.clock.forward(days=1)
    assert "not enough data: needs a wearable on the trunk" in text_of(client.get("/today/pauses").text)
