"""Proposed from findings, decided by who may, done as sessions at local times; locks hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coach.analysis.types import Grade
from coach.coaching import Observed, needs_from
from coach.config import Config
from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.live import LiveFeed
from coach.service.plain import prescription_from_plain, prescription_to_plain
from coach.service.triage import PAUSED
from coach.service.types import Identity, PlanState, PlanView, Role, SessionState, TriageShown
from coach.store import events
from coach.store.engine import Store
from coach.worker import Worker
from programs.types import Answer, Availability, Lock, TriageLevel
from tests.coach.club import START, Club, FakeClock, bending_chunks, found_club

BERLIN = ZoneInfo("Europe/Berlin")


def bend(club: Club, recording_id: str = "rec") -> None:
    """Let the athlete bend for 13 minutes before now, and the worker see it."""
    club.services.log.append(bending_chunks(13, 6, club.clock.utc_s() - 13 * 60, recording_id))
    Worker(club.services, LiveFeed()).drain()


def answer_no(club: Club, **other: Answer) -> None:
    answers = {question.id: Answer.NO for question in club.services.triage.questions()} | other
    club.services.triage.answer(club.athlete, club.athlete_id, answers, 30)


def proposed(club: Club) -> PlanView:
    bend(club)
    plan = club.services.plans.proposal(club.athlete_id)
    assert plan is not None
    return plan


def accepted(club: Club) -> PlanView:
    plan = proposed(club)
    answer_no(club)
    return club.services.plans.accept(plan.plan_id, club.coach)


def actions(club: Club) -> list[tuple[str, str, str]]:
    with club.store.read() as tx:
        return [(row["actor"], row["action"], row["subject"]) for row in events.of_athlete(tx, club.athlete_id)]


def test_needs_merge_findings_of_a_kind() -> None:
    observed = [
        Observed("a", "repeated_bending", "first", Grade.AMBER),
        Observed("b", "low_endurance", "other", Grade.GREEN),
        Observed("c", "repeated_bending", "second", Grade.RED),
    ]
    first, second = needs_from(observed)
    assert (first.kind, first.because, first.finding_ids, first.weight) == (
        "repeated_bending",
        "second",
        ("a", "c"),
        1.0,
    )
    assert (second.kind, second.weight) == ("low_endurance", 0.25)
    assert needs_from([]) == ()
    # One that is only shown, and one that no program has heard of, stop nobody from planning for the rest.
    others = [Observed("d", kind, "said", Grade.RED) for kind in ("pain_with_movement", "of_a_newer_profile")]
    assert needs_from([*observed, *others]) == (first, second)


def test_a_finding_becomes_a_proposal_that_says_why_and_only_one(club: Club) -> None:
    plan = proposed(club)
    (finding,) = club.services.findings.for_athlete(club.athlete_id)
    assert plan.state is PlanState.PROPOSED
    assert plan.finding_ids == (finding.finding_id,)
    assert plan.prescription.exercises
    assert all("bent forward" in each.because for each in plan.prescription.exercises)
    assert plan.prescription.rest
    assert prescription_from_plain(prescription_to_plain(plan.prescription)) == plan.prescription
    assert club.services.plans.replan(club.athlete_id) is None
    bend(club, "again")
    now = club.services.plans.proposal(club.athlete_id)
    assert now is not None
    assert (now.plan_id, now.finding_ids) == (plan.plan_id, plan.finding_ids)  # of one day there is one finding
    assert ("service", "proposed", "plan") in actions(club)


def test_only_the_linked_coach_decides(club: Club) -> None:
    plan = proposed(club)
    answer_no(club)
    plans = club.services.plans
    stranger_id = club.services.accounts.create_user("Lou", Role.COACH)
    stranger = club.services.accounts.identity(stranger_id)
    assert stranger is not None
    for decide in (plans.accept, plans.decline):
        with pytest.raises(NotAllowed):
            decide(plan.plan_id, club.athlete)
        with pytest.raises(NoSuch):
            decide(plan.plan_id, stranger)
        with pytest.raises(NoSuch):
            decide("none", club.coach)
    assert not plans.may_decide(club.athlete, club.athlete_id)
    assert not plans.may_decide(stranger, club.athlete_id)
    assert plans.may_decide(club.coach, club.athlete_id)
    assert plans.accept(plan.plan_id, club.coach, "good").decided_by == "Kim"
    with pytest.raises(Conflict):
        plans.accept(plan.plan_id, club.coach)
    with pytest.raises(Conflict):
        plans.decline(plan.plan_id, club.coach)


def test_an_athlete_without_a_coach_decides(club: Club) -> None:
    services = club.services
    alone_id = services.athletes.create("Jo", "UTC")
    alone = Identity("x", Role.ATHLETE, "Jo", alone_id)
    assert services.plans.may_decide(alone, alone_id)
    assert not services.plans.may_decide(alone, club.athlete_id)


def test_accepting_places_sessions_at_local_times(club: Club) -> None:
    plan = accepted(club)
    plans = club.services.plans
    active = plans.active(club.athlete_id)
    assert active is not None
    assert active.plan_id == plan.plan_id
    assert plans.proposal(club.athlete_id) is None
    sessions = [each for week in range(5) for each in plans.week(club.athlete_id, START.date() + timedelta(weeks=week))]
    assert len(sessions) == 3 * 4
    assert len({each.local_date for each in sessions}) == len(sessions)
    for each in sessions:
        assert each.due_at > club.clock.now
        assert each.due_at.astimezone(BERLIN).replace(tzinfo=None) == datetime.combine(each.local_date, each.local_time)
        assert each.exercises[0]["name"] != each.exercises[0]["exercise_id"]
    assert all(each.state is SessionState.PLANNED for each in sessions)
    assert plans.session(club.athlete, sessions[0].session_id) == sessions[0]
    assert plans.plan_ahead(club.clock.now) == 0


def test_the_preview_is_what_accepting_then_places(club: Club) -> None:
    plan = proposed(club)
    answer_no(club)
    preview = club.services.plans.preview(club.coach, plan.plan_id)
    assert club.services.plans.week(club.athlete_id, START.date()) == []
    club.services.plans.accept(plan.plan_id, club.coach)
    week = club.services.plans.week(club.athlete_id, START.astimezone(BERLIN).date())
    assert [(each.local_date, each.due_at) for each in preview] == [(each.local_date, each.due_at) for each in week]


def test_the_week_keeps_the_local_time_through_both_changes_of_the_clock(store: Store) -> None:
    # The program runs over the autumn change of Berlin (25 October 2026).
    club = found_club(store, FakeClock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC)))
    accepted(club)
    before = club.services.plans.week(club.athlete_id, date(2026, 10, 19))
    after = club.services.plans.week(club.athlete_id, date(2026, 10, 26))
    assert {each.local_time for each in before + after} == {time(18, 30)}
    assert {each.due_at.time() for each in before} == {time(16, 30)}
    assert {each.due_at.time() for each in after} == {time(17, 30)}


def test_a_declined_proposal_does_not_come_back_for_the_same_findings(club: Club) -> None:
    plan = proposed(club)
    declined = club.services.plans.decline(plan.plan_id, club.coach, "rest first")
    assert (declined.state, declined.note) == (PlanState.DECLINED, "rest first")
    assert club.services.plans.replan(club.athlete_id) is None
    club.clock.forward(days=1)
    bend(club, "next day")  # the same pattern again is no reason to ask again so soon
    assert club.services.plans.proposal(club.athlete_id) is None
    club.clock.forward(days=7)
    assert club.services.plans.replan(club.athlete_id) is not None  # that it was found again is news by now
    again = club.services.plans.proposal(club.athlete_id)
    assert again is not None
    assert again.finding_ids == declined.finding_ids  # a day later it is the same finding, which goes on


def test_a_waiting_proposal_is_told_the_new_evidence_and_stays_the_same_one(club: Club) -> None:
    chunks = bending_chunks(20, 6, club.clock.utc_s() - 20 * 60)
    worker, plans = Worker(club.services, LiveFeed()), club.services.plans
    ids, sentences = set(), set()
    for first in range(0, len(chunks), 12):  # a minute at a time
        club.services.log.append(chunks[first : first + 12])
        club.clock.forward(minutes=1)
        worker.drain()
        plan = plans.proposal(club.athlete_id)
        if plan is not None:
            (finding,) = club.services.findings.for_athlete(club.athlete_id)
            assert finding.statement in plan.prescription.because
            assert plan.finding_ids == (finding.finding_id,)
            ids.add(plan.plan_id)
            sentences.add(finding.statement)
    assert len(ids) == 1
    assert len(sentences) > 5
    assert [action for _, action, subject in actions(club) if subject == "plan"] == ["proposed"]


def test_never_asked_and_locked_athletes_cannot_be_given_a_program(club: Club) -> None:
    plan = proposed(club)
    plans, triage = club.services.plans, club.services.triage
    assert triage.view_for(club.athlete, club.athlete_id).must_ask
    with pytest.raises(Locked, match="not answered"):
        plans.accept(plan.plan_id, club.coach)
    answer_no(club, CES=Answer.YES)
    view = triage.view_for(club.athlete, club.athlete_id)
    assert view.result is not None
    assert (view.result.level, view.result.locked, view.must_ask) == (TriageLevel.EMERGENCY, True, False)
    assert "emergency department" in view.result.messages[0]
    with pytest.raises(Locked, match="medical review advised"):
        plans.accept(plan.plan_id, club.coach)
    # Answering otherwise afterwards does not lift it; a clinician does.
    answer_no(club)
    with pytest.raises(Locked, match="medical review advised"):
        plans.accept(plan.plan_id, club.coach)
    with pytest.raises(NotAllowed):
        triage.clear(club.athlete, club.athlete_id, "Dr. Who", "2026-11-24")
    for wrong in ("yesterday", "2026-12-24", "2020-01-01"):
        with pytest.raises(InvalidInput):
            triage.clear(club.coach, club.athlete_id, "Dr. Who", wrong)
    triage.clear(club.coach, club.athlete_id, "Dr. Who", "2026-11-24")
    lifted = triage.view_for(club.athlete, club.athlete_id)
    assert lifted.cleared_by == "Dr. Who"
    assert lifted.result is not None
    assert (lifted.result.locked, lifted.result.messages) == (False, ())  # nobody is sent away by a lifted lock
    with pytest.raises(Conflict):
        triage.clear(club.coach, club.athlete_id, "Dr. Who", "2026-11-24")
    assert plans.accept(plan.plan_id, club.coach).state is PlanState.ACCEPTED


def test_a_coach_sees_that_it_is_paused_and_no_details(club: Club) -> None:
    answer_no(club, CAN=Answer.YES)
    shown = club.services.triage.view_for(club.coach, club.athlete_id).result
    assert shown == TriageShown(Lock.STARTING, (PAUSED,))
    own = club.services.triage.view_for(club.athlete, club.athlete_id).result
    assert own is not None
    assert (own.level, own.reasons) == (TriageLevel.PROMPT, ("CAN",))
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    with pytest.raises(NoSuch):
        club.services.triage.view_for(stranger, club.athlete_id)


def test_a_coach_who_took_the_answers_down_tells_the_athlete(club: Club) -> None:
    guest = club.services.athletes.create("Bo", "UTC", club.coach.user_id)
    club.services.triage.answer(club.coach, guest, {"CES": Answer.YES}, 30)
    view = club.services.triage.view_for(club.coach, guest)
    assert view.may_answer
    assert not club.services.triage.view_for(club.coach, club.athlete_id).may_answer
    shown = view.result
    assert shown is not None
    assert "emergency department" in shown.messages[0]


def test_much_pain_holds_the_next_sessions_until_the_questions_are_answered(club: Club) -> None:
    accepted(club)
    plans = club.services.plans
    first, second = plans.week(club.athlete_id, START.date())[:2]
    club.clock.now = first.due_at
    plans.release_due(club.clock.now)
    plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 6, 6)
    club.clock.now = second.due_at
    assert plans.release_due(club.clock.now) == ()
    answer_no(club)
    assert [each.session_id for each in plans.release_due(club.clock.now)] == [second.session_id]


def test_open_answers_lock_until_they_are_given(club: Club) -> None:
    result = club.services.triage.answer(club.athlete, club.athlete_id, {"CES": Answer.NO, "AAA": Answer.NO}, 30)
    assert result.locked
    answer_no(club)
    view = club.services.triage.view_for(club.athlete, club.athlete_id)
    assert view.result is not None
    # What counts as yes when it is open (here NEU and VIS) locks for good; see the rules of triage.
    assert view.result.locked is (result.level in {TriageLevel.EMERGENCY, TriageLevel.URGENT, TriageLevel.PROMPT})


def test_a_lock_blocks_release_and_missed_sessions_are_not_made_up_for(club: Club) -> None:
    accepted(club)
    plans = club.services.plans
    first, second = plans.week(club.athlete_id, START.date())[:2]
    answer_no(club, CES=Answer.YES)
    club.clock.now = first.due_at + timedelta(hours=5)
    assert plans.release_due(club.clock.now) == ()
    assert plans.plan_ahead(club.clock.now) == 0
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", club.clock.now.date().isoformat())
    assert plans.release_due(club.clock.now) == ()
    assert plans.session(club.coach, first.session_id).state is SessionState.CANCELLED
    club.clock.now = second.due_at
    assert [each.session_id for each in plans.release_due(club.clock.now)] == [second.session_id]


def test_outcomes_are_recorded_once_and_closed_when_nobody_answers(club: Club) -> None:
    accepted(club)
    plans = club.services.plans
    first, second = plans.week(club.athlete_id, START.date())[:2]
    club.clock.now = first.due_at
    assert len(plans.release_due(club.clock.now)) == 1
    club.clock.now = second.due_at
    assert len(plans.release_due(club.clock.now)) == 1
    for effort, pain in ((11, 0), (5, -1)):
        with pytest.raises(InvalidInput):
            plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, effort, pain)
    with pytest.raises(InvalidInput):
        plans.record_outcome(first.session_id, club.athlete, SessionState.DUE)
    done = plans.record_outcome(first.session_id, club.athlete, SessionState.DONE, 6, 7)
    assert done.state is SessionState.DONE
    assert club.services.triage.view_for(club.athlete, club.athlete_id).must_ask  # pain of 7 during it
    with pytest.raises(Conflict, match="done already"):
        plans.record_outcome(first.session_id, club.athlete, SessionState.SKIPPED)
    assert plans.close_stale(club.clock.forward(hours=35)) == 0  # of the second one
    assert plans.close_stale(club.clock.forward(hours=2)) == 1
    assert plans.session(club.coach, second.session_id).state is SessionState.SKIPPED
    assert ("clock", "released", "session") in actions(club)


def test_a_new_program_replaces_what_is_still_planned(club: Club) -> None:
    old = accepted(club)
    plans = club.services.plans
    first = plans.week(club.athlete_id, START.date())[0]
    club.clock.now = first.due_at
    plans.release_due(club.clock.now)
    club.clock.forward(days=29)
    bend(club, "later")
    plan = plans.proposal(club.athlete_id)
    assert plan is not None
    plans.accept(plan.plan_id, club.coach)
    assert plans.get(club.coach, old.plan_id).state is PlanState.SUPERSEDED
    live = plans.week(club.athlete_id, START.date())
    assert [each.session_id for each in live] == [first.session_id]
    feed = plans.calendar_sessions(plans.calendar_token(club.athlete, club.athlete_id))
    assert {each.state for each in feed.sessions} == {SessionState.DUE, SessionState.PLANNED, SessionState.CANCELLED}


def test_long_programs_are_placed_as_time_goes_on(store: Store) -> None:
    config = Config(program={"weeks": 6, "plan_ahead_days": 14})  # type: ignore[arg-type]
    club = found_club(store, FakeClock(), config=config)
    accepted(club)
    plans = club.services.plans

    def placed() -> list[date]:
        weeks = [plans.week(club.athlete_id, START.date() + timedelta(weeks=week)) for week in range(8)]
        return [each.local_date for week in weeks for each in week]

    assert max(placed()) < START.date() + timedelta(days=14)
    counts = [len(placed())]
    for _ in range(6):
        plans.plan_ahead(club.clock.forward(days=7))
        counts.append(len(placed()))
    assert counts[-1] == 6 * 3
    assert counts == sorted(counts)
    assert len(set(placed())) == 18


def test_the_calendar_link_is_a_secret_that_can_be_renewed(club: Club) -> None:
    accepted(club)
    plans = club.services.plans
    token = plans.calendar_token(club.athlete, club.athlete_id)
    with pytest.raises(NotAllowed):
        plans.calendar_token(club.coach, club.athlete_id)
    assert len(plans.calendar_sessions(token).sessions) == 12
    renewed = plans.renew_calendar_token(club.athlete, club.athlete_id)
    assert renewed != token
    with pytest.raises(NoSuch):
        plans.calendar_sessions(token)
    stranger = Identity("y", Role.ATHLETE, "Bo", "other")
    with pytest.raises(NoSuch):
        plans.calendar_token(stranger, club.athlete_id)


def test_no_health_text_in_the_audit(club: Club) -> None:
    accepted(club)
    session = club.services.plans.week(club.athlete_id, START.date())[0]
    club.services.plans.record_outcome(session.session_id, club.athlete, SessionState.SKIPPED, reason="sharp leg pain")
    answer_no(club, CES=Answer.YES)
    with club.store.read() as tx:
        texts = " ".join(f"{row['action']} {row['why']}" for row in events.of_athlete(tx, club.athlete_id))
    assert "leg pain" not in texts
    assert "CES" not in texts


def test_placed_sessions_keep_their_time_of_day_in_another_time_zone(club: Club) -> None:
    accepted(club)
    plans, athletes = club.services.plans, club.services.athletes
    before = plans.week(club.athlete_id, START.date())
    athletes.set_availability(club.athlete, club.athlete_id, Availability("Asia/Tokyo"))
    after = plans.week(club.athlete_id, START.date())
    # 18:30 of the first day is past in Tokyo; the others are there at 18:30, 8 hours earlier.
    assert [each.session_id for each in after] == [each.session_id for each in before[1:]]
    assert {each.local_time for each in after} == {time(18, 30)}
    assert {each.time_zone for each in after} == {"Asia/Tokyo"}
    assert {old.due_at - new.due_at for old, new in zip(before[1:], after, strict=True)} == {timedelta(hours=8)}
    assert all(each.due_at > club.clock.now for each in after)


def test_availability_is_checked(club: Club) -> None:
    athletes = club.services.athletes
    athletes.set_availability(club.athlete, club.athlete_id, Availability("America/New_York", (1, 3), time(7, 30)))
    assert athletes.get(club.coach, club.athlete_id).time_zone == "America/New_York"
    for wrong in (
        Availability("Mars/Olympus"),
        Availability("UTC", ()),
        Availability("UTC", (7,)),
        Availability("../x"),
    ):
        with pytest.raises(InvalidInput):
            athletes.set_availability(club.athlete, club.athlete_id, wrong)
