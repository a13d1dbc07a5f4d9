"""The document says all that there is and nothing else, and every answer is as it says."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from coach.service.personal_tokens import TokenScope
from coach.web.described import Description, description_of
from coach.web.openapi import document_of, path_of
from tests.coach.web.api_twins import NONE, TWINS
from tests.coach.web.test_access import of_ada


@pytest.fixture
def document(world) -> dict:
    answer = world.client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return json.loads(answer.data)


def operations(document: dict) -> dict[str, tuple[str, str, dict]]:
    """Return path, method and entry of every operation, by its id."""
    return {
        entry["operationId"]: (path, method, entry)
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    }


def problems(document: dict, schema: dict, value: object) -> list[str]:
    """Return what is wrong with a value by a schema of the document."""
    found = Draft202012Validator({**schema, "components": document["components"]}).iter_errors(value)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in found]


def check(document: dict, operation: str, answer) -> object:
    """Hold an answer against the document; return its value."""
    responses = operations(document)[operation][2]["responses"]
    said = responses.get(str(answer.status_code))
    assert said is not None, (operation, answer.status_code, answer.text[:300])
    content = said.get("content")
    if content is None:
        assert not answer.data, operation
        return None
    assert answer.mimetype in content, (operation, answer.mimetype)
    if answer.mimetype != "application/json":
        return answer.data
    value = json.loads(answer.data)
    assert problems(document, content["application/json"]["schema"], value) == [], operation
    return value


def test_it_is_a_valid_document_of_3_1(document) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_address_is_described_or_has_a_twin_or_a_reason(world, document) -> None:
    """A new page, form or JSON address has to say what it is to programs; a line without an address is a leftover."""
    endpoints = set(world.app.view_functions)
    described = {each for each in endpoints if description_of(world.app, each) is not None}
    assert not (TWINS.keys() & NONE.keys())
    assert endpoints - described == TWINS.keys() | NONE.keys()
    known = operations(document).keys()
    assert {name for names in TWINS.values() for name in names.split()} - known == set()


def test_what_answers_json_is_described(world) -> None:
    rules = list(world.app.url_map.iter_rules())
    for_programs = [each for each in rules if each.rule.startswith("/api/") or each.rule.endswith(".json")]
    assert len(for_programs) > 60
    assert [each.rule for each in for_programs if description_of(world.app, each.endpoint) is None] == []


def test_the_document_and_the_routes_are_the_same(world, document) -> None:
    routes = {
        (path_of(rule), method.lower())
        for rule in world.app.url_map.iter_rules()
        if description_of(world.app, rule.endpoint) is not None
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(document).values()} == routes
    assert len(operations(document)) == len(routes)


def test_a_page_that_answers_something_else_than_a_page_is_found(accepted) -> None:
    """Whatever is not described answers HTML: JSON behind a page's back would be an interface that nobody describes."""
    world, ids, asked = accepted, of_ada(accepted), 0
    other_files = {
        "offline.manifest",
        "guided.events",
        "wall.stream",
        "team_reports.pdf",
        "team_reports.table",
        "doctor.pdf",
        "doctor.imaging_file",
        "reminders.worker",
        "static",
    }
    for who in (world.ada, world.kim):
        client = world.client(who)
        for rule in world.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or description_of(world.app, rule.endpoint) is not None:
                continue
            if rule.endpoint in other_files:
                continue
            path = path_of(rule).format_map({name: ids.get(name, "no-such-id") for name in rule.arguments})
            answer = client.get(path)
            asked += answer.status_code == 200
            assert answer.mimetype == "text/html", (rule.endpoint, answer.status_code)
    assert asked > 40


def test_an_entry_that_lies_is_found(world, document) -> None:
    """The checks of this file can fail: an answer beside its schema, a status that is not named."""
    client = world.client(world.kim)
    found = client.get(f"/api/v1/findings/{world.finding_id}")
    check(document, "api_finding", found)
    properties = document["components"]["schemas"]["FindingView"]["properties"]
    properties["kind"] = {"type": "integer"}
    with pytest.raises(AssertionError, match="kind"):
        check(document, "api_finding", found)
    del operations(document)["api_finding"][2]["responses"]["404"]
    with pytest.raises(AssertionError, match="404"):
        check(document, "api_finding", client.get("/api/v1/findings/nobodys"))


def test_every_answer_to_a_look_is_as_the_document_says(accepted, document) -> None:
    """Every GET of the interface, with ids that there are, as the athlete and the coach."""
    # A step that waits needs weeks of sessions: test_progress_pages.py has them.
    world, ids = accepted, of_ada(accepted) | {"change_id": "no-such-step"}
    answered: set[str] = set()
    for who in (world.ada, world.kim):
        secret = world.services.personal_tokens.make(who.identity, "walker", list(TokenScope)).secret
        client = world.client()
        for name, (path, method, _) in operations(document).items():
            if method != "get" or name in {"live_events", "api_export"}:
                continue
            values = {part: ids.get(part, "no-such-id") for part in ids | {"token": ""}}
            answer = client.get(path.format_map(values), headers={"Authorization": f"Bearer {secret}"})
            check(document, name, answer)
            if answer.status_code == 200:
                answered.add(name)
    unanswered = {name for name, (_, method, _) in operations(document).items() if method == "get"} - answered
    # The machine's own are the owner's; no step waits; the calendar's secret is its own; two are long; a time line is
    # of more than one scope, and each thing on it has an address of its own; two are for the pages' own scripts.
    assert unanswered == {
        "live_events", "api_export", "api_step", "calendar_feed", "metrics_metrics", "health_parts",
        "reanalysis_newest", "dead_letters_listed",
            "coach_time_line_json", "offline_copies", "guided_state",
    }  # fmt: skip


