"""When the doctor's report is offered, and what it says is missing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from coach.reports.fhir import fhir_of
from coach.service.diary import CheckIn
from coach.service.progressing import BACK
from coach.service.report_views import ALWAYS_ASK, ASK_AFTER_MONTHS
from coach.service.reports import OFFER_LATE, OFFER_LOCKED, OFFER_RECURRED, OFFER_UNCHANGED, SPASM
from coach.store import days, findings
from programs.types import Answer
from tests.coach.club import Club
from tests.coach.reports.test_pdf import pages_of
from tests.coach.service.test_progress import accepted_step, start


def tell(club: Club, pain: int, days_from_now: int = 0) -> None:
    club.clock.forward(days=days_from_now)
    club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(pain_in_motion=pain), str(club.clock.now))


def offered(club: Club) -> tuple[str, ...]:
    return club.services.reports.offered(club.athlete, club.athlete_id)


def test_nothing_is_offered_while_it_is_young_or_gone(club: Club) -> None:
    assert offered(club) == ()
    tell(club, 5)
    tell(club, 5, 41)
    assert offered(club) == ()


@pytest.mark.parametrize(("now", "why"), [(5, (OFFER_UNCHANGED,)), (4, (OFFER_UNCHANGED,)), (3, ())])
def test_no_change_of_thirty_per_cent_in_six_weeks(club: Club, now: int, why: tuple[str, ...]) -> None:
    tell(club, 5)
    tell(club, now, 42)
    assert offered(club) == why


def test_who_has_stopped_telling_is_not_taken_for_better(club: Club) -> None:
    tell(club, 5)
    tell(club, 2, 20)
    club.clock.forward(days=22)
    assert offered(club) == (OFFER_UNCHANGED,)


@pytest.mark.parametrize(("now", "months"), [(5, True), (2, False)])
def test_at_twelve_weeks_and_the_questions_of_months_without_relief(club: Club, now: int, months: bool) -> None:
    tell(club, 5)
    tell(club, now, 84)
    assert offered(club) == (OFFER_LATE,)
    report = club.services.reports.make(club.athlete, club.athlete_id)
    assert report.months_without_relief is months
    assert report.questions == (ASK_AFTER_MONTHS if months else ALWAYS_ASK)


def test_at_recurrence(club: Club) -> None:
    tell(club, 5)
    tell(club, 0, 10)
    tell(club, 4, 30)
    assert offered(club) == (OFFER_RECURRED,)


def test_while_locked_and_no_longer_once_cleared(club: Club) -> None:
    triage = club.services.triage
    answers = {question.id: Answer.NO for question in triage.questions()}
    triage.answer(club.athlete, club.athlete_id, answers | {"CAN": Answer.YES}, 40)
    assert offered(club) == (OFFER_LOCKED,)
    triage.clear(club.coach, club.athlete_id, "Dr. Sand", club.clock.now.date().isoformat())
    assert offered(club) == ()
    flags = club.services.reports.make(club.athlete, club.athlete_id).red_flags
    assert flags is not None
    assert (flags.locked, flags.cleared_by) == (False, "Dr. Sand")


def test_a_usual_day_needs_five_worn_days(club: Club) -> None:
    today = club.clock.now.date()
    with club.store.begin() as tx:
        edition = {
            "id": "e1", "algorithm_name": "a", "algorithm_version": "1", "profile_id": "general",
            "profile_version": "1", "parameters": {}, "created_at": club.clock.now,
        }  # fmt: skip
        findings.add_edition(tx, edition)
        for ago in range(1, 37):
            worn = {"valid": ago != 2, "bends_per_h": 12.0 if ago <= 28 else 30.0, "deep_share": None}
            if ago not in range(6, 29):
                days.put_values(tx, club.athlete_id, today - timedelta(days=ago), "e1", worn)
    (bends,) = club.services.reports.make(club.athlete, club.athlete_id).exposures
    # Four of the last five days were worn long enough; all eight of the weeks before were.
    assert (bends.now, bends.days_now, bends.before, bends.days_before) == (None, 4, 30.0, 8)
    assert bends.needs == "1 more day of the last four weeks"


def test_places_say_how_often_and_the_most_that_was_told_there(club: Club) -> None:
    for key, told in (
        ("a", CheckIn(3, 5, sites=("lower_back", "hip_left"), pain_by_site={"lower_back": 4})),
        ("b", CheckIn(2, 3, sites=("lower_back",), pain_by_site={"lower_back": 3})),
    ):
        club.services.diary.check_in(club.athlete, club.athlete_id, told, key)
    report = club.services.reports.make(club.athlete, club.athlete_id)
    assert report.sites == (("lower back, up to 4 of 10", 2), ("hip left", 1))
    assert report.symptoms == ()


def test_spasms_of_the_last_weeks_are_told_and_presses_by_mistake_are_not(club: Club) -> None:
    for key in ("a", "b"):
        club.services.spasms.begin(club.athlete, club.athlete_id, key)
        club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(3, symptoms=("stiff",)), key)
        if key == "a":
            club.services.spasms.undo(club.athlete, club.athlete_id)
    report = club.services.reports.make(club.athlete, club.athlete_id)
    assert report.symptoms == ((SPASM, 1), ("My back is tight, or I can hardly move it.", 2))
    club.clock.forward(weeks=12, days=1)
    assert club.services.reports.make(club.athlete, club.athlete_id).symptoms == ()


def test_a_program_is_told_with_its_changes_and_the_pain_of_its_sessions(club: Club) -> None:
    runs = start(club)
    runs.green(2)
    accepted_step(runs)
    runs.train(during=6, after=7)
    report = club.services.reports.make(club.athlete, club.athlete_id)
    (program,) = report.programs
    assert (program.during, program.after) == ((1, 1, 6), (1, 1, 7))
    assert program.adherence == (
        "Of 3 sessions that were due: 3 done, 0 not done, 0 without an answer. Pain of them, 0 to 10: during median 1, "
        "most 6 (3 told); after median 1, most 7 (3 told)."
    )
    today = club.clock.now.date()
    back, step = report.program_changes  # newest first
    assert (back.on, back.what, back.because) == (today, "easier", BACK)
    assert (step.what, step.on < today) == ("more, after a yes", True)
    assert "one repetition more of bird-dog" in step.because
    printed = " ".join(pages_of(report)[1].split())
    assert f"{today}, easier: Your last session" in printed
    assert "most 7 (3 told)" in printed
    bundle = json.loads(fhir_of(report, b"%PDF-", {}))
    said = {each["resource"].get("code", {}).get("text"): each["resource"] for each in bundle["entry"]}
    assert said[f"Change of the program on {today}: easier"]["valueString"] == BACK
