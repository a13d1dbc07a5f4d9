"""Guided sessions: the order of sets, counting, resuming, locks, pain, and the stored signal's word at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.service import build_services
from coach.service.guidance_views import GuidedState, SetState, script_of, wearable_for
from coach.service.plain import exercises_to_plain
from coach.service.types import Role, SessionState
from coach.store import athletes, guidance, plans, sessions
from devices.sim.exercises import Sets, exercise
from devices.sim.exercises import _squat as squats
from devices.sim.synthetic import SyntheticMotion
from programs.types import Dose, PrescribedExercise
from tests.coach.club import Club
from tests.coach.held import blocks

HINGE = PrescribedExercise("hip_hinge", 0, Dose((8, 6), None, 30.0, False), "a test")
BRIDGE = PrescribedExercise("side_bridge", 0, Dose((3, 2), 10.0, 20.0, True), "a test", "right", True)
BREATH = PrescribedExercise("bracing_breath", 0, Dose((5,), None, 0.0, False), "a test")


def planned(club: Club, *items: PrescribedExercise, days: int = 0, state: str = "due") -> str:
    """Let the athlete have a session; return its id."""
    now = club.clock.now
    day = (now + timedelta(days=days)).date()
    with club.store.begin() as tx:
        plan: dict[str, Any] = {
            "athlete_id": club.athlete_id,
            "state": "declined",
            "prescription": {},
            "need_kinds": [],
        }
        plan_id = plans.add(tx, plan | {"finding_ids": [], "created_at": now})
        times = {"local_date": day, "local_time": now.time(), "time_zone": "Europe/Berlin", "due_at": now}
        named = {
            "athlete_id": club.athlete_id,
            "plan_id": plan_id,
            "slot": f"{day}",
            "state": state,
            "released_at": now,
        }
        more = {"duration_min": 10, "because": "", "created_at": now, "updated_at": now}
        return sessions.add(tx, named | times | more | {"exercises": exercises_to_plain(items or (HINGE,))})


def reps(count: int) -> SyntheticMotion:
    return exercise(5, Sets(count, each_s=4.0, move_s=1.2, hold_s=0.3, rest_s=900.0, first_s=4.0), 35.0, squats)


def play(club: Club, motion: SyntheticMotion, until_s: float, first_s: float = 0.0) -> list[dict[str, Any]]:
    """Let the live blocks of a motion come in that began now; return what the pages were told."""
    told: list[dict[str, Any]] = []
    start = club.clock.utc_s() - first_s
    for block in blocks(motion, start, first_s, until_s, 0.25):
        club.clock.forward(seconds=0.25)
        club.services.guidance.take(club.wearable_id, block, club.clock.utc_s())
        club.services.guidance.watch(lambda athlete_id, event: told.append({**event, "athlete_id": athlete_id}))
    return told


def store(club: Club, motion: SyntheticMotion, start_utc_s: float, until_s: float) -> None:
    club.services.log.append(list(blocks(motion, start_utc_s, 0.0, until_s, 5.0)))
    while streams := club.services.motion.pending_streams():
        for stream in streams:
            club.services.motion.handle_pending(stream)


# The script


def test_sets_are_in_the_prescriptions_order_sides_alternate_and_rest_stands_between_rounds() -> None:
    steps = script_of(exercises_to_plain((BRIDGE, HINGE)))
    assert [(each.exercise_id, each.side, each.set_number, each.sets, each.target, each.rest_s) for each in steps] == [
        ("side_bridge", "right", 1, 3, 3, 0.0),
        ("side_bridge", "left", 1, 2, 3, 20.0),
        ("side_bridge", "right", 2, 3, 2, 0.0),
        ("side_bridge", "left", 2, 2, 2, 20.0),
        ("side_bridge", "right", 3, 3, 2, 20.0),
        ("hip_hinge", None, 1, 2, 8, 30.0),
        ("hip_hinge", None, 2, 2, 6, 0.0),
    ]
    assert [each.number for each in steps] == list(range(7))


def test_a_set_is_seen_where_the_library_says_and_no_other_wearable_counts_it(fit: Club) -> None:
    worn = fit.services.wearables.for_athlete(fit.athlete_id)
    for item, seen in ((HINGE, True), (BRIDGE, True), (BREATH, False)):
        (step, *_) = script_of(exercises_to_plain((item,)))
        assert (wearable_for(step, worn) is not None) is seen
    (step, *_) = script_of(exercises_to_plain((HINGE,)))
    assert wearable_for(step, [replace(each, placement="wrist_left") for each in worn]) is None
    assert wearable_for(step, [replace(each, placement="upper_back") for each in worn]) is not None


# Counting


def test_live_and_stored_counts_are_what_was_simulated_and_the_row_follows(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    services.guidance.begin_set(fit.athlete, session_id, 0)
    start = fit.clock.utc_s()
    assert services.guidance.wanted(fit.wearable_id)
    told = play(fit, reps(7), 36.0)
    assert [event["seen"] for event in told][-1] == 7
    assert {event["athlete_id"] for event in told} == {fit.athlete_id}
    assert sorted({event["seen"] for event in told}) == list(range(8))
    assert services.guidance.view(fit.athlete, session_id).sets[0].seen == 7
    services.guidance.tell_set(fit.athlete, session_id, 0, 0, SetState.ENDED)
    assert not services.guidance.wanted(fit.wearable_id)
    # The stored signal is awaited, then has the last word.
    assert services.guidance.settle(fit.clock.now) == ()
    store(fit, reps(7), start, 40.0)
    assert services.guidance.settle(fit.clock.now) == (fit.athlete_id,)
    done = services.guidance.view(fit.athlete, session_id).sets[0]
    assert (done.state, done.seen, done.stored, done.counted) == (SetState.SETTLED, 7, 7, 7)
    assert [round(each["rom_deg"]) for each in done.detail] == pytest.approx([33] * 7, abs=3)


def test_what_somebody_counts_by_hand_stands_whatever_the_signal_says(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    services.guidance.begin_set(fit.athlete, session_id, 0)
    start = fit.clock.utc_s()
    play(fit, reps(4), 22.0)
    services.guidance.tell_set(fit.athlete, session_id, 0, 3)
    services.guidance.tell_set(fit.athlete, session_id, 0, 3)  # the same again is the same
    services.guidance.tell_set(fit.athlete, session_id, 0, 3, SetState.ENDED)
    store(fit, reps(4), start, 25.0)
    services.guidance.settle(fit.clock.now)
    done = services.guidance.view(fit.athlete, session_id).sets[0]
    assert (done.seen, done.stored, done.by_hand, done.counted) == (4, 4, 3, 7)


def test_a_set_goes_on_after_the_service_begins_anew_and_by_another_link(fit: Club) -> None:
    session_id = planned(fit)
    fit.services.guidance.begin_set(fit.athlete, session_id, 0)
    play(fit, reps(9), 16.0)
    seen = fit.services.guidance.view(fit.athlete, session_id).sets[0].seen
    assert seen == 3
    again = replace(fit, services=build_services(fit.store, fit.config, fit.clock))
    assert again.services.guidance.view(again.athlete, session_id).sets[0].seen == 3
    play(again, reps(9), 28.2, first_s=16.0)
    again.services.guidance.tell_set(again.athlete, session_id, 0, 0, SetState.ENDED)
    done = again.services.guidance.view(again.athlete, session_id).sets[0]
    # It was not seen whole, so no stored signal is asked; nothing is counted twice or lost.
    assert (done.state, done.seen, done.stored) == (SetState.SETTLED, 6, None)


def test_silence_is_told_once_and_ends_with_the_next_block(fit: Club) -> None:
    session_id = planned(fit)
    fit.services.guidance.begin_set(fit.athlete, session_id, 0)
    play(fit, reps(1), 2.0)
    told: list[dict[str, Any]] = []
    fit.clock.forward(seconds=4)
    for _ in range(2):
        fit.services.guidance.watch(lambda _, event: told.append(event))
    assert [event["silent"] for event in told] == [True]
    assert next(event["silent"] for event in play(fit, reps(1), 6.0, first_s=5.0)) is False


# Where somebody is


def test_rest_follows_a_round_and_sets_told_late_count_once(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    for each in services.wearables.for_athlete(fit.athlete_id):
        services.wearables.forget(fit.athlete, each.wearable_id)
    told_at = fit.clock.now + timedelta(seconds=60)
    fit.clock.forward(hours=2)
    for _ in range(2):
        services.guidance.tell_set(fit.athlete, session_id, 0, 8, SetState.ENDED, told_at)
    view = services.guidance.view(fit.athlete, session_id)
    assert [(each.number, each.counted, each.state) for each in view.sets] == [(0, 8, SetState.SETTLED)]
    assert view.current is not None
    assert view.current.number == 1
    # Nothing happened before the session began, or ahead of now.
    assert view.sets[0].ended_at == fit.clock.now
    assert view.rest_until == fit.clock.now + timedelta(seconds=30)
    services.guidance.tell_set(fit.athlete, session_id, 1, 0, SetState.SKIPPED)
    view = services.guidance.view(fit.athlete, session_id)
    assert (view.current, view.rest_until) == (None, None)


def test_it_is_recorded_once_with_effort_and_pain(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    services.guidance.tell_set(fit.athlete, session_id, 0, 8, SetState.ENDED)
    for _ in range(2):
        assert services.guidance.finish(fit.athlete, session_id, 4, 1, 0) is False
    assert services.plans.session(fit.athlete, session_id).state is SessionState.DONE
    with fit.store.read() as tx:
        outcome = sessions.outcome(tx, session_id)
    assert outcome is not None
    assert (outcome["effort"], outcome["pain_during"], outcome["pain_after"]) == (4, 1, 0)
    assert services.guidance.view(fit.athlete, session_id).state is GuidedState.DONE
    with pytest.raises(Conflict, match="not led any more"):
        services.guidance.tell_set(fit.athlete, session_id, 1, 1)


def test_nothing_counted_is_left_out_and_what_was_recorded_elsewhere_stands(fit: Club) -> None:
    services = fit.services
    nothing = planned(fit)
    services.guidance.begin(fit.athlete, nothing)
    services.guidance.finish(fit.athlete, nothing, None, None, None)
    assert services.plans.session(fit.athlete, nothing).state is SessionState.SKIPPED
    elsewhere = planned(fit, days=-1)
    services.guidance.begin(fit.athlete, elsewhere)
    services.plans.record_outcome(elsewhere, fit.athlete, SessionState.DONE, effort=7)
    services.guidance.finish(fit.athlete, elsewhere, 2, None, None)
    with fit.store.read() as tx:
        assert (sessions.outcome(tx, elsewhere) or {})["effort"] == 7


# What stands against it


def test_pain_of_six_stops_it_and_nothing_is_led_until_the_questions_are_answered(fit: Club) -> None:
    services = fit.services
    session_id, other = planned(fit), planned(fit, days=-1)
    fit.clock.forward(minutes=5)
    services.guidance.tell_set(fit.athlete, session_id, 0, 5, SetState.ENDED)
    assert services.guidance.finish(fit.athlete, session_id, None, 6, None) is True
    assert services.guidance.finish(fit.athlete, session_id, None, 6, None) is True
    assert services.guidance.view(fit.athlete, session_id).state is GuidedState.STOPPED
    assert services.triage.view_for(fit.athlete, fit.athlete_id).must_ask
    with fit.store.read() as tx:
        assert (athletes.get(tx, fit.athlete_id) or {})["lock"] == "all"
    for begin in (services.guidance.begin, lambda by, each: services.guidance.begin_set(by, each, 0)):
        with pytest.raises(Locked, match="due again"):
            begin(fit.athlete, other)


@pytest.mark.parametrize("lock", ["starting", "all"])
def test_locked_no_session_and_no_further_set_begins(fit: Club, lock: str) -> None:
    session_id, services = planned(fit), fit.services
    services.guidance.tell_set(fit.athlete, session_id, 0, 5, SetState.ENDED)
    with fit.store.begin() as tx:
        athletes.change(tx, fit.athlete_id, lock=lock)
    with pytest.raises(Locked):
        services.guidance.begin_set(fit.athlete, session_id, 1)
    assert len(services.guidance.view(fit.athlete, session_id).sets) == 1
    with pytest.raises(Locked):
        services.guidance.begin(fit.athlete, planned(fit, days=-1))


def test_who_never_answered_is_not_led(club: Club) -> None:
    with pytest.raises(Locked, match="not answered yet"):
        club.services.guidance.begin(club.athlete, planned(club))


def test_only_whose_own_it_is_and_only_sets_that_there_are(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    with pytest.raises(NotAllowed, match="the athlete's own page"):
        services.guidance.begin(fit.coach, session_id)
    stranger = services.accounts.identity(services.accounts.create_user("Sam", Role.COACH))
    assert stranger is not None
    with pytest.raises(NoSuch):
        services.guidance.view(stranger, session_id)
    for number in (-1, 2):
        with pytest.raises(InvalidInput, match="2 sets"):
            services.guidance.begin_set(fit.athlete, session_id, number)
    with pytest.raises(InvalidInput, match="counted from"):
        services.guidance.tell_set(fit.athlete, session_id, 0, 100_000)
    with pytest.raises(Conflict, match="planned for a later day"):
        services.guidance.begin(fit.athlete, planned(fit, days=3, state="planned"))


def test_what_is_forgotten_ends_by_itself(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    services.guidance.begin_set(fit.athlete, session_id, 0)
    play(fit, reps(2), 13.0)
    services.guidance.settle(fit.clock.forward(minutes=21))
    assert services.guidance.view(fit.athlete, session_id).sets[0].state is SetState.ENDED
    services.guidance.settle(fit.clock.forward(hours=12))
    view = services.guidance.view(fit.athlete, session_id)
    assert view.state is GuidedState.LEFT
    services.guidance.settle(fit.clock.forward(hours=48))  # a signal that never comes is waited for no longer
    assert services.guidance.view(fit.athlete, session_id).sets[0].counted == 2
    # The planned session stays what it was: its own page asks what came of it.
    assert services.plans.session(fit.athlete, session_id).state is SessionState.DUE
    with pytest.raises(Conflict, match="left"):
        services.guidance.finish(fit.athlete, session_id, 3, 0, 0)


def test_the_usual_range_is_of_sets_that_were_seen(fit: Club) -> None:
    session_id, services = planned(fit), fit.services
    view = services.guidance.view(fit.athlete, session_id)
    assert services.guidance.usual_rom_deg(fit.athlete, view) == {}
    services.guidance.begin_set(fit.athlete, session_id, 0)
    start = fit.clock.utc_s()
    play(fit, reps(4), 22.0)
    services.guidance.tell_set(fit.athlete, session_id, 0, 0, SetState.ENDED)
    store(fit, reps(4), start, 25.0)
    services.guidance.settle(fit.clock.now)
    found = services.guidance.usual_rom_deg(fit.athlete, services.guidance.view(fit.athlete, session_id))
    assert found == {0: pytest.approx(33.0, abs=3.0), 1: pytest.approx(33.0, abs=3.0)}


def test_a_session_has_one_guided_one(fit: Club) -> None:
    session_id = planned(fit)
    for _ in range(3):
        fit.services.guidance.begin(fit.athlete, session_id)
    with fit.store.read() as tx:
        assert guidance.of_session(tx, session_id) is not None
