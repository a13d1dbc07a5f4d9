"""What a doctor rules out, or somebody says no to, is gone from the running program and released sessions at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.errors import Conflict
from coach.service.change_views import ChangeKind
from coach.service.plain import prescription_to_plain
from coach.service.types import SessionState, SessionView
from coach.store import plans
from programs.exercises import library
from tests.coach.club import Club
from tests.coach.service.test_plans import answer_no
from tests.coach.service.test_progress import PROGRAM, Runs, start


def rule_out(club: Club, *contraindications: str) -> None:
    today = club.clock.now.date()
    club.services.doctor.record_plan(club.athlete, club.athlete_id, today, contraindications=contraindications)


def test_what_a_doctor_rules_out_leaves_the_running_program_at_once(club: Club) -> None:
    runs = start(club)
    ruled = {
        item.exercise_id for item in PROGRAM.exercises if "wrist_pain" in library()[item.exercise_id].contraindications
    }
    assert ruled  # else this test would show nothing
    rule_out(club, "wrist_pain")
    left = {item.exercise_id: item for item in runs.program.exercises}
    assert left
    assert not any("wrist_pain" in library()[name].contraindications for name in left)
    kept = [item for item in PROGRAM.exercises if item.exercise_id not in ruled]
    assert [left[item.exercise_id] for item in kept] == kept  # the rest of it stays as it was
    assert {each["exercise_id"] for each in runs.next_session().exercises} == set(left)
    (change,) = club.services.progress.lately(club.athlete_id)
    assert change.kind is ChangeKind.RULED_OUT
    assert change.because.startswith("Left out, because of wrist pain: ")
    club.services.progress.look(club.athlete_id)
    assert runs.lately == [ChangeKind.RULED_OUT]  # once


def test_a_program_of_which_a_doctor_leaves_nothing_ends(club: Club) -> None:
    runs = start(club)
    rule_out(club, "recent_surgery")
    assert club.services.plans.active(club.athlete_id) is None
    today = club.clock.now.date()
    weeks = [club.services.plans.week(club.athlete_id, today + timedelta(weeks=w)) for w in range(3)]
    assert not [each for week in weeks for each in week if each.state is SessionState.PLANNED]
    assert runs.lately == [ChangeKind.RULED_OUT]
    assert club.services.plans.replan_wanted() == ()


def test_a_proposal_from_before_a_doctor_ruled_something_out_cannot_be_accepted(club: Club) -> None:
    answer_no(club)
    values = {"athlete_id": club.athlete_id, "state": "proposed", "prescription": prescription_to_plain(PROGRAM)}
    rest = {"need_kinds": ["repeated_bending"], "finding_ids": [], "created_at": club.clock.now}
    with club.store.begin() as tx:
        plan_id = plans.add(tx, {**values, **rest})
    rule_out(club, "wrist_pain")
    with pytest.raises(Conflict, match="a doctor ruled out"):
        club.services.plans.accept(plan_id, club.coach)


def released(runs: Runs) -> SessionView:
    session = runs.next_session()
    runs.club.clock.now = session.due_at
    return next(each for each in runs.club.services.plans.release_due(runs.club.clock.now))


def test_what_is_left_out_is_gone_from_a_released_session_too(club: Club) -> None:
    runs = start(club)
    session = released(runs)
    club.services.choices.say_no(club.athlete, club.athlete_id, "bird_dog")
    after = club.services.plans.session(club.athlete, session.session_id)
    before = [each["exercise_id"] for each in session.exercises]
    assert "bird_dog" in before
    assert [each["exercise_id"] for each in after.exercises] == [name for name in before if name != "bird_dog"]
    assert after.state is SessionState.DUE
    assert after.duration_min < session.duration_min
    rule_out(club, "recent_surgery")
    assert club.services.plans.session(club.athlete, session.session_id).state is SessionState.CANCELLED
