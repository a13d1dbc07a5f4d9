"""The team: a calendar on everybody's own days, weeks and blocks as PDF and CSV, in both languages."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from coach.analysis.assessment_types import AssessmentTest
from coach.service.entered import Entered
from coach.service.team_views import EntryKind
from coach.service.types import Level, Purpose
from tests.coach.web.test_pages import text_of

MONDAY = date(2026, 11, 23)


def words_of(pdf: bytes) -> tuple[str, int]:
    """The words of a PDF as it is printed, and how many pages it has."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = " ".join(page.get_textpage().get_text_bounded() for page in document)
        return re.sub(r"\s+", " ", text), len(document)
    finally:
        document.close()


def sessions_of(world) -> list:  # type: ignore[no-untyped-def]
    plans, ada = world.services.plans, world.ada.athlete_id
    return [each for offset in (0, 7, 14) for each in plans.week(ada, MONDAY + timedelta(days=offset))]


def test_sessions_stand_on_the_athletes_own_day_and_hour(accepted) -> None:
    world, planned = accepted, sessions_of(accepted)
    assert len(planned) >= 3
    for session in planned:
        there = session.due_at.astimezone(ZoneInfo("Europe/Berlin"))
        page = world.client(world.kim).get(f"/team/calendar?day={there.date().isoformat()}").text
        of_day = page.partition(f'id="day-{there.date().isoformat()}"')[2].partition("</section>")[0]
        assert "Ada" in of_day
        assert f"{there:%H:%M}" in of_day
        assert f"/sessions/{session.session_id}" in of_day
    # Lou has no such athlete; the month counts them.
    first = planned[0].local_date.isoformat()
    assert "Ada" not in text_of(world.client(world.lou).get(f"/team/calendar?day={first}").text)
    month = text_of(world.client(world.kim).get(f"/team/calendar?view=month&day={first}").text)
    in_month = [each for each in planned if each.local_date.month == planned[0].local_date.month]
    assert month.count("1 session") >= len({each.local_date for each in in_month})


def test_an_athlete_far_away_keeps_their_day(world) -> None:
    """At half past nine in the evening of Honolulu it is the next day in Berlin: the test stays on its own day."""
    kiri = world.services.athletes.create("Kiri", "Pacific/Honolulu", world.kim.identity.user_id)
    world.clock.now = datetime(2026, 11, 25, 21, 30, tzinfo=ZoneInfo("Pacific/Honolulu"))
    told = [Entered(AssessmentTest.DYNAMOMETER_BACK, (400.0,), unit="N")]
    world.services.assessments.record(world.kim.identity, kiri, told, "k1")
    (entry,) = world.services.team.calendar(world.kim.identity, MONDAY, MONDAY + timedelta(days=7))
    assert (entry.kind, entry.day, entry.athlete.name) == (EntryKind.TEST, date(2026, 11, 25), "Kiri")
    page = world.client(world.kim).get("/team/calendar?day=2026-11-25").text
    assert "Kiri" in page.partition('id="day-2026-11-25"')[2].partition("</section>")[0]
    assert "Honolulu" in page


def test_appointments_and_tests_are_shown_only_to_whom_they_are_shared(world) -> None:
    ada, kim = world.ada.athlete_id, world.kim.identity
    soon = MONDAY + timedelta(days=4)
    world.services.doctor.record_plan(world.ada.identity, ada, MONDAY, "", "sore", [], [], soon)

    def kinds() -> set[EntryKind]:
        return {each.kind for each in world.services.team.calendar(kim, MONDAY, MONDAY + timedelta(days=7))}

    assert EntryKind.APPOINTMENT not in kinds()  # health text is not shared
    world.services.consents.agree(world.ada.identity, ada, Purpose.PAIN_TEXT)
    assert EntryKind.APPOINTMENT in kinds()
    page = text_of(world.client(world.kim).get(f"/team/calendar?day={soon}").text)
    assert "appointment" in page
    world.services.sharing.set_level(world.ada.identity, ada, kim.user_id, Level.PLAN)
    assert EntryKind.APPOINTMENT not in kinds()
    period = world.services.team.period(kim, ada, MONDAY, 1)
    assert period.tests is None
    assert "Tests are not shared with you." in words_of(
        world.client(world.kim).get(f"/athletes/{ada}/report.pdf").data
    )[0]  # fmt: skip


