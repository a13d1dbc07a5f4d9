"""Random histories of spasms, answers, pain, sessions and time: no load in the first days, none back without a yes."""

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

from coach.errors import Conflict, InvalidInput, Locked, NoSuch
from coach.service.diary import CheckIn
from coach.service.plain import exercises_from_plain, prescription_to_plain
from coach.service.types import Role, SessionState
from coach.store import athletes, plans, sessions, spasms
from coach.store.engine import migrate
from programs.acute import Feels
from programs.exercises import library
from programs.phases import FALLBACK
from programs.prescribe import prescribe
from programs.progress import work_s
from programs.types import Answer, History, Lock, Need, Phase
from tests.coach.club import START, Club, FakeClock, found_club
from tests.databases import open_store

LEVELS = {"bird_dog": 2, "side_bridge": 2, "curl_up": 1}
PROGRAM = prescribe([Need("repeated_bending", 1.0, "You bent forward 84 times.")], History(LEVELS), 3, 8)
TOTAL_S = sum(work_s(item.dose) for item in PROGRAM.exercises)
PHASES = list(Phase)

# One history that comes to everything, so that the draws need not.
ALL_OF_IT = (
    ("press", 0), ("answer", ""), ("hours", 24), ("tell", (4, Feels.BETTER)), ("go on", 0), ("hours", 30), ("done", 1),
    ("hours", 12), ("pain", 7), ("answer", ""), ("hours", 24), ("tell", (3, Feels.BETTER)), ("go on", 0), ("press", 0),
    ("undo", 0), ("answer", ""), ("hours", 40), ("done", 2), ("press", 0), ("answer", "CAN"), ("hours", 40),
    ("tell", (3, Feels.WORSE)), ("answer", "NEU"), ("hours", 24), ("tell", (2, Feels.SAME)), ("go on", 0),
)  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("press"), st.just(0)),
    st.tuples(st.just("undo"), st.just(0)),
    st.tuples(st.just("answer"), st.sampled_from(("", "", "", "CAN", "NEU"))),
    st.tuples(st.just("tell"), st.tuples(st.integers(0, 8), st.sampled_from(tuple(Feels)))),
    st.tuples(st.just("go on"), st.just(0)),
    st.tuples(st.just("over"), st.just(0)),
    st.tuples(st.just("pain"), st.integers(0, 8)),
    st.tuples(st.just("hours"), st.integers(1, 40)),
    st.tuples(st.just("done"), st.integers(0, 8)),
)


def take(club: Club, what: str, value: object) -> None:
    services, me, whom = club.services, club.athlete, club.athlete_id
    key = f"{club.clock.now}"
    if what == "press":
        services.spasms.begin(me, whom, key)
    elif what == "answer":
        answers = {question.id: Answer.NO for question in services.triage.questions()}
        services.triage.answer(me, whom, answers | ({str(value): Answer.YES} if value else {}), 30)
    elif what == "tell":
        pain, feels = value  # type: ignore[misc]
        services.spasms.tell(me, whom, pain, feels, key, walked_10_min=True, full_motion=True)
    elif what == "pain":
        services.diary.check_in(me, whom, CheckIn(int(str(value)), int(str(value))), key)
    elif what == "done":
        due = [each for each in services.plans.week(whom, club.clock.now.date()) if each.state is SessionState.DUE]
        pain = int(str(value))
        services.plans.record_outcome(due[0].session_id, me, SessionState.DONE, 3, pain, pain_after=pain)
    elif what == "hours":
        club.clock.forward(hours=int(str(value)))
        services.plans.plan_ahead(club.clock.now)
    else:
        {"undo": services.spasms.undo, "go on": services.spasms.go_on, "over": services.spasms.over}[what](me, whom)


def pain_in(what: str, value: object) -> int:
    """Return the pain that a step told, 0 for one that told none."""
    told = value[0] if what == "tell" else value  # type: ignore[index]
    return int(str(told)) if what in ("tell", "pain", "done") else 0


class Before:
    """What stood before a step, as the rows say."""

    def __init__(self, club: Club) -> None:
        with club.store.read() as tx:
            row = spasms.going_on(tx, club.athlete_id)
            plan = plans.in_state(tx, club.athlete_id, "accepted")
        assert plan is not None
        self.phase = Phase(row["phase"]) if row is not None else None
        exercises = exercises_from_plain(plan["prescription"]["exercises"])
        self.work_s = {item.exercise_id: work_s(item.dose) for item in exercises}


