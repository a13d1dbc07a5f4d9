"""Both first runs in a browser: a coach by the owner's code, an athlete by the coach's code, to the first test."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from coach.analysis.guided import Side
from coach.service.invitations import InvitationKind
from coach.service.looks import HERE
from coach.service.types import Identity, Level, Purpose, Role
from tests.browser.conftest import Site
from tests.browser.test_assessments_in_browser import answered
from tests.browser.test_pages_in_browser import looks_right
from tests.browser.test_pairing_in_browser import SEEN, bowing

pytestmark = pytest.mark.browser

# s. The promise of the page; what a person reads and thinks is not in it, so a tenth is what is demanded here.
PROMISE_S, DEMANDED_S = 300.0, 120.0
# s. As long as the stopwatch of the first hold shows before it is stopped.
HELD_S = 3


def person(site: Site, name: str) -> Identity:
    return next(each for each in site.services.accounts.users() if each.name == name)


def settled(page: Page) -> None:
    """Look once the styles are there."""
    page.wait_for_load_state()
    looks_right(page)


@pytest.fixture
def coach_code(make_site: Callable[..., Site]) -> tuple[Site, str]:
    """A site and a code by which an owner lets a coach in."""
    site = make_site(moved=False)
    owner_id = site.services.accounts.create_user("Olga", Role.OWNER)
    owner = site.services.accounts.identity(owner_id)
    assert owner is not None
    return site, site.services.invitations.make(owner, InvitationKind.COACH)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_coach_enters_the_owners_code_and_asks_an_athlete(
    coach_code: tuple[Site, str], browser: Browser, keep: Callable[[Page, str], None], width: int
) -> None:
    site, code = coach_code
    page = site.page(browser, None, width=width)
    page.goto(f"{site.base}/join")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Read what it says").click()
    page.get_by_label("Your name").fill("Nia")
    page.get_by_role("button", name="Let me in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert person(site, "Nia").role is Role.COACH
    settled(page)
    keep(page, f"first-run-coach-{width}")
    page.goto(f"{site.base}/people")
    page.get_by_role("button", name="Make a code").first.click()
    expect(page.get_by_text("works once", exact=False).first).to_be_visible()
    assert [each.kind for each in site.services.invitations.mine(person(site, "Nia"))] == [InvitationKind.ATHLETE]
    assert site.told == []


@pytest.mark.parametrize("width", [390, 1440])
def test_an_athlete_goes_from_the_code_to_the_first_test(
    make_site: Callable[..., Site], browser: Browser, keep: Callable[[Page, str], None], width: int
) -> None:
    site = make_site(moved=False)
    site.services.looks.attach(lambda: None)
    coach = site.services.accounts.identity(site.coach_id)
    assert coach is not None
    code = site.services.invitations.make(coach, InvitationKind.ATHLETE, Level.FULL)
    began_s = time.monotonic()
    page = site.page(browser, None, width=width)
    page.goto(f"{site.base}/join")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Read what it says").click()
    page.get_by_label("Name of the athlete").fill("Pia")
    page.get_by_label("Born on").fill("1998-05-04")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("checkbox", name="Measuring").check()
    page.get_by_role("button", name="I agree, let me in").click()
    expect(page.get_by_role("heading", name="Welcome, Pia")).to_be_visible()
    settled(page)
    keep(page, f"first-run-start-{width}")
    pia = person(site, "Pia")
    assert pia.athlete_id is not None
    # What one agrees to, by purpose, was asked with the code.
    page.get_by_role("link", name="Start", exact=True).click()

    # Sport, sides, injuries: skipped, and resumed at the end
    expect(page.get_by_role("heading", name="Your sport, your sides")).to_be_visible()
    settled(page)
    keep(page, f"first-run-body-{width}")
    page.get_by_role("button", name="Skip this step").click()

    # The safety questions, on their own page
    expect(page.get_by_role("region", name="Setting up")).to_contain_text("3 of 6")
    for question in site.services.triage.questions():
        page.locator(f'input[name="{question.id}"][value="no"]').check()
    page.get_by_role("button", name="Save my answers").click()

    # Pairing a wearable that is heard
    expect(page.get_by_role("region", name="Setting up")).to_contain_text("4 of 6")
    page.get_by_role("button", name="Look for wearables in reach").click()
    expect(page.get_by_text("Looking,")).to_be_visible()
    site.services.looks.heard(pia.athlete_id, HERE, SEEN, None)
    page.get_by_role("link", name="Add Movella DOT").click()
    page.locator(".spot-upper-back").click()
    page.get_by_role("button", name="This is where it is").click()
    expect(page.get_by_role("heading", name="Upright pose and one bow")).to_be_visible()
    expect(page.get_by_role("region", name="Setting up").get_by_role("link", name="Done: go on")).to_be_visible()
    settled(page)
    keep(page, f"first-run-paired-{width}")
    page.get_by_role("link", name="Done: go on").click()

    # The upright pose and the bow
    expect(page.get_by_role("region", name="Setting up")).to_contain_text("5 of 6")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".big-sentence")).to_contain_text("Waiting for its first signal")
    (worn,) = site.services.wearables.for_athlete(pia.athlete_id)
    for _ in bowing(site, worn.wearable_id):
        page.wait_for_timeout(900)
    expect(page.get_by_text("forward is told from sideways")).to_be_visible()
    page.get_by_role("link", name="Done").last.click()
    page.goto(f"{site.base}/start")
    expect(page.get_by_text("4 of 6 done")).to_be_visible()

    # What was skipped is resumed, from another browser
    other = site.page(browser, pia.user_id, width=width)
    expect(other.get_by_text("Setting up: 4 of 6 done.")).to_be_visible()
    other.get_by_role("link", name="Go on with it").click()
    other.get_by_role("link", name="Your sport, your sides").click()
    other.get_by_label("Sport or work").select_option(label="Golf")
    other.get_by_label("right", exact=True).check()
    other.get_by_label("lower back").check()
    other.get_by_label("neck pain").check()
    other.get_by_label("What and when").fill("a strain in 2024")
    other.get_by_role("button", name="Keep this and go on").click()
    told = site.services.bodies.of_athlete(pia, pia.athlete_id)
    assert told is not None
    assert (told.side, told.injured_at, told.injuries) == (Side.RIGHT, ("lower_back",), "a strain in 2024")
    assert told.hurts_now == ("neck_pain",)
    assert site.services.athletes.get(pia, pia.athlete_id).profile_id == "golf"

    # The first test, on the side that was named. Nothing sends here, so the page's own stopwatch takes the time.
    expect(other.get_by_role("heading", name="One hold to begin with")).to_be_visible()
    expect(other.get_by_role("region", name="Setting up")).to_contain_text("6 of 6")
    other.get_by_label("By hand").check()
    settled(other)
    keep(other, f"first-run-test-{width}")
    answered(other)
    expect(other.get_by_role("heading", name="Side bridge, right")).to_be_visible()
    other.get_by_role("button", name="Start", exact=True).click()
    expect(other.locator(".hold-time")).to_contain_text(str(HELD_S), timeout=10_000)
    keep(other, f"first-run-holding-{width}")
    other.get_by_role("button", name="Stop").click()
    other.get_by_role("button", name="See the results").click()

    # The run ends on Today, with what was learnt
    expect(other.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    learnt = other.get_by_text("Your first test: Side bridge, right,")
    expect(learnt).to_contain_text("The next is in 4 weeks.")
    settled(other)
    keep(other, f"first-run-learnt-{width}")
    (tested,) = site.services.assessments.overview(pia, pia.athlete_id).past
    (trial,) = tested.trials
    assert trial.known is not None
    assert trial.known.value is not None
    assert HELD_S <= trial.known.value < HELD_S + 4
    expect(learnt).to_contain_text(f"{trial.known.value:.1f}")
    passed_s = time.monotonic() - began_s
    print(f"\nfirst run to the result of the first test, {width} px: {passed_s:.0f} s of clicks and pages, a hold of")
    print(f"{HELD_S} s in it; promised {PROMISE_S:.0f} s with reading")
    assert passed_s < DEMANDED_S
    run = site.services.first_run.view(pia, pia.athlete_id)
    assert (run.done, run.ended) == (len(run.steps), True)
    assert other.get_by_text("Setting up:").count() == 0
    assert site.told == []


@pytest.mark.parametrize("width", [390, 1440])
def test_a_sign_in_link_leads_to_the_purposes_and_each_is_ones_own(
    make_site: Callable[..., Site], browser: Browser, keep: Callable[[Page, str], None], width: int
) -> None:
    site = make_site(moved=False)
    user_id = site.services.accounts.create_user("Quiet Jo", Role.ATHLETE, athlete_id=site.quiet_id)
    jo = site.services.accounts.identity(user_id)
    assert jo is not None
    page = site.page(browser, user_id, width=width)
    expect(page.get_by_role("heading", name="Welcome, Quiet Jo")).to_be_visible()
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_role("checkbox", name="Measuring").check()
    page.get_by_role("checkbox", name="Sharing with your coaches").check()
    page.get_by_role("checkbox", name="Research").uncheck()
    settled(page)
    keep(page, f"first-run-consents-{width}")
    page.get_by_role("button", name="Keep this and go on").click()
    expect(page.get_by_role("heading", name="Your sport, your sides")).to_be_visible()
    agreed = {each.text.purpose for each in site.services.consents.of_athlete(jo, site.quiet_id).now if each.stands}
    assert Purpose.SENSING in agreed
    assert Purpose.SHARING in agreed
    assert Purpose.RESEARCH not in agreed
    page.goto(f"{site.base}/start")
    page.get_by_role("button", name="Not now: take me to Today").click()
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    assert page.get_by_text("Setting up:").count() == 0
    assert site.told == []
