"""What people read after they did something: pages that lead nowhere before, what is said of it, and what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from coach.service.assessment_views import Kind
from coach.web.access import Access, rule_of
from programs.compose import Chosen
from tests.club.routes import KIM, MARA, STRANGER, WORDS
from tests.club.seeding import Made
from tests.coach.held import NO_TO_ALL

# What somebody types in these tests, so that it is told from words of ours.
TYPED = "Zwack"
JOB = {"model": "lifft", "tasks": "1", "name": TYPED, "0.load_kg": "10", "0.reach_m": "0.5", "0.repetitions": "500"}
OWN: dict[str, Any] = {
    "name": TYPED, "target": TYPED, "regression": TYPED, "cues": TYPED, "source": TYPED, "muscle_group": "side trunk",
    "plane": "frontal", "category": "core", "sides": "each", "phase": "early", "answers": "side_difference",
    "equipment": "none", "contraindications": ["third_trimester"], "seen_as": "hold", "placement": "chest",
    "level_name_0": TYPED, "level_sets_0": "3, 3", "level_hold_0": "10", "level_rest_0": "20",
}  # fmt: skip
# Forms that end what the others need, and what is no page.
_NOT_SENT = (
    "welcome.",
    "joining.",
    "passkeys.",
    "gateways.",
    "phones.",
    "phone_push.",
    "signal_lane.",
    "live.",
    "api.",
)
Answered = tuple[str, Any]


def pages(club: Made, clients: dict[str, FlaskClient]) -> Iterator[Answered]:
    """Yield, as (endpoint, answer), the pages to which only something that was done leads."""
    services, mara, kim = club.services, club.member(MARA), clients[KIM]
    own = f"/athletes/{mara.athlete_id}"
    group = services.groups.make(club.coach, TYPED, [mara.athlete_id])
    yield "groups.edit", kim.get(f"/groups/{group.group_id}")
    chosen = [Chosen("bird_dog", 0), Chosen("side_bridge", 1)]
    template = services.plan_templates.make(club.coach, TYPED, chosen, 3, 4)
    yield "templates.one", kim.get(f"/templates/{template.template_id}")
    yield "own_exercises.add", _sent(kim, "/own-exercises", OWN)
    (made,) = (each for each in services.own_exercises.of_coach(club.coach) if each.exercise.name == TYPED)
    yield "own_exercises.edit", kim.get(f"/own-exercises/{made.exercise.id}")
    yield "jobs.job", _sent(kim, f"{own}/jobs", JOB)
    secret = services.doctor_links.make(mara.identity, mara.athlete_id, TYPED)
    yield "doctor_link.page", clients[STRANGER].get(f"/doctor/{secret}")
    yield "doctor_link.pdf", clients[STRANGER].get(f"/doctor/{secret}/report.pdf")
    yield "sharing.make_link", clients[MARA].post(f"{own}/doctor-links", data={"label": TYPED})
    told = {"pain_at_rest": "2", "pain_in_motion": "3", "key": "told"}
    yield "diary.checkin", _sent(clients[MARA], "/diary/checkins", told)
    for kind in (Kind.TRUNK_ENDURANCE, Kind.TRUNK_ROTATION):
        test = services.trials.start(mara.identity, mara.athlete_id, kind, None, NO_TO_ALL, 0, kind.value)
        yield "assessments.guided", clients[MARA].get(f"/tests/{test}")
        yield "assessments.step", clients[MARA].get(f"/tests/{test}/step")
        yield "assessments.finish", _sent(clients[MARA], f"/tests/{test}/finish")


def _sent(client: FlaskClient, path: str, data: dict[str, Any] | None = None) -> Any:
    """Return what is read after a form was sent: the page that it leads to, with what is said there of it."""
    # Read to its end, as browsers do: until then it holds a place.
    answer = client.post(path, data=data, buffered=True)
    while answer.status_code in {302, 303}:
        answer = client.get(answer.headers["Location"], buffered=True)
    return answer


def empty_forms(app: Flask, club: Made, clients: dict[str, FlaskClient]) -> Iterator[Answered]:
    """Yield what is answered to every form that is sent with nothing in it: what is missing, or what was done."""
    mara = club.member(MARA)
    known = WORDS | {"athlete_id": mara.athlete_id, "user_id": club.coach.user_id, "coach_id": club.coach.user_id}
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.endpoint):
        asked = rule_of(app, rule.endpoint)
        if "POST" not in (rule.methods or ()) or rule.endpoint.startswith(_NOT_SENT) or asked is None:
            continue
        path = app.url_map.bind("localhost").build(
            rule.endpoint, {name: known.get(name, TYPED) for name in rule.arguments}, method="POST"
        )
        for who in (MARA, KIM):
            if asked.who in {Access.SIGNED_IN, {MARA: Access.ATHLETE, KIM: Access.COACH}[who]}:
                yield rule.endpoint, _sent(clients[who], path)
