"""Who may call what: every route, every person, and what an undeclared route comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from coach.analysis.assessment_types import AssessmentTest
from coach.errors import CoachError
from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.diary import CheckIn
from coach.service.entered import Entered
from coach.web import access
from coach.web.described import description_of
from coach.wire import LinkLogText
from tests.coach.web.told import stream_of

PUBLIC = {
    "static",
    "welcome.welcome",
    "welcome.enter",
    "welcome.sign_in",
    "welcome.sign_in_page",
    "welcome.sign_out",
    "welcome.code",
    "welcome.enter_code",
    "passkeys.ask",
    "passkeys.sign_in",
    "api.document",
    "calendar.feed",
    "health.alive",
    "health.ready",
    "reminders.worker",
}
# Names no athlete: everybody's own.
KIND = "trunk_endurance"
BY_TOKEN = {"api.add_chunks", "api.beat", "api.live"}
BY_PHONE = {"phone_push.push", "phone_push.push_by_path"}


def routes(app: Flask, values: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield endpoint, method and path of every route, with ids filled in."""
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            wanted = {name: values[name] for name in rule.arguments}
            for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                yield rule.endpoint, method, adapter.build(rule.endpoint, wanted, method=method)


def session_of(world) -> str:
    today, plans = world.clock.now.date(), world.services.plans
    found = [each for week in (0, 7) for each in plans.week(world.ada.athlete_id, today + timedelta(days=week))]
    return found[0].session_id if found else "no-such-session"


def of_ada(world) -> dict[str, str]:
    services, ada = world.services, world.ada
    if not services.tokens.of_athlete(ada.identity, ada.athlete_id):
        services.tokens.issue(ada.identity, ada.athlete_id, "laptop")
        services.gateways.keep_log(LinkLogText(world.wearable_id, "rec", "redacted", "whole"))
    told = [Entered(AssessmentTest.DYNAMOMETER_BACK, (400.0,), unit="N")]
    assessment = services.assessments.get(
        ada.identity, services.assessments.record(ada.identity, ada.athlete_id, told, "of-ada")
    )
    told = services.diary.check_in(ada.identity, ada.athlete_id, CheckIn(1), "of-ada")
    trained = services.diary.add_training(ada.identity, ada.athlete_id, "Run", 30, 4, "of-ada")
    job_id = services.jobs.add(world.kim.identity, ada.athlete_id, "Unloading", "duet", [{"effort": "4"}], [{}])
    return {
        "job_id": job_id,
        "treatment_id": services.treatments.add(ada.identity, ada.athlete_id, TreatmentKind.HEAT, "t").treatment_id,
        "imaging_id": services.doctor.add_imaging(
            ada.identity, ada.athlete_id, ImagingKind.MRI, date(2026, 11, 20), "i", words="a report"
        ).imaging_id,
        "checkin_id": told.checkin_id,
        "training_id": trained.training_id,
        "assessment_id": assessment.assessment_id,
        "trial_id": assessment.trials[0].trial_id,
        "kind": KIND,
        "athlete_id": world.ada.athlete_id,
        "finding_id": world.finding_id,
        "plan_id": world.plan_id,
        "wearable_id": world.wearable_id,
        "session_id": session_of(world),
        "token": "no-such-token",
        "upload_id": "no-such-upload",
        "day": "2026-11-24",
        "token_id": world.services.tokens.of_athlete(world.ada.identity, world.ada.athlete_id)[0].token_id,
        "log_id": world.services.gateways.logs(world.ada.identity, world.ada.athlete_id)[0].log_id,
        "filename": "css/backstop.css",
        "device_id": "no-such-device",
        "passkey_id": "no-such-passkey",
        "sign_in_id": "no-such-sign-in",
        "stream_id": stream_of(world),
        "change_id": "no-such-step",
        "exercise_id": "curl_up",
    }


def call(client: FlaskClient, method: str, path: str, token: str | None = None):
    headers = {"X-CSRFToken": token} if token else {}
    answer = client.open(path, method=method, headers=headers, buffered=False)
    answer.close()
    return answer


