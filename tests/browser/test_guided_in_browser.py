"""A session that leads through its sets, in a browser, with a wearable behind bleak's own BlueZ backend."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from coach.service.types import SessionState
from coach.store import athletes
from programs.types import Lock
from tests.browser.conftest import Site
from tests.browser.guided_site import BRIDGE, HINGE, HINGE_LONG, HOLD, holds, reps, session_of, settle, worn
from tests.browser.test_axe_in_browser import violations
from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser


def begun(page: Page, site: Site, session_id: str) -> None:
    page.goto(f"{site.base}/sessions/{session_id}/guided")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_role("button", name="Start this set").click()


def count(page: Page) -> str:
    return page.locator('[data-at="count"]').inner_text()


def until(page: Page, holds_: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds_():
        assert time.monotonic() < deadline, "it did not come true in time"
        page.wait_for_timeout(50)


def lock_quietly(site: Site) -> Callable[[Lock], None]:
    """Lock the athlete as another process does, without a word to this one's pages; return what sets another lock."""

    def lock(kind: Lock) -> None:
        with site.services.guidance._ground.store.begin() as tx:
            athletes.change(tx, site.athlete_id, lock=kind.value)

    lock(Lock.ALL)
    return lock


def told(site: Site, session_id: str):  # type: ignore[no-untyped-def]
    athlete = site.services.accounts.identity(site.athlete_user_id)
    assert athlete is not None
    return site.services.guidance.view(athlete, session_id)


@pytest.mark.proof
def test_a_repetition_is_on_the_screen_in_time_and_the_count_is_what_was_simulated(
    browser, make_site, keep, full_or_quick: Callable[[int, int], int], figure
) -> None:
    number = full_or_quick(40, 4)
    site = make_site()
    session_id = session_of(site, [HINGE if number < 12 else HINGE_LONG])
    page = site.page(browser, site.athlete_user_id, 390)
    begun(page, site, session_id)
    motion = reps(number)
    truth = motion.truth(3.0 + 2.6 * number + 1.0)
    assert len(truth) == number
    with worn(site, motion) as wearable:
        expect(page.locator('[data-at="count"]')).to_have_text(str(number), timeout=1000 * (20 + 3 * number))
        page.wait_for_timeout(2500)  # nothing more is counted after the last one
        assert count(page) == str(number)
        looks_right(page)
        keep(page, "guided-count-390-light")
        began_utc_s = wearable.truth.motion_start_utc_s
        page.get_by_role("button", name="Set done").click()
        page.wait_for_timeout(300)
    assert began_utc_s is not None
    shown = page.evaluate("window.backstopGuided.shown")
    counts = [each["count"] for each in shown]
    assert counts == sorted(set(counts))
    # A number that was passed over stood there when a higher one did.
    first = [next(each for each in shown if each["count"] >= one) for one in range(1, number + 1)]
    late_s = np.array([each["at_utc_s"] - began_utc_s - one.end_s for each, one in zip(first, truth, strict=True)])
    way_s = np.array([each["at_utc_s"] - each["notified_utc_s"] for each in shown])
    figure(
        "guided: repetition's end to the number on the screen, p95",
        round(1000 * float(np.percentile(late_s, 95))),
        "ms",
    )
    figure("guided: notification to the number on the screen, p95", round(1000 * float(np.percentile(way_s, 95))), "ms")
    # A number before its repetition is half back would be a guess.
    assert late_s.min() > -1.0
    assert np.percentile(late_s, 95) < 5.0  # generous here; the figure is what is held to 0.5 s
    settle(site)
    done = told(site, session_id).sets[0]
    assert (done.seen, done.stored, done.counted) == (number, number, number)
    assert site.told == []
    page.context.close()


def test_holds_are_timed_and_counted_a_lost_link_goes_on_by_hand_and_coming_back_resumes(
    browser, make_site, keep
) -> None:
    site = make_site()
    session_id = session_of(site, [HOLD, BRIDGE])
    page = site.page(browser, site.athlete_user_id, 390)
    begun(page, site, session_id)
    with worn(site, holds(2), speed=2.0) as wearable:
        phase = page.locator('[data-at="phase"]')
        expect(phase).to_have_text("Hold.", timeout=20_000)
        keep(page, "guided-hold-390-light")
        expect(page.locator('[data-at="hold"]')).to_contain_text("of 4 s")
        expect(page.locator('[data-at="count"]')).to_have_text("2", timeout=30_000)
        wearable.leave_reach(0.2)
        lost = page.locator('[data-at="lost"]')
        expect(lost).to_contain_text("Your count of 2 is saved", timeout=15_000)
        tap = page.get_by_role("button", name="Count one by hand")
        tap.click()
        expect(page.locator('[data-at="count"]')).to_have_text("3")
        looks_right(page)
        assert violations(page, "guided") == []
        keep(page, "guided-lost-390-light")
        # Leaving and coming back, on another device.
        other = site.page(browser, site.athlete_user_id, 1440, "dark")
        other.goto(f"{site.base}/sessions/{session_id}/guided")
        expect(other.locator('[data-at="count"]')).to_have_text("3")
        other.get_by_role("button", name="Count one by hand").click()
        expect(page.locator('[data-at="count"]')).to_have_text("4", timeout=5_000)
        looks_right(other)
        keep(other, "guided-lost-1440-dark")
        other.get_by_role("button", name="Set done").click()
        expect(page.get_by_text("Rest.", exact=False).first).to_be_visible(timeout=5_000)
        expect(page.locator('[data-at="next"]')).to_contain_text("Side bridge, Set 1 of 3 · right side")
        keep(page, "guided-rest-390-light")
        other.context.close()
    settle(site)
    done = told(site, session_id).sets[0]
    assert (done.seen, done.by_hand, done.counted) == (2, 2, 4)
    page.get_by_role("button", name="Go on now").click()
    page.get_by_role("button", name="End the session here").click()
    page.locator('form[data-part="end"] label:has(input[name="effort"][value="4"])').click()
    page.locator('form[data-part="end"] label:has(input[name="pain_during"][value="1"])').click()
    page.locator('form[data-part="end"] label:has(input[name="pain_after"][value="0"])').click()
    looks_right(page)
    assert violations(page, "guided") == []
    keep(page, "guided-end-390-light")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{site.base}/today")
    athlete = site.services.accounts.identity(site.athlete_user_id)
    assert athlete is not None
    assert site.services.plans.session(athlete, session_id).state is SessionState.DONE
    assert site.told == []
    page.context.close()


