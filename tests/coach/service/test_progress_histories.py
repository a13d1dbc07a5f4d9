"""Random histories of sessions, mornings, locks, medicine, noes and yeses, lived through the service.

Never a step up after a red session or a missing next morning, never a session while locked, never two on one slot,
never more load without a yes. What is held against the service is counted here anew, from what was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coach.errors import Conflict, InvalidInput, Locked
from coach.service.care_views import TreatmentKind
from coach.service.change_views import ChangeKind, ChangeState
from coach.service.diary import CheckIn
from coach.service.plain import exercises_from_plain, prescription_from_plain
from coach.service.types import Role, SessionState
from coach.store import athletes, plans, program_changes, sessions
from coach.store.engine import migrate
from programs.exercises import library
from programs.progress import work_s
from programs.types import Answer, Availability, Lock, Prescription
from tests.coach.club import START, Club, FakeClock, found_club
from tests.coach.service.test_progress import PROGRAM, start
from tests.databases import open_store

BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = date(2026, 1, 1), date(2028, 1, 1)

# Histories that come to everything, so that the draws need not.
GREEN = (("train", (1, 1)), ("morning", 1))
UP = (*GREEN, ("answer", ""), *GREEN, ("yes", 0))
ALL_OF_IT = (*UP, ("train", (5, 6)), ("answer", ""), ("morning", 4), *UP, ("no", 0), ("strike", 1), ("days", 9))
LOCKED = (*GREEN, ("answer", "CAN"), *GREEN, ("answer", "NEU"), ("days", 3), ("answer", ""), ("clear", 0), *GREEN)
MASKED = (*GREEN, ("answer", ""), *GREEN, ("medicine", 0), ("look", 0), ("yes", 0), ("free", (0, 2, 4)), *GREEN)

pain = st.integers(0, 3) | st.integers(0, 10)
steps = st.one_of(
    st.tuples(st.just("train"), st.tuples(st.none() | pain, st.none() | pain)),
    st.tuples(st.just("train"), st.just((1, 1))),
    st.tuples(st.just("morning"), st.integers(0, 2) | pain),
    st.tuples(st.just("morning"), st.just(1)),
    st.tuples(st.just("answer"), st.sampled_from(("", "", "CAN", "NEU"))),
    st.tuples(st.sampled_from(("clear", "yes", "no", "medicine", "look")), st.just(0)),
    st.tuples(st.just("strike"), st.integers(0, 3)),
    st.tuples(st.just("days"), st.integers(1, 23)),
    st.tuples(st.just("free"), st.sampled_from(((0, 2, 4), (1, 3, 5, 6), tuple(range(7))))),
)


@dataclass
class Done:
    """One session as this test knows it. morning: resting pain told on the next local morning."""

    day: date
    told: tuple[int | None, int | None]
    usual: float
    walked: bool
    morning: int | None = None
    near_medicine: bool = False


@dataclass
class Known:
    """What this test knows by itself."""

    resting: list[int] = field(default_factory=lambda: [1])
    done: list[Done] = field(default_factory=list)
    medicine: set[date] = field(default_factory=set)
    yes: int = 0
    program: Prescription | None = None

    @property
    def usual(self) -> float:
        return float(median(self.resting[-7:])) if len(self.resting) >= 3 else float(self.resting[0])


def today(club: Club) -> date:
    return club.clock.now.astimezone(BERLIN).date()


def take(club: Club, known: Known, what: str, value: object) -> None:
    services, athlete_id = club.services, club.athlete_id
    if what == "train":
        train(club, known, value)  # type: ignore[arg-type]
    elif what == "morning":
        club.clock.now = (club.clock.now + timedelta(days=1)).replace(hour=6, minute=0)
        services.diary.check_in(club.athlete, athlete_id, CheckIn(pain_at_rest=int(str(value))), f"{club.clock.now}")
        for each in known.done:
            if each.day == today(club) - timedelta(days=1):
                each.morning = max(each.morning or 0, int(str(value)))
        known.resting.append(int(str(value)))
    elif what == "answer":
        answers = {question.id: Answer.NO for question in services.triage.questions()}
        services.triage.answer(club.athlete, athlete_id, answers | ({str(value): Answer.YES} if value else {}), 30)
    elif what == "clear":
        services.triage.clear(club.coach, athlete_id, "Dr. Who", club.clock.now.date().isoformat())
    elif what in ("yes", "no"):
        decide(club, known, what)
    elif what == "medicine":
        known.medicine.add(today(club))
        services.treatments.add(
            club.athlete, athlete_id, TreatmentKind.MEDICINE, f"{club.clock.now}", ended_on=today(club)
        )
    elif what == "strike":
        name = PROGRAM.exercises[int(str(value)) % len(PROGRAM.exercises)].exercise_id
        services.choices.say_no(club.athlete, athlete_id, name)
    elif what == "free":
        services.athletes.set_availability(club.athlete, athlete_id, Availability("Europe/Berlin", value))  # type: ignore[arg-type]
    elif what == "days":
        club.clock.forward(days=int(str(value)))
        services.progress.look_daily(club.clock.now)
    else:
        services.progress.look(athlete_id)


def train(club: Club, known: Known, told: tuple[int | None, int | None]) -> None:
    """Go to the next session that is planned, let the clock release it if it may, and do what was released."""
    ahead = [row for row in rows_of(club) if row["state"] == "planned" and row["due_at"] > club.clock.now]
    if ahead:
        club.clock.now = ahead[0]["due_at"]
    release(club)
    for row in rows_of(club):
        if row["state"] != "due" or row["due_at"] < club.clock.now - timedelta(hours=20):
            continue
        usual = known.usual
        club.clock.forward(minutes=20)
        view = club.services.plans.record_outcome(
            row["id"], club.athlete, SessionState.DONE, 3, told[0], pain_after=told[1]
        )
        known.done.append(Done(row["local_date"], told, usual, view.fallback))


def release(club: Club) -> None:
    """Let the clock release, and hold what came to the lock as it is stored."""
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
    assert athlete is not None
    for session in club.services.plans.release_due(club.clock.now):
        if session.athlete_id == club.athlete_id:
            assert athlete["lock"] != Lock.ALL
            assert session.fallback is (athlete["lock"] == Lock.STARTING)


def decide(club: Club, known: Known, what: str) -> None:
    step = club.services.progress.proposed(club.athlete_id)
    if step is None:
        return
    if what == "no":
        club.services.progress.decline(step.change_id, club.coach)
        return
    assert club.services.progress.accept(step.change_id, club.coach).state is ChangeState.MADE
    known.yes += 1
    known.program = None  # it may rise by what was said yes to
    if step.kind is ChangeKind.STEP:
        assert_earned(club, known)


def assert_earned(club: Club, known: Known) -> None:
    """The last two sessions were green by what was told, and nothing was taken near them or now."""
    days = {today(club) - timedelta(days=back) for back in (0, 1)}
    assert not days & known.medicine
    whole = [each for each in known.done if not each.walked]
    assert len(whole) >= 2
    for each in whole[-2:]:
        assert None not in each.told
        assert max(pain for pain in each.told if pain is not None) <= 2
        assert each.morning is not None
        assert each.morning <= each.usual
        near = {each.day + timedelta(days=offset) for offset in (-1, 0, 1)}
        assert not near & known.medicine


def rows_of(club: Club) -> list[dict[str, object]]:
    with club.store.read() as tx:
        return sessions.between(tx, club.athlete_id, *ALWAYS)  # type: ignore[return-value]


def look(club: Club, known: Known) -> None:
    """Hold what is stored to what must never be."""
    rows = rows_of(club)
    assert max(Counter(row["slot"] for row in rows).values(), default=1) == 1
    with club.store.read() as tx:
        plan = plans.in_state(tx, club.athlete_id, "accepted")
        waiting = program_changes.proposed(tx, club.athlete_id)
    if plan is None:
        return
    program = prescription_from_plain(plan["prescription"])
    if known.program is not None:
        assert_no_more(known.program, program)
    known.program = program
    asked_s = {item.exercise_id: work_s(item.dose) for item in program.exercises}
    for row in rows:
        if row["state"] != "planned":
            continue
        for item in exercises_from_plain(row["exercises"]):  # type: ignore[arg-type]
            assert work_s(item.dose) <= asked_s[item.exercise_id]
    if waiting is not None and waiting["kind"] == ChangeKind.STEP:
        step = prescription_from_plain(waiting["after"])
        assert len(set(step.exercises) - set(program.exercises)) == 1  # one thing at a time


def assert_no_more(before: Prescription, after: Prescription) -> None:
    """Without a yes no exercise is asked for more, harder or anew, but for an easier one in its place, or walking."""
    old = {item.exercise_id: item for item in before.exercises}
    easier = {library()[name].easier for name in old if name in library()} | {"easy_walk", "legs_on_chair"}
    for item in after.exercises:
        if item.exercise_id not in old:
            assert item.exercise_id in easier
            continue
        assert work_s(item.dose) <= work_s(old[item.exercise_id].dose)
        assert item.level <= old[item.exercise_id].level


@pytest.mark.proof
def test_whatever_is_told_nothing_rises_that_was_not_earned_and_said_yes_to(
    tmp_path: Path,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    with open_store(tmp_path / "backstop.db") as store:
        migrate(store)
        clock = FakeClock()
        club = found_club(store, clock)
        seen: Counter[str] = Counter()

        @settings(max_examples=full_or_quick(400, 10), deadline=None, database=None)
        @example(list(ALL_OF_IT))
        @example(list(LOCKED))
        @example(list(MASKED))
        @given(st.lists(steps, min_size=5, max_size=30))
        def history(taken: list[tuple[str, object]]) -> None:
            clock.now = START
            one, known = start(_newcomer(club)).club, Known()
            look(one, known)
            for what, value in taken:
                with suppress(Conflict, InvalidInput, Locked):
                    take(one, known, what, value)
                look(one, known)
                clock.forward(minutes=1)
            with store.read() as tx:
                plan = plans.in_state(tx, one.athlete_id, "accepted")
                made = program_changes.of_plan(tx, plan["id"]) if plan is not None else []
            seen["histories"] += 1
            seen.update(f"{row['kind']} {row['state']}" for row in made)
            # More was made with a yes than without: none.
            assert sum(row["kind"] in ("step", "resume") and row["state"] == "made" for row in made) <= known.yes

        history()
        # The histories did come to what they are about.
        for each in ("step made", "step withdrawn", "back made", "left_out made", "break made"):
            assert seen[each] > 0, seen
        figure("random histories of progress through the service", seen["histories"], "histories")


def _newcomer(club: Club) -> Club:
    athlete_id = club.services.athletes.create("Bo", "Europe/Berlin", club.coach.user_id)
    user_id = club.services.accounts.create_user(f"Bo {athlete_id}", Role.ATHLETE, athlete_id=athlete_id)
    identity = club.services.accounts.identity(user_id)
    assert identity is not None
    return replace(club, athlete=identity, athlete_id=athlete_id)
