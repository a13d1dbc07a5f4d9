"""Placement and what the service knows: pitchers rest (T16), plans change with the fewest moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from coach.analysis.detectors.caps import eligible_on
from coach.errors import InvalidInput
from coach.service.plain import prescription_to_plain
from coach.service.types import SessionState, SessionView
from coach.store import events, notifications, plans, sessions
from programs.place import place
from programs.types import Availability, Dose, PrescribedExercise, Prescription, Stay
from tests.coach.analysis.detectors.shipped import profile
from tests.coach.club import Club
from tests.coach.service.test_plans import accepted

CAPS = profile("baseball").caps
MONDAY = date(2026, 11, 23)
THROWS = PrescribedExercise("push_up_plus", 0, Dose((6,), None, 0.0, False), "because")


@pytest.mark.parametrize(("pitches", "weekday"), [(20, "Tuesday"), (35, "Wednesday"), (60, "Friday"), (66, "Saturday")])
def test_t16_at_twelve_the_days_of_rest_after_a_monday_have_no_session(pitches: int, weekday: str) -> None:
    assert CAPS is not None
    ordinal = eligible_on(CAPS, 12, MONDAY.toordinal(), pitches)
    assert ordinal is not None
    eligible = date.fromordinal(ordinal)
    assert f"{eligible:%A}" == weekday
    program = Prescription("Throwing", (THROWS,), 3, 1, 5, (), "because")
    now = datetime(2026, 11, 23, 22, tzinfo=UTC)
    sessions = place(program, Availability("America/New_York"), MONDAY, now, not_before=eligible)
    assert f"{sessions[0].local_date:%A}" == weekday


def month(club: Club) -> dict[str, SessionView]:
    """Return the live sessions of four weeks by id."""
    first = club.clock.now.date()
    weeks = (club.services.plans.week(club.athlete_id, first + timedelta(weeks=week)) for week in range(5))
    return {each.session_id: each for found in weeks for each in found}


def moments(found: dict[str, SessionView]) -> dict[str, datetime]:
    return {session_id: each.due_at for session_id, each in found.items()}


def test_a_new_program_over_a_running_one_keeps_every_day_and_row(club: Club) -> None:
    accepted(club)
    before = month(club)
    club.clock.forward(minutes=1)
    plan_id = propose_again(club)
    club.services.plans.accept(plan_id, club.coach)
    after = month(club)
    assert moments(after) == moments(before)
    assert {each.plan_id for each in after.values()} == {plan_id}
    assert all(each.sequence == before[session_id].sequence + 1 for session_id, each in after.items())


def propose_again(club: Club) -> str:
    """Store a proposal of the same work, as another finding would bring it."""
    running = club.services.plans.active(club.athlete_id)
    assert running is not None
    values = {
        "athlete_id": club.athlete_id,
        "state": "proposed",
        "prescription": prescription_to_plain(running.prescription),
        "need_kinds": ["deep_flexion"],
        "finding_ids": [],
        "created_at": club.clock.now,
    }
    with club.store.begin() as tx:
        return plans.add(tx, values)


def test_another_free_day_moves_the_fewest_sessions(club: Club) -> None:
    accepted(club)
    before = month(club)
    weekdays = {each.local_date.weekday() for each in before.values()}
    gone = min(weekdays)  # one of three days is not free any more
    free = tuple(day for day in range(7) if day != gone)
    club.services.athletes.set_availability(club.athlete, club.athlete_id, Availability("Europe/Berlin", free))
    after = month(club)
    assert not any(each.local_date.weekday() == gone for each in after.values())
    stayed = {key for key, due_at in moments(before).items() if moments(after).get(key) == due_at}
    had_to_go = {key for key, each in before.items() if each.local_date.weekday() == gone}
    assert stayed == set(before) - had_to_go
    assert set(after) == set(before)  # each of the others moved: no row was cancelled
    assert all(after[key].sequence == before[key].sequence for key in stayed)


def test_another_time_of_day_moves_all_and_cancels_none(club: Club) -> None:
    accepted(club)
    before = month(club)
    later = Availability("Europe/Berlin", preferred=time(20))
    club.services.athletes.set_availability(club.athlete, club.athlete_id, later)
    after = month(club)
    assert set(after) == set(before)
    assert {each.local_time for each in after.values()} == {time(20)}
    assert [each.local_date for each in after.values()] == [each.local_date for each in before.values()]


def test_what_was_done_stays_and_counts_in_its_week(club: Club) -> None:
    accepted(club)
    first = next(iter(month(club).values()))
    club.clock.now = first.due_at
    club.services.plans.release_due(club.clock.now)
    club.services.plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 3, 1)
    later = Availability("Europe/Berlin", preferred=time(20))
    club.services.athletes.set_availability(club.athlete, club.athlete_id, later)
    found = month(club)
    assert found[first.session_id].due_at == first.due_at
    days = [each.local_date for each in found.values()]
    assert len(set(days)) == len(days) == 12


def test_a_journey_is_placed_in_its_zone_and_back(club: Club) -> None:
    accepted(club)
    trip = Stay(date(2026, 11, 30), date(2026, 12, 6), "America/New_York")
    free = Availability("Europe/Berlin", travel=(trip,))
    club.services.athletes.set_availability(club.athlete, club.athlete_id, free)
    assert club.services.athletes.availability(club.athlete_id).travel == (trip,)
    found = month(club).values()
    away = [each for each in found if trip.first <= each.local_date <= trip.last]
    assert away
    assert {each.time_zone for each in away} == {"America/New_York"}
    assert {each.due_at.hour for each in away} == {23}  # 18:30 in New York
    assert {each.time_zone for each in found if each not in away} == {"Europe/Berlin"}
    wrong = replace(free, travel=(Stay(trip.last, trip.first, "America/New_York"),))
    with pytest.raises(InvalidInput, match="journey"):
        club.services.athletes.set_availability(club.athlete, club.athlete_id, wrong)


def test_quiet_hours_of_the_reminders_hold_for_sessions_and_no_room_is_said(club: Club) -> None:
    accepted(club)
    quiet(club, time(18), time(9))
    free = Availability("Europe/Berlin", wake=time(6))
    club.services.athletes.set_availability(club.athlete, club.athlete_id, free)
    assert {each.local_time for each in month(club).values()} == {time(9)}
    before = month(club)
    quiet(club, time(8), time(7, 59))
    with pytest.raises(InvalidInput, match="quiet hours"):
        club.services.athletes.set_availability(club.athlete, club.athlete_id, replace(free, wake=time(7, 30)))
    assert month(club) == before


def quiet(club: Club, start: time, end: time) -> None:
    values = {
        "calendar_on": True,
        "mail_on": False,
        "push_on": False,
        "webhook_on": False,
        "mail_address": None,
        "lead_min": [30],
        "quiet_from": start,
        "quiet_until": end,
        "snooze_min": 10,
        "updated_at": club.clock.now,
    }
    with club.store.begin() as tx:
        notifications.save_settings(tx, club.athlete_id, values)


def test_moves_are_in_the_audit(club: Club) -> None:
    accepted(club)
    later = Availability("Europe/Berlin", preferred=time(20))
    club.services.athletes.set_availability(club.athlete, club.athlete_id, later)
    with club.store.read() as tx:
        rows = events.of_athlete(tx, club.athlete_id)
        planned = sessions.planned(tx, club.athlete_id)
    assert len([row for row in rows if row["action"] == "moved"]) == len(planned)


def test_a_look_at_another_week_says_what_keeping_it_does_and_stores_nothing(club: Club) -> None:
    accepted(club)
    services, before = club.services, month(club)
    with club.store.read() as tx:
        told = len(events.of_athlete(tx, club.athlete_id))
    gone = min(each.local_date.weekday() for each in before.values())
    wanted = Availability("Europe/Berlin", tuple(day for day in range(7) if day != gone), times=((5, time(19)),))
    looked = services.athletes.look_at_availability(club.athlete, club.athlete_id, wanted)
    assert month(club) == before
    assert services.athletes.availability(club.athlete_id).times == ()
    with club.store.read() as tx:
        assert len(events.of_athlete(tx, club.athlete_id)) == told
    assert services.athletes.set_availability(club.athlete, club.athlete_id, wanted) == looked
    after = month(club)
    assert {old.session_id: new.due_at for old, new in looked.moved} == {
        key: each.due_at for key, each in after.items() if each.due_at != before[key].due_at
    }
    # Thursdays stay, Saturdays are half an hour later, and Tuesdays find another day.
    assert (looked.kept, len(looked.moved), looked.added, looked.cancelled) == (4, 8, (), ())
    assert services.athletes.availability(club.athlete_id).times == ((5, time(19)),)
    assert services.athletes.look_at_availability(club.athlete, club.athlete_id, wanted).nothing


def test_a_time_of_its_own_for_a_weekday_moves_the_sessions_of_that_day_only(club: Club) -> None:
    accepted(club)
    before = month(club)
    day = max(each.local_date.weekday() for each in before.values())
    wanted = Availability("Europe/Berlin", times=((day, time(20)),))
    change = club.services.athletes.set_availability(club.athlete, club.athlete_id, wanted)
    assert {new.local_date.weekday() for _, new in change.moved} == {day}
    assert {new.local_time for _, new in change.moved} == {time(20)}
    assert change.kept == len([each for each in before.values() if each.local_date.weekday() != day])
    with pytest.raises(InvalidInput, match="one of the days that are free"):
        club.services.athletes.set_availability(club.athlete, club.athlete_id, replace(wanted, weekdays=(0, 1)))
