"""The program desk, templates, the library, own exercises, messages and notes: pages, forms, answers to programs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from coach.service.types import PlanState, Role
from programs.compose import Chosen
from programs.exercises import library
from tests.club.desk import OWN


@pytest.fixture
def desk(nothing_to_tell):
    """Ada's proposal waits; Cleo, whom Kim coaches too, has never been asked the safety questions."""
    world = nothing_to_tell
    world.app.config["WTF_CSRF_ENABLED"] = False
    services, kim = world.services, world.kim.identity
    cleo = services.athletes.create("Cleo", "Europe/Berlin", kim.user_id)
    services.accounts.create_user("Cleo", Role.ATHLETE, athlete_id=cleo)
    made = services.plan_templates.make(kim, "Back basics", [Chosen("bird_dog", 0), Chosen("side_bridge", 0)], 3, 4)
    (outcome,) = services.plan_templates.apply(kim, made.template_id, [cleo])
    assert outcome.problem is None
    return world


def own_form(**change: Any) -> dict[str, Any]:
    form = {name: each for name, each in OWN.items() if isinstance(each, str)}
    form |= {"answers": OWN["answers"], "equipment": OWN["equipment"], "contraindications": OWN["contraindications"]}
    form |= {"cues": "\r\n".join(OWN["cues"]), "seen_as": "hold", "placement": "chest"}
    for number, level in enumerate(OWN["levels"]):
        form |= {
            f"level_name_{number}": level["name"], f"level_sets_{number}": "3, 3", f"level_hold_{number}": "10",
            f"level_rest_{number}": "20",
        }  # fmt: skip
    return form | change


def test_what_waits_is_shown_as_a_difference_and_decided_for_many_with_a_sentence_for_who_is_held(desk) -> None:
    kim, services = desk.client(desk.kim), desk.services
    page = kim.get("/programs").text
    assert "2 wait for your yes" in page
    assert "safety questions not answered yet" in page
    assert "from the template “Back basics”" in page
    assert page.count('class="is-added"') >= 5
    plans = re.findall(r'name="plan" value="([0-9a-f]{32})"', page)
    assert len(plans) == 2
    answer = kim.post("/programs/accept", data={"plan": plans, "word": "go"})
    assert answer.status_code == 200
    assert "Accepted for 1 athlete." in answer.text
    assert "1 was not possible, and nothing of it was done" in answer.text
    assert "The safety questions were not answered yet: Cleo answers them first." in answer.text
    assert services.plans.active(desk.ada.athlete_id) is not None
    (left,) = services.program_desk.waiting(desk.kim.identity)
    assert left.name == "Cleo"
    # Of one that is held alone nothing is done at all; a no to it goes through, with its reason.
    assert kim.post("/programs/accept", data={"only": left.proposal.plan_id}).status_code == 409
    only = {"only": left.proposal.plan_id, f"reason-{left.proposal.plan_id}": "she rests", "word": "other"}
    assert kim.post("/programs/decline", data=only).status_code == 303
    assert services.plans.get(desk.kim.identity, left.proposal.plan_id).note == "she rests"
    assert "Nothing waits for your yes" in kim.get("/programs").text
    assert kim.post("/programs/accept", data={}).status_code == 422


def test_a_proposal_is_edited_and_accepted_at_once(desk) -> None:
    kim, services = desk.client(desk.kim), desk.services
    page = kim.get(f"/plans/{desk.plan_id}/edit").text
    items = services.plans.get(desk.kim.identity, desk.plan_id).prescription.exercises
    form: dict[str, Any] = {"sessions_per_week": "2", "weeks": "5", "add_0": "heel_tap", "add_level_0": "1"}
    for number, item in enumerate(items):
        assert f'name="exercise_{number}" value="{item.exercise_id}"' in page
        form |= {
            f"exercise_{number}": item.exercise_id, f"level_{number}": "1" if number == 1 else str(item.level),
            f"sets_{number}": ", ".join(map(str, item.dose.repetitions)),
            f"hold_{number}": f"{item.dose.hold_s:g}" if item.dose.hold_s else "",
        }  # fmt: skip
        if number:  # the first one goes
            form[f"keep_{number}"] = "1"
    for wrong in (
        {"sets_1": "many"}, {"weeks": "0"}, {"level_1": "77"}, {"add_0": "nothing"}, {"hold_1": "-3", "sets_1": "1"},
    ):  # fmt: skip
        refused = kim.post(f"/plans/{desk.plan_id}/edit", data=form | wrong)
        assert refused.status_code == 400, wrong
        assert 'role="alert"' in refused.text
    assert services.plans.get(desk.kim.identity, desk.plan_id).state is PlanState.PROPOSED
    answer = kim.post(f"/plans/{desk.plan_id}/edit", data=form | {"then": "accept"})
    assert answer.status_code == 303
    active = services.plans.active(desk.ada.athlete_id)
    assert active is not None
    assert [item.exercise_id for item in active.prescription.exercises] == [
        *(item.exercise_id for item in items[1:]), "heel_tap"
    ]  # fmt: skip
    second = active.prescription.exercises[0]
    # Another level, the dose left as it stood: the level's own.
    assert (second.level, second.dose) == (1, library()[second.exercise_id].dose_by_level[1])
    assert (active.prescription.sessions_per_week, active.prescription.weeks) == (2, 5)
    # A program that runs is changed the same way, and waits.
    assert kim.post(f"/plans/{active.plan_id}/template", data={"name": "After Ada"}).status_code == 303
    assert kim.post(f"/plans/{active.plan_id}/template", data={"name": "after ada"}).status_code == 409
    assert kim.get(f"/plans/{active.plan_id}/edit").status_code == 200


