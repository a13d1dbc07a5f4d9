"""Random histories of answers, pain, clearances and time: nothing is done that a lock holds back, nothing twice."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coach.errors import Conflict, InvalidInput, Locked
from coach.service.diary import CheckIn
from coach.service.plain import exercises_from_plain, prescription_to_plain
from coach.service.types import PlanState, Role, SessionState
from coach.store import athletes, plans, sessions
from coach.store.engine import migrate
from programs.exercises import library
from programs.phases import FALLBACK
from programs.prescribe import prescribe
from programs.progress import work_s
from programs.types import Answer, Availability, History, Lock, Need
from tests.coach.club import START, Club, FakeClock, found_club
from tests.databases import open_store

YES_OF = {Lock.ALL: ("CES", "NEU", "INF", "FRA"), Lock.STARTING: ("CAN",)}
PROGRAM = prescribe([Need("repeated_bending", 1.0, "You bent forward 84 times.")], History(), 3, 4)


def allowed_s() -> dict[str, float]:
    """Return the most work that was accepted of each exercise, and of the easier ones that may come in its place."""
    most: dict[str, float] = {}
    for item in PROGRAM.exercises:
        at: str | None = item.exercise_id
        while at is not None:
            most[at] = max(work_s(item.dose), most.get(at, 0.0))
            at = library()[at].easier
    return most


ALLOWED_S = allowed_s()

# One history that comes to everything, so that the draws need not.
ALL_OF_IT = (
    ("hours", 4),
    ("done", 2),
    ("answer", "CAN"),
    ("propose", 0),
    ("accept", 0),
    ("days", 2),
    ("done", 1),
    ("answer", ""),
    ("clear", 0),
    ("skip", "INF"),
    ("accept", 0),
    ("days", 2),
    ("answer", ""),
    ("pain", 7),
    ("free", (1, 3, 5, 6)),
    ("answer", "CES"),
    ("days", 3),
    ("answer", ""),
    ("clear", 0),
    ("propose", 0),
    ("accept", 0),
    ("hours", 30),
)
steps = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from(("", "CES", "NEU", "FRA", "CAN"))),
    st.tuples(st.just("skip"), st.sampled_from(("CES", "INF", "RAD", "CAN"))),
    st.tuples(st.just("pain"), st.integers(0, 10)),
    st.tuples(st.just("clear"), st.integers(0, 3)),
    st.tuples(st.just("propose"), st.just(0)),
    st.tuples(st.just("accept"), st.just(0)),
    st.tuples(st.just("days"), st.integers(1, 9)),
    st.tuples(st.just("hours"), st.integers(1, 30)),
    st.tuples(st.just("free"), st.sampled_from(((0, 2, 4), (1, 3, 5, 6), tuple(range(7))))),
    st.tuples(st.just("done"), st.integers(0, 10)),
)


class Told:
    """What this test knows by itself: which lock the answers ask for, and whether questions are open since."""

    def __init__(self) -> None:
        self.standing = Lock.NONE  # a clinician lifts it
        self.waits = True  # never answered, open answers or much pain since
        self.never_asked = True


def lock_now(told: Told) -> Lock:
    return Lock.ALL if told.waits else told.standing


def take(club: Club, told: Told, what: str, value: object) -> None:
    services, athlete_id = club.services, club.athlete_id
    if what in ("answer", "skip"):
        answers = {question.id: Answer.NO for question in services.triage.questions()}
        if value:
            answers[str(value)] = Answer.YES if what == "answer" else Answer.UNKNOWN
        services.triage.answer(club.athlete, athlete_id, answers, 30)
        told.waits, told.never_asked = what == "skip" and value in ("INF", "CAN"), False
        asked = next((lock for lock, flags in YES_OF.items() if value in flags), Lock.NONE)
        if what == "answer" or value == "CES":
            told.standing = max(told.standing, asked, key=list(Lock).index)
    elif what == "pain":
        services.diary.check_in(club.athlete, athlete_id, CheckIn(pain_in_motion=int(str(value))), f"{club.clock.now}")
        told.waits = told.waits or int(str(value)) >= 6
    elif what == "clear":
        services.triage.clear(club.coach, athlete_id, "Dr. Who", club.clock.now.date().isoformat())
        assert not told.waits
        told.standing = Lock.NONE
    elif what == "free":
        services.athletes.set_availability(club.athlete, athlete_id, Availability("Europe/Berlin", value))  # type: ignore[arg-type]
    else:
        begin(club, told, what, int(str(value)))


def begin(club: Club, told: Told, what: str, value: int) -> None:
    services, athlete_id = club.services, club.athlete_id
    proposal = services.plans.proposal(athlete_id)
    if what == "propose" and proposal is None:
        values = {"athlete_id": athlete_id, "state": "proposed", "prescription": prescription_to_plain(PROGRAM)}
        rest = {"need_kinds": ["repeated_bending"], "finding_ids": [], "created_at": club.clock.now}
        with club.store.begin() as tx:
            plans.add(tx, {**values, **rest})
    elif what == "accept" and proposal is not None:
        accepted = services.plans.accept(proposal.plan_id, club.coach)
        assert accepted.state is PlanState.ACCEPTED
        assert lock_now(told) is Lock.NONE  # never starts while locked
    elif what == "done":
        for session in services.plans.week(athlete_id, club.clock.now.date()):
            if session.state is SessionState.DUE:
                services.plans.record_outcome(session.session_id, club.athlete, SessionState.DONE, 3, value)
                told.waits = told.waits or value >= 6
                return
    else:
        club.clock.forward(**{what: value} if what in ("days", "hours") else {"minutes": 1})
        if what == "days":
            club.services.plans.plan_ahead(club.clock.now)


def look(club: Club, told: Told) -> None:
    """Let the clock look, and hold what it did to what this test knows."""
    found = club.services.plans.release_due(club.clock.now)
    released = tuple(session for session in found if session.athlete_id == club.athlete_id)
    lock = lock_now(told)
    if lock is Lock.ALL:
        assert released == ()
    with club.store.read() as tx:
        row = athletes.get(tx, club.athlete_id)
        assert row is not None
        # Who was never asked has nothing that could be released, so nothing is held back yet.
        assert row["lock"] == lock or told.never_asked
        rows = sessions.between(tx, club.athlete_id, date(2026, 1, 1), date(2028, 1, 1))
    for session in released:
        assert session.fallback is (lock is Lock.STARTING)
        if session.fallback:
            assert [each["exercise_id"] for each in session.exercises] == list(FALLBACK)
    assert max(Counter(row["slot"] for row in rows).values(), default=1) == 1
    for row in rows:  # load never rises without a yes: no dose above what was accepted, of it or of what is easier
        given = exercises_from_plain(row["exercises"])
        if [item.exercise_id for item in given] != list(FALLBACK):  # walking stands in at much usual pain
            assert all(work_s(item.dose) <= ALLOWED_S[item.exercise_id] for item in given)


@pytest.mark.proof
def test_whatever_happens_nothing_is_done_that_is_locked(tmp_path: Path) -> None:
    with open_store(tmp_path / "backstop.db") as store:
        migrate(store)
        clock = FakeClock()
        club = found_club(store, clock)
        done: Counter[str] = Counter()

        @settings(max_examples=600 if os.environ.get("PROOF") else 10, deadline=None, database=None)
        @example(list(ALL_OF_IT))
        @example([("answer", "CES"), ("skip", "INF"), ("clear", 0)])
        @given(st.lists(steps, min_size=5, max_size=25))
        def history(taken: list[tuple[str, object]]) -> None:
            clock.now = START
            one, told = _newcomer(club), Told()
            for what, value in [("answer", ""), ("propose", 0), ("accept", 0), *taken]:
                with suppress(Conflict, InvalidInput, Locked):
                    take(one, told, what, value)
                    done[what] += 1
                look(one, told)
                clock.forward(minutes=1)

        history()
        # The histories did come to what they are about.
        assert min(done[each] for each in ("answer", "skip", "pain", "clear", "accept", "done", "free")) > 0


def _newcomer(club: Club) -> Club:
    athlete_id = club.services.athletes.create("Bo", "Europe/Berlin", club.coach.user_id)
    name = f"Bo {athlete_id}"
    user_id = club.services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id)
    identity = club.services.accounts.identity(user_id)
    assert identity is not None
    return replace(club, athlete=identity, athlete_id=athlete_id)
