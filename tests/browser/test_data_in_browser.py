"""What is kept, as a person sees it: the page, the download, and erasing by hand."""

from __future__ import annotations

import json
import zipfile
from itertools import product

import pytest
from playwright.sync_api import expect

from coach.exports.archive import MANIFEST
from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser


def test_the_page_in_both_sizes_and_schemes(browser, make_site, keep) -> None:
    site = make_site()
    for width, scheme in product((1440, 390), ("light", "dark")):
        page = site.page(browser, site.athlete_user_id, width, scheme)
        page.goto(f"{site.base}/data")
        looks_right(page)
        page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true; })")
        looks_right(page)
        keep(page, f"data-{width}-{scheme}")
        page.context.close()
    assert site.told == []


def test_everything_is_saved_and_then_erased(browser, make_site) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id, 390)
    page.goto(f"{site.base}/account")
    page.get_by_role("link", name="What is kept of you").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download everything").click()
    assert saved.value.suggested_filename.endswith(".zip")
    with zipfile.ZipFile(saved.value.path()) as file:
        assert json.loads(file.read(MANIFEST))["athlete_id"] == site.athlete_id
    page.get_by_label("to confirm").fill("somebody")
    page.get_by_role("button", name="Erase everything of you").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was erased")
    page.get_by_label("to confirm").fill("mara")
    page.get_by_role("button", name="Erase everything of you").click()
    expect(page.get_by_text("Everything of you is erased here.")).to_be_visible()
    coach = site.page(browser, site.coach_id, 390)
    coach.goto(f"{site.base}/athletes")
    expect(coach.get_by_text("Quiet Jo")).to_be_visible()
    expect(coach.get_by_text("Mara")).to_have_count(0)
    assert [said for said in site.told if "422" not in said] == []
