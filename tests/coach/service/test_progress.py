"""A running program goes up by one step after two green sessions and a yes, and down by itself; never otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from coach.errors import Conflict, Locked, NoSuch, NotAllowed
from coach.service.care_views import TreatmentKind
from coach.service.change_views import ChangeKind, ChangeState, ChangeView
from coach.service.diary import CheckIn
from coach.service.plain import exercises_from_plain, prescription_to_plain
from coach.service.roster import Attention
from coach.service.types import Identity, Role, SessionState, SessionView
from coach.store import diary, events, plans, program_changes, sessions
from programs.exercises import library
from programs.prescribe import prescribe
from programs.progress import work_s
from programs.types import Answer, Dose, History, Need, PrescribedExercise, Prescription
from tests.coach.club import Club
from tests.coach.service.test_plans import answer_no

PROGRAM = prescribe([Need("repeated_bending", 1.0, "You bent forward 84 times.")], History(), 3, 4)


@dataclass(frozen=True)
class Runs:
    """A club whose athlete runs a program; helpers live the days."""

    club: Club

    def next_session(self) -> SessionView:
        today = self.club.clock.now.date()
        weeks = (self.club.services.plans.week(self.club.athlete_id, today + timedelta(weeks=w)) for w in range(3))
        return next(each for week in weeks for each in week if each.state is SessionState.PLANNED)

    def train(self, during: int | None = 1, after: int | None = 1) -> SessionView:
        """Wait for the next session, have it released, do it."""
        session = self.next_session()
        self.club.clock.now = session.due_at
        released = self.club.services.plans.release_due(self.club.clock.now)
        assert [each.session_id for each in released] == [session.session_id]
        self.club.clock.forward(minutes=20)
        return self.club.services.plans.record_outcome(
            session.session_id, self.club.athlete, SessionState.DONE, 3, during, pain_after=after
        )

    def tell(self, at_rest: int, sleep_h: float | None = None) -> None:
        """Tell of the next morning, at about 7 in Berlin."""
        self.club.clock.now = (self.club.clock.now + timedelta(days=1)).replace(hour=6, minute=0)
        told = CheckIn(pain_at_rest=at_rest, sleep_h=sleep_h)
        self.club.services.diary.check_in(self.club.athlete, self.club.athlete_id, told, str(self.club.clock.now))

    def green(self, times: int = 1) -> None:
        """Train without pain beyond the usual; whoever has some answers the safety questions every week."""
        for _ in range(times):
            answer_no(self.club)
            self.train()
            self.tell(1)

    @property
    def step(self) -> ChangeView | None:
        return self.club.services.progress.proposed(self.club.athlete_id)

    @property
    def lately(self) -> list[ChangeKind]:
        return [each.kind for each in self.club.services.progress.lately(self.club.athlete_id)]

    @property
    def program(self) -> Prescription:
        plan = self.club.services.plans.active(self.club.athlete_id)
        assert plan is not None
        return plan.prescription

    def planned_work_s(self) -> dict[str, float]:
        """Return the work of each exercise in the next session."""
        items = exercises_from_plain(
            [
                {name: each[name] for name in ("exercise_id", "dose", "because", "first_side", "extra_set")}
                | {"level": each["level_number"]}
                for each in self.next_session().exercises
            ]
        )
        return {item.exercise_id: work_s(item.dose) for item in items}


def start(club: Club, program: Prescription = PROGRAM) -> Runs:
    """Have a program accepted after a first check-in, which says what pain is usual."""
    answer_no(club)
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(pain_at_rest=1), "first")
    values = {"athlete_id": club.athlete_id, "state": "proposed", "prescription": prescription_to_plain(program)}
    rest = {"need_kinds": ["repeated_bending"], "finding_ids": [], "created_at": club.clock.now}
    with club.store.begin() as tx:
        plan_id = plans.add(tx, {**values, **rest})
    club.services.plans.accept(plan_id, club.coach)
    return Runs(club)


def accepted_step(runs: Runs) -> None:
    assert runs.step is not None
    runs.club.services.progress.accept(runs.step.change_id, runs.club.coach)


def actions(club: Club) -> list[tuple[str, str, str]]:
    with club.store.read() as tx:
        return [(row["actor"], row["action"], row["why"]) for row in events.of_athlete(tx, club.athlete_id)]


def test_two_green_sessions_propose_one_step_and_nothing_rises_before_the_yes(club: Club) -> None:
    runs = start(club)
    runs.green()
    assert runs.step is None
    runs.train()
    assert runs.step is None  # the morning after is not known yet
    runs.tell(1)
    step, before = runs.step, runs.planned_work_s()
    assert step is not None
    assert step.kind is ChangeKind.STEP
    (line,) = step.lines
    assert (line.name, line.before, line.after) == (
        "Bird-dog",
        "one leg, 3 sets of 6, 4, 2 holds of 10 s, each side, 20 s rest",
        "one leg, 3 sets of 7, 4, 2 holds of 10 s, each side, 20 s rest",
    )
    (row,) = club.services.athletes.roster(club.coach)
    assert [each.kind for each in row.reasons][:1] == [Attention.PROPOSAL]
    assert "one repetition more of bird-dog" in step.because
    assert before == {item.exercise_id: work_s(item.dose) for item in PROGRAM.exercises}
    days = runs.next_session().due_at
    club.services.progress.accept(step.change_id, club.coach)
    after = runs.planned_work_s()
    assert {name for name in after if after[name] != before[name]} == {"bird_dog"}
    assert after["bird_dog"] == before["bird_dog"] + 2 * 10.0  # one hold of 10 s, each side
    assert runs.next_session().due_at == days
    assert runs.step is None
    assert ("service", "proposed", "step") in actions(club)
    assert (club.coach.user_id, "accepted", "step") in actions(club)
    # The count begins anew, and another exercise is next.
    runs.green()
    assert runs.step is None
    runs.green()
    assert runs.step is not None
    assert "side bridge" in runs.step.because


def test_who_may_say_yes_is_who_may_decide_on_programs(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    step, progress = runs.step, club.services.progress
    assert step is not None
    stranger = Identity("somebody", Role.COACH, "Lee", None)
    for decide in (progress.accept, progress.decline):
        with pytest.raises(NotAllowed):
            decide(step.change_id, club.athlete)
        with pytest.raises(NoSuch):
            decide(step.change_id, stranger)
    assert progress.get(club.athlete, step.change_id) == step
    assert progress.accept(step.change_id, club.coach).state is ChangeState.MADE
    with pytest.raises(Conflict):
        progress.accept(step.change_id, club.coach)


def test_an_athlete_without_a_coach_says_yes_herself(club: Club) -> None:
    athlete_id = club.services.athletes.create("Jo", "Europe/Berlin")
    user_id = club.services.accounts.create_user("Jo", Role.ATHLETE, athlete_id=athlete_id)
    alone = club.services.accounts.identity(user_id)
    assert alone is not None
    runs = start(replace(club, athlete_id=athlete_id, athlete=alone, coach=alone))
    runs.green(2)
    accepted_step(runs)
    assert runs.lately == [ChangeKind.STEP]


def test_not_now_is_remembered_for_a_week_and_then_another_exercise_is_next(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    assert runs.step is not None
    assert "bird-dog" in runs.step.because
    club.services.progress.decline(runs.step.change_id, club.coach)
    runs.green(2)
    assert runs.step is None
    runs.green(2)
    assert runs.step is not None
    assert "side bridge" in runs.step.because


@pytest.mark.parametrize("told", [(2, 2, 2), (3, 1, 1), (1, 3, 1), (None, 1, 1), (1, None, 1)])
def test_amber_or_untold_pain_repeats(club: Club, told: tuple[int | None, int | None, int]) -> None:
    runs = start(club)
    runs.green()
    runs.train(told[0], told[1])
    runs.tell(told[2])
    assert runs.step is None
    assert runs.lately == []


def test_a_missing_next_morning_holds_and_takes_a_waiting_step_back(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    step = runs.step
    assert step is not None
    runs.train()
    assert runs.step is None
    with pytest.raises(Conflict, match="not open any more"):
        club.services.progress.accept(step.change_id, club.coach)
    # Nobody tells of the next morning; of the one after a session later it is told.
    runs.train()
    club.services.progress.look(club.athlete_id)
    assert runs.step is None
    runs.tell(1)
    assert runs.step is None


@pytest.mark.parametrize(("during", "after", "morning"), [(6, 1, 1), (1, 6, 1), (1, 1, 3)])
def test_a_red_session_makes_everything_a_step_easier_by_itself_after_a_free_day(
    club: Club, during: int, after: int, morning: int
) -> None:
    runs = start(club)
    before = runs.planned_work_s()
    runs.green(1)
    done = runs.train(during, after)
    runs.tell(morning)
    assert runs.lately == [ChangeKind.BACK]
    (change,) = club.services.progress.lately(club.athlete_id)
    assert change.state is ChangeState.MADE
    assert (change.first_on, change.last_on) == (done.local_date + timedelta(days=1),) * 2
    assert "one step easier" in change.because
    assert runs.next_session().local_date > done.local_date + timedelta(days=1)
    now = runs.planned_work_s()
    assert sum(now.values()) < sum(before.values())
    assert all(now[name] <= before.get(name, 1e9) for name in now)
    assert ("service", "made easier", "back") in actions(club)


def test_the_second_red_session_within_a_week_asks_for_a_clinician(club: Club) -> None:
    runs = start(club)
    for _ in range(2):
        runs.train(1, 1)
        runs.tell(3)
    changes = club.services.progress.lately(club.athlete_id)
    assert [each.kind for each in changes] == [ChangeKind.BACK] * 2
    assert ["doctor or physiotherapist" in each.because for each in changes] == [True, False]


def test_what_stood_in_for_a_session_is_no_green_one(club: Club) -> None:
    runs = start(club)
    runs.green()
    answer_no(club, CAN=Answer.YES)  # a lock of starting: walking and rest
    for _ in range(2):
        runs.train()
        runs.tell(1)
    assert runs.step is None
    answer_no(club)
    club.services.triage.clear(club.coach, club.athlete_id, "Dr. Who", club.clock.now.date().isoformat())
    club.services.progress.look(club.athlete_id)
    assert runs.step is None
    runs.green(2)
    assert runs.step is not None


def test_walking_that_was_done_in_place_of_a_session_counts_neither_up_nor_as_a_session(club: Club) -> None:
    runs = start(club)
    runs.green()
    done = runs.train()
    with club.store.begin() as tx:  # as in the first days after a spasm
        sessions.move(tx, done.session_id, ("done",), fallback=True)
    runs.tell(1)
    assert runs.step is None
    runs.green()
    assert runs.step is not None


def test_the_free_day_after_a_red_session_holds_where_every_day_has_one(club: Club) -> None:
    runs = start(club, prescribe([Need("repeated_bending", 1.0, "You bent often.")], History(), 6, 4))
    first = runs.train()
    runs.tell(1)
    assert runs.next_session().local_date == first.local_date + timedelta(days=1)
    done = runs.train(6, 1)
    answer_no(club)
    assert runs.lately == [ChangeKind.BACK]
    assert runs.next_session().local_date > done.local_date + timedelta(days=1)


def test_nothing_goes_up_while_a_lock_stands(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    step = runs.step
    assert step is not None
    answer_no(club, NEU=Answer.YES)
    with pytest.raises(Locked):
        club.services.progress.accept(step.change_id, club.coach)
    club.services.progress.look(club.athlete_id)
    assert runs.step is None


def test_a_session_near_medicine_is_not_green_and_holds_for_a_day(club: Club) -> None:
    runs = start(club)

    def take_medicine() -> None:
        day = club.clock.now.date()
        club.services.treatments.add(club.athlete, club.athlete_id, TreatmentKind.MEDICINE, f"{day}", ended_on=day)

    runs.green()
    runs.train()
    take_medicine()
    runs.tell(1)
    assert runs.step is None
    runs.green()
    assert runs.step is None  # one in a row
    runs.green()
    step = runs.step
    assert step is not None
    take_medicine()
    with pytest.raises(Conflict, match="has changed since"):
        club.services.progress.accept(step.change_id, club.coach)
    club.services.progress.look(club.athlete_id)
    assert runs.step is None


def test_a_missed_week_goes_one_level_back_and_three_begin_again(club: Club) -> None:
    program = prescribe([Need("repeated_bending", 1.0, "You bent often.")], History(dict.fromkeys(library(), 3)), 3, 12)
    runs = start(club, program)
    levels = {item.exercise_id: item.level for item in program.exercises}
    runs.green()
    club.clock.forward(days=5)
    assert club.services.progress.look_daily(club.clock.now) == ()
    assert {item.exercise_id: item.level for item in runs.program.exercises} == levels
    club.clock.forward(days=1)
    assert club.services.progress.look_daily(club.clock.now) == (club.athlete_id,)
    assert {item.exercise_id: item.level for item in runs.program.exercises} == {
        name: level - 1 for name, level in levels.items()
    }
    club.clock.forward(days=13)
    assert club.services.progress.look_daily(club.clock.now) == ()
    club.clock.forward(days=1)
    assert club.services.progress.look_daily(club.clock.now) == (club.athlete_id,)
    assert {item.level for item in runs.program.exercises} == {0}
    assert runs.lately == [ChangeKind.RESTART]
    club.clock.forward(days=1)
    assert club.services.progress.look_daily(club.clock.now) == ()


def test_after_a_pause_of_the_service_nobody_starts_where_they_left_off(club: Club) -> None:
    program = prescribe([Need("repeated_bending", 1.0, "You bent often.")], History({"bird_dog": 3}), 3, 12)
    runs = start(club, program)
    runs.green()
    club.clock.now = runs.next_session().due_at + timedelta(days=21)
    while not (released := club.services.plans.release_due(club.clock.now)):
        club.clock.forward(hours=6)
    dog = next(each for each in released[0].exercises if each["exercise_id"] == "bird_dog")
    assert dog["level_number"] == 0


def test_two_signs_of_strain_make_seven_days_lighter_once(club: Club) -> None:
    runs = start(club)
    whole = sum(runs.planned_work_s().values())
    for _ in range(2):
        runs.train(3, 3)  # amber
        runs.tell(1, sleep_h=5.0)
    assert runs.lately == [ChangeKind.DELOAD]
    (change,) = club.services.progress.lately(club.athlete_id)
    assert "you slept less than six hours and two sessions were amber" in change.because
    assert sum(runs.planned_work_s().values()) <= 0.6 * whole
    assert "These days are lighter" in runs.next_session().because
    assert change.last_on is not None
    with club.store.read() as tx:
        later = [row for row in sessions.planned(tx, club.athlete_id) if row["local_date"] > change.last_on]
    week_three = later[0]
    assert sum(work_s(item.dose) for item in exercises_from_plain(week_three["exercises"])) == whole
    runs.train(3, 3)
    runs.tell(1, sleep_h=5.0)
    assert runs.lately == [ChangeKind.DELOAD]


def test_a_usual_pain_of_five_stands_walking_in_and_only_a_yes_brings_the_program_back(club: Club) -> None:
    runs = start(club)
    whole = {item.exercise_id: work_s(item.dose) for item in PROGRAM.exercises}
    for _ in range(7):
        runs.tell(5)
    assert ChangeKind.WALKING in runs.lately
    assert {item.exercise_id for item in runs.program.exercises} == {"easy_walk", "legs_on_chair"}
    answer_no(club)
    for _ in range(6):
        runs.tell(2)
        answer_no(club)
    club.services.progress.look(club.athlete_id)
    step = runs.step
    assert step is not None
    assert step.kind is ChangeKind.RESUME
    club.services.progress.accept(step.change_id, club.coach)
    back = {item.exercise_id: work_s(item.dose) for item in runs.program.exercises}
    assert sum(back.values()) < sum(whole.values())


def test_an_exercise_that_left_the_library_goes_on_and_harms_no_page(club: Club) -> None:
    gone = PrescribedExercise("gone", 1, Dose((6, 6), None, 30.0, False), "because")
    runs = start(club, Prescription("Mixed", (gone, *PROGRAM.exercises[:1]), 3, 4, 10, (), "because"))
    runs.green(2)
    assert runs.step is not None
    accepted_step(runs)
    assert runs.program.exercises[0] == gone
    runs.train(1, 1)
    runs.tell(4)
    assert runs.lately[0] is ChangeKind.BACK
    assert runs.program.exercises[0].dose.repetitions != gone.dose.repetitions


def test_a_new_program_takes_back_a_step_that_waits(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    step = runs.step
    assert step is not None
    start(club)
    assert club.services.progress.get(club.coach, step.change_id).state is ChangeState.WITHDRAWN
    with club.store.read() as tx:
        assert program_changes.proposed(tx, club.athlete_id) is None


def test_pain_told_after_a_session_asks_the_safety_questions_as_any_other(club: Club) -> None:
    runs = start(club)
    runs.train(0, 6)
    assert club.services.triage.view_for(club.athlete, club.athlete_id).must_ask
    with club.store.read() as tx:
        latest = diary.latest_pain(tx, club.athlete_id)
    assert latest is not None
    assert latest["pain"] == 6
