"""A step that waits, the way back, and what somebody has and wants, as a browser shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from coach.config import Config
from coach.service import build_services
from coach.store.engine import open_store
from tests.browser.test_pages_in_browser import looks_right
from tests.coach.club import Club, FakeClock
from tests.coach.service.test_progress import Runs, start

pytestmark = pytest.mark.browser

WIDTHS = (1440, 390)


@contextmanager
def lived(site, path: Path, days: int) -> Iterator[Runs]:
    """Yield an athlete who began a program some days ago; days are lived through the services."""
    clock = FakeClock(datetime.now(UTC) - timedelta(days=days))
    with open_store(path) as store:
        services = build_services(store, Config(), clock)
        coach, athlete = (services.accounts.identity(each) for each in (site.coach_id, site.athlete_user_id))
        assert coach is not None
        assert athlete is not None
        waiting = services.plans.proposal(site.athlete_id)
        assert waiting is not None
        services.plans.decline(waiting.plan_id, coach)
        yield start(Club(store, services, clock, Config(), coach, athlete, site.athlete_id, ""))


def look_at(site, browser, keep, width: int, user_id: str, paths: dict[str, str]) -> None:
    """Look at pages in both schemes; each is opened once, for open pages of a day's signal are counted."""
    page = site.page(browser, user_id, width)
    for name, path in paths.items():
        page.goto(f"{site.base}{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true; })")
            page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
            looks_right(page)
            keep(page, f"{name}-{width}-{scheme}")
    page.context.close()


def test_a_step_with_yes_and_not_now_and_the_way_back(browser, make_site, keep, tmp_path: Path) -> None:
    site = make_site()
    with lived(site, tmp_path / "backstop.db", 7) as runs:
        runs.green(2)
        assert runs.step is not None
    for width in WIDTHS:
        look_at(site, browser, keep, width, site.coach_id, {"desk-step": f"/athletes/{site.athlete_id}"})
        look_at(site, browser, keep, width, site.athlete_user_id, {"today-step": "/today"})
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    expect(page.get_by_role("heading", name="A next step")).to_be_visible()
    expect(page.get_by_text("waits for your coach")).to_be_visible()
    expect(page.get_by_role("button", name="Not now")).to_have_count(0)
    page.context.close()
    page = site.page(browser, site.coach_id)
    page.goto(f"{site.base}/athletes/{site.athlete_id}")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_text("One change this week")).to_be_visible()
    expect(page.get_by_role("heading", name="A next step")).to_have_count(0)
    page.context.close()
    assert site.told == []


def test_the_way_back_and_what_somebody_has_and_wants(browser, make_site, keep, tmp_path: Path) -> None:
    site = make_site()
    with lived(site, tmp_path / "backstop.db", 3) as runs:
        runs.train(4, 4)
        runs.tell(4)
        session_id = runs.next_session().session_id
        runs.club.services.choices.say_no(runs.club.athlete, site.athlete_id, "curl_up")
    own = {"today-back": "/today", "week-changed": "/week", "choices": "/choices"}
    own["session-own"] = f"/sessions/{session_id}"
    for width in WIDTHS:
        look_at(site, browser, keep, width, site.athlete_user_id, own)
        look_at(site, browser, keep, width, site.coach_id, {"desk-back": f"/athletes/{site.athlete_id}"})
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/choices")
    page.get_by_role("button", name="Take back the no to Curl-up").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    page.goto(f"{site.base}/sessions/{session_id}")
    page.get_by_role("button", name="Not this one").first.click()
    expect(page.get_by_text("Left out from now on.")).to_be_visible()
    page.context.close()
    assert site.told == []
