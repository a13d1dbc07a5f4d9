"""Spasm now as a browser shows it: one press on a phone, the questions, the plan, the timer, sizes and schemes."""

from __future__ import annotations

import re
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from coach.service.diary import CheckIn
from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser


def answer(page: Page, pain: int, yes: str | None = None) -> None:
    page.get_by_role("radiogroup", name="How strong is it when you move?").get_by_text(str(pain), exact=True).click()
    for fieldset in page.locator("fieldset:has(.answers)").all():
        name = fieldset.locator("input").first.get_attribute("name")
        fieldset.get_by_text("Yes" if name == yes else "No", exact=True).click()
    page.get_by_role("button", name="Save, and tell me what to do").click()


def test_one_press_on_a_phone_leads_to_what_helps(browser, make_site, keep) -> None:
    site = make_site()
    site.say_no_to_all()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    button = page.get_by_role("button", name="Spasm now")
    assert button.bounding_box()["height"] >= 64
    keep(page, "spasm-today-390-light")
    button.click()
    expect(page.get_by_text("How strong is it when you move?")).to_be_visible()
    looks_right(page)
    keep(page, "spasm-questions-390-light")
    answer(page, 5)
    expect(page.get_by_role("heading", name="The first days")).to_be_visible()
    page.get_by_role("button", name="Warmth now").click()
    expect(page.locator("#comfort")).to_contain_text(re.compile(r"15\s+min left"))
    expect(page.locator("#comfort")).to_contain_text(re.compile(r"Warmth until \d\d:\d\d\. Then take it off"))
    # Two taps, and what else the next phase wants to know.
    page.get_by_role("radiogroup", name="When you move").get_by_text("3", exact=True).click()
    page.get_by_text("I can walk for ten minutes.").click()
    page.get_by_role("button", name="Better").click()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_role("heading", name="Getting going")).to_be_visible()
    assert site.told == []
    page.context.close()


def test_pages_in_both_sizes_and_schemes(browser, make_site, keep) -> None:
    site = make_site()
    me = site.services.accounts.identity(site.athlete_user_id)
    checkin = site.services.diary.check_in(
        me, site.athlete_id, CheckIn(3, 5, sites=("lower_back", "hip_left"), pain_by_site={"lower_back": 5}), "c"
    )
    site.services.spasms.begin(me, site.athlete_id, "k")
    site.say_no_to_all()
    for width, scheme in product((1440, 390), ("light", "dark")):
        page = site.page(browser, site.athlete_user_id, width, scheme)
        for path, name in (
            ("spasm", "plan"),
            ("today", "today-after"),
            (f"diary/checkins/{checkin.checkin_id}", "body"),
        ):
            page.goto(f"{site.base}/{path}")
            looks_right(page)
            keep(page, f"spasm-{name}-{width}-{scheme}")
        page.context.close()
    assert site.told == []


def test_a_place_on_the_picture_asks_how_strong_it_is_there(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    page.locator('button[name="pain_at_rest"][value="2"]').click()
    page.get_by_role("link", name="Where it hurts, sleep and more").click()
    page.locator("summary", has_text="Where it hurts, sleep and more").click()
    scale = page.get_by_role("radiogroup", name="Lower back, 0 to 10")
    expect(scale).to_be_hidden()
    page.get_by_label("lower back", exact=True).click()
    scale.get_by_text("4", exact=True).click()
    expect(page.get_by_role("radiogroup", name="Neck, 0 to 10")).to_be_hidden()
    page.get_by_role("button", name="Keep it").click()
    page.goto(f"{site.base}/diary")
    expect(page.locator("main")).to_contain_text("2 at rest, 4 moving · lower back 4")
    assert site.told == []
    page.context.close()


def test_a_lock_shows_its_message_and_nothing_else(browser, make_site, keep) -> None:
    site = make_site()
    site.say_no_to_all()
    page = site.page(browser, site.athlete_user_id, 390, "dark")
    page.goto(f"{site.base}/spasm")
    page.get_by_role("button", name="Spasm now").click()
    answer(page, 7, yes="CES")
    expect(page.get_by_role("heading", name="This comes first")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Don't exercise and don't wait.")
    expect(page.get_by_role("heading", name="Cold or warmth")).to_have_count(0)
    looks_right(page)
    keep(page, "spasm-lock-390-dark")
    assert site.told == []
    page.context.close()
