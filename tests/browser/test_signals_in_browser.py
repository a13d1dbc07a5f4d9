"""The day's line comes closer by pointer, button and keyboard down to the samples; a gap stays a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser

# How a page tells what it shows: the stretch that it asked for last, and the samples that it drew as a table.
_SHOWN = "[data-told]"
_NARROWER = "was => { const q = new URLSearchParams(location.search); return q.get('to') - q.get('from') < was; }"


def _span_s(page: Page, site) -> float:
    query = dict(each.split("=") for each in page.url.partition("?")[2].split("&") if "=" in each)
    return float(query["to"]) - float(query["from"])


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_a_line_comes_closer_down_to_the_samples(make_site, browser, keep, width: int, scheme: str) -> None:
    site = make_site()
    assert site.services.motion.close_stale(datetime.now(UTC) + timedelta(minutes=30)) == 1
    page = site.page(browser, site.athlete_user_id, width, scheme)
    page.goto(f"{site.base}/signals")
    line = page.locator(".signal-line")
    expect(line.locator("canvas")).to_be_visible()
    expect(page.locator(_SHOWN)).not_to_be_empty()
    expect(page.locator(".signal-raw")).to_be_hidden()
    looks_right(page)
    keep(page, f"signals_{width}_{scheme}")

    line.focus()
    page.keyboard.press("+")
    page.wait_for_url("**from=*")
    first_s = _span_s(page, site)
    page.keyboard.press("+")
    page.wait_for_function(_NARROWER, arg=first_s - 1)
    assert _span_s(page, site) == pytest.approx(first_s / 2, abs=0.5)
    page.keyboard.press("0")
    expect(page.locator('[data-do="whole"]')).to_be_disabled()
    page.go_back()
    expect(page.locator('[data-do="whole"]')).to_be_enabled()

    page.get_by_role("button", name="Raw samples").click()
    expect(page.locator(".signal-raw h3")).to_contain_text("Raw from the sensor (chest), 30 samples a second")
    expect(page.locator(".signal-acc canvas")).to_be_visible()
    page.locator(".signal-raw summary").click()
    rows = page.locator("[data-raw-numbers] tr").all_inner_texts()
    # Seconds that lie wholly within the minute hold as many samples as the sensor sends.
    counted = [int(row.split("\t")[-1]) for row in rows[1:-1]]
    assert max(counted) in {29, 30, 31}
    looks_right(page)
    keep(page, f"signals_raw_{width}_{scheme}")

    box = line.locator(".u-over").bounding_box()
    assert box is not None
    before_s = _span_s(page, site)
    line.scroll_into_view_if_needed()
    box = line.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function(_NARROWER, arg=before_s - 1)
    assert _span_s(page, site) == pytest.approx(before_s / 2, rel=0.05)
    assert site.told == []


def test_the_half_minute_that_never_came_is_a_gap_in_both(make_site, browser) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id)
    with page.expect_response("**/signals.json*") as whole:
        page.goto(f"{site.base}/signals")
    part = whole.value.json()
    t, deg = part["line"]["t_utc_s"], part["line"]["inclination_deg"]
    gap_at = next(at for at, value in zip(t, deg, strict=True) if value is None)
    with page.expect_response("**/signals.json*") as close:
        page.goto(f"{site.base}/signals?from={gap_at - 20}&to={gap_at + 30}")
    part = close.value.json()
    expect(page.locator(".signal-raw h3")).to_contain_text("Raw from the sensor")
    samples = part["raw"]["acc_mps2"][0]
    assert 20 * 30 < samples.count(None) <= 30 * 30 + 2
    page.locator(".signal-raw summary").click()
    told = page.locator("[data-raw-numbers] tr").count()
    assert 18 <= told <= 31  # of fifty seconds, those with samples
    assert site.told == []