def test_a_week_on_paper_says_what_the_pages_say(accepted) -> None:
    world, ada = accepted, accepted.ada.athlete_id
    world.services.diary.add_training(world.ada.identity, ada, "Rowing", 40, 5, "t1")
    answer = world.client(world.kim).get(f"/athletes/{ada}/report.pdf?what=week&day=2026-11-24")
    assert answer.content_type == "application/pdf"
    assert "Ada" not in answer.headers["Content-Disposition"]
    text, pages = words_of(answer.data)
    assert pages == 1
    assert "Ada: 23 November 2026 to 29 November 2026" in text
    assert "Trainings that were entered: 40 minutes." in text
    assert "Repeated bending" in text
    # One day of twelve minutes is no usual day.
    assert "not enough data: needs 3 days with a wearable" in text
    planned = sum(MONDAY <= each.local_date < MONDAY + timedelta(days=7) for each in sessions_of(world))
    assert f"Sessions: 0 of {planned} done" in text
    again = world.client(world.kim).get(f"/athletes/{ada}/report.pdf?what=week&day=2026-11-24")
    assert again.data == answer.data
    mine, _ = words_of(world.client(world.ada).get(f"/athletes/{ada}/report.pdf?what=block").data)
    assert "Week by week" in mine or "Day by day" in mine
    assert world.client(world.lou).get(f"/athletes/{ada}/report.pdf").status_code == 404


def test_the_same_week_in_german(accepted) -> None:
    world, ada = accepted, accepted.ada.athlete_id
    answer = world.client(world.kim).get(f"/athletes/{ada}/report.pdf", headers={"Accept-Language": "de"})
    text, _ = words_of(answer.data)
    for said in ("23. November 2026 bis 29. November 2026", "Einheiten:", "Seite 1 von 1", "zu wenig Daten"):
        assert said in text, text
    for left in ("Sessions", "Worst pain", "What was found", "not enough data"):
        assert left not in text, text


def test_the_table_counts_as_the_report_and_computes_no_name(accepted) -> None:
    world = accepted
    evil = world.services.athletes.create('=HYPERLINK("http://x")', "Europe/Berlin", world.kim.identity.user_id)
    answer = world.client(world.kim).get("/team/report.csv?what=block&day=2026-11-24")
    assert answer.content_type.startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2 * 4
    assert {row["athlete"] for row in rows} == {"Ada", '\'=HYPERLINK("http://x")'}
    assert "\n=" not in answer.text
    assert ',"=' not in answer.text
    ada = next(row for row in rows if row["athlete"] == "Ada" and row["week_from"] == MONDAY.isoformat())
    period = world.services.team.period(world.kim.identity, world.ada.athlete_id, MONDAY, 1)
    assert int(ada["sessions_planned"]) == period.planned
    assert ada["findings"] == "repeated_bending"
    assert ada["pain_worst_max_0_10"] == ""
    quiet = world.services.team.period(world.kim.identity, evil, MONDAY, 1)
    assert (quiet.planned, quiet.worn_days, quiet.findings) == (0, 0, ())


@pytest.mark.parametrize(
    "path",
    ["/team/calendar?day=tomorrow", "/team/calendar?day=0001-01-01", "/team/calendar?view=year",
     "/team/reports?day=x", "/team/report.csv?what=year", "/team/calendar?day=9999-12-31"],
)  # fmt: skip
def test_a_day_or_span_that_is_none_is_refused_with_a_sentence(world, path: str) -> None:
    answer = world.client(world.kim).get(path)
    assert answer.status_code in {400, 422}
    assert "write it as" in answer.text or "too far" in answer.text or "week" in answer.text


def test_a_coach_of_nobody_is_told_what_to_do(world) -> None:
    world.services.sharing.end(world.ada.identity, world.ada.athlete_id, world.kim.identity.user_id)
    for path in ("/team/calendar", "/team/reports", "/wall"):
        page = world.client(world.kim).get(path)
        assert page.status_code == 200
        assert 'href="/people"' in page.text