def look(club: Club, what: str, value: object, succeeded: bool, before: Before) -> None:
    released = [s for s in club.services.plans.release_due(club.clock.now) if s.athlete_id == club.athlete_id]
    with club.store.read() as tx:
        athlete, row = athletes.get(tx, club.athlete_id), spasms.going_on(tx, club.athlete_id)
        rows = sessions.between(tx, club.athlete_id, date(2026, 1, 1), date(2028, 1, 1))
        asked = spasms.asked_since(tx, club.athlete_id)
    assert athlete is not None
    phase = Phase(row["phase"]) if row is not None else None
    if athlete["lock"] == Lock.ALL:
        assert released == []
    for session in released:
        if phase is Phase.ACUTE:
            assert [each["exercise_id"] for each in session.exercises] == list(FALLBACK)
        elif phase is not None and not session.fallback:
            latest = max(PHASES.index(library()[each["exercise_id"]].phase) for each in session.exercises)
            assert latest <= PHASES.index(phase)
    # In the first days nothing that is ahead is anything but walking and rest.
    if phase is Phase.ACUTE:
        assert all(each["fallback"] for each in rows if each["state"] in ("planned", "due"))
    # A later phase begins with that yes alone.
    if phase is not None and before.phase is not None and PHASES.index(phase) > PHASES.index(before.phase):
        assert (what, succeeded) == ("go on", True)
        assert PHASES.index(phase) == PHASES.index(before.phase) + 1
    if succeeded and phase is not None and pain_in(what, value) >= 6:
        assert phase is Phase.ACUTE
    # Nothing ever asks for more than what was accepted at first, and nothing of a program goes up by itself.
    after = Before(club)
    assert sum(after.work_s.values()) <= TOTAL_S or set(after.work_s) == set(FALLBACK)
    if what != "go on" and phase is not None:
        assert all(after.work_s[name] <= before.work_s.get(name, 0.0) for name in after.work_s if name in before.work_s)
    # After a press the questions come first: nothing is released on older answers.
    view = club.services.triage.view_for(club.athlete, club.athlete_id)
    if asked is not None and view.answered_at is not None and view.answered_at < asked:
        assert view.must_ask
        assert athlete["lock"] == Lock.ALL


@pytest.mark.proof
def test_whatever_happens_the_first_days_are_walking_and_every_phase_a_yes(tmp_path: Path) -> None:
    with open_store(tmp_path / "backstop.db") as store:
        migrate(store)
        clock = FakeClock()
        club = found_club(store, clock)
        done: Counter[str] = Counter()

        @settings(max_examples=400 if os.environ.get("PROOF") else 8, deadline=None, database=None)
        @example(list(ALL_OF_IT))
        @given(st.lists(steps, min_size=5, max_size=25))
        def history(taken: list[tuple[str, object]]) -> None:
            clock.now = START
            one = _training(club)
            for what, value in taken:
                before, succeeded = Before(one), False
                with suppress(Conflict, InvalidInput, Locked, NoSuch, IndexError):
                    take(one, what, value)
                    done[what] += 1
                    succeeded = True
                look(one, what, value, succeeded, before)
                clock.forward(minutes=1)

        history()
        # The histories did come to what they are about.
        assert min(done[each] for each in ("press", "undo", "answer", "tell", "go on", "pain", "done")) > 0


def _training(club: Club) -> Club:
    """A newcomer whose program runs."""
    services = club.services
    athlete_id = services.athletes.create("Bo", "Europe/Berlin", club.coach.user_id)
    user_id = services.accounts.create_user(f"Bo {athlete_id}", Role.ATHLETE, athlete_id=athlete_id)
    identity = services.accounts.identity(user_id)
    assert identity is not None
    one = replace(club, athlete=identity, athlete_id=athlete_id)
    take(one, "answer", "")
    values = {"athlete_id": athlete_id, "state": "proposed", "prescription": prescription_to_plain(PROGRAM)}
    rest = {"need_kinds": ["repeated_bending"], "finding_ids": [], "created_at": club.clock.now}
    with club.store.begin() as tx:
        plan_id = plans.add(tx, {**values, **rest})
    services.plans.accept(plan_id, club.coach)
    club.clock.forward(minutes=1)
    return one
