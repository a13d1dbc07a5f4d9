"""The doctor's report in print: two pages, everything in them, the same bytes each time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from coach.reports.pdf import file_name, pdf_of
from coach.service.report_views import ASK_AFTER_MONTHS, FindingLine, Report
from programs.notice import NOTICE
from programs.triage import QUESTIONS, QUESTIONS_VERSION
from tests.coach.reports.conftest import Suffered

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"


def pages_of(report: Report) -> list[str]:
    document = pypdfium2.PdfDocument(pdf_of(report))
    try:
        assert [page.get_size() for page in document] == [pytest.approx((595.27, 841.89), abs=0.1)] * len(document)
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    finally:
        document.close()


def test_two_pages_say_what_was_tried_for_how_long_and_what_was_seen(suffered: Suffered) -> None:
    first, second = pages_of(suffered.report)
    assert NOTICE in first
    for said in (
        "Twelve weeks have passed and there is still pain.",
        "The safety questions ask for a medical review.",
        "Pain since 2026-11-24 (13 weeks). Median of the worst pain a day, 0 to 10: first week 6, last week 6.",
        "lower back (84 x)",
        f"questions version {QUESTIONS_VERSION}: 1 yes, 1 not sure, {len(QUESTIONS) - 2} no.",
        "Yes: Have you ever had cancer",
        "as told: a slipped disc, L5/S1",
        "Exercises are chosen around: pain when kneeling.",
        "Next appointment: 2027-03-07.",
        *ASK_AFTER_MONTHS,
    ):
        assert said in first, said
    for said in (
        "rest 2026-12-01 2026-12-14 14 Pain: no difference can be told",
        "medicine (taken)",
        "hot and cold compresses 2027-02-02 goes on 22",
        "It does not say why",
        "10 more comparisons have too few entries for a number.",
        "Trainings entered in the last 12 weeks",
        "MRI, 2027-01-12, asked by Dr. Sand. File: MRI.pdf. In own words: one disc bulges a little",
        "Dynamometer back 400 N",
    ):
        assert said in second, said


def test_the_same_report_is_the_same_bytes(suffered: Suffered) -> None:
    assert pdf_of(suffered.report) == pdf_of(suffered.report)
    later = replace(suffered.report, made_on=suffered.report.made_on.replace(day=1))
    assert pdf_of(later) != pdf_of(suffered.report)


def test_what_finds_no_room_is_named_and_a_third_page_never_comes(suffered: Suffered) -> None:
    day = suffered.report.made_on
    long = FindingLine("You bent forward often, and long words stand here. " * 5, "amber", day, day, True)
    first, second = pages_of(replace(suffered.report, findings=(long,) * 60))
    assert "No room here for: " in second
    assert "a finding" in second[second.index("No room here for: ") :]
    assert first.endswith("Page 1 of 2")


def test_what_people_wrote_is_text_and_not_markup(suffered: Suffered) -> None:
    name = 'Ada <b>"&\' Łukasz</b> \N{CYRILLIC CAPITAL LETTER YA} <img src="file:///etc/passwd"/>'
    first, second = pages_of(replace(suffered.report, name=name))
    assert "Ada <b>\"&' Łukasz</b> ? <img src=" in first
    assert "Signs that this print lacks stand as ?." in second


def test_an_empty_report_is_two_pages_too(club) -> None:
    report = club.services.reports.make(club.athlete, club.athlete_id)
    assert report.offered == ()
    first, second = pages_of(report)
    assert "No pain was told lately." in first
    assert "Not enough data: needs days with a wearable" in second


def test_pages_can_be_looked_at(suffered: Suffered) -> None:
    """Render them, so that somebody can look; and see that ink is on the paper and none at its edges."""
    document = pypdfium2.PdfDocument(pdf_of(suffered.report))
    ARTIFACTS.mkdir(exist_ok=True)
    for number, page in enumerate(document, 1):
        picture = page.render(scale=2).to_numpy()
        picture = picture[..., :3].min(axis=2)
        assert (picture < 128).mean() > 0.01
        assert picture[:30].min() == picture[:, :30].min() == picture[:, -30:].min() == picture[-30:].min() == 255
        page.render(scale=2).to_pil().save(ARTIFACTS / f"doctor-page-{number}.png")
    document.close()


def test_the_file_name_names_nobody(suffered: Suffered) -> None:
    assert re.fullmatch(r"for-the-doctor-2027-02-\d\d\.pdf", file_name(suffered.report, "pdf"))