def test_a_template_is_made_on_its_page_and_proposed(desk) -> None:
    kim = desk.client(desk.kim)
    form = {"name": "Sides", "add_0": "side_bridge", "add_level_0": "2", "sessions_per_week": "2", "weeks": "4"}
    made = kim.post("/templates", data=form)
    assert made.status_code == 303
    assert kim.post("/templates", data=form).status_code == 400
    page = kim.get(made.location).text
    assert "on your knees, more holds" in page
    assert "Ada" in page
    assert "Cleo" in page
    answer = kim.post(f"{made.location}/apply", data={"athlete": [desk.ada.athlete_id, desk.bo.athlete_id]})
    assert answer.status_code == 200
    assert "Proposed to 1 athlete." in answer.text
    assert "1 was not possible" in answer.text
    assert "Bo" not in re.sub(r"<[^>]+>", " ", answer.text).split()  # that Bo exists is not told
    proposal = desk.services.plans.proposal(desk.ada.athlete_id)
    assert proposal is not None
    assert (proposal.prescription.title, proposal.prescription.exercises[0].level) == ("Sides", 0)
    assert kim.post(f"{made.location}/apply", data={}).status_code == 400
    lou = desk.client(desk.lou)
    assert lou.get(made.location).status_code == 404
    assert "Sides" not in lou.get("/templates").text
    assert kim.post(f"{made.location}/delete").status_code == 303


def test_the_library_shows_every_exercise_and_is_narrowed(desk) -> None:
    kim = desk.client(desk.kim)
    page = kim.get("/library").text
    assert page.count('class="card shelf-item"') == len(library()) >= 45
    assert page.count('<svg class="figure"') == len(library())
    for question, holds in (
        ("plane=frontal", lambda one: one.plane == "frontal"),
        ("group=side+trunk", lambda one: one.muscle_group == "side trunk"),
        ("have=none", lambda one: set(one.equipment) <= {"none"}),
        ("have=band", lambda one: set(one.equipment) <= {"none", "band"}),
        ("phase=acute", lambda one: one.phase == "acute"),
        ("q=bridge", lambda one: "bridge" in f"{one.name} {one.target}".casefold()),
        ("plane=nothing", lambda one: False),
    ):
        shown = set(re.findall(r'href="/library/([a-z_]+)"', kim.get(f"/library?{question}").text))
        assert shown == {one.id for one in library().values() if holds(one)}, question
    one = library()["bird_dog"]
    page = kim.get("/library/bird_dog").text
    for said in (one.source.replace("&", "&amp;"), *one.levels, "pain when kneeling", "back extensors"):
        assert said in page
    assert kim.get("/library/none").status_code == 404


def test_an_own_exercise_goes_from_its_form_into_a_session_and_stays_its_coachs(desk) -> None:
    kim, lou, services = desk.client(desk.kim), desk.client(desk.lou), desk.services
    refused = kim.post("/own-exercises", data=own_form(name=" "))
    assert refused.status_code == 400
    assert "Stand tall with the weight in one hand." in refused.text  # what was typed is still there
    made = kim.post("/own-exercises", data=own_form())
    assert made.status_code == 303
    exercise_id = made.location.rpartition("/")[2]
    assert services.own_exercises.get(desk.kim.identity, exercise_id).exercise.name == "Suitcase hold"
    assert "Suitcase hold" in kim.get("/library").text
    assert "Suitcase hold" in kim.get(f"/plans/{desk.plan_id}/edit").text
    for path in (f"/library/{exercise_id}", f"/own-exercises/{exercise_id}"):
        assert lou.get(path).status_code == 404
    for page in ("/library", "/library?own=1", "/templates"):
        assert "Suitcase hold" not in lou.get(page).text
    assert lou.post(f"/own-exercises/{exercise_id}/delete").status_code == 404
    edited = services.program_desk.edit(desk.kim.identity, desk.plan_id, [Chosen(exercise_id, 0)], 3, 4)
    services.plans.accept(edited.plan_id, desk.kim.identity)
    session = services.plans.week(desk.ada.athlete_id, desk.clock.now.date())[0]
    page = desk.client(desk.ada).get(f"/sessions/{session.session_id}").text
    assert "Suitcase hold" in page
    assert "Stand tall with the weight in one hand." in page
    assert 'class="figure"' in page  # the drawing that its coach chose
    assert kim.post(f"/own-exercises/{exercise_id}", data=own_form(name="Suitcase, changed")).status_code == 303
    assert "Suitcase hold" in desk.client(desk.ada).get(f"/sessions/{session.session_id}").text
    assert kim.post(f"/own-exercises/{exercise_id}/delete").status_code == 303


