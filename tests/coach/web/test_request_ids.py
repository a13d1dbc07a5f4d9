"""Each request has an id of its own, in the answer and in the lines that it wrote."""

from __future__ import annotations

import logging
import re

import pytest

from coach.logs import ids_of
from tests.coach.web.conftest import World


def test_an_id_in_the_answer_and_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[dict[str, str]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(ids_of(record))

    keep = Keep()
    logging.getLogger("coach.web").addHandler(keep)
    world.app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        for failing in (True, False):
            if failing:
                monkeypatch.setattr(type(world.services.athletes), "get", lambda *_: 1 / 0)
            answer = world.client(world.ada).get("/", headers={"X-Request-Id": "mine"}, follow_redirects=True)
            assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
            monkeypatch.undo()
            if failing:
                assert answer.status_code == 500
                assert seen[-1]["request"] == answer.headers["X-Request-Id"]
                assert "." in seen[-1]["endpoint"]
    finally:
        logging.getLogger("coach.web").removeHandler(keep)
    caplog.clear()
    # What one request was about is not what the next line of this thread is about.
    assert ids_of(logging.makeLogRecord({})) == {}
