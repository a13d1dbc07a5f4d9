"""What docs/api.md tells to type works, and what it lists is all there is."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from coach.service.personal_tokens import DAYS_DEFAULT, MEANING, TokenScope
from coach.web.asked import PageQuery
from coach.web.described import JSON_BYTES_MAX
from coach.web.limits import CHANGES, LOOKS
from coach.web.openapi import document_of

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def address(nothing_to_tell) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, nothing_to_tell.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_lines_of_the_page_work_as_they_stand(nothing_to_tell, address: str) -> None:
    world = nothing_to_tell
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl on this machine")
    lines = [line for line in PAGE.split("```sh\n")[1].split("```")[0].splitlines() if line.startswith("curl")]
    answers = []
    for line in lines:
        who = world.kim if "/plans/" in line else world.ada
        token = world.services.personal_tokens.make(who.identity, "page", list(TokenScope)).secret
        words = {"$TOKEN": token, "$ATHLETE": world.ada.athlete_id, "$PLAN": world.plan_id}
        for name, value in {**words, "http://127.0.0.1:8000": address}.items():
            line = line.replace(name, value)
        done = subprocess.run([curl, *shlex.split(line)[1:]], capture_output=True, check=True, timeout=60)
        answers.append(json.loads(done.stdout))
    me, findings, checkin, plan = answers
    assert me["athlete_id"] == world.ada.athlete_id
    assert [each["finding_id"] for each in findings["items"]] == [world.finding_id]
    assert (checkin["told"]["pain_at_rest"], checkin["told"]["readiness"]) == (2, 7)
    assert plan["state"] == "accepted"


def test_the_scopes_of_the_page_are_those_there_are() -> None:
    listed = dict(re.findall(r"^\| `([a-z:]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert listed == {scope.value: about for scope, about in MEANING.items()}


def test_the_figures_of_the_page_are_those_that_hold(world) -> None:
    assert f"{DAYS_DEFAULT} days unless" in PAGE
    assert f"{JSON_BYTES_MAX // 1024} KiB at most" in PAGE
    assert (CHANGES.split()[0], LOOKS.split()[0]) == ("600", "3000")
    assert "(600 changes, 3,000 looks a minute for a token)" in PAGE
    assert PageQuery(cursor=None).limit == 50
    limit = next(
        each["schema"]
        for each in document_of(world.app)["paths"]["/api/v1/athletes"]["get"]["parameters"]
        if each["name"] == "limit"
    )
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)
