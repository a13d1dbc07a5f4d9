"""Every address of the site that answers a page, filled in with what the club has: a later page is in it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from coach.live import LiveFeed
from coach.service.types import Identity
from coach.store.every_table import metadata
from coach.web import create_app
from coach.web.access import Access, rule_of
from tests.club.seeding import Made, Member

# Endpoints that are no page: files, streams, what machines ask, what begins or ends something.
NOT_PAGES = {
    "static": "files",
    "live.events": "a stream",
    "wall.stream": "a stream",
    "guided.events": "a stream",
    "health.alive": "for machines",
    "health.ready": "for machines",
    "health.parts": "for machines",
    "metrics.metrics": "for machines",
    "reminders.worker": "a script",
    "welcome.enter": "signs in",
}
# Addresses that lead nowhere in the club, and why.
NOT_FILLED = {
    "account.waiting_factor": "while a second factor is set up",
    "assessments.guided": "while a test runs",
    "assessments.step": "while a test runs",
    "diary.checkin": "right after the first tap",
    "doctor.imaging_file": "a file that somebody entered",
    "doctor_link.page": "by a link that is shown once",
    "doctor_link.pdf": "by a link that is shown once",
    "gateways.log": "of a link to a real wearable",
    "imports.preview": "after an upload",
    "welcome.code": "after a password",
    "data.of_athlete": "a guardian's",
    "sharing.of_athlete": "a guardian's",
    "jobs.job": "of a job that a coach described",
    "wearables.choose": "after a look that heard something",
}
KIM, MARA, STRANGER = "Kim", "Mara", "a stranger"
_WHO: dict[Access, tuple[str, ...]] = {
    Access.PUBLIC: (STRANGER,),
    Access.SIGNED_IN: (KIM, MARA),
    Access.ATHLETE: (MARA,),
    Access.COACH: (KIM,),
    Access.CARER: (KIM,),
    Access.SPEAKER: (MARA,),
}
# What an argument stands for that is no id of a row.
WORDS = {"kind": "trunk_endurance", "step": "body", "exercise_id": "bird_dog", "slug": "bird_dog"}
# What the coach made, where the argument's name is another thing elsewhere: endpoint and argument -> table.
_COACHS = {
    "groups.edit:group_id": "athlete_group",
    "own_exercises.edit:exercise_id": "own_exercise",
    "templates.one:template_id": "program_template",
}
# Whose rows an id is of.
_TABLE_OF = {
    "finding_id": "finding",
    "session_id": "planned_session",
    "plan_id": "plan",
    "assessment_id": "assessment",
    "wearable_id": "wearable",
    "treatment_id": "treatment",
}


@dataclass(frozen=True)
class Address:
    """One address, and who asks for it."""

    endpoint: str
    path: str
    who: str


def site(made: Made) -> Flask:
    """Return the app over a club. Whoever asks often is not slowed down."""
    app = create_app(made.services, LiveFeed(3), made.config, "k" * 32, clock=made.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def identity_of(made: Made, who: str) -> Identity | None:
    """Return who asks, None for a stranger."""
    return {KIM: made.coach, MARA: made.member(MARA).identity}.get(who)


def browsers(app: Flask, made: Made) -> dict[str, FlaskClient]:
    """Return a signed-in client for each who asks."""
    clients = {name: app.test_client() for name in (STRANGER, KIM, MARA)}
    for name, client in clients.items():
        who = identity_of(made, name)
        if who is not None:
            link = made.services.accounts.issue_sign_in_link(who.user_id)
            assert client.get(f"/enter/{link}").status_code == 303
    return clients


def addresses(app: Flask, made: Made, left_out: dict[str, str] | None = None) -> Iterator[Address]:
    """Yield every address of a page, by endpoint. Raises LookupError for an argument that nobody knows a value of."""
    skipped = NOT_PAGES | NOT_FILLED | (left_out or {})
    known, unknown = _known(made, made.member(MARA)), list[str]()
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.endpoint):
        asked = rule_of(app, rule.endpoint)
        if "GET" not in (rule.methods or ()) or rule.endpoint in skipped or rule.endpoint.startswith("api."):
            continue
        assert asked is not None
        path = str(rule.rule)
        for name in sorted(rule.arguments):
            value = known.get(f"{rule.endpoint}:{name}", known.get(name))
            if value is None:
                unknown.append(f"{rule.endpoint} asks for {name}")
                continue
            converters = (f"<{name}>", f"<int:{name}>", f"<path:{name}>", f"<uuid:{name}>")
            path = next(path.replace(each, quote(str(value))) for each in converters if each in path)
        for who in _WHO.get(asked.who, ()):
            yield Address(rule.endpoint, path, who)
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: say in tests/club/routes.py what it may be")


def _known(made: Made, member: Member) -> dict[str, Any]:
    today = made.clock.now.date()
    found = WORDS | {
        "athlete_id": member.athlete_id,
        "day": today - timedelta(days=1),
        "token": made.services.plans.calendar_token(member.identity, member.athlete_id),
        "user_id": made.coach.user_id,
    }
    with made.store.read() as tx:
        for name, of in _COACHS.items():
            table = metadata.tables[of]
            mine = tx.execute(table.select().where(table.c.coach_id == made.coach.user_id)).mappings().first()
            if mine is not None:
                found[name] = mine["id"]
        for name, of in _TABLE_OF.items():
            table = metadata.tables[of]
            rows = tx.execute(table.select().where(table.c.athlete_id == member.athlete_id)).mappings().all()
            if rows:
                # A session that can be done now, where there is one.
                due = [row for row in rows if row.get("state") == "due"]
                found[name] = (due or rows)[-1]["id"]
    return found
