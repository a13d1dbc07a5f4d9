"""Who may call what: every route, every person, and what an undeclared route comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from coach.analysis.assessment_types import AssessmentTest
from coach.config import Config
from coach.errors import CoachError
from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.dead_letters import Letter
from coach.service.diary import CheckIn
from coach.service.entered import Entered
from coach.service.plain import prescription_to_plain
from coach.service.types import Level, Purpose, Role
from coach.store import program_changes
from coach.web import access, create_app
from coach.web.described import description_of
from coach.wire import LinkLogText
from tests.coach.web.conftest import Person
from tests.coach.web.told import store_of, stream_of
from tests.coach.web.who_may_what import EVERYBODY, MAY

# Names no athlete: everybody's own.
KIND = "trunk_endurance"


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


def stuck_of(world) -> str:
    dead, ada = world.services.dead_letters, world.ada.athlete_id
    dead.bury(Letter(ada, f"motion.0.{ada}", "", b"no chunk", "gone wrong", 5, world.clock.now))
    return dead.stuck()[0].id


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
        "step": "body",
        "athlete_id": world.ada.athlete_id,
        "finding_id": world.finding_id,
        "plan_id": world.plan_id,
        "wearable_id": world.wearable_id,
        "session_id": session_of(world),
        "token": "no-such-token",
        "upload_id": "no-such-upload",
        "day": "2026-11-24",
        "purpose": "sensing",
        "coach_id": world.kim.identity.user_id,
        "guardian_id": "no-such-guardian",
        "invitation_id": "no-such-code",
        "link_id": doctor_link_of(world),
        "token_id": world.services.tokens.of_athlete(world.ada.identity, world.ada.athlete_id)[0].token_id,
        "stuck_id": stuck_of(world),
        "log_id": world.services.gateways.logs(world.ada.identity, world.ada.athlete_id)[0].log_id,
        "filename": "css/backstop.css",
        "device_id": "no-such-device",
        "passkey_id": "no-such-passkey",
        "sign_in_id": "no-such-sign-in",
        "stream_id": stream_of(world),
        "change_id": change_of(world),
        "exercise_id": "curl_up",
        "group_id": "no-such-group",
        "template_id": "no-such-template",
        "note_id": "no-such-note",
    }


def change_of(world) -> str:
    """Return a change of Ada's program that was declined some time ago."""
    plain = prescription_to_plain(world.services.plans.get(world.kim.identity, world.plan_id).prescription)
    values = {"athlete_id": world.ada.athlete_id, "plan_id": world.plan_id, "kind": "step", "state": "declined"}
    then = world.clock.now
    values |= {"before": plain, "after": plain, "because": "told before", "created_at": then, "decided_at": then}
    with store_of(world).begin() as tx:
        return program_changes.add(tx, values)


def doctor_link_of(world) -> str:
    links, ada = world.services.doctor_links, world.ada
    if not links.of_athlete(ada.identity, ada.athlete_id):
        links.make(ada.identity, ada.athlete_id, "Dr. Weber")
    return links.of_athlete(ada.identity, ada.athlete_id)[0].link_id


def call(client: FlaskClient, method: str, path: str, token: str | None = None):
    headers = {"X-CSRFToken": token} if token else {}
    answer = client.open(path, method=method, headers=headers, buffered=False)
    answer.close()
    return answer


class Hall:
    """Everybody who may come to Ada's doors. Who is let in goes no further: the door is what is looked at."""

    def __init__(self, world) -> None:
        self.world, self.stands, self.reached = world, False, set[tuple[str, str]]()
        world.app.before_request(self._stop)
        world.app.config["WTF_CSRF_ENABLED"] = False
        # How often one may ask is not what is asked here.
        for limiter in world.app.extensions["limiter"]:
            limiter.enabled = False
        self.things = of_ada(world)
        services, ada = world.services, world.ada
        owner, gus, gil = (
            services.accounts.create_user(name, role)
            for name, role in (("Ola", Role.OWNER), ("Gus", Role.GUARDIAN), ("Gil", Role.GUARDIAN))
        )
        services.sharing.appoint(gus, ada.athlete_id)
        services.sharing.appoint(gil, world.bo.athlete_id)
        services.consents.agree(ada.identity, ada.athlete_id, Purpose.PAIN_TEXT)
        people = {"A": ada, "B": world.bo, "L": world.lou, "F": world.kim}
        people |= {
            letter: Person(services.accounts.identity(user_id), "")
            for letter, user_id in zip("OGH", (owner, gus, gil), strict=True)
        }
        self.clients = {letter: world.client(person) for letter, person in people.items()}
        self.clients |= dict.fromkeys("VPN", self.clients["F"])
        stranger = world.client()
        self.clients |= dict.fromkeys("SWTD", stranger)
        self.tokens = {
            "W": services.tokens.issue(ada.identity, ada.athlete_id, "hall"),
            "T": services.phones.add(ada.identity, ada.athlete_id, "hall", "chest")[1],
            "D": services.doctor_links.make(ada.identity, ada.athlete_id, "hall"),
        }

    def let_in(self, letter: str) -> set[tuple[str, str]]:
        """Return where somebody gets in, and hold what others are told to what a refusal is."""
        self._become(letter)
        self.reached.clear()
        headers = {"Authorization": f"Bearer {self.tokens[letter]}"} if letter in self.tokens else {}
        values = self.things | ({"token": self.tokens["T"]} if letter == "T" else {})
        paths = list(routes(self.world.app, values))
        self.stands = True
        for endpoint, method, path in paths:
            answer = self.clients[letter].open(path, method=method, headers=headers)
            if (endpoint, method) not in self.reached:
                home = answer.status_code == 303 and answer.headers["Location"] == "/"
                refused = {401, 403, 404, access.STATUS_SHOWN}
                assert home or answer.status_code in refused, (letter, endpoint, method, answer.status_code)
            answer.close()
        self.stands = False
        return set(self.reached)

    def _become(self, letter: str) -> None:
        services, ada, kim = self.world.services, self.world.ada, self.world.kim.identity
        if letter in "VPFN":
            level = {"V": Level.VIEW, "P": Level.PLAN}.get(letter, Level.FULL)
            services.sharing.set_level(ada.identity, ada.athlete_id, kim.user_id, level)
        settle = services.consents.withdraw if letter == "N" else services.consents.agree
        settle(ada.identity, ada.athlete_id, Purpose.PAIN_TEXT)

    def _stop(self):
        if not self.stands or request.endpoint is None:
            return None
        self.reached.add((request.endpoint, request.method))
        return Response(status=418)


