"""Pairing as a person does it: look, choose the place on the body, stand and bow; with a thumb, a mouse or the keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from coach.service.looks import HERE
from coach.service.tokens import Scope
from coach.wire import Beat, InReach, LinkLogText
from devices.types import LinkState, LinkStatus, Placement
from tests.browser.test_pages_in_browser import looks_right
from tests.coach.service.test_calibration import Body

pytestmark = pytest.mark.browser

SEEN = (
    InReach("AA:BB:CC:00:00:51", "Movella DOT", "movella-dot", -52),
    InReach("AA:BB:CC:00:00:52", "WT901BLE67", "witmotion", -72),
    InReach("AA:BB:CC:00:00:53", "Polar H10 8C4CAD2F", "polar-h10", -93),
    InReach("AA:BB:CC:00:00:54", "TV", None, -60),
)
# What is hit by a thumb anywhere within 20 px of a place's middle.
HITS = """() => [...document.querySelectorAll('.spot')].map(spot => {
  const box = spot.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  const own = [[0, 0], [20, 0], [-20, 0], [0, 20], [0, -20]].every(([dx, dy]) =>
    document.elementFromPoint(x + dx, y + dy)?.closest('.spot') === spot);
  return [spot.querySelector('input').value, box.width >= 44 && box.height >= 44 && own]; })"""


def found(site, page: Page) -> None:  # type: ignore[no-untyped-def]
    """Look, with a radio that hears four devices."""
    page.get_by_role("button", name="Look for wearables in reach").click()
    expect(page.get_by_text("Looking,")).to_be_visible()
    site.services.looks.heard(site.athlete_id, HERE, SEEN, None)
    expect(page.get_by_role("link", name="Add Polar H10 8C4CAD2F")).to_be_visible()


def bowing(site, wearable_id: str) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """Let the wearable send a stance and a bow; stops in the stance, within the bow, and at the end."""
    blocks = Body(3).stand(4).lean(50).lean(0).stand(2).blocks()
    for number, block in enumerate(blocks):
        site.services.poses.take(wearable_id, block)
        if number in {6, 14, 20, 28}:
            yield
    yield


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")])
def test_every_step_of_pairing_reads_well(browser, make_site, keep, width: int, scheme: str) -> None:
    site = make_site()
    site.services.looks.attach(lambda: None)
    page = site.page(browser, site.athlete_user_id, width, scheme)
    (strap,) = site.services.wearables.for_athlete(site.athlete_id)
    lost = LinkStatus(
        LinkState.BLOCKED, time.time(), "It lets nobody connect: close other apps.", silent_since_utc_s=time.time() - 12
    )
    site.services.links.show(strap.wearable_id, lambda: lost)
    site.services.gateways.keep_log(LinkLogText(strap.wearable_id, "rec", "redacted", "whole"))
    page.goto(f"{site.base}/wearables")
    expect(page.get_by_text("Nothing since")).to_be_visible()
    found(site, page)
    looks_right(page)
    keep(page, f"pairing-look-{width}-{scheme}")
    page.get_by_role("link", name="Add Movella DOT").click()
    page.wait_for_load_state("load")
    assert dict(page.evaluate(HITS)) == {each.value: True for each in Placement}
    page.locator(".spot-wrist-left").click()
    expect(page.locator(".said:visible")).to_have_text("left wrist")
    page.locator(".spot-upper-back").click()
    expect(page.locator(".said:visible")).to_have_text("upper back")
    looks_right(page)
    keep(page, f"pairing-place-{width}-{scheme}")
    page.get_by_role("button", name="This is where it is").click()
    dot = next(each for each in site.services.wearables.for_athlete(site.athlete_id) if each.name == "Movella DOT")
    assert dot.placement == "upper_back"
    looks_right(page)
    if (width, scheme) in {(390, "light"), (1440, "dark")}:
        bow_is_seen(site, page, dot.wearable_id, lambda name: keep(page, f"pairing-{name}-{width}-{scheme}"))
    page.goto(f"{site.base}/wearables")
    page.get_by_label("Give it a name").fill("laptop at home")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    looks_right(page)
    keep(page, f"pairing-token-{width}-{scheme}")
    assert site.told == []
    page.context.close()


def bow_is_seen(site, page: Page, wearable_id: str, keep: Callable[[str], None]) -> None:  # type: ignore[no-untyped-def]
    """Start, stand, bow; the page says each step, and what it saved."""
    page.get_by_role("button", name="Start").click()
    # What comes before the page asked for it is nobody's pose.
    expect(page.locator(".big-sentence")).to_contain_text("Waiting for its first signal")
    steps = bowing(site, wearable_id)
    for says in ("Still for", "Upright pose taken", "Bowing:", "Coming back up:", "Bow seen:"):
        next(steps)
        expect(page.locator(".big-sentence")).to_contain_text(says, timeout=5000)
        if says.startswith("Bow"):
            looks_right(page)
            keep(says.split()[0].lower().strip(":"))
    expect(page.get_by_text("forward is told from sideways")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("with a bow", exact=False).first).to_be_visible()


def test_the_whole_way_by_keys(browser, make_site) -> None:
    site = make_site()
    site.services.looks.attach(lambda: None)
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/wearables")
    found(site, page)
    page.get_by_role("link", name="Add WT901BLE67").press("Enter")
    places = page.get_by_role("radio")
    expect(places).to_have_count(len(Placement))
    page.get_by_role("radio", name="lower back").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="upper back")).to_be_checked()
    outline = page.evaluate("getComputedStyle(document.activeElement.closest('.spot')).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="right ankle")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upright pose", exact=True)).to_be_visible()
    assert "Bow forward once" not in page.inner_text("main")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Start").press("Enter")
    expect(page.get_by_text("Waiting for its first signal")).to_be_visible()
    assert site.told == []
    page.context.close()


def test_what_a_person_holds_stays_while_the_list_moves_and_the_questions_end_with_the_look(browser, make_site) -> None:
    site = make_site()
    site.services.looks.attach(lambda: None)
    page = site.page(browser, site.athlete_user_id, 390)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/wearables/look") else None)
    page.goto(f"{site.base}/wearables")
    found(site, page)
    page.get_by_text("What a WitMotion WT901BLE cannot do").click()
    add = page.get_by_role("link", name="Add WT901BLE67")
    add.focus()
    new = InReach("AA:BB:CC:00:00:50", "Verity", "polar-verity-sense", -40)
    site.services.looks.heard(site.athlete_id, HERE, (new,), None)
    expect(page.get_by_role("link", name="Add Verity")).to_be_visible()
    expect(add).to_be_focused()
    expect(page.get_by_text("It has no checksum")).to_be_visible()
    site.services.looks._looks[site.athlete_id].until_utc_s = 0.0
    expect(page.get_by_role("button", name="Look again")).to_be_visible()
    before = len(asked)
    page.wait_for_timeout(1500)
    assert len(asked) == before
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Looking,")).to_be_visible()
    page.wait_for_timeout(1300)
    assert len(asked) > before + 1
    assert site.told == []
    page.context.close()


def test_a_gateway_away_shows_on_the_open_page(browser, make_site) -> None:
    site = make_site()
    athlete = site.services.accounts.identity(site.athlete_user_id)
    token = site.services.tokens.issue(athlete, site.athlete_id, "laptop")
    (strap,) = site.services.wearables.for_athlete(site.athlete_id)
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/wearables")
    expect(page.get_by_text("not connected")).to_be_visible()
    holder = site.services.tokens.holder(token, Scope.GATEWAY)
    streaming = LinkStatus(LinkState.STREAMING, time.time(), battery_share=0.4)
    site.services.gateways.beat(holder, Beat("i", time.time(), {strap.wearable_id: streaming}), lambda _: False)
    expect(page.get_by_text("streaming · battery 40")).to_be_visible(timeout=6000)
    assert site.told == []
    page.context.close()