def test_a_program_lives_an_athletes_and_a_coachs_day(nothing_to_tell, document) -> None:
    """Propose, accept, train, tell, correct, delete: each answer as the document says, each change kept."""
    world, ada = nothing_to_tell, nothing_to_tell.ada.athlete_id
    secrets = {
        who: world.services.personal_tokens.make(getattr(world, who).identity, who, list(TokenScope)).secret
        for who in ("ada", "kim")
    }
    client = world.client()

    def ask(who: str, operation: str, body: object = None, **ids: str):
        path, method, _ = operations(document)[operation]
        headers = {"Authorization": f"Bearer {secrets[who]}"}
        answer = client.open(path.format_map(ids), method=method.upper(), headers=headers, json=body)
        return answer.status_code, check(document, operation, answer)

    assert ask("ada", "api_accept_plan", {}, plan_id=world.plan_id)[0] == 403
    status, plan = ask("kim", "api_accept_plan", {"reason": "go"}, plan_id=world.plan_id)
    assert (status, plan["state"], plan["note"]) == (200, "accepted", "go")
    assert ask("kim", "api_decline_plan", {}, plan_id=world.plan_id)[0] == 409
    _, listed = ask("ada", "api_sessions", athlete_id=ada)
    session = listed["items"][0]["session_id"]
    status, skipped = ask("ada", "api_session_outcome", {"outcome": "skipped"}, session_id=session)
    assert (status, skipped["state"]) == (200, "skipped")
    status, told = ask("ada", "api_add_checkin", {"pain_at_rest": 2, "note": "stiff"}, athlete_id=ada)
    assert (status, told["told"]["note"]) == (201, "stiff")
    status, told = ask("ada", "api_change_checkin", {"pain_at_rest": 3}, checkin_id=told["checkin_id"])
    assert (status, told["told"]["pain_at_rest"]) == (200, 3)
    status, trained = ask("ada", "api_add_training", {"what": "Run", "duration_min": 30, "effort": 4}, athlete_id=ada)
    assert status == 201
    assert ask("ada", "api_drop_training", training_id=trained["training_id"])[0] == 204
    assert ask("ada", "api_drop_training", training_id=trained["training_id"])[0] == 404
    status, tried = ask("ada", "api_add_treatment", {"kind": "heat"}, athlete_id=ada)
    assert (status, tried["kind"]) == (201, "heat")
    status, tried = ask("ada", "api_end_treatment", treatment_id=tried["treatment_id"])
    assert (status, tried["ended_on"]) == (200, "2026-11-24")
    assert ask("ada", "api_add_treatment", {"kind": "medicine", "words": "a drug"}, athlete_id=ada)[0] == 422
    _, times = ask("ada", "api_availability", athlete_id=ada)
    assert ask("ada", "api_set_availability", times | {"preferred": "07:15"}, athlete_id=ada)[0] == 200
    assert ask("ada", "api_availability", athlete_id=ada)[1]["preferred"] == "07:15"
    _, chosen = ask("ada", "api_decline_exercise", athlete_id=ada, exercise_id="bird_dog")
    assert [each["exercise_id"] for each in chosen["declined"]] == ["bird_dog"]
    assert ask("ada", "api_take_exercise_back", athlete_id=ada, exercise_id="bird_dog")[1]["declined"] == []
    profile = {"profile_id": "golf", "born_on": "1990-05-01"}
    assert ask("ada", "api_set_profile", profile, athlete_id=ada)[1]["profile_id"] == "golf"
    status, _ = ask("ada", "api_add_assessment", {"results": [{"test": "flexor", "values": [61.5]}]}, athlete_id=ada)
    assert status == 201
    assert ask("ada", "api_me")[1]["scopes"] == sorted(scope.value for scope in TokenScope)


def test_whoever_reads_the_document_knows_what_a_token_needs(world, document) -> None:
    for name, (_, _, entry) in operations(document).items():
        endpoint = next(each for each in world.app.view_functions if each.replace(".", "_") == name)
        told = description_of(world.app, endpoint)
        assert isinstance(told, Description)
        by_token = [each["personalToken"] for each in entry["security"] if "personalToken" in each]
        assert by_token == ([[told.scope.value]] if told.scope is not None else []), name
        assert entry["summary"].endswith("."), name


def test_the_document_is_the_same_every_time(world) -> None:
    assert document_of(world.app) == document_of(world.app)