def test_the_table_says_of_every_route_who_may(world) -> None:
    assert set(MAY) == set(world.app.view_functions)


def test_every_role_gets_in_where_the_table_says_and_nowhere_else(accepted) -> None:
    hall = Hall(accepted)
    everywhere = {(endpoint, method) for endpoint, method, _ in routes(accepted.app, hall.things)}
    for letter in EVERYBODY:
        expected = {each for each in everywhere if letter in MAY[each[0]]}
        found = hall.let_in(letter)
        assert found - expected == set(), f"{letter} gets in where they must not"
        assert expected - found == set(), f"{letter} is kept out where they belong"


def test_an_undeclared_route_is_found_when_the_app_is_made_and_answers_500(world) -> None:
    world.app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    with pytest.raises(CoachError, match="forgotten"):
        access.check_declared(world.app)
    answer = world.client(world.kim).get("/forgotten")
    assert answer.status_code == 500
    assert "secret" not in answer.text


class OpenGate:
    """Lets everybody in: what is behind it has to ask by itself."""

    def admit(self, *_: object) -> frozenset[str]:
        return frozenset()


@pytest.mark.parametrize("who", [Role.OWNER, Role.COACH, Role.ATHLETE, Role.GUARDIAN])
def test_services_refuse_whom_an_athlete_is_not_shared_with_whatever_the_door_did(accepted, who: Role) -> None:
    """Nobody hangs on the rule of a route alone: behind an open door every service asks again."""
    world, before = accepted, of_ada(accepted)
    assert before["session_id"] != "no-such-session"
    services = replace(world.services, gate=OpenGate())
    app = create_app(services, world.feed, Config(), "k" * 32, clock=world.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    client, asked = app.test_client(), 0
    token = services.accounts.issue_sign_in_link(stranger_of(world, who))
    assert client.get(f"/enter/{token}").status_code == 303
    named = set(before.values()) - {KIND, "sensing", "curl_up", "body", "2026-11-24", "css/backstop.css"}
    for endpoint, method, path in routes(app, before):
        if MAY[endpoint] in {EVERYBODY, "W", "T"} or not named & set(path.replace(".ics", "").split("/")):
            continue
        if who is Role.OWNER and MAY[endpoint] == "O":
            continue  # of the machine, whoever's signal it is about
        answer = call(client, method, path)
        asked += 1
        told = description_of(app, endpoint)
        # Where JSON is taken, its lack is told first, whoever asks; test_api_doors.py sends some.
        refused = {403, 404} if told is None or told.takes is None else {403, 404, 415}
        assert answer.status_code in refused, (endpoint, method, answer.status_code)
    assert asked > 100
    plan = world.services.plans.get(world.kim.identity, world.plan_id)
    assert plan.state == "accepted"
    assert len(world.services.wearables.for_athlete(world.ada.athlete_id)) == 1
    assert world.services.plans.session(world.ada.identity, before["session_id"]).state in {"planned", "due"}


@pytest.mark.parametrize("level", [Level.VIEW, Level.PLAN])
def test_services_refuse_changes_above_a_coachs_level_whatever_the_door_did(accepted, level: Level) -> None:
    world, things = accepted, of_ada(accepted)
    ada, kim = world.ada, world.kim.identity
    services = replace(world.services, gate=OpenGate())
    services.sharing.set_level(ada.identity, ada.athlete_id, kim.user_id, level)
    app = create_app(services, world.feed, Config(), "k" * 32, clock=world.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    client, asked = app.test_client(), 0
    assert client.get(f"/enter/{services.accounts.issue_sign_in_link(kim.user_id)}").status_code == 303
    letter = {Level.VIEW: "V", Level.PLAN: "P"}[level]
    for endpoint, method, path in routes(app, things):
        if method == "GET" or letter in MAY[endpoint] or not set("PFN") & set(MAY[endpoint]):
            continue
        if endpoint == "imports.discard":
            continue  # throws away a file that the asker has sent; nothing of the athlete
        answer = call(client, method, path)
        asked += 1
        # A form or JSON that lacks something is told of first, whoever sends it: nothing is changed either way.
        assert answer.status_code in {403, 404, 415, 422}, (endpoint, method, answer.status_code)
    assert asked > 10


def stranger_of(world, who: Role) -> str:
    """Return the user of somebody of a role with whom Ada shares nothing."""
    known = {Role.COACH: world.lou, Role.ATHLETE: world.bo}
    if who in known:
        return known[who].identity.user_id
    user_id = world.services.accounts.create_user("Somebody", who)
    if who is Role.GUARDIAN:
        world.services.sharing.appoint(user_id, world.bo.athlete_id)
    return user_id


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
