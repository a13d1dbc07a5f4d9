"""A session that is not released yet: from when it can be told as done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.errors import Conflict, Locked
from coach.service.types import SessionState
from tests.coach.club import Club
from tests.coach.service.test_plans import accepted, answer_no


def test_a_session_can_be_told_as_done_from_its_day_on_and_not_while_locked(club: Club) -> None:
    accepted(club)
    planned = club.services.plans.week(club.athlete_id, club.clock.now.date())[-1]
    assert planned.local_date > club.clock.now.date()
    with pytest.raises(Conflict, match=f"planned for {planned.local_date}"):
        club.services.plans.record_outcome(planned.session_id, club.athlete, SessionState.DONE, 3, 1)
    club.clock.now = planned.due_at - timedelta(hours=2)  # its day, before its time
    club.services.spasms.begin(club.athlete, club.athlete_id, "press")
    with pytest.raises(Locked, match="safety questions come first"):
        club.services.plans.record_outcome(planned.session_id, club.athlete, SessionState.DONE, 3, 1)
    answer_no(club)
    done = club.services.plans.record_outcome(planned.session_id, club.athlete, SessionState.DONE, 3, 1)
    assert done.state is SessionState.DONE
