"""The coach's desk in a browser: the list by keyboard alone, and one athlete's twelve weeks under one brush."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from coach.service.roster import Narrowing
from tests.club.routes import site
from tests.club.seeding import Made

pytestmark = pytest.mark.browser


@dataclass
class Desk:
    """The club, served. told: what consoles complained about."""

    base: str
    made: Made
    told: list[str] = field(default_factory=list)

    def page(self, browser: Browser, width: int = 1440, scheme: str = "light", scripts: bool = True) -> Page:
        """Open a browser of the coach's own."""
        size = {"width": width, "height": 900 if width > 800 else 844}
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
        page = context.new_page()
        page.on("console", lambda said: self.told.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.goto(f"{self.base}/enter/{self.made.services.accounts.issue_sign_in_link(self.made.coach.user_id)}")
        return page

    def names(self, **asked: str) -> list[str]:
        """Return who is on the list, in order, by what is asked for."""
        rows = self.made.services.athletes.roster(self.made.coach)
        return [row.athlete.name for row in rows if Narrowing(**asked).holds(row)]


@pytest.fixture
def desk(club: Made) -> Iterator[Desk]:
    server = make_server("127.0.0.1", 0, site(club), threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Desk(f"http://127.0.0.1:{server.server_port}", club)
    server.shutdown()
    thread.join(10)
    server.server_close()


def focused(page: Page) -> str:
    """Return whose row has the focus, nothing where none has."""
    return str(page.evaluate("document.activeElement.querySelector('.roster-who strong')?.textContent ?? ''"))


def shown(page: Page) -> list[str]:
    return page.locator(".roster-who strong").all_text_contents()


def test_the_list_is_gone_through_searched_and_opened_by_keyboard_alone(desk: Desk, browser: Browser) -> None:
    page, names = desk.page(browser), desk.names()
    page.goto(f"{desk.base}/athletes")
    assert shown(page) == names
    went = []
    for key in ("j", "j", "ArrowDown", "k", "G", "k", "g"):
        page.keyboard.press(key)
        went.append(focused(page))
    assert went == [names[0], names[1], names[2], names[1], names[-1], names[-2], names[0]]
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of this list")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("golf")
    golfers = desk.names(text="golf")
    assert 1 < len(golfers) < len(names)
    expect(page.locator(".roster-row")).to_have_count(len(golfers))
    assert page.evaluate("document.activeElement.id") == "q"  # the list changes, who types goes on
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert focused(page) == golfers[1]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(golfers[1])
    assert desk.told == []


def test_filters_are_combined_kept_in_the_address_and_reach_a_group(desk: Desk, browser: Browser) -> None:
    page, chosen = desk.page(browser), desk.names(sport="tennis")[:2]
    page.goto(f"{desk.base}/groups")
    page.get_by_label("Name").fill("Back after summer")
    page.get_by_role("button", name="Make").click()
    for name in chosen:
        page.get_by_label(name).check()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".roster-row")).to_have_count(len(chosen))
    assert sorted(shown(page)) == sorted(chosen)
    page.get_by_label("Group").select_option("")
    expect(page.locator(".roster-row")).to_have_count(len(desk.names()))
    rows = desk.made.services.athletes.roster(desk.made.coach)
    sport = next(row.athlete.sport for row in rows if "finding" in {each.kind for each in row.reasons})
    page.get_by_label("Sport").select_option(sport)
    page.get_by_label("Reason").select_option("finding")
    narrowed = desk.names(sport=sport, reason="finding")
    assert 0 < len(narrowed) < len(desk.names(sport=sport))
    expect(page.locator(".roster-row")).to_have_count(len(narrowed))
    assert {"sport": [sport], "reason": ["finding"]}.items() <= parse_qs(urlsplit(page.url).query).items()
    page.reload()
    assert shown(page) == narrowed
    assert desk.told == []


def test_without_scripts_the_list_is_narrowed_by_its_form_and_the_line_is_a_table(desk: Desk, browser: Browser) -> None:
    page = desk.page(browser, scripts=False)
    page.goto(f"{desk.base}/athletes")
    page.get_by_label("Sport").select_option("golf")
    page.get_by_role("button", name="Show").click()
    assert shown(page) == desk.names(sport="golf")
    page.locator(".roster-row").first.click()
    page.locator("[data-as-numbers] summary").click()
    assert page.locator("#time-line-numbers tbody tr").count() == 84
    assert page.locator("#time-line-numbers a[href^='/findings/']").count() > 3


def lanes_of(desk: Desk, browser: Browser, name: str, **look: object) -> tuple[Page, str]:
    """Open an athlete's page and wait until the lanes are drawn."""
    page, athlete_id = desk.page(browser, **look), desk.made.member(name).athlete_id
    page.goto(f"{desk.base}/athletes/{athlete_id}")
    expect(page.locator(".tl-axis")).to_be_visible()
    return page, athlete_id


