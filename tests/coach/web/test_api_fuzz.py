"""Other people's fuzzer reads the document and asks everything, as every kind of asker, what fits and what does not.

It makes requests from the document alone: edges of every schema, whatever hypothesis thinks of, and chains in which one
answer's ids go into the next request. All of its checks are on: no server error, no status, header, media type or form
of answer that the document does not name, nothing wrong accepted, nothing right refused, no door without its lock.
"""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from coach.service.personal_tokens import TokenScope
from coach.service.tokens import Scope
from coach.service.types import Role
from coach.web.api.recordings import OCTETS
from coach.web.house import house_of
from coach.web.openapi import document_of
from devices.types import Chunk
from tests.coach.web.test_access import of_ada
from tests.coach.web.test_api import body_of, chunk

schemathesis.openapi.format("time-zone", st.sampled_from(sorted(zoneinfo.available_timezones())))
schemathesis.openapi.format("profile", st.sampled_from(["general", "golf", "desk", "baseball"]))
schemathesis.openapi.format("date", st.dates(date(2000, 1, 1), date(2200, 12, 31)).map(date.isoformat))


def _chunks(numbers: list[int]) -> list[Chunk]:
    return [chunk(number) for number in numbers]


# A body of chunks is bytes to the document; this is what fits.
schemathesis.openapi.media_type(
    OCTETS,
    st.lists(st.integers(0, 50), min_size=1, max_size=3, unique=True).map(_chunks).map(lambda found: body_of(*found)),
)

# Right by its schema and yet refused, because two fields, or a field and the day, do not go together: 422 with a
# sentence. Everywhere else a 422 for what fits the document is a mistake of the document.
TOGETHER = {
    "api_set_availability": "days with a time of their own are free ones; a zone that exists; first before last",
    "api_set_profile": "a profile that exists; nobody is born tomorrow",
    "api_set_reminders": "a mail needs an address, quiet hours leave a day",
    "api_decline_exercise": "an exercise of the library",
    "api_add_checkin": "something is told; no place hurts more than the worst",
    "api_change_checkin": "something is told; no place hurts more than the worst",
    "api_add_training": "a day of the last eight weeks",
    "api_add_treatment": "the doctor's needs words, medicine has none; first before last; not more than twelve at once",
    "api_end_treatment": "not before the first day, not after today",
    "api_rate_activities": "names that differ, blanks aside",
    "api_add_assessment": "each test has its unit, count of tries and greatest value",
    "signals_part": "a stretch of 1 s to 50 h",
    "api_snooze_session": "still on the same day",
    "api_add_chunks": "chunks of one recording that are the same where they were stored before",
    "api_add_own_exercise": "the keys of the library, which its reader names one by one",
    "api_change_own_exercise": "the keys of the library, which its reader names one by one",
    "api_decide_many": "a plan or a step is named",
    "api_add_template": "exercises that there are, each once, at levels that they have, within an hour",
    "api_edit_plan": "exercises that there are, each once, at levels that they have, within the time there is",
    "api_template_of_plan": "a name that is more than blanks",
    "api_beat": "not more than one machine holds",
}
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "414", "415", "422", "428", "429", "503"]
FINE = ["2xx", "3xx", "401", "403", "404", "409", "429", "503"]
# Whose app shows the sentence of this status to its user.
PHONES = ("phone_push_push", "phone_push_push_by_path")

DOCUMENT = "/api/v1/openapi.json"

