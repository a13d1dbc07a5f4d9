"""The page of when to train: it fits, can be read, and shows what another week changes before it is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_pages_in_browser import LOW_CONTRAST

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_another_week_is_looked_at_then_kept(make_site, browser: Browser, keep, width: int, scheme: str) -> None:
    site = make_site()
    site.say_no_to_all()
    proposal = site.services.plans.proposal(site.athlete_id)
    site.services.plans.accept(proposal.plan_id, site.services.accounts.identity(site.coach_id))
    page = site.page(browser, site.athlete_user_id, width=width, scheme=scheme)
    page.goto(f"{site.base}/week")
    page.get_by_role("link", name="When to train").click()
    first = proposal.created_at.date() + timedelta(days=5)
    page.get_by_label("Usual time").fill("19:15")
    page.get_by_label("Monday, a time of its own").fill("12:10")
    page.get_by_label("from", exact=True).fill(first.isoformat())
    page.get_by_label("to", exact=True).fill((first + timedelta(days=9)).isoformat())
    page.get_by_label("time zone", exact=True).fill("America/New_York")
    page.get_by_role("button", name="Show what it changes").click()
    expect(page.get_by_role("heading", name="What it would change")).to_be_visible()
    expect(page.get_by_text("(New York time)").first).to_be_visible()
    keep(page, f"availability-look-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    page.get_by_role("button", name="Keep this week").click()
    expect(page.get_by_role("status")).to_contain_text("moved")
    expect(page.get_by_label("Usual time")).to_have_value("19:15")
    expect(page.get_by_role("checkbox", name="Remove it")).to_have_count(1)
    keep(page, f"availability-kept-{width}-{scheme}")
    assert site.services.athletes.availability(site.athlete_id).travel[0].time_zone == "America/New_York"
    assert site.told == []
