"""What lasts is said when it begins, ever more seldom, and once when it is over."""

from __future__ import annotations

import logging

import pytest

from coach.errors import StoreUnavailable
from coach.waiting import Waiting


def test_an_hour_of_waiting_is_some_lines(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    waiting = Waiting(logging.getLogger("coach.test"), "the worker", lambda: now_s)
    waiting.over()
    for _ in range(7200):
        waiting.on(StoreUnavailable("The database is away."))
        now_s += 0.5
    waiting.over()
    waiting.over()
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "the worker waits: The database is away.",
        *(
            f"the worker waits, since {since_s} s: The database is away."
            for since_s in (10, 40, 130, 400, 1210, 2110, 3010)
        ),
        "the worker goes on after 3600 s",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_the_next_time_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    waiting = Waiting(logging.getLogger("coach.test"), "the worker", lambda: now_s)
    for _ in range(2):
        waiting.on(StoreUnavailable("Away."))
        now_s += 5.0
        waiting.over()
    assert [record.getMessage() for record in caplog.records] == [
        "the worker waits: Away.",
        "the worker goes on after 5 s",
    ] * 2