Headers = dict[str, str]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep arguments that only mean something over a network from werkzeug, which does not know them.

    The fuzzer drops them where it has a session, and hands them on where it asks again without one.
    """
    send = WSGITransport.send

    def without(self: WSGITransport, case: object, *, session: object = None, **rest: object) -> object:
        for name in ("max_redirects", "verify", "cert", "proxies"):
            rest.pop(name, None)
        return send(self, case, session=session, **rest)

    monkeypatch.setattr(WSGITransport, "send", without)


@pytest.fixture
def asker(accepted, csrf_of) -> Callable[[str], Headers]:
    """The headers of every kind of asker, by name."""
    world, services = accepted, accepted.services

    def bearer(token: str) -> Headers:
        return {"Authorization": f"Bearer {token}"}

    def person(identity, scopes=tuple(TokenScope)) -> Headers:
        return bearer(services.personal_tokens.make(identity, "fuzzer", scopes).secret)

    def somebody(name: str, role: Role):
        return services.accounts.identity(services.accounts.create_user(name, role))

    def headers(who: str) -> Headers:
        if who == "in a browser":
            client = world.client(world.ada)
            token, name = csrf_of(client), world.app.config["SESSION_COOKIE_NAME"]
            cookie = next(each for each in client._cookies.values() if each.key == name)
            return {"Cookie": f"{name}={cookie.value}", "X-CSRFToken": token}
        return {
            "athlete": lambda: person(world.ada.identity),
            "coach": lambda: person(world.kim.identity),
            "another coach": lambda: person(world.lou.identity),
            "owner": lambda: person(somebody("Oz", Role.OWNER)),
            "guardian": lambda: person(somebody("Gil", Role.GUARDIAN)),
            "athlete, plans only": lambda: person(world.ada.identity, ["read:plans"]),
            "coach, diary only": lambda: person(world.kim.identity, ["read:diary", "write:diary"]),
            "gateway": lambda: bearer(services.tokens.issue(world.ada.identity, world.ada.athlete_id, "fuzzer")),
            "phone": lambda: bearer(
                services.tokens.issue(world.ada.identity, world.ada.athlete_id, "fuzzer", Scope.PHONE)
            ),
            "stranger": dict,
            "with a token that is none": lambda: bearer("backstop-0-0"),
        }[who]()

    return headers


def run(world, headers: Headers, ids: dict[str, str], examples: int, phases: tuple[str, ...]) -> Counter[str]:
    """Ask everything; fail with what the checks found. Returns how often each check and each operation was made."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": headers,
            "parameters": {f"path.{name}": value for name, value in ids.items()},
            "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
            "continue-on-failure": True,
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": FINE},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
            "operations": [
                *(_mildly(name, "422") for name in TOGETHER),
                *(_mildly(name, "422", "499") for name in PHONES),
            ],
        }
    )
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, world.app, config=config)
    made, found = Counter[str](), {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong = event.value if isinstance(event, events.NonFatalError) else event.exception
            found[(getattr(event, "label", ""), type(wrong).__name__)] = repr(wrong)
        if isinstance(event, events.ScenarioFinished):
            made.update(_checked(event.recorder, found))
    told = "\n\n".join(f"{operation}: {kind}\n{what}" for (operation, kind), what in found.items())
    assert not found, f"{len(found)} things are wrong:\n\n{told}"
    return made


def _mildly(operation: str, *statuses: str) -> dict[str, object]:
    checks: dict[str, object] = {"positive_data_acceptance": {"expected-statuses": [*FINE, *statuses]}}
    if "499" in statuses:
        checks["negative_data_rejection"] = {"expected-statuses": [*REFUSED, "499"]}
        # It knows 401 only; a phone's app shows nothing but the text of a 499.
        checks["missing_required_header"] = {"enabled": False}
    return {"include-operation-id": operation, "checks": checks}


def _checked(recorder, found: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield the name of every check that was made, and keep what failed, once per operation and kind."""
    yield recorder.label
    for case_id, checks in recorder.checks.items():
        for each in checks:
            yield each.name
            if each.failure_info is None:
                continue
            failure, case = each.failure_info.failure, recorder.cases[case_id].value
            response = recorder.interactions[case_id].response
            seen = f"{response.status_code} {response.content[:300]!r}" if response is not None else "no answer"
            asked = f"{case.method} {case.formatted_path} query={case.query} body={str(case.body)[:300]}"
            found.setdefault((recorder.label, type(failure).__name__), f"{failure.message[:400]}\n{asked}\n{seen}")


def ready(world) -> dict[str, str]:
    """Let nothing be counted, no event stream last, and return the ids of Ada's things."""
    for limiter in world.app.extensions["limiter"]:
        limiter.enabled = False
    house_of(world.app).stopping.set()
    served = world.app.wsgi_app

    def closed(environ, start):
        """Read an answer to its end and close it, as a server does; the fuzzer leaves that to the collector."""
        answer = served(environ, start)
        try:
            return [b"".join(answer)]
        finally:
            if hasattr(answer, "close"):
                answer.close()

    world.app.wsgi_app = closed
    return {
        name: value for name, value in of_ada(world).items() if name != "change_id" and not value.startswith("no-such")
    } | {"day": "2026-11-24"}


WHO = (
    "athlete",
    "coach",
    "in a browser",
    "another coach",
    "owner",
    "guardian",
    "athlete, plans only",
    "coach, diary only",
    "gateway",
    "phone",
    "stranger",
    "with a token that is none",
)


@pytest.mark.proof
@pytest.mark.parametrize("who", WHO)
def test_nothing_breaks_whatever_is_asked(accepted, asker, in_process, full_or_quick, figure, who: str) -> None:
    examples = full_or_quick(30, 1)
    phases = ("examples", "coverage", "fuzzing", "stateful") if examples > 1 else ("fuzzing",)
    ids = ready(accepted)
    made = run(accepted, asker(who), ids, examples, phases)
    figure("requests", made["not_a_server_error"])
    figure("checks", sum(made.values()))
    # All but the document itself, from which the fuzzer reads.
    paths = {path: methods for path, methods in document_of(accepted.app)["paths"].items() if path != DOCUMENT}
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} <= made.keys()
