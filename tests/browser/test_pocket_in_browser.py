"""The pocket in a browser: the week dragged and moved by keyboard, two taps, and a phone without a network."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Route, expect

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


def check_in(page: Page, at_rest: int) -> None:
    group = page.get_by_role("group", name="Pain at rest, now")
    group.get_by_role("button", name=str(at_rest), exact=True).click()


def test_a_send_whose_answer_is_lost_is_sent_again_and_counted_once(make_site, browser: Browser) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=390)
    keep_copies(page, site)
    arrived: list[str] = []

    def take_and_lose(route: Route) -> None:
        """The server takes the answer; the network ends before it says so, twice. The third time all is well."""
        arrived.append(route.request.headers["x-backstop-answer"])
        if len(arrived) <= 2:
            route.fetch()
            route.abort("internetdisconnected")
        else:
            route.continue_()

    # Of the page and of its worker, which tries too.
    page.context.route("**/diary/checkins", take_and_lose)
    check_in(page, 2)
    expect(page.get_by_text("Noted. And when you move?")).to_be_visible()
    assert pains(site) == [(2, None)]
    # Back twice, as a network does at the edge of its reach.
    page.evaluate("dispatchEvent(new Event('online')); dispatchEvent(new Event('online'))")
    until(page, NONE_WAITS)
    assert pains(site) == [(2, None)]
    assert len(arrived) == 3, "lost twice, then told"
    assert len(set(arrived)) == 1, "under one key"


def test_answers_wait_in_their_order_and_two_pages_send_each_once(make_site, browser: Browser) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=390)
    keep_copies(page, site)
    page.context.set_offline(True)
    for pain in (1, 2, 3):
        page.goto(f"{site.base}/today")
        check_in(page, pain)
        expect(page.get_by_text("Noted. And when you move?")).to_be_visible()
    assert page.evaluate(WAITING) == 3
    second = page.context.new_page()
    second.goto(f"{site.base}/week")
    page.context.set_offline(False)
    for each in (page, second):
        each.evaluate("dispatchEvent(new Event('online'))")
    until(page, NONE_WAITS)
    assert pains(site) == [(1, None), (2, None), (3, None)], "each once, in the order in which they were told"


@pytest.mark.parametrize("width", [390, 1440])
def test_strong_pain_told_without_a_network_shuts_the_kept_sessions(
    make_site, browser: Browser, keep, width: int
) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=width)
    kept = keep_copies(page, site)
    trains = [each for each in kept if each.startswith("/sessions/")]
    assert any(each.endswith("/guided") for each in trains)
    page.context.set_offline(True)
    page.goto(f"{site.base}/today")
    check_in(page, 7)
    expect(page.get_by_text("Noted. And when you move?")).to_be_visible()
    for each in trains:
        page.goto(f"{site.base}{each}")
        expect(page.get_by_role("heading", name="Your session waits for the network")).to_be_visible()
        assert page.get_by_role("button", name="I did it").count() == 0
    keep(page, f"offline-held-{width}")
    page.context.set_offline(False)
    page.goto(f"{site.base}/today")
    until(page, NONE_WAITS)
    assert site.services.triage.view_for(_athlete(site), site.athlete_id).must_ask
    # The server's own lock takes over: what could be trained from is kept no more.
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.postMessage('renew'))")
    until(page, "async () => (await backstopOffline.fact('copies')).locked")
    page.context.set_offline(True)
    page.goto(f"{site.base}{trains[0]}")
    expect(page.get_by_role("heading", name="Your session waits for the network")).to_be_visible()


def test_a_copy_that_is_too_old_is_not_trained_from_and_a_spasm_is_answered_at_once(
    make_site, browser: Browser, keep
) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=390)
    session = next(each for each in keep_copies(page, site) if each.startswith("/sessions/"))
    page.context.set_offline(True)
    page.evaluate(
        "async () => { const known = await backstopOffline.fact('copies');"
        " await backstopOffline.setFact('copies', { ...known, good_until_utc_s: Date.now() / 1000 - 1 }); }"
    )
    page.goto(f"{site.base}{session}")
    expect(page.get_by_role("heading", name="Your session waits for the network")).to_be_visible()
    page.goto(f"{site.base}/week")
    expect(page.get_by_role("heading", name="Your week")).to_be_visible()
    page.goto(f"{site.base}/today")
    page.get_by_role("button", name="Spasm now").click()
    expect(page.get_by_role("heading", name="Kept: your back has cramped")).to_be_visible()
    keep(page, "offline-spasm-390")
    assert site.services.spasms.view(_athlete(site), site.athlete_id) is None
    page.context.set_offline(False)
    page.goto(f"{site.base}/week")
    until(page, NONE_WAITS)
    assert site.services.spasms.view(_athlete(site), site.athlete_id) is not None


@pytest.mark.parametrize("width", [390, 1440])
def test_it_can_be_installed_and_what_is_kept_goes_with_the_sign_in(make_site, browser: Browser, width: int) -> None:
    site = make_site()
    with_program(site)
    page = site.page(browser, site.athlete_user_id, width=width)
    keep_copies(page, site)
    tools = page.context.new_cdp_session(page)
    told = tools.send("Page.getAppManifest")
    assert told["errors"] == []
    assert json.loads(told["data"])["display"] == "standalone"
    against = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Every context of these tests is a private window, from which nothing is installed.
    assert [each["errorId"] for each in against] == ["in-incognito"]
    for icon in json.loads(told["data"])["icons"]:
        assert page.request.get(f"{site.base}{icon['src']}").ok
    assert site.told == []
    page.goto(f"{site.base}/account")
    page.get_by_role("button", name="Sign out here").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    until(page, "async () => !(await caches.has('backstop-pages-1'))")
