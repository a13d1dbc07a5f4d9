"""The pages as a browser shows them: widths, light and dark, keyboard, what arrives without a reload."""

from __future__ import annotations

import math
import time

import pytest
from playwright.sync_api import Error, Page, expect

from programs.types import Answer

pytestmark = pytest.mark.browser

LONG_NAME = "Wilhelmina Königsberger-Featherstonehaugh von Hohenlohe-Langenburg"

# What must be reachable by touch; links inside sentences are exempt (WCAG 2.5.8), table regions are not targets.
SMALL_TARGETS = """() => [...document.querySelectorAll(
  'a.btn, button, input:not([type=hidden]):not([type=radio]), select, nav a, .answers label')]
  .filter(e => e.offsetParent !== null && e.getBoundingClientRect().height < 43.5)
  .map(e => e.outerHTML.slice(0, 90))"""

# WCAG contrast of every visible text against the nearest painted ground, by the browser's own computed colours.
LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
  const lum = (c) => { const [r, g, b] = c.map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { const layers = []; for (let n = e; n; n = n.parentElement) {
      const c = rgba(getComputedStyle(n).backgroundColor); if (c[3] > 0) layers.push(c); if (c[3] === 1) break; }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]); };
  const found = [];
  for (const e of document.querySelectorAll('main *, header *, nav *, footer *')) {
    if (e.closest('canvas, .uplot, svg') || e.offsetParent === null) continue;
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own) continue;
    const below = ground(e), ink = over(rgba(getComputedStyle(e).color), below);
    const [a, b] = [lum(ink), lum(below)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.outerHTML.slice(0, 80)}`);
  }
  return found; }"""


def looks_right(page: Page) -> None:
    """Nothing sticks out sideways, every text can be read, everything to press can be hit with a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate(SMALL_TARGETS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_in_both_sizes_and_schemes(browser, make_site, keep, width: int, scheme: str) -> None:
    site = make_site()
    stranger = site.page(browser, None, width, scheme)
    stranger.goto(site.base)
    looks_right(stranger)
    keep(stranger, f"welcome-{width}-{scheme}")
    coach = site.page(browser, site.coach_id, width, scheme)
    for path, name in (
        ("/athletes", "roster"),
        (f"/athletes/{site.athlete_id}", "desk-asked"),
        (f"/athletes/{site.quiet_id}", "desk-empty"),
    ):
        coach.goto(site.base + path)
        if name == "desk-asked":
            coach.wait_for_function("() => document.querySelectorAll('.chart-window canvas').length > 0")
        looks_right(coach)
        keep(coach, f"{name}-{width}-{scheme}")
    athlete = site.page(browser, site.athlete_user_id, width, scheme)
    for name in ("today", "week", "safety", "wearables", "account"):
        athlete.goto(f"{site.base}/{name}")
        looks_right(athlete)
        keep(athlete, f"{name}-{width}-{scheme}")
    assert site.told == []
    for page in (stranger, coach, athlete):
        page.context.close()


def test_the_desk_shows_the_whole_way_without_a_scroll(browser, make_site, keep) -> None:
    site = make_site()
    site.say_no_to_all()
    page = site.page(browser, site.coach_id)
    page.goto(f"{site.base}/athletes/{site.athlete_id}")
    page.wait_for_function("() => document.querySelectorAll('.chart-window canvas').length > 0")
    in_sight = """(text) => [...document.querySelectorAll('h1, h2, h3, button, p')].some(e =>
      e.textContent.includes(text) && e.getBoundingClientRect().bottom <= innerHeight && e.offsetParent)"""
    # What was and what shall be, side by side; the live line and what is behind a finding come below.
    for text in ("Time line", "Mara bent forward", "counts as repeated bending", "Proposed:", "Accept"):
        assert page.evaluate(in_sight, text), text
    for text in ("Mara's trunk, live", "Because", "RULA"):
        assert page.locator("main").get_by_text(text).count(), text
    keep(page, "desk-proposal-1440-light")
    page.get_by_role("button", name="Accept", exact=True).click()
    expect(page.locator("#plan h2").first).to_have_text("Mara's sessions")
    assert page.evaluate(in_sight, "Mara's sessions")
    # The calendar link works for whoever has it: it is the athlete's to give.
    assert not page.get_by_role("button", name="Copy link").count()
    keep(page, "desk-accepted-1440-light")
    assert site.told == []
    page.context.close()


def test_a_pause_stands_first_on_a_coachs_phone(browser, make_site) -> None:
    site = make_site()
    athlete = site.services.accounts.identity(site.athlete_user_id)
    answers = {question.id: Answer.NO for question in site.services.triage.questions()} | {"CES": Answer.YES}
    site.services.triage.answer(athlete, site.athlete_id, answers, 34)
    page = site.page(browser, site.coach_id, 390)
    page.goto(f"{site.base}/athletes/{site.athlete_id}")
    top = """(text) => [...document.querySelectorAll('main h2')]
      .find(e => e.textContent.includes(text)).getBoundingClientRect().top"""
    assert page.evaluate(top, "Paused: medical review advised") < page.evaluate(top, "Mara's trunk, live")
    looks_right(page)
    page.context.close()


def test_the_live_line_grows_keeps_gaps_and_says_the_angle(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/today")
    page.wait_for_function("() => window.backstop.page.source.readyState === 1")
    start = time.time()
    site.play(start, [30 + 30 * math.sin(k / 5) for k in range(30)])
    site.play(start + 10, [45.0] * 15)
    page.wait_for_function("() => window.backstop.points >= 46")
    expect(page.locator("[data-live=angle]")).to_have_text("45° from upright")
    stored = int(page.locator("[data-live=bends]").inner_text())
    assert stored > 60
    values = page.evaluate("window.backstop.page.line.deg")
    assert values.count(None) == 1
    assert page.evaluate("window.backstop.latency_s.length") >= 1
    # Two minutes stay, older signal leaves the page.
    site.play(start + 200, [10.0] * 15)
    page.wait_for_function("() => window.backstop.page.line.t.length <= 16")
    page.get_by_text("As numbers").first.click()
    site.play(start + 203, [20.0] * 15, bends=5)
    # The day's bends: those stored, and two more since the first live ones.
    expect(page.locator("[data-live=bends]")).to_have_text(str(stored + 2))
    expect(page.locator("#live-numbers tr").first).to_contain_text("°")
    assert site.told == []
    page.context.close()


def test_a_finding_and_a_decision_arrive_without_a_reload(browser, make_site) -> None:
    site = make_site()
    site.say_no_to_all()
    coach = site.page(browser, site.coach_id)
    coach.goto(f"{site.base}/athletes/{site.athlete_id}")
    athlete = site.page(browser, site.athlete_user_id, 390)
    athlete.goto(f"{site.base}/today")
    expect(athlete.locator("#next h2")).to_have_text("A program waits for your coach")
    for page in (coach, athlete):
        page.evaluate("window.notReloaded = true")
        page.wait_for_function("() => window.backstop.page.source.readyState === 1")
    coach.get_by_role("button", name="Accept", exact=True).click()
    expect(athlete.locator("#next .next-day")).to_contain_text("Next")
    expect(athlete.get_by_role("link", name="See what it asks for")).to_be_visible()
    with athlete.expect_response("**/today/findings"):
        site.feed.publish(site.athlete_id, {"kind": "finding"})
    athlete.wait_for_function("() => document.querySelectorAll('.chart-window canvas').length > 0")
    assert coach.evaluate("window.notReloaded") is True
    assert athlete.evaluate("window.notReloaded") is True
    assert site.told == []
    for page in (coach, athlete):
        page.context.close()


def test_a_long_name_breaks_nothing(browser, make_site, keep) -> None:
    site = make_site(LONG_NAME, "lifting at work, golf, and rowing in an eight on Sundays")
    for width in (1440, 390):
        coach = site.page(browser, site.coach_id, width)
        for path in ("/athletes", f"/athletes/{site.athlete_id}"):
            coach.goto(site.base + path)
            looks_right(coach)
        keep(coach, f"desk-long-name-{width}-light")
        athlete = site.page(browser, site.athlete_user_id, width)
        athlete.goto(f"{site.base}/today")
        looks_right(athlete)
        coach.context.close()
        athlete.context.close()
    assert site.told == []


def test_by_keyboard_from_the_address_bar_to_accept(browser, make_site) -> None:
    site = make_site()
    site.say_no_to_all()
    page = site.page(browser, site.coach_id)
    page.goto(f"{site.base}/athletes/{site.athlete_id}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the plan"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Accept":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#plan h2").first).to_have_text("Mara's sessions")
    page.context.close()


def test_the_policy_of_the_page_stops_foreign_and_inline_code(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, None)
    page.goto(site.base)
    # A text that is appended passes by the check of text that is assigned; then the policy refuses to run it.
    page.evaluate("""() => { const s = document.createElement('script'); s.append('window.ran = true');
                             document.body.append(s); }""")
    with pytest.raises(Error, match="TrustedScript"):
        page.evaluate("() => { document.createElement('script').textContent = 'window.ran = true'; }")
    assert page.evaluate("window.ran") is None
    assert any("TrustedScript" in line or "Content Security Policy" in line for line in site.told), site.told
    page.context.close()