def range_of(page: Page) -> tuple[datetime, datetime]:
    asked = parse_qs(urlsplit(page.url).query)
    start, end = (datetime.fromisoformat(asked[name][0]) for name in ("start", "end"))
    return start, end


def test_every_lane_lies_under_the_same_axis_with_what_there_is(desk: Desk, browser: Browser) -> None:
    page, athlete_id = lanes_of(desk, browser, "Finn")
    made = desk.made
    start, end = made.services.time_line.days(made.coach, athlete_id, 84)
    view = made.services.time_line.between(made.coach, athlete_id, start, end, 400)
    names = page.locator(".tl-name").evaluate_all("all => all.map((each) => each.firstChild.textContent)")
    assert names[0] == "Bends"
    assert names[-5:] == ["Findings", "Pain", "Sessions", "Tests", "Treatments"]
    assert len(view.findings) > 3
    lanes = page.locator("[data-lanes]")
    assert lanes.locator("a.tl-finding").count() == len(view.findings)
    assert lanes.locator(".tl-training").count() == len(view.trainings)
    assert lanes.locator("a.tl-session").count() == len(view.sessions)
    assert lanes.locator("a.tl-test").count() == len(view.tests or ())
    assert lanes.locator(".tl-treatment").count() == len(view.treatments or ()) > 0
    # One moment is at one place in all lanes: the middle of a test against that of a made mark of the axis.
    axis = page.locator(".tl-axis").bounding_box()
    assert axis is not None
    for mark, at in zip(page.locator("a.tl-test").all(), view.tests or (), strict=True):
        box = mark.bounding_box()
        assert box is not None
        share = (at.at_utc_s - view.start_utc_s) / (view.end_utc_s - view.start_utc_s)
        assert box["x"] + box["width"] / 2 == pytest.approx(axis["x"] + share * axis["width"], abs=1.5)
    assert desk.told == []


def test_a_brush_zooms_all_lanes_and_a_finding_is_one_step_from_its_signal(desk: Desk, browser: Browser) -> None:
    page, athlete_id = lanes_of(desk, browser, "Mara")
    start, end = desk.made.services.time_line.days(desk.made.coach, athlete_id, 84)
    axis = page.locator(".tl-axis").bounding_box()
    assert axis is not None
    # Over the last sixth: the last two weeks.
    y, right = axis["y"] - 40, axis["x"] + axis["width"]
    page.mouse.move(right - axis["width"] / 6, y)
    page.mouse.down()
    page.mouse.move(right - 30, y, steps=3)
    page.mouse.move(right, y, steps=3)
    page.mouse.up()
    page.wait_for_url(re.compile("start="))
    first, last = range_of(page)
    assert abs((last - end).total_seconds()) < 0.02 * (end - start).total_seconds()
    assert (last - first) / (end - start) == pytest.approx(1 / 6, abs=0.02)
    expect(page.locator(".tl-window")).to_be_visible()
    made = desk.made.services.time_line.between(desk.made.coach, athlete_id, first, last, 400)
    expect(page.locator("a.tl-finding")).to_have_count(len(made.findings))
    page.locator("[data-as-numbers] summary").click()
    expect(page.locator("#time-line-numbers tbody tr")).to_have_count(len(made.signal.t_utc_s))
    page.locator("a.tl-finding").last.click()
    expect(page).to_have_url(re.compile(r"/findings/\w+(\?window=\d+#signal)?$"))
    page.go_back()
    expect(page.locator(".tl-axis")).to_be_visible()
    assert range_of(page) == (first, last)  # as it was left
    assert desk.told == []


def test_by_keyboard_the_line_is_zoomed_moved_and_left_by_a_finding(desk: Desk, browser: Browser) -> None:
    page, _ = lanes_of(desk, browser, "Mara")
    page.locator("[data-lanes]").focus()
    ranges = []
    for key in ("+", "+", "ArrowLeft", "-", "0"):
        before = page.url
        page.keyboard.press(key)
        page.wait_for_function("(before) => location.href !== before", arg=before)
        ranges.append(range_of(page))
    whole = ranges[-1][1] - ranges[-1][0]
    assert [(end - start) / whole for start, end in ranges] == pytest.approx([1 / 2, 1 / 4, 1 / 4, 1 / 2, 1], rel=1e-6)
    assert abs(ranges[1][0] - ranges[2][0] - whole / 16) < timedelta(seconds=1)
    page.keyboard.press("Tab")
    said = page.evaluate("document.activeElement.dataset.says")
    assert said
    expect(page.locator("[data-readout]")).to_have_text(said)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/findings/\w+"))


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (390, "light"), (1440, "dark")])
def test_list_and_line_fit_a_phone_and_a_desk_in_both_schemes(
    desk: Desk, browser: Browser, keep, width: int, scheme: str
) -> None:
    page, _ = lanes_of(desk, browser, "Finn", width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    keep(page, f"desk-athlete-{width}-{scheme}")
    page.goto(f"{desk.base}/athletes")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    keep(page, f"desk-list-{width}-{scheme}")
    assert desk.told == []