def test_a_message_is_read_with_the_session(desk) -> None:
    services = desk.services
    services.plans.accept(desk.plan_id, desk.kim.identity)
    session = services.plans.week(desk.ada.athlete_id, desk.clock.now.date())[0].session_id
    kim, ada = desk.client(desk.kim), desk.client(desk.ada)
    assert kim.post(f"/sessions/{session}/message", data={"text": "Slowly & <b>well</b>"}).status_code == 303
    assert "Slowly &amp; &lt;b&gt;well&lt;/b&gt;" in ada.get(f"/sessions/{session}").text
    assert "Your message with this session" not in ada.get(f"/sessions/{session}").text
    # Who is led through it reads it before the first set.
    assert "Slowly &amp;" in ada.get(f"/sessions/{session}/guided", follow_redirects=True).text
    assert ada.post(f"/sessions/{session}/message", data={"text": "x"}).status_code == 403
    assert kim.post(f"/sessions/{session}/message", data={"text": "x" * 501}).status_code == 422
    assert kim.post(f"/sessions/{session}/message", data={"text": ""}).status_code == 303
    assert "Slowly" not in ada.get(f"/sessions/{session}").text


def test_private_notes_are_on_no_other_page(desk) -> None:
    kim = desk.client(desk.kim)
    address = f"/athletes/{desk.ada.athlete_id}/notes"
    assert kim.post(address, data={"text": "Prefers mornings."}).status_code == 303
    assert "Prefers mornings." in kim.get(address).text
    assert kim.post(address, data={"text": " "}).status_code == 400
    second = desk.services.accounts.create_user("Sam", Role.COACH)
    desk.services.athletes.link_coach(second, desk.ada.athlete_id)
    sam = desk.app.test_client()
    sam.get(f"/enter/{desk.services.accounts.issue_sign_in_link(second)}")
    for client, path in (
        (sam, address), (sam, f"/athletes/{desk.ada.athlete_id}"), (kim, f"/athletes/{desk.ada.athlete_id}"),
        (desk.client(desk.ada), "/today"),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Prefers mornings." not in answer.text
    assert desk.client(desk.ada).get(address).status_code == 403
    assert desk.client(desk.lou).get(address).status_code == 404
    note = re.search(rf"{address}/([0-9a-f]{{32}})/delete", kim.get(address).text)
    assert note
    assert sam.post(f"{address}/{note[1]}/delete").status_code == 404
    assert kim.post(f"{address}/{note[1]}/delete").status_code == 303
    assert "Prefers mornings." not in kim.get(address).text


def test_programs_do_the_same(desk, csrf_of) -> None:
    kim = desk.client(desk.kim)
    desk.app.config["WTF_CSRF_ENABLED"] = True
    headers = {"X-CSRFToken": csrf_of(kim)}
    waiting = kim.get("/api/v1/program-desk").json["items"]
    assert [each["name"] for each in waiting] == ["Ada", "Cleo"]
    assert waiting[0]["proposal"]["difference"]["asks_for_more"] is True
    chosen = [{"exercise_id": "side_bridge", "level": 1, "repetitions": [5, 5]}]
    told = {"exercises": chosen, "sessions_per_week": 3, "weeks": 4}
    edited = kim.post(f"/api/v1/plans/{desk.plan_id}/edit", json=told, headers=headers)
    assert edited.status_code == 200
    assert edited.json["prescription"]["exercises"][0]["dose"]["repetitions"] == [5, 5]
    plan_ids = [edited.json["plan_id"], waiting[1]["proposal"]["plan_id"]]
    decided = kim.post("/api/v1/program-desk/decisions", json={"yes": True, "plan_ids": plan_ids}, headers=headers)
    assert [each["problem"] is None for each in decided.json] == [True, False]
    made = kim.post("/api/v1/own-exercises", json={"entry": OWN}, headers=headers)
    assert made.status_code == 201
    assert made.json["exercise"]["name"] == "Suitcase hold"
    assert kim.post("/api/v1/own-exercises", json={"entry": {"name": 1}}, headers=headers).status_code == 422
    new = {**told, "name": "Sides"}
    template = kim.post("/api/v1/templates", json=new, headers=headers)
    assert template.status_code == 201
    assert kim.post("/api/v1/templates", json=new, headers=headers).status_code == 409
    path = f"/api/v1/templates/{template.json['template_id']}"
    applied = kim.post(f"{path}/apply", json={"athlete_ids": [desk.ada.athlete_id], "more": True}, headers=headers)
    assert applied.json[0]["problem"] is None
    assert kim.delete(path, headers=headers).status_code == 204
    assert len(kim.get("/api/v1/library?limit=200").json["items"]) == len(library())
    lou = desk.client(desk.lou)
    assert lou.get("/api/v1/own-exercises").json["items"] == []
    assert lou.get("/api/v1/program-desk").json["items"] == []
