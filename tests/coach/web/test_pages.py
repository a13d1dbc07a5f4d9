"""What the pages say, from stored motion to the recorded session."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from coach.service.triage import PAUSED
from coach.service.types import Role
from programs.types import Answer, TriageLevel

HX = {"HX-Request": "true"}


def text_of(page: str) -> str:
    plain = html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>|<wbr>", "", page, flags=re.S)))
    return re.sub(r"\s+", " ", plain)


def test_the_desk_shows_the_finding_with_its_because(world) -> None:
    page = text_of(world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").text)
    assert "Ada's trunk, live" in page
    found = re.search(r"Ada bent forward (\d+) times in 12 min, ", page)
    assert found
    # 6 bends a minute over the 710 s after standing still; a bend more or less at the ends.
    assert abs(int(found[1]) - 71) <= 1
    for part in ("Today, 14:48 to 15:00", "a flag above 4 a minute", "RULA", "chest", "not a diagnosis"):
        assert part in page, part


def test_before_the_safety_questions_nothing_can_be_accepted(world, csrf_of) -> None:
    client = world.client(world.kim)
    page = text_of(client.get(f"/athletes/{world.ada.athlete_id}").text)
    assert "has not answered them yet" in page
    assert "Proposed:" in page
    assert "Accept" not in page
    answer = client.post(f"/plans/{world.plan_id}/accept", headers={**HX, "X-CSRFToken": csrf_of(client)})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert world.services.plans.active(world.ada.athlete_id) is None


def test_accepting_shows_the_week_and_tells_open_pages_but_the_calendar_link_is_the_athletes(
    nothing_to_tell, csrf_of
) -> None:
    world = nothing_to_tell
    client = world.client(world.kim)
    with world.feed.subscribe(world.ada.athlete_id) as reader:
        answer = client.post(f"/plans/{world.plan_id}/accept", headers={**HX, "X-CSRFToken": csrf_of(client)})
        kinds = [event["kind"] for event in reader.get_batch(0.0)]
    assert "plan" in kinds
    page = text_of(answer.text)
    assert "Ada's sessions" in page
    assert "Thu 26 Nov" in page or "Wed 25 Nov" in page or "Today" in page
    # The link would work on when the coach has gone: it is the athlete's own.
    address = r'value="(http://localhost/calendar/[^"]+\.ics)"'
    assert re.search(address, answer.text) is None
    link = re.search(address, world.client(world.ada).get("/week").text)
    assert link
    assert world.client().get(link[1]).status_code == 200


def test_declining_leaves_no_sessions(nothing_to_tell, csrf_of) -> None:
    world = nothing_to_tell
    client = world.client(world.kim)
    answer = client.post(f"/plans/{world.plan_id}/decline", headers={**HX, "X-CSRFToken": csrf_of(client)})
    assert "No program yet" in answer.text
    assert world.services.plans.week(world.ada.athlete_id, world.clock.now.date()) == []


def test_the_athlete_is_asked_first_then_shown_one_next_thing(world, csrf_of) -> None:
    client = world.client(world.ada)
    assert "Answer the safety questions" in client.get("/today").text
    data = {question.id: "no" for question in world.services.triage.questions()} | {"csrf_token": csrf_of(client)}
    del data[world.services.triage.questions()[1].id]
    unfinished = client.post("/safety", data=data)
    assert unfinished.status_code == 422
    assert "no answer yet" in unfinished.text
    data[world.services.triage.questions()[1].id] = "unknown"
    for wrong in ("x", "4", "9" * 5000):
        assert client.post("/safety", data={**data, "age_years": wrong}).status_code == 422
    assert world.services.triage.view_for(world.ada.identity, world.ada.athlete_id).result is None
    assert client.post("/safety", data={**data, "age_years": "34"}).status_code == 303
    assert world.services.triage.view_for(world.ada.identity, world.ada.athlete_id).result is not None


def test_an_urgent_answer_locks_and_the_coach_lifts_it_after_a_clinician(world, csrf_of) -> None:
    questions = world.services.triage.questions()
    urgent = next(question for question in questions if question.level is TriageLevel.EMERGENCY)
    client = world.client(world.ada)
    data = {question.id: "no" for question in questions} | {urgent.id: "yes", "csrf_token": csrf_of(client)}
    client.post("/safety", data=data)
    result = world.services.triage.view_for(world.ada.identity, world.ada.athlete_id).result
    assert result is not None
    assert result.locked
    today = html.unescape(client.get("/today").text)
    assert "paused" in today
    assert result.messages[0] in today
    kim = world.client(world.kim)
    desk = html.unescape(kim.get(f"/athletes/{world.ada.athlete_id}").text)
    assert PAUSED in desk
    result_page = html.unescape(kim.get(f"/athletes/{world.ada.athlete_id}/safety").text)
    assert PAUSED in result_page
    for page in (desk, result_page):
        # The details are the athlete's.
        assert result.messages[0] not in page
        assert urgent.text not in page
        assert "emergency" not in page.lower()
    lift = {"csrf_token": csrf_of(kim), "clinician": "Dr. Weiss", "seen_on": "2026-11-24"}
    assert kim.post(f"/athletes/{world.ada.athlete_id}/safety/clear", data=lift).status_code == 303
    after = world.services.triage.view_for(world.ada.identity, world.ada.athlete_id)
    assert after.result is None or not after.result.locked


def test_a_coach_cannot_answer_for_an_athlete_who_can(world, csrf_of) -> None:
    client = world.client(world.kim)
    data = {question.id: Answer.NO.value for question in world.services.triage.questions()}
    answer = client.post(f"/athletes/{world.ada.athlete_id}/safety", data={**data, "csrf_token": csrf_of(client)})
    assert answer.status_code == 422
    assert world.services.triage.view_for(world.ada.identity, world.ada.athlete_id).result is None


def test_a_released_session_is_done_once(accepted, csrf_of) -> None:
    world, plans = accepted, accepted.services.plans
    today = world.clock.now.date()
    sessions = [each for week in (0, 7) for each in plans.week(world.ada.athlete_id, today + timedelta(days=week))]
    first = sessions[0]
    world.clock.now = first.due_at + timedelta(minutes=1)
    assert [each.session_id for each in plans.release_due(world.clock.now)] == [first.session_id]
    client = world.client(world.ada)
    page = client.get("/today").text
    assert "Ready now" in page
    assert f"/sessions/{first.session_id}" in page
    assert "I did it" in client.get(f"/sessions/{first.session_id}").text
    data = {"csrf_token": csrf_of(client), "outcome": "done", "effort": "4", "pain_during": ""}
    where = f"/sessions/{first.session_id}/outcome"
    for wrong in ("11", "much", "9" * 5000):
        assert client.post(where, data={**data, "effort": wrong}).status_code == 422
    assert client.post(where, data={**data, "outcome": "perhaps"}).status_code == 422
    assert client.post(where, data=data).status_code == 303
    assert plans.session(world.ada.identity, first.session_id).state == "done"
    assert client.post(where, data=data).status_code == 409
    assert "done" in client.get("/week").text


def test_without_data_the_pages_say_what_is_needed(world) -> None:
    athlete_page = text_of(world.client(world.bo).get("/today").text)
    assert "Not enough data: needs 10 minutes of wear; 0 so far." in athlete_page
    coach_page = text_of(world.client(world.lou).get(f"/athletes/{world.bo.athlete_id}").text)
    assert "No wearable yet" in coach_page
    assert "No program yet" in coach_page


def test_the_roster_names_who_needs_the_coach_and_why(world) -> None:
    page = text_of(world.client(world.kim).get("/athletes").text)
    assert "Ada" in page
    assert "Ada bent forward" in page
    assert "Bo" not in page


def test_the_signal_of_a_finding_and_of_a_day(world) -> None:
    client = world.client(world.kim)
    window = client.get(f"/findings/{world.finding_id}/signal.json").get_json()
    values = [value for value in window["inclination_deg"] if value is not None]
    assert len(window["t_utc_s"]) == len(window["inclination_deg"])
    assert 45 < max(values) < 55
    day = client.get(f"/athletes/{world.ada.athlete_id}/day.json").get_json()
    assert day["t_utc_s"]
    assert client.get(f"/athletes/{world.ada.athlete_id}/day.json?day=2026-11-20").get_json()["t_utc_s"] == []
    wrong = client.get(f"/athletes/{world.ada.athlete_id}/day.json?day=yesterday")
    assert (wrong.status_code, "2026-11-24" in wrong.get_json()["error"]["what"]) == (422, True)


def test_a_session_says_how_much_how_what_instead_and_where_it_is_from(accepted, csrf_of) -> None:
    world = accepted
    first = world.services.plans.week(world.ada.athlete_id, world.clock.now.date())[0]
    own = text_of(world.client(world.ada).get(f"/sessions/{first.session_id}").text)
    for part in ("sets of", "Kneel on all fours", "If it hurts: slide", "chest pain or breathlessness", "Callaghan"):
        assert part in own, part
    assert own.count("You bent forward") == 1
    assert "Ada bent forward" in text_of(world.client(world.kim).get(f"/sessions/{first.session_id}").text)


def test_much_pain_asks_the_safety_questions_again_and_says_why(accepted, csrf_of) -> None:
    world, client = accepted, accepted.client(accepted.ada)
    first, second = world.services.plans.week(world.ada.athlete_id, world.clock.now.date())[:2]
    world.clock.forward(hours=1)
    data = {"csrf_token": csrf_of(client), "outcome": "done", "pain_during": "7"}
    assert client.post(f"/sessions/{first.session_id}/outcome", data=data).headers["Location"] == "/today"
    assert "You told of pain" in client.get("/today").text
    assert "program is paused" in client.get(f"/sessions/{second.session_id}").text
    assert "due again" in text_of(world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").text)


def test_an_athlete_without_a_coach_notes_the_clinician_and_one_with_a_coach_does_not(world, csrf_of) -> None:
    services = world.services
    alone_id = services.athletes.create("Uma", "Europe/Berlin")
    alone = services.accounts.identity(services.accounts.create_user("Uma", Role.ATHLETE, athlete_id=alone_id))
    assert alone is not None
    urgent = next(each for each in services.triage.questions() if each.level is TriageLevel.EMERGENCY)
    answers = {each.id: Answer.NO for each in services.triage.questions()} | {urgent.id: Answer.YES}
    services.triage.answer(alone, alone_id, answers, 30)
    services.triage.answer(world.ada.identity, world.ada.athlete_id, answers, 30)
    lift = {"clinician": "Dr. Weiss", "seen_on": "2026-11-24"}

    uma = world.app.test_client()
    uma.get(f"/enter/{services.accounts.issue_sign_in_link(alone.user_id)}")
    assert "note it below" in uma.get("/safety").text
    path = f"/athletes/{alone_id}/safety/clear"
    assert uma.post(path, data=lift | {"csrf_token": csrf_of(uma)}).headers["Location"] == "/today"
    assert "paused" not in uma.get("/today").text

    ada = world.client(world.ada)
    assert "your coach has noted it" in ada.get("/safety").text
    assert "Lift the pause" not in ada.get("/safety").text
    refused = ada.post(f"/athletes/{world.ada.athlete_id}/safety/clear", data=lift | {"csrf_token": csrf_of(ada)})
    assert refused.status_code == 403
    assert "paused" in ada.get("/today").text


def test_a_session_of_a_later_day_can_be_left_out_and_not_told_as_done(accepted) -> None:
    accepted.app.config["WTF_CSRF_ENABLED"] = False
    ada, today = accepted.client(accepted.ada), accepted.clock.now.date()
    session = accepted.services.plans.week(accepted.ada.athlete_id, today + timedelta(days=1))[0]
    where = f"/sessions/{session.session_id}"
    page = text_of(ada.get(where).text)
    assert "I did it" not in page
    assert "Leave it out" in page
    answer = ada.post(f"{where}/outcome", data={"outcome": "done", "effort": "3"})
    assert (answer.status_code, f"planned for {session.local_date}" in answer.text) == (409, True)
    assert ada.post(f"{where}/outcome", data={"outcome": "skipped"}).status_code == 303


def test_without_a_coach_no_page_speaks_of_one(world) -> None:
    services = world.services
    athlete_id = services.athletes.create("Alone", "Asia/Tokyo", None)
    user_id = services.accounts.create_user("Alone", Role.ATHLETE, athlete_id=athlete_id)
    client = world.app.test_client()
    client.get(f"/enter/{services.accounts.issue_sign_in_link(user_id)}")
    doctor = f"/athletes/{athlete_id}/for-the-doctor"
    for path in ("/today", "/week", "/safety", "/spasm", "/choices", "/diary", "/reminders", "/availability", doctor):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "our coach" not in text_of(answer.text), path
    with_coach = world.client(world.ada)
    assert "Your coach sees only whether" in text_of(with_coach.get("/safety").text)
    assert "Share with my coach" in text_of(with_coach.get(doctor.replace(athlete_id, world.ada.athlete_id)).text)


def test_without_scripts_pages_with_lines_say_what_is_missing(world) -> None:
    ada = world.client(world.ada)
    for path, has_lines in (("/today", True), ("/diary", False)):
        told = re.search(r"<noscript>(.*?)</noscript>", ada.get(path).text)
        assert (told is not None and "Without JavaScript lines" in told[1]) is has_lines


def test_a_sign_that_is_no_text_is_refused(accepted) -> None:
    accepted.app.config["WTF_CSRF_ENABLED"] = False
    ada = accepted.client(accepted.ada)
    form = {"what": "Golf\x00", "duration_min": "30", "effort": "3", "key": "k"}
    answer = ada.post("/diary/trainings", data=form)
    assert (answer.status_code, "a sign that is no text" in answer.text) == (422, True)
    assert ada.post("/diary/trainings", data=form | {"what": "Golf"}).status_code == 303
