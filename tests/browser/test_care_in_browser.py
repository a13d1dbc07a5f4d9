"""Treatments and the doctor's page as a browser shows them: two taps, sizes and schemes, a download."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import expect

from coach.config import Config
from coach.service import build_services
from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.diary import CheckIn
from coach.service.everyday import STATEMENTS
from coach.store.engine import open_store
from tests.browser.test_pages_in_browser import looks_right
from tests.coach.club import FakeClock

pytestmark = pytest.mark.browser

WEEKS = 14


def live(site, path: Path) -> None:
    """Let fourteen weeks of entries pass up to now, through the services with a clock that goes through them."""
    clock = FakeClock(datetime.now(UTC) - timedelta(weeks=WEEKS))
    with open_store(path) as store:
        services = build_services(store, Config(), clock)
        me, whom = services.accounts.identity(site.athlete_user_id), site.athlete_id
        for day in range(7 * WEEKS):
            worst = 6 + day % 2 - (2 if day > 70 else 0)
            services.diary.check_in(me, whom, CheckIn(worst - 2, worst, sites=("lower_back",)), f"d{day}")
            if day % 4 == 0:
                holds = list(STATEMENTS)[: 14 + day % 3 - (6 if day > 70 else 0)]
                services.questionnaires.answer_everyday(me, whom, holds, f"e{day}")
                services.questionnaires.rate_activities(me, whom, {"lift my child": 3 + day // 30}, f"a{day}")
            for kind, first, last, words in (
                (TreatmentKind.REST, 14, 27, ""),
                (TreatmentKind.MEDICINE, 28, 48, ""),
                (TreatmentKind.DOCTOR, 49, None, "hot and cold compresses, as Dr. Sand named them"),
                (TreatmentKind.PHYSIOTHERAPY, 71, None, ""),
            ):
                if day == (first if last is None else last):
                    start = clock.now.date() - timedelta(days=0 if last is None else last - first)
                    services.treatments.add(me, whom, kind, kind, start, last and clock.now.date(), words)
            clock.forward(days=1)
        today = clock.now.date()
        services.doctor.record_plan(
            me, whom, today - timedelta(days=40), "Dr. Sand", "a slipped disc, they said", ["knee_pain"], ["compresses"]
        )
        services.doctor.add_imaging(
            me, whom, ImagingKind.MRI, today - timedelta(days=35), "i", "Dr. Sand", file=("MRI.pdf", b"%PDF-1.7")
        )


def test_pages_in_both_sizes_and_schemes(browser, make_site, keep, tmp_path: Path) -> None:
    site = make_site()
    live(site, tmp_path / "backstop.db")
    for width, scheme in product((1440, 390), ("light", "dark")):
        page = site.page(browser, site.athlete_user_id, width, scheme)
        for path, name in (("treatments", "treatments"), ("everyday", "everyday"), ("for-the-doctor", "doctor")):
            page.goto(f"{site.base}/athletes/{site.athlete_id}/{path}")
            page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true; })")
            looks_right(page)
            keep(page, f"{name}-{width}-{scheme}")
        page.context.close()
    assert site.told == []


def test_two_taps_on_a_phone_and_the_report_is_saved(browser, make_site, tmp_path: Path) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/athletes/{site.athlete_id}/treatments")
    page.get_by_text("Warmth", exact=True).click()
    page.get_by_role("button", name="From today on").click()
    expect(page.get_by_role("button", name="warmth: today was the last day")).to_be_visible()
    page.get_by_role("link", name="For the doctor: report").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Two pages (PDF)").click()
    saved.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert site.told == []
    page.context.close()
