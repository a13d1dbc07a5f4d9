"""Who needs the coach and why, first: every reason, their order, and which part of the list is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coach.service.diary import CheckIn
from coach.service.roster import Attention, Narrowing, RosterRow
from coach.service.types import Level
from coach.store import findings, sessions
from coach.store.finding_tables import finding
from coach.store.rows import fresh_id
from coach.store.tables import plan, session_outcome
from tests.coach.club import Club


def row_of(club: Club, name: str = "Ada") -> RosterRow:
    return next(row for row in club.services.athletes.roster(club.coach) if row.athlete.name == name)


def kinds(club: Club, name: str = "Ada") -> list[Attention]:
    return [each.kind for each in row_of(club, name).reasons]


def find(club: Club, athlete_id: str, days_ago: float, state: str = "open") -> str:
    """Store a finding that opened so long ago."""
    opened, finding_id = club.clock.now - timedelta(days=days_ago), fresh_id()
    with club.store.begin() as tx:
        made = {"id": "e", "algorithm_name": "a", "algorithm_version": "1", "profile_id": "general"}
        findings.add_edition(tx, {**made, "profile_version": "1", "parameters": {}, "created_at": opened})
        tx.execute(
            finding.insert().values(
                id=finding_id, athlete_id=athlete_id, edition="e", key=fresh_id(), kind="repeated_bending",
                statement="You bent forward 80 times.", grade="amber", state=state, opened_at=opened, changed_at=opened,
                started_at=opened, ended_at=opened, because={"windows": []}, created_at=opened, updated_at=opened,
            )
        )  # fmt: skip
    return finding_id


def propose(club: Club, athlete_id: str, days_ago: float = 1.0) -> None:
    at = club.clock.now - timedelta(days=days_ago)
    values = {"id": fresh_id(), "athlete_id": athlete_id, "state": "proposed", "prescription": {}, "created_at": at}
    with club.store.begin() as tx:
        tx.execute(plan.insert().values(**values, need_kinds=[], finding_ids=[]))


def miss(club: Club, athlete_id: str, days_ago: float, by: str | None = None) -> None:
    """Store a session that was skipped: by somebody, or by the clock because nobody answered."""
    due, plan_id = club.clock.now - timedelta(days=days_ago), fresh_id()
    with club.store.begin() as tx:
        made = {"id": plan_id, "athlete_id": athlete_id, "state": "superseded", "prescription": {}, "created_at": due}
        tx.execute(plan.insert().values(**made, need_kinds=[], finding_ids=[]))
        session_id = sessions.add(
            tx,
            {
                "athlete_id": athlete_id, "plan_id": plan_id, "slot": fresh_id(), "state": "skipped",
                "local_date": due.date(), "local_time": due.time(), "time_zone": "Europe/Berlin", "due_at": due,
                "duration_min": 15, "exercises": [], "because": "", "created_at": due, "updated_at": due,
            },
        )  # fmt: skip
        tx.execute(
            session_outcome.insert().values(session_id=session_id, outcome="skipped", recorded_by=by, recorded_at=due)
        )


def test_somebody_new_needs_nothing(club: Club) -> None:
    assert row_of(club).reasons == ()
    assert row_of(club).heard_at is None


def test_each_reason_is_told_with_its_number(club: Club) -> None:
    propose(club, club.athlete_id)
    find(club, club.athlete_id, 2.0)
    find(club, club.athlete_id, 3.0)
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(2, 5), "k")
    for days_ago in (1.0, 2.0, 3.0):
        miss(club, club.athlete_id, days_ago)
    told = {each.kind: each.count for each in row_of(club).reasons}
    assert told == {Attention.PROPOSAL: 1, Attention.FINDING: 2, Attention.PAIN: 5, Attention.MISSED: 3}
    assert list(told) == [Attention.PROPOSAL, Attention.FINDING, Attention.PAIN, Attention.MISSED]


def test_what_is_old_small_or_explained_is_no_reason(club: Club) -> None:
    find(club, club.athlete_id, 8.0)
    find(club, club.athlete_id, 1.0, state="closed")
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(1, 4), "k")
    miss(club, club.athlete_id, 1.0)  # one happens to everybody
    miss(club, club.athlete_id, 2.0, by=club.athlete.user_id)  # said, not missed
    miss(club, club.athlete_id, 9.0)
    assert kinds(club) == []
    assert row_of(club).latest_open  # it is told, though nothing is asked


def test_a_proposal_waits_only_for_who_may_decide(club: Club) -> None:
    propose(club, club.athlete_id)
    assert kinds(club) == [Attention.PROPOSAL]
    club.services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, Level.VIEW)
    assert kinds(club) == []
    assert row_of(club).level is Level.VIEW


def test_who_was_not_heard_of_for_days_is_quiet_and_one_entry_ends_it(club: Club) -> None:
    club.clock.forward(days=4, hours=23)
    assert kinds(club) == []
    club.clock.forward(hours=1, days=1)
    (quiet,) = row_of(club).reasons
    assert (quiet.kind, quiet.count) == (Attention.QUIET, 6)
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(0), "k")
    assert kinds(club) == []
    assert row_of(club).heard_at == club.clock.now


def test_the_longest_waiting_comes_first_and_how_much_it_hurts_moves_nobody(club: Club) -> None:
    services, coach_id = club.services, club.coach.user_id
    ids = {name: services.athletes.create(name, "UTC", coach_id) for name in ("Zoe", "Bea", "Cy", "Dan", "Eve")}
    propose(club, ids["Zoe"], days_ago=3.0)
    propose(club, ids["Bea"], days_ago=1.0)
    for days_ago in (0.5, 0.6, 0.7):
        find(club, ids["Bea"], days_ago)
    find(club, ids["Cy"], 6.0)
    services.diary.check_in(club.coach, ids["Dan"], CheckIn(5, 5), "k")
    services.triage.answer(club.coach, ids["Eve"], {})  # answers that pause
    names = [row.athlete.name for row in services.athletes.roster(club.coach)]
    assert names == ["Eve", "Zoe", "Bea", "Cy", "Dan", "Ada"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Narrowing(), {"Ada", "Zoe Sato", "Bea"}),
        (Narrowing(text="zo SAT"), {"Zoe Sato"}),
        (Narrowing(text="golf"), {"Zoe Sato", "Bea"}),
        (Narrowing(sport="golf", text="b"), {"Bea"}),
        (Narrowing(reason="proposal"), {"Zoe Sato"}),
        (Narrowing(reason="nothing such"), set()),
        (Narrowing(group="of somebody else"), set()),
    ],
)
def test_the_list_is_narrowed_by_group_sport_reason_and_words(club: Club, asked: Narrowing, expected: set[str]) -> None:
    create = club.services.athletes.create
    zoe = create("Zoe Sato", "UTC", club.coach.user_id, sport="golf")
    bea = create("Bea", "UTC", club.coach.user_id, sport="golf")
    propose(club, zoe)
    group = club.services.groups.make(club.coach, "Few", {bea})
    rows = club.services.athletes.roster(club.coach)
    assert {row.athlete.name for row in rows if asked.holds(row)} == expected
    assert {row.athlete.name for row in rows if Narrowing(group=group.group_id).holds(row)} == {"Bea"}
