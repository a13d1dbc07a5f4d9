"""Which reads of an athlete by somebody else stand in the ledger that the athlete can read."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from coach.service.ledger import Subject, reader_of
from coach.service.personal_tokens import TokenScope
from coach.service.types import Identity
from coach.web import access
from coach.web.described import description_of
from coach.web.house import house

# What a page is about, by its blueprint. A page of an athlete without a line here fails a test.
SUBJECT_OF = {
    "coach": Subject.OVERVIEW,
    "findings": Subject.FINDINGS,
    "days": Subject.FINDINGS,
    "live": Subject.SIGNAL,
    "wall": Subject.SIGNAL,
    "team_calendar": Subject.PROGRAM,
    "team_reports": Subject.OVERVIEW,
    "plans": Subject.PROGRAM,
    "steps": Subject.PROGRAM,
    "program_desk": Subject.PROGRAM,
    "program_edit": Subject.PROGRAM,
    "templates": Subject.PROGRAM,
    "notes": Subject.OVERVIEW,
    "choices": Subject.PROGRAM,
    "availability": Subject.PROGRAM,
    "sessions": Subject.PROGRAM,
    "guided": Subject.PROGRAM,
    "weeks": Subject.PROGRAM,
    "reminders": Subject.PROGRAM,
    "jobs": Subject.JOBS,
    "profiles": Subject.PROFILE,
    "assessments": Subject.TESTS,
    "signals": Subject.SIGNAL,
    "imports": Subject.WEARABLES,
    "safety": Subject.HEALTH,
    "care": Subject.HEALTH,
    "doctor": Subject.REPORT,
    "sharing": Subject.SHARING,
    "data": Subject.SHARING,
    "people": Subject.OVERVIEW,
}
# Of the interface for programs: by the scope that a view asks for.
SUBJECT_OF_SCOPE = {
    TokenScope.READ_ATHLETE: Subject.PROFILE,
    TokenScope.WRITE_ATHLETE: Subject.PROFILE,
    TokenScope.READ_SIGNALS: Subject.SIGNAL,
    TokenScope.READ_FINDINGS: Subject.FINDINGS,
    TokenScope.READ_PLANS: Subject.PROGRAM,
    TokenScope.WRITE_PLANS: Subject.PROGRAM,
    TokenScope.READ_DIARY: Subject.DIARY,
    TokenScope.WRITE_DIARY: Subject.DIARY,
    TokenScope.EXPORT: Subject.EXPORT,
}
_SIGNAL = frozenset({"findings.signal", "findings.day", "findings.window"})


def subject_of(app: Flask, endpoint: str) -> Subject | None:
    """Return what an endpoint shows of an athlete, None where nobody has said."""
    if endpoint in _SIGNAL:
        return Subject.SIGNAL
    if endpoint == "data.export":
        return Subject.EXPORT
    told = description_of(app, endpoint)
    if endpoint.startswith("api.") and told is not None and told.scope is not None:
        return SUBJECT_OF_SCOPE.get(told.scope)
    return SUBJECT_OF.get(endpoint.partition(".")[0])


def names(athlete_ids: Iterable[str]) -> None:
    """Say whom an answer is about, where its address names nobody: a list of athletes."""
    g.named = frozenset(athlete_ids)


def _note(response: Response) -> Response:
    identity, named = g.get("identity"), g.get("named")
    if not isinstance(identity, Identity) or not named or response.status_code >= 400 or request.endpoint is None:
        return response
    rule = access.rule_of(current_app, request.endpoint)
    reader = reader_of(identity)
    if rule is None or rule.who is access.Access.PUBLIC or reader is None:
        return response
    house().services.ledger.note(reader, named, subject_of(current_app, request.endpoint) or Subject.OVERVIEW)
    return response


def install(app: Flask) -> None:
    """Note after every request that was answered."""
    app.after_request(_note)
