"""The program desk as a browser shows it: decided for one and for many, edited, a template applied, an own exercise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from coach.service.types import Role
from programs.compose import Chosen
from programs.types import Answer
from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser

NAMES = ("Ben", "Cleo", "Dora")


def people(site) -> dict[str, str]:
    """Three more athletes of the coach's: all but Cleo have nothing to tell, and Cleo should see a doctor first."""
    services, found = site.services, {}
    site.say_no_to_all()
    for name in NAMES:
        athlete_id = services.athletes.create(name, "Europe/Berlin", site.coach_id)
        athlete = services.accounts.identity(services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id))
        told = Answer.YES if name == "Cleo" else Answer.NO
        answers = {question.id: told for question in services.triage.questions()}
        services.triage.answer(athlete, athlete_id, answers, 30)
        found[name] = athlete_id
    return found


def card(page: Page, name: str) -> Locator:
    """The card of one athlete's proposal."""
    return page.locator(".proposal", has=page.locator(".proposal-who", has_text=name))


def test_from_an_own_exercise_over_a_template_to_a_session(browser, make_site, keep) -> None:
    site = make_site()
    found = people(site)
    page = site.page(browser, site.coach_id)

    # An exercise of the coach's own, by its form.
    page.goto(f"{site.base}/own-exercises/new")
    page.get_by_label("Name", exact=True).fill("Suitcase hold")
    page.get_by_label("What it aims at").fill("holding your trunk upright against a weight at one side")
    page.get_by_label("Cues, one to a line").fill("Stand tall with the weight in one hand.\nNothing leans.")
    page.get_by_label("What to do when it hurts").fill("Take a lighter weight.")
    page.get_by_label("Where it is from").fill("Own choice.")
    page.get_by_label("Drawing").select_option("side_bridge")
    page.locator("#level_name_0").fill("a light weight")
    page.locator("#level_sets_0").fill("3, 3")
    page.locator("#level_hold_0").fill("10")
    page.get_by_label("a lot of bending").check()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="Suitcase hold")).to_be_visible()
    looks_right(page)

    # A template with it, proposed to everybody.
    page.goto(f"{site.base}/templates")
    page.get_by_text("A new template").click()
    page.get_by_label("Name", exact=True).fill("Sides")
    page.locator("#add_0").select_option(label="Suitcase hold (1)")
    page.locator("#add_1").select_option("bird_dog")
    page.get_by_role("button", name="Keep the template").click()
    for name in NAMES:
        page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("Proposed to 3 athletes.")).to_be_visible()
    keep(page, "template-applied-1440-light")

    # Decided for many: who is held back is said with the sentence, the others go through.
    page.goto(f"{site.base}/programs")
    expect(page.locator(".proposal")).to_have_count(4)
    looks_right(page)
    keep(page, "program-desk-1440-light")
    for name in ("Ben", "Cleo"):
        card(page, name).get_by_role("checkbox").check()
    expect(page.get_by_text("chosen: 2")).to_be_visible()
    page.get_by_role("button", name="Accept chosen").click()
    expect(page.get_by_text("Accepted for 1 athlete.")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Cleo: Paused: medical review advised.")
    assert site.services.plans.active(found["Ben"]) is not None
    assert site.services.plans.active(found["Cleo"]) is None

    # Declined for one, with a reason.
    dora = card(page, "Dora")
    dora.locator("summary").click()
    dora.get_by_placeholder("why not; may stay open").fill("on holiday")
    dora.get_by_role("button", name="Decline it").click()
    expect(page.get_by_text("Declined for 1 athlete.")).to_be_visible()
    assert site.services.plans.proposal(found["Dora"]) is None

    # Edited for one, and accepted: another level brings its own dose.
    mara = card(page, "Mara")
    mara.get_by_role("link", name="Edit for Mara").click()
    first = page.locator(".edit-line").first
    first.get_by_label("level").select_option(index=1)
    page.locator("#add_0").select_option(label="Suitcase hold (1)")
    looks_right(page)
    keep(page, "program-edit-1440-light")
    page.get_by_role("button", name="Keep and accept").click()
    expect(page.get_by_text("Accepted for Mara, as you changed it.")).to_be_visible()
    active = site.services.plans.active(site.athlete_id)
    assert active is not None
    assert active.prescription.exercises[0].level == 1
    assert active.prescription.exercises[-1].own is not None

    # It reaches the athlete's session, on a phone, with the coach's message.
    day = datetime.now(UTC).date()
    session = site.services.plans.week(site.athlete_id, day)[0].session_id
    page.goto(f"{site.base}/sessions/{session}")
    page.get_by_label("Your message with this session").fill("Slowly today.")
    page.get_by_role("button", name="Keep the message").click()
    phone = site.page(browser, site.athlete_user_id, 390, "dark")
    phone.goto(f"{site.base}/sessions/{session}")
    expect(phone.get_by_role("heading", name="Suitcase hold")).to_be_visible()
    expect(phone.get_by_text("Stand tall with the weight in one hand.")).to_be_visible()
    expect(phone.get_by_text("Slowly today.")).to_be_visible()
    keep(phone, "session-with-own-exercise-390-dark")
    assert site.told == []


def test_many_are_accepted_by_one_tick_and_the_keyboard(browser, make_site, keep) -> None:
    site = make_site()
    found = people(site)
    services = site.services
    coach = services.accounts.identity(site.coach_id)
    assert coach is not None
    made = services.plan_templates.make(coach, "Back basics", [Chosen("bird_dog", 0)], 3, 4)
    services.plan_templates.apply(coach, made.template_id, [found["Ben"], found["Dora"]])
    page = site.page(browser, site.coach_id, 390, "dark")
    page.goto(f"{site.base}/programs")
    looks_right(page)
    keep(page, "program-desk-390-dark")
    page.get_by_label("all on this page").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("chosen: 3")).to_be_visible()
    page.get_by_role("button", name="Accept chosen").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Accepted for 3 athletes.")).to_be_visible()
    for athlete_id in (site.athlete_id, found["Ben"], found["Dora"]):
        assert services.plans.active(athlete_id) is not None
    # Without what is wanted nothing is left over; the library is narrowed while one types.
    page.goto(f"{site.base}/library")
    page.get_by_label("Search").fill("bridge")
    expect(page.locator(".shelf-item").first).to_contain_text("bridge", ignore_case=True)
    expect(page.get_by_text("Bird-dog", exact=True)).to_have_count(0)
    looks_right(page)
    keep(page, "library-390-dark")
    assert site.told == []
