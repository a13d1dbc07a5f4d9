"""Whatever looks for what is due may look at the same moment as another: every effect still happens once.

Tests of services run again over PostgreSQL, and each look that they take is taken by two threads at once. What the two
return together must be what the test expects of one.
"""
# ruff: noqa: F401 - what is imported is collected here

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

import pytest

from coach.service.days import Days
from coach.service.guidance import Guidance
from coach.service.motion import Motion
from coach.service.plans import Plans
from coach.service.reminders import Reminders
from coach.service.trials import Trials
from coach.store.engine import Store, open_store
from tests.coach.service.conftest import fit
from tests.coach.service.test_guidance import test_what_somebody_counts_by_hand_stands_whatever_the_signal_says
from tests.coach.service.test_motion import test_a_chunk_after_the_end_undoes_the_settled_tail
from tests.coach.service.test_plans import (
    test_a_lock_blocks_release_and_missed_sessions_are_not_made_up_for,
    test_a_waiting_proposal_is_told_the_new_evidence_and_stays_the_same_one,
    test_long_programs_are_placed_as_time_goes_on,
    test_outcomes_are_recorded_once_and_closed_when_nobody_answers,
)
from tests.coach.service.test_reminders import (
    hook,
    hooked,
    test_a_second_try_that_succeeds_is_the_end,
    test_who_is_locked_or_through_is_not_reminded,
)
from tests.coach.service.test_trials import (
    test_a_signal_that_never_comes_is_said_to_be_missing,
    test_without_any_live_block_the_stored_signal_alone_gives_the_result,
)
from tests.coach.test_clock import test_due_sessions_are_released_once_and_the_page_is_told, test_stale_ends_are_closed
from tests.contracts.test_store import at_once

LOOKS = (
    (Days, "judge_due"),
    (Guidance, "settle"),
    (Motion, "close_stale"),
    (Plans, "close_stale"),
    (Plans, "plan_ahead"),
    (Plans, "release_due"),
    (Plans, "replan_wanted"),
    (Reminders, "plan"),
    (Reminders, "send_due"),
    (Trials, "settle"),
)


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    with open_store(postgres_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _by_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    taken: set[str] = set()
    for kind, name in LOOKS:
        monkeypatch.setattr(kind, name, doubled(getattr(kind, name), taken))
    yield
    assert taken, "no look was taken: nothing was tried"


def doubled(look: Any, taken: set[str]) -> Any:
    @wraps(look)
    def by_two(self: Any, *args: Any, **more: Any) -> Any:
        taken.add(look.__qualname__)
        answers = at_once(*[lambda: look(self, *args, **more)] * 2)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        first, second = answers
        return first + second  # type: ignore[operator]

    return by_two
