"""The pocket in a browser: the week dragged and moved by keyboard, two taps, and a phone without a network."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from coach.service.types import Identity, SessionState, SessionView
from tests.browser.conftest import Site
from tests.browser.test_pages_in_browser import LOW_CONTRAST

pytestmark = pytest.mark.browser

# ms. Generous: the worker fetches every page of the list, on a machine that does other things too.
KEPT_MS = 60_000
KEPT = """async () => {
  const known = await backstopOffline.fact("copies");
  if (!known) return [];
  const cache = await caches.open("backstop-pages-1");
  const kept = (await cache.keys()).map((each) => new URL(each.url).pathname);
  return known.pages.every((each) => kept.includes(each)) ? kept : [];
}"""
WAITING = "async () => (await backstopOffline.answers()).filter((each) => each.refused === null).length"

NONE_WAITS = "async () => (await backstopOffline.answers()).every((each) => each.refused !== null)"


def until(page: Page, script: str) -> Any:
    """Ask a script again until it answers with something that is true; the page's policy lets nothing else wait."""
    for _ in range(KEPT_MS // 200):
        if found := page.evaluate(script):
            return found
        page.wait_for_timeout(200)
    raise AssertionError(f"it never came to be: {script}")


def planned(site: Site) -> list[SessionView]:
    first = site.services.athletes.get(_athlete(site), site.athlete_id)
    today = _today(first.time_zone)
    weeks = (site.services.plans.week(site.athlete_id, today + timedelta(days=7 * week)) for week in range(2))
    return [each for week in weeks for each in week]


def _athlete(site: Site) -> Identity:
    found = site.services.accounts.identity(site.athlete_user_id)
    assert found is not None
    return found


def _today(zone: str) -> date:
    return datetime.now(ZoneInfo(zone)).date()


def with_program(site: Site) -> None:
    """Let a program run, with what is planned for today's first session released."""
    site.say_no_to_all()
    proposal = site.services.plans.proposal(site.athlete_id)
    assert proposal is not None
    coach = site.services.accounts.identity(site.coach_id)
    assert coach is not None
    site.services.plans.accept(proposal.plan_id, coach)


def keep_copies(page: Page, site: Site) -> list[str]:
    """Open Today and wait until the worker has kept what it should."""
    page.goto(f"{site.base}/today")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.postMessage('renew'))")
    kept = list(until(page, KEPT))
    # The first page of a browser is not under the worker that it registers; every later one is.
    page.goto(f"{site.base}/today")
    return kept


def movable(site: Site) -> tuple[SessionView, str]:
    """A session and a day that it may have, farther off than its neighbours."""
    for session in planned(site):
        choices = site.services.moving.choices(_athlete(site), site.athlete_id, [session.session_id])
        for each in choices.get(session.session_id, ()):
            if each.due_at is not None and each.day > session.local_date:
                return session, each.day.isoformat()
    raise AssertionError("nothing can be moved")


def day_of(site: Site, session: SessionView) -> str:
    found = site.services.plans.session(_athlete(site), session.session_id)
    return found.local_date.isoformat()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_session_is_dragged_to_another_day_of_its_week(make_site, browser: Browser, keep, width: int) -> None:
    site = make_site()
    with_program(site)
    session, to = movable(site)
    page = site.page(browser, site.athlete_user_id, width=width)
    page.goto(f"{site.base}/week")
    grip = page.locator(f'[data-day="{session.local_date}"] [data-grip]')
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    target = page.locator(f'[data-day="{to}"]').bounding_box()
    assert target is not None
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 20, steps=8)
    expect(page.locator(f'[data-day="{to}"]')).to_have_attribute("data-over", "")
    keep(page, f"week-dragging-{width}")
    page.mouse.up()
    expect(page.get_by_role("status").filter(has_text="Moved:")).to_be_visible()
    assert day_of(site, session) == to
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    keep(page, f"week-{width}")
    assert site.told == []


def test_the_keyboard_moves_the_same_way_and_a_day_that_may_not_is_not_offered(make_site, browser: Browser) -> None:
    site = make_site()
    with_program(site)
    session, to = movable(site)
    page = site.page(browser, site.athlete_user_id, width=390)
    page.goto(f"{site.base}/week")
    link = page.locator(f'[data-day="{session.local_date}"] [data-session] a')
    link.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("status").filter(has_text="Moved:")).to_be_visible()
    assert day_of(site, session) == to
    # The keyboard is where the session is now.
    expect(page.locator(f'[data-day="{to}"] [data-session] a')).to_be_focused()
    page.locator(f'[data-day="{to}"] summary').press("Enter")
    days = page.locator(f'[data-day="{to}"] select[name=to] option')
    offered = {each.get_attribute("value"): each.get_attribute("disabled") is None for each in days.all()}
    choices = site.services.moving.choices(_athlete(site), site.athlete_id, [session.session_id])[session.session_id]
    assert {each.day.isoformat(): each.due_at is not None for each in choices} == {
        day: may for day, may in offered.items() if day
    }
    assert site.told == []


@pytest.mark.parametrize("width", [390, 1440])
def test_two_taps_on_today_are_one_check_in(make_site, browser: Browser, keep, width: int) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=width)
    page.goto(f"{site.base}/today")
    page.get_by_role("group", name="Pain at rest, now").get_by_role("button", name="3", exact=True).click()
    page.get_by_role("group", name="Noted. And when you move?").get_by_role("button", name="4", exact=True).click()
    expect(page.get_by_text("Noted: 3 at rest, 4 moving.")).to_be_visible()
    assert pains(site) == [(3, 4)]
    keep(page, f"today-told-{width}")
    assert site.told == []


def pains(site: Site) -> list[tuple[int | None, int | None]]:
    first = site.services.athletes.get(_athlete(site), site.athlete_id)
    today = _today(first.time_zone)
    told, _ = site.services.diary.between(
        _athlete(site), site.athlete_id, today - timedelta(days=1), today + timedelta(days=2)
    )
    return [(each.told.pain_at_rest, each.told.pain_in_motion) for each in told]


@pytest.mark.parametrize("width", [390, 1440])
def test_without_a_network_week_and_session_are_there_and_an_answer_is_sent_once(
    make_site, browser: Browser, keep, width: int
) -> None:
    site = make_site()
    with_program(site)
    site.services.plans.release_due(planned(site)[0].due_at + timedelta(minutes=1))
    page = site.page(browser, site.athlete_user_id, width=width)
    kept = keep_copies(page, site)
    session = next(each for each in kept if each.startswith("/sessions/"))
    page.context.set_offline(True)
    page.goto(f"{site.base}/week")
    expect(page.get_by_role("heading", name="Your week")).to_be_visible()
    expect(page.get_by_text("No network: this is a copy, made")).to_be_visible()
    page.goto(f"{site.base}{session}")
    expect(page.get_by_role("heading", name="Your session")).to_be_visible()
    expect(page.get_by_text("No network: this is a copy, made")).to_be_visible()
    keep(page, f"offline-session-{width}")
    page.locator("#reason").fill("on the mountain")
    page.get_by_role("button", name="Not today").click()
    expect(page.get_by_text("Kept on this phone: 1 answer waits").first).to_be_visible()
    assert page.evaluate(WAITING) == 1
    session_id = session.rpartition("/")[2]
    assert site.services.plans.session(_athlete(site), session_id).state is not SessionState.SKIPPED
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    until(page, NONE_WAITS)
    assert site.services.plans.session(_athlete(site), session_id).state is SessionState.SKIPPED
