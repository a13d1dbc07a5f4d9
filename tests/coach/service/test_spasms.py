"""Spasm now: what one press does, what each answer does, how the phases go on, and what is never done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.config import CareSection, Config
from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.service.diary import CheckIn
from coach.service.plain import prescription_from_plain, prescription_to_plain
from coach.service.reports import OFFER_RECURRED
from coach.service.spasm_views import Comfort
from coach.service.types import SessionState, SessionView
from coach.store import athletes, plans, spasms
from coach.store.engine import Store
from programs.acute import EASIER_WORDS, Feels
from programs.phases import FALLBACK, FALLBACK_WORDS, REVIEW
from programs.prescribe import prescribe
from programs.progress import work_s
from programs.types import Answer, History, Lock, Need, Phase, Prescription
from tests.coach.club import START, Club, FakeClock, found_club

LEVELS = {"bird_dog": 2, "side_bridge": 2, "curl_up": 1}
PROGRAM = prescribe([Need("repeated_bending", 1.0, "You bent forward 84 times.")], History(LEVELS), 3, 8)


def answers(club: Club, **other: Answer) -> None:
    given = {question.id: Answer.NO for question in club.services.triage.questions()} | other
    club.services.triage.answer(club.athlete, club.athlete_id, given, 30)


def propose(club: Club) -> str:
    values = {"athlete_id": club.athlete_id, "state": "proposed", "prescription": prescription_to_plain(PROGRAM)}
    rest = {"need_kinds": ["repeated_bending"], "finding_ids": [], "created_at": club.clock.now}
    with club.store.begin() as tx:
        return plans.add(tx, {**values, **rest})


@pytest.fixture
def training(club: Club) -> Club:
    """An athlete whose program runs."""
    answers(club)
    club.services.plans.accept(propose(club), club.coach)
    club.clock.forward(minutes=10)
    return club


def press(club: Club, key: str = "k1") -> None:
    club.services.spasms.begin(club.athlete, club.athlete_id, key)


def ahead(club: Club) -> list[SessionView]:
    today = club.clock.now.date()
    return [s for week in (0, 7, 14, 21) for s in club.services.plans.week(club.athlete_id, today + timedelta(week))]


def names(session: SessionView) -> list[str]:
    return [each["exercise_id"] for each in session.exercises]


def lock_of(club: Club) -> Lock:
    with club.store.read() as tx:
        row = athletes.get(tx, club.athlete_id)
        assert row is not None
        return Lock(row["lock"])


def running(club: Club) -> Prescription:
    plan = club.services.plans.active(club.athlete_id)
    assert plan is not None
    return plan.prescription


def tell(club: Club, pain: int, feels: Feels = Feels.BETTER, **more: bool):
    key = f"told {club.clock.now}"
    return club.services.spasms.tell(club.athlete, club.athlete_id, pain, feels, key, **more)


def seen(club: Club):
    view = club.services.spasms.view(club.athlete, club.athlete_id)
    assert view is not None
    return view


def test_one_press_and_the_program_gives_way_at_once(training: Club) -> None:
    before = ahead(training)
    assert len(before) >= 8
    assert all(names(each) != list(FALLBACK) for each in before)
    press(training)
    after = ahead(training)
    assert [each.session_id for each in after] == [each.session_id for each in before]  # no time is moved
    assert all(names(each) == list(FALLBACK) and each.because == FALLBACK_WORDS for each in after)
    assert all(now.sequence > then.sequence for now, then in zip(after, before, strict=True))  # calendars are told
    assert lock_of(training) is Lock.ALL  # until the questions are answered
    assert training.services.triage.view_for(training.athlete, training.athlete_id).must_ask
    training.clock.forward(days=2)
    assert training.services.plans.release_due(training.clock.now) == ()


def test_with_nothing_to_tell_walking_and_rest_are_released(training: Club) -> None:
    press(training)
    answers(training)
    assert lock_of(training) is Lock.NONE
    view = seen(training)
    assert (view.phase, view.answered, view.now.title) == (Phase.ACUTE, True, "The first days")
    released = []
    while not released:
        training.clock.forward(hours=12)
        released = list(training.services.plans.release_due(training.clock.now))
    assert names(released[0]) == list(FALLBACK)
    done = training.services.plans.record_outcome(released[0].session_id, training.athlete, SessionState.DONE, 1, 2)
    assert done.fallback  # no step of progress rests on it


def test_what_is_placed_in_the_first_days_is_walking_and_rest_too(training: Club) -> None:
    press(training)
    answers(training)
    before = len(ahead(training))
    training.clock.forward(days=8)
    assert training.services.plans.plan_ahead(training.clock.now) > 0
    assert len(ahead(training)) <= before + 4
    assert {tuple(names(each)) for each in ahead(training)} == {FALLBACK}


@pytest.mark.parametrize(("flag", "lock"), [("CES", Lock.ALL), ("NEU", Lock.ALL), ("CAN", Lock.STARTING)])
def test_a_lock_ends_it_there(training: Club, flag: str, lock: Lock) -> None:
    press(training)
    answers(training, **{flag: Answer.YES})
    assert lock_of(training) is lock
    assert not seen(training).answered
    with pytest.raises(Conflict, match="questions come first"):
        training.services.spasms.comfort(training.athlete, training.athlete_id, Comfort.COLD)
    tell(training, 2, walked_10_min=True)
    with pytest.raises(Conflict, match="the safety questions are answered"):
        training.services.spasms.go_on(training.athlete, training.athlete_id)


def test_two_presses_of_one_form_are_one_and_the_answers_are_linked(training: Club) -> None:
    press(training)
    answers(training)
    with training.store.read() as tx:
        row = spasms.going_on(tx, training.athlete_id)
        assert row is not None
        assert row["triage_id"] is not None
    training.clock.forward(minutes=1)
    press(training)
    assert not training.services.triage.view_for(training.athlete, training.athlete_id).must_ask
    press(training, "k2")  # another press in the first days: the same spasm, asked about anew
    assert training.services.triage.view_for(training.athlete, training.athlete_id).must_ask
    with training.store.read() as tx:
        again = spasms.going_on(tx, training.athlete_id)
        assert again is not None
        assert again["id"] == row["id"]


def test_follow_ups_are_due_after_a_day_and_after_three(training: Club) -> None:
    press(training)
    answers(training)
    assert seen(training).due_h is None
    training.clock.forward(hours=23.9)
    assert seen(training).due_h is None
    training.clock.forward(hours=0.1)
    assert seen(training).due_h == 24
    tell(training, 5)
    assert seen(training).due_h is None
    assert [(each.after_h, each.pain) for each in seen(training).told] == [(24, 5)]
    training.clock.forward(hours=48)
    assert seen(training).due_h == 72
    tell(training, 3)
    tell_again = tell(training, 9)  # the same key: the same answer
    assert tell_again.ask
    assert [(each.after_h, each.pain) for each in seen(training).told] == [(72, 3), (24, 5)]


def test_a_missed_question_gives_way_to_the_next(training: Club) -> None:
    press(training)
    answers(training)
    training.clock.forward(hours=80)
    assert seen(training).due_h == 72
    tell(training, 3)
    assert seen(training).due_h is None


def test_better_offers_the_next_phase_and_nothing_goes_up_without_a_yes(training: Club) -> None:
    press(training)
    answers(training)
    training.clock.forward(hours=24)
    tell(training, 5)
    assert seen(training).next_title is None
    assert seen(training).now.next_when == ("you can walk for ten minutes",)
    with pytest.raises(Conflict, match="walk for ten minutes"):
        training.services.spasms.go_on(training.athlete, training.athlete_id)
    training.clock.forward(hours=1)
    tell(training, 5, walked_10_min=True)
    assert seen(training).next_title == "Getting going"
    assert {tuple(names(each)) for each in ahead(training)} == {FALLBACK}
    training.services.spasms.go_on(training.athlete, training.athlete_id)
    assert seen(training).phase is Phase.EARLY
    early = [each for each in ahead(training) if each.due_at > training.clock.now]
    assert early
    assert all(names(each) != list(FALLBACK) for each in early)
    assert {name for each in early for name in names(each)} <= {
        "bird_dog",
        "curl_up",
        "wall_side_bridge",
        "glute_bridge",
    }


def test_a_pain_of_the_day_before_opens_no_phase(training: Club) -> None:
    press(training)
    answers(training)
    training.clock.forward(hours=2)
    tell(training, 3, walked_10_min=True)
    assert seen(training).next_title == "Getting going"
    training.clock.forward(hours=24.1)
    assert seen(training).next_title is None


@pytest.mark.parametrize(("pain", "feels"), [(4, Feels.WORSE), (6, Feels.BETTER), (5, Feels.SAME)])
def test_worse_asks_the_safety_questions_again(training: Club, pain: int, feels: Feels) -> None:
    training.services.spasms.begin(training.athlete, training.athlete_id, "k1")
    training.services.diary.check_in(training.athlete, training.athlete_id, CheckIn(pain_in_motion=3), "first")
    training.clock.forward(minutes=1)
    answers(training)
    training.clock.forward(hours=24)
    assert tell(training, pain, feels).ask  # 5 after 3 has risen by 2
    assert lock_of(training) is Lock.ALL
    assert training.services.triage.view_for(training.athlete, training.athlete_id).must_ask
    training.clock.forward(minutes=1)
    answers(training)
    assert lock_of(training) is Lock.NONE


def test_not_better_after_three_days_offers_the_doctor(training: Club) -> None:
    press(training)
    answers(training)
    training.clock.forward(hours=24)
    tell(training, 4, Feels.SAME)
    assert not seen(training).doctor
    training.clock.forward(hours=48)
    tell(training, 4, Feels.SAME)
    assert seen(training).doctor
    training.clock.forward(hours=1)
    tell(training, 3, Feels.BETTER)
    assert not seen(training).doctor


def to_phase(club: Club, phase: Phase) -> None:
    """Answer and train as the rules want it, up to a phase."""
    press(club, f"to {phase} {club.clock.now}")
    answers(club)
    club.clock.forward(hours=24)
    tell(club, 4, walked_10_min=True)
    club.services.spasms.go_on(club.athlete, club.athlete_id)
    if phase is Phase.EARLY:
        return
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(1, 2), f"usual {club.clock.now}")
    greens = 0
    while greens < 2:
        club.clock.forward(hours=4)
        for session in club.services.plans.release_due(club.clock.now):
            club.services.plans.record_outcome(session.session_id, club.athlete, SessionState.DONE, 3, 1, pain_after=1)
            to_morning(club)
            club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(1, 2), f"m{club.clock.now}")
            greens += 1
    tell(club, 2, full_motion=True)
    club.services.spasms.go_on(club.athlete, club.athlete_id)
    if phase is Phase.REBUILD:
        return
    club.services.spasms.go_on(club.athlete, club.athlete_id)


def to_morning(club: Club) -> None:
    club.clock.now = (club.clock.now + timedelta(days=1)).replace(hour=6)


def test_two_green_sessions_lead_on_and_the_program_comes_back_a_step_easier(training: Club) -> None:
    before = {item.exercise_id: item for item in running(training).exercises}
    to_phase(training, Phase.REBUILD)
    assert seen(training).phase is Phase.REBUILD
    assert seen(training).sport_share is None
    training.services.spasms.go_on(training.athlete, training.athlete_id)
    assert seen(training).phase is Phase.STRENGTH
    after = running(training)
    assert after.because.startswith(EASIER_WORDS)
    assert len(after.exercises) == len(before)
    for item in after.exercises:
        then = before.get(item.exercise_id)
        if then is not None:
            assert (item.level, work_s(item.dose)) <= (then.level, work_s(then.dose))
            assert (item.level, item.dose) != (then.level, then.dose)
    shares = [seen(training).sport_share]
    # A morning that hurts more than usual, or of which nothing is told, leaves the training before it uncounted.
    for number, morning in enumerate((1, 1, 4, None, 1, 1, 1, 1)):
        training.services.diary.add_training(training.athlete, training.athlete_id, "Golf", 60, 3, f"t{number}")
        assert seen(training).sport_share == shares[-1]  # the next morning is not known yet
        to_morning(training)
        if morning is not None:
            told = CheckIn(pain_at_rest=morning)
            training.services.diary.check_in(training.athlete, training.athlete_id, told, f"m{number}")
        shares.append(seen(training).sport_share)
    assert shares == [0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 1.0]
    training.services.spasms.over(training.athlete, training.athlete_id)
    assert training.services.spasms.view(training.athlete, training.athlete_id) is None


def test_much_pain_anywhere_leads_back_to_the_first_days(training: Club) -> None:
    to_phase(training, Phase.EARLY)
    training.clock.forward(hours=5)
    training.services.diary.check_in(training.athlete, training.athlete_id, CheckIn(pain_at_rest=6), "much")
    assert seen(training).phase is Phase.ACUTE
    assert {tuple(names(each)) for each in ahead(training) if each.state is SessionState.PLANNED} == {FALLBACK}
    training.clock.forward(hours=24)
    assert seen(training).due_h == 24  # asked again, from then on


def test_another_spasm_later_is_another_one_and_goes_a_step_further_back(training: Club) -> None:
    to_phase(training, Phase.REBUILD)
    with training.store.read() as tx:
        first = spasms.going_on(tx, training.athlete_id)
    press(training, "again")
    with training.store.read() as tx:
        second = spasms.going_on(tx, training.athlete_id)
    assert first is not None
    assert second is not None
    assert second["id"] != first["id"]
    works = [
        sum(work_s(item.dose) for item in prescription_from_plain(row["program"]).exercises) for row in (first, second)
    ]
    assert works[1] <= works[0]
    assert second["recurred"]
    assert OFFER_RECURRED in training.services.reports.offered(training.athlete, training.athlete_id)
    training.clock.forward(weeks=27)  # a pain course of its own has not begun again
    assert OFFER_RECURRED not in training.services.reports.offered(training.athlete, training.athlete_id)
    training.clock.forward(weeks=-27)
    assert seen(training).now.review == REVIEW


def test_after_three_weeks_of_first_days_it_begins_at_the_first_levels(training: Club) -> None:
    press(training)
    answers(training)
    training.clock.forward(days=22)
    tell(training, 3, walked_10_min=True)
    if training.services.triage.view_for(training.athlete, training.athlete_id).must_ask:
        training.clock.forward(minutes=1)
        answers(training)
    training.services.plans.plan_ahead(training.clock.now)
    training.services.spasms.go_on(training.athlete, training.athlete_id)
    assert {item.level for item in running(training).exercises} == {0}


def test_a_press_by_mistake_is_taken_back_within_the_hour_but_the_questions_stay(training: Club) -> None:
    before = [names(each) for each in ahead(training)]
    press(training)
    assert seen(training).may_undo
    training.services.spasms.undo(training.athlete, training.athlete_id)
    assert training.services.spasms.view(training.athlete, training.athlete_id) is None
    assert [names(each) for each in ahead(training)] == before
    assert lock_of(training) is Lock.ALL
    assert training.services.triage.view_for(training.athlete, training.athlete_id).must_ask
    training.clock.forward(minutes=1)
    answers(training)
    press(training, "k2")
    training.clock.forward(minutes=61)
    with pytest.raises(Conflict, match="goes on"):
        training.services.spasms.undo(training.athlete, training.athlete_id)
    with pytest.raises(Conflict, match="goes on"):
        training.services.spasms.over(training.athlete, training.athlete_id)


def test_nothing_begins_in_the_first_days_and_what_waited_is_thought_of_anew(club: Club) -> None:
    answers(club)
    plan_id = propose(club)
    press(club)
    club.clock.forward(minutes=1)
    answers(club)
    assert club.services.plans.proposal(club.athlete_id) is None
    with pytest.raises(Conflict, match="superseded"):
        club.services.plans.accept(plan_id, club.coach)
    with pytest.raises(Locked, match="A spasm comes first"):
        club.services.plans.accept(propose(club), club.coach)


def test_the_timer_runs_15_to_20_minutes(training: Club) -> None:
    press(training)
    answers(training)
    training.services.spasms.comfort(training.athlete, training.athlete_id, Comfort.WARMTH, 20)
    view = seen(training)
    assert (view.comfort, view.comfort_until) == (Comfort.WARMTH, training.clock.now + timedelta(minutes=20))
    for minutes in (14, 21):
        with pytest.raises(InvalidInput, match="15 to 20"):
            training.services.spasms.comfort(training.athlete, training.athlete_id, Comfort.COLD, minutes)
    training.services.spasms.comfort(training.athlete, training.athlete_id, None)
    assert seen(training).comfort is None


def test_without_the_acute_plan_three_days_are_free_and_the_questions_are_asked(store: Store) -> None:
    club = found_club(store, FakeClock(START), config=Config(care=CareSection(acute_plan=False)))
    answers(club)
    club.services.plans.accept(propose(club), club.coach)
    before = running(club)
    assert any(each.due_at < club.clock.now + timedelta(hours=72) for each in ahead(club))
    club.clock.forward(minutes=1)
    press(club)
    assert club.services.spasms.view(club.athlete, club.athlete_id) is None
    assert club.services.triage.view_for(club.athlete, club.athlete_id).must_ask
    left = ahead(club)
    assert left
    assert min(each.due_at for each in left) > club.clock.now + timedelta(hours=72)
    assert not any(each.fallback for each in left)
    works = [sum(work_s(item.dose) for item in each.exercises) for each in (before, running(club))]
    assert works[1] < works[0]


def test_it_is_the_athletes_own(training: Club, store: Store) -> None:
    for ask in (
        lambda: training.services.spasms.begin(training.coach, training.athlete_id, "k"),
        lambda: training.services.spasms.view(training.coach, training.athlete_id),
    ):
        with pytest.raises(NotAllowed):
            ask()
    with pytest.raises(NoSuch, match="No spasm goes on"):
        training.services.spasms.go_on(training.athlete, training.athlete_id)
    other_id = training.services.athletes.create("Bo", "Europe/Berlin", training.coach.user_id)
    with pytest.raises(NoSuch):
        training.services.spasms.begin(training.athlete, other_id, "k")
    training.services.spasms.begin(training.coach, other_id, "k")  # who never signs in has the coach take it down
    assert training.services.spasms.view(training.coach, other_id) is not None
