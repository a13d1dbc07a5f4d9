"""The live line through a page's life: opened late, in two tabs, through a lost stream, signed out, silent."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from coach.web import live, streams

pytestmark = pytest.mark.browser

NO_TIME_TWICE = "() => window.backstop.page.line.t.every((t, k, all) => k === 0 || t > all[k - 1])"


def connected(page: Page) -> None:
    page.wait_for_function("() => window.backstop?.page?.source?.readyState === 1")


def test_a_page_that_opens_late_has_the_line_at_once_and_counts_it_as_no_latency(browser, make_site) -> None:
    site = make_site()
    start = time.time() - 300
    for second in range(290):
        site.play(start + second, [float(second % 50)] * 15)
    tabs = [site.page(browser, user, 390) for user in (site.athlete_user_id, site.coach_id)]
    for page, path in zip(tabs, ("/today", f"/athletes/{site.athlete_id}"), strict=True):
        page.goto(site.base + path)
        page.wait_for_function("() => window.backstop.points > 1700")
        assert page.evaluate("window.backstop.points") <= 1802
        assert page.evaluate("[window.backstop.latency_s.length, window.backstop.age_s.length]") == [0, 0]
        expect(page.locator("[data-live=angle]")).to_have_text("waiting for the signal")
        connected(page)
    site.play(time.time() - 0.5, [45.0] * 8)
    for page in tabs:
        page.wait_for_function("() => window.backstop.age_s.length === 1")
        age_s, latency_s = page.evaluate("[window.backstop.age_s[0], window.backstop.latency_s[0]]")
        # The oldest sample is half a second old before anything travels.
        assert age_s >= 0.5
        assert latency_s < age_s
        page.context.close()
    assert site.told == []


def test_a_lost_stream_goes_on_without_a_hole_or_a_point_twice(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    connected(page)
    start = time.time() - 20
    for second in range(10):
        site.play(start + second, [10.0] * 15)
    page.wait_for_function("() => window.backstop.points === 150")
    site.feed.close()  # every stream ends, as when the service starts anew
    for second in range(10, 20):
        site.play(start + second, [20.0] * 15)
    page.wait_for_function("() => window.backstop.points === 300")
    assert page.evaluate(NO_TIME_TWICE)
    assert page.evaluate("window.backstop.page.line.deg").count(None) == 0
    expect(page.locator("[data-live=link]")).to_have_text("")
    page.context.close()


def test_who_is_signed_out_is_told_so_and_the_page_stops_asking(browser, make_site, monkeypatch) -> None:
    monkeypatch.setattr(live, "ALLOWED_S", 0.2)
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    connected(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    site.services.accounts.set_password(site.athlete_user_id, "another password of words")
    expect(page.locator("[data-live=link]")).to_contain_text("You are signed out", timeout=10_000)
    told_after = len(asked)
    page.wait_for_timeout(3000)
    assert len(asked) == told_after <= 3
    # The parts of the page lead to the first page when they ask for more.
    page.evaluate("document.body.dispatchEvent(new CustomEvent('backstop:plan'))")
    page.wait_for_url(f"{site.base}/")
    page.context.close()


def test_silence_is_said(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    connected(page)
    site.play(time.time() - 1, [30.0] * 15)
    expect(page.locator("[data-live=angle]")).to_have_text("30° from upright")
    expect(page.locator("[data-live=angle]")).to_have_text("no signal now", timeout=8000)
    page.context.close()


def test_a_page_that_has_to_give_way_says_so_and_goes_on_when_it_is_looked_at_again(
    browser, make_site, monkeypatch
) -> None:
    monkeypatch.setattr(streams, "STREAMS_PER_PERSON", 1)
    site = make_site()
    first = site.page(browser, site.athlete_user_id, 390)
    first.goto(f"{site.base}/today")
    connected(first)
    second = first.context.new_page()
    second.goto(f"{site.base}/today")
    expect(first.locator("[data-live=link]")).to_contain_text("goes on in a page that was opened later")
    first.wait_for_timeout(2500)  # a browser would ask again after a second by itself
    site.play(time.time() - 1, [30.0] * 15)
    second.wait_for_function("() => window.backstop.points === 15")
    assert first.evaluate("window.backstop.points") == 0
    first.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(first.locator("[data-live=link]")).to_have_text("")
    first.wait_for_function("() => window.backstop.points === 15")
    expect(second.locator("[data-live=link]")).to_contain_text("goes on in a page that was opened later")
    first.context.close()
