"""Findings and days as a browser shows them: jumping between windows, brackets, both sizes and schemes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from coach.config import Config
from coach.live import LiveFeed
from coach.store.engine import migrate, open_store
from coach.web import create_app
from tests.browser.test_pages_in_browser import looks_right
from tests.coach.club import Club, FakeClock, bending_chunks, found_club
from tests.coach.every_answer import store_every_answer
from tests.coach.service.test_days import analysed

pytestmark = pytest.mark.browser

# Afternoon in Berlin; in the morning somebody bent twice, in two recordings.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NINE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC).timestamp()


@dataclass
class Worn:
    club: Club
    base: str
    finding_id: str
    told: list[str]

    def page(self, browser: Browser, width: int, scheme: str = "light") -> Page:
        height = 900 if width > 800 else 844
        page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
        page.on("console", lambda said: self.told.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.goto(f"{self.base}/enter/{self.club.services.accounts.issue_sign_in_link(self.club.athlete.user_id)}")
        return page


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worn]:
    """A day with two windows, and every answer in summer; the tests only read."""
    with open_store(tmp_path_factory.mktemp("worn") / "backstop.db") as store:
        migrate(store)
        club = found_club(store, FakeClock(NOW))
        analysed(club, bending_chunks(12, 6, NINE, "first"), bending_chunks(11, 8, NINE + 7200, "second"))
        (found,) = (
            each for each in club.services.findings.for_athlete(club.athlete_id) if each.kind == "repeated_bending"
        )
        assert [each["stream_id"] for each in found.windows] != [found.windows[0]["stream_id"]] * 2
        store_every_answer(store, club.config, club.athlete_id, found.windows[0]["stream_id"], NOW)
        app = create_app(club.services, LiveFeed(8), Config(), "k" * 32, clock=club.clock)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Worn(club, f"http://127.0.0.1:{server.server_port}", found.finding_id, [])
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_a_window_is_jumped_to_without_a_reload_and_shows_its_own_signal(browser, worn) -> None:
    page = worn.page(browser, 1440)
    page.goto(f"{worn.base}/findings/{worn.finding_id}")
    title, rows = page.locator("#signal-title"), page.locator("#signal-numbers tr")
    expect(title).to_contain_text("How far your trunk was from upright: Today, 09:00 to 09:12 (12 min)")
    page.wait_for_function("() => document.querySelectorAll('#signal canvas').length === 1")
    page.get_by_text("As numbers").click()
    expect(rows.first).to_contain_text("09:0")
    page.evaluate("window.notReloaded = true")
    with page.expect_response("**/signal.json?window=1"):
        page.get_by_role("link", name="11:00 to 11:11").click()
    expect(title).to_contain_text("11:00 to 11:11 (11 min)")
    page.wait_for_function("() => document.querySelectorAll('#signal canvas').length === 1")
    expect(page.locator("#signal-numbers th").nth(3)).to_contain_text("11:0")
    expect(page.locator("#signal [aria-current]")).to_have_text("11:00 to 11:11")
    assert page.evaluate("window.notReloaded") is True
    # The same window by its address, as whoever got the link sees it.
    page.goto(f"{worn.base}/findings/{worn.finding_id}?window=1#signal")
    expect(title).to_contain_text("11:00 to 11:11")
    page.wait_for_function("() => document.querySelectorAll('#signal canvas').length === 1")
    assert worn.told == []
    page.context.close()


def test_the_day_has_its_line_with_a_bracket_for_each_window(browser, worn) -> None:
    page = worn.page(browser, 390)
    page.goto(f"{worn.base}/days")
    page.wait_for_function("() => document.querySelectorAll('.chart canvas').length === 1")
    assert len(page.evaluate("JSON.parse(document.querySelector('[data-brackets]').dataset.brackets)")) == 2
    # The colour of what was found is under the line twice, with nothing of it between the two.
    runs = page.evaluate("""() => {
      const canvas = document.querySelector('.chart canvas'), context = canvas.getContext('2d');
      const probe = document.createElement('span');
      probe.style.color = 'var(--bs-notice)';
      document.body.append(probe);
      const wanted = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
      const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
      const has = Array.from({length: canvas.width}, (_, x) => {
        for (let y = 0; y < canvas.height; y += 1) {
          const at = 4 * (y * canvas.width + x);
          if (wanted.every((part, i) => Math.abs(data[at + i] - part) < 12) && data[at + 3] > 200) return true;
        }
        return false;
      });
      return has.filter((each, x) => each && !has[x - 1]).length;
    }""")
    assert runs == 2
    page.get_by_role("link", name="Yesterday").click()
    expect(page.get_by_role("heading", name="Nothing was looked at")).to_be_visible()
    page.get_by_role("link", name="Today", exact=True).first.click()
    page.get_by_role("link", name="Evidence, limits, windows").first.click()
    expect(page.get_by_role("heading", name="Because")).to_be_visible()
    assert worn.told == []
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_pages_of_findings_in_both_sizes_and_schemes(browser, worn, keep, width: int, scheme: str) -> None:
    page, athlete = worn.page(browser, width, scheme), f"/athletes/{worn.club.athlete_id}"
    for path, name in (
        (f"/findings/{worn.finding_id}", "finding"),
        (f"{athlete}/days/2026-11-24", "day"),
        (f"{athlete}/days/2026-06-01", "day-busy"),
        (f"{athlete}/days/2026-06-03", "day-learning"),
        (f"{athlete}/versions", "versions"),
        (f"{athlete}/profile", "profile"),
        ("/today", "today-findings"),
    ):
        page.goto(worn.base + path)
        if name in {"finding", "day"}:
            page.wait_for_function("() => document.querySelectorAll('.chart canvas').length > 0")
        # What is folded has to be right as well.
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        looks_right(page)
        keep(page, f"{name}-{width}-{scheme}")
    assert worn.told == []
    page.context.close()