def test_without_a_network_the_count_goes_on_and_is_sent_once(browser, make_site) -> None:
    site = make_site()
    for each in site.services.wearables.for_athlete(site.athlete_id):
        athlete = site.services.accounts.identity(site.athlete_user_id)
        assert athlete is not None
        site.services.wearables.forget(athlete, each.wearable_id)
    session_id = session_of(site, [HINGE])
    page = site.page(browser, site.athlete_user_id, 390)
    begun(page, site, session_id)
    tap = page.get_by_role("button", name="Count one", exact=True)
    tap.click()
    expect(page.locator('[data-at="wearable"]')).to_contain_text("No wearable sees this one")
    until(page, lambda: [each.counted for each in told(site, session_id).sets] == [1])
    page.context.set_offline(True)
    for _ in range(4):
        tap.click()
    expect(page.locator('[data-at="offline"]')).to_be_visible()
    page.get_by_role("button", name="Set done").click()
    expect(page.locator('[data-at="next"]')).to_contain_text("Set 2 of 2")
    before = told(site, session_id)
    assert before.sets[0].counted == 1
    page.context.set_offline(False)
    expect(page.locator('[data-at="offline"]')).to_be_hidden(timeout=20_000)
    until(page, lambda: [each.counted for each in told(site, session_id).sets] == [5])
    after = told(site, session_id)
    assert [(each.number, each.counted, each.state.value) for each in after.sets] == [(0, 5, "settled")]
    assert after.rest_until is not None
    page.context.close()


def test_a_lock_from_elsewhere_and_much_pain_end_it_and_lead_to_the_safety_questions(browser, make_site, keep) -> None:
    site = make_site()
    session_id = session_of(site, [HINGE])
    page = site.page(browser, site.athlete_user_id, 390, "dark")
    begun(page, site, session_id)
    for _ in range(3):
        page.get_by_role("button", name="Count one").click()
    until(page, lambda: [each.counted for each in told(site, session_id).sets] == [3])

    # Much pain is told in another tab: the open page stops by itself and says why; what was counted stays.
    other = page.context.new_page()
    other.goto(f"{site.base}/today")
    other.locator("[data-checkin] form").first.get_by_role("button", name="7", exact=True).click()
    expect(page.get_by_role("heading", name="Stop here for now")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("alert")).to_contain_text("The safety questions are due again")
    expect(page.get_by_role("button", name="Count one")).to_have_count(0)
    assert [(each.counted, each.state.value) for each in told(site, session_id).sets] == [(3, "settled")]
    looks_right(page)
    keep(page, "guided-halted-390-dark")
    other.close()

    # The questions are answered, and it goes on from there.
    site.say_no_to_all()
    page.goto(f"{site.base}/sessions/{session_id}/guided")
    page.get_by_role("button", name="Go on now").click()
    page.get_by_role("button", name="Start this set").click()
    # A lock that no event told of: the next post says so.
    lock = lock_quietly(site)
    page.get_by_role("button", name="Count one").click()
    expect(page.get_by_role("heading", name="Stop here for now")).to_be_visible(timeout=10_000)
    lock(Lock.NONE)
    page.goto(f"{site.base}/sessions/{session_id}/guided")

    # Pain that is told here
    page.get_by_text("It hurts", exact=True).click()
    form = page.locator("form[data-pain]")
    form.locator('label:has(input[value="3"])').click()
    form.get_by_role("button", name="Tell it").click()
    # A little pain goes on, and is remembered for the end.
    assert page.locator('form[data-part="end"] input[name="pain_during"]:checked').get_attribute("value") == "3"
    page.get_by_text("It hurts", exact=True).click()
    form.locator('label:has(input[value="7"])').click()
    expect(page.locator('[data-at="pain_says"]')).to_contain_text("ends the session")
    form.get_by_role("button", name="Tell it").click()
    expect(page.get_by_role("link", name="Answer the safety questions")).to_be_visible()
    looks_right(page)
    keep(page, "guided-stopped-390-dark")
    page.goto(f"{site.base}/today")
    athlete = site.services.accounts.identity(site.athlete_user_id)
    assert athlete is not None
    assert site.services.triage.view_for(athlete, site.athlete_id).must_ask
    page.context.close()