def test_public_is_only_what_must_be(world) -> None:
    declared = {endpoint: access.access_of(world.app, endpoint) for endpoint in world.app.view_functions}
    assert {endpoint for endpoint, each in declared.items() if each is access.Access.PUBLIC} == PUBLIC
    assert {endpoint for endpoint, each in declared.items() if each is access.Access.BEARER} == BY_TOKEN
    assert {endpoint for endpoint, each in declared.items() if each is access.Access.PHONE} == BY_PHONE
    assert None not in declared.values()


def test_an_undeclared_route_is_found_when_the_app_is_made_and_answers_500(world) -> None:
    world.app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    with pytest.raises(CoachError, match="forgotten"):
        access.check_declared(world.app)
    answer = world.client(world.kim).get("/forgotten")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_stranger_gets_nothing(world) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False
    client, asked = world.client(), 0
    for endpoint, method, path in routes(world.app, of_ada(world)):
        if endpoint in PUBLIC:
            continue
        answer = call(client, method, path)
        asked += 1
        if endpoint in BY_PHONE:
            assert answer.status_code == access.STATUS_SHOWN
        elif answer.status_code == 303:
            assert answer.headers["Location"] == "/", (endpoint, method)
        else:
            assert answer.status_code == 401, (endpoint, method, answer.status_code)
    assert asked > 25


@pytest.mark.parametrize("name", ["lou", "bo"])
def test_nobody_reaches_an_athlete_who_is_not_theirs(accepted, name: str) -> None:
    world, before = accepted, of_ada(accepted)
    assert before["session_id"] != "no-such-session"
    world.app.config["WTF_CSRF_ENABLED"] = False
    client, asked = world.client(getattr(world, name)), 0
    for endpoint, method, path in routes(world.app, of_ada(world)):
        if endpoint in PUBLIC | BY_TOKEN | BY_PHONE or not (set(of_ada(world).values()) - {KIND}) & set(
            path.replace(".ics", "").split("/")
        ):
            continue
        answer = call(client, method, path)
        asked += 1
        told = description_of(world.app, endpoint)
        # Where JSON is taken, its lack is told first, whoever asks; test_api_doors.py sends some.
        refused = {403, 404} if told is None or told.takes is None else {403, 404, 415}
        assert answer.status_code in refused, (endpoint, method, answer.status_code)
    assert asked > 10
    plan = world.services.plans.get(world.kim.identity, world.plan_id)
    assert plan.state == "accepted"
    assert len(world.services.wearables.for_athlete(world.ada.athlete_id)) == 1
    assert world.services.plans.session(world.ada.identity, before["session_id"]).state in {"planned", "due"}


def test_athlete_pages_are_not_for_coaches_and_the_other_way_round(world) -> None:
    assert world.client(world.kim).get("/today").status_code == 403
    assert world.client(world.ada).get("/athletes").status_code == 403
    assert world.client(world.ada).get(f"/athletes/{world.ada.athlete_id}").status_code == 403


def test_an_athlete_with_a_coach_cannot_accept_for_herself(nothing_to_tell, csrf_of) -> None:
    client = nothing_to_tell.client(nothing_to_tell.ada)
    answer = client.post(f"/plans/{nothing_to_tell.plan_id}/accept", headers={"X-CSRFToken": csrf_of(client)})
    assert answer.status_code == 403
    assert nothing_to_tell.services.plans.active(nothing_to_tell.ada.athlete_id) is None


@pytest.mark.parametrize(
    "path",
    ["/athletes/x", "/findings/x", "/findings/x/signal.json", "/sessions/x", "/calendar/x.ics", "/no/such/page"],
)
def test_ids_that_are_nobodys_answer_404_with_a_sentence(world, path: str) -> None:
    answer = world.client(world.kim).get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_who_was_removed_is_signed_out(world) -> None:
    client = world.client(world.kim)
    with client.session_transaction() as cookie:
        cookie["secret"] = "of a sign-in that is gone"
    assert client.get("/athletes").status_code == 303
