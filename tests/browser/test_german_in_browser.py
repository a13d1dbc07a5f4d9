"""An athlete who reads German walks through their pages on a phone: no English sentence, and every word has room."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from coach.service.types import Units
from tests.browser.test_pages_in_browser import looks_right

pytestmark = pytest.mark.browser

# Words without which no English sentence does, and which German does not have.
ENGLISH = re.compile(
    r"\b(the|and|you|your|are|of|to|with|for|from|this|that|what|have|has|when|which|its|not|how|who|where|can|or|"
    r"yet|sessions|days|weeks)\b",
    re.IGNORECASE,
)
# What people see and what is read aloud to them; not what they are to type elsewhere, nor sources as they are cited.
SAID = """() => {
  const silent = 'script, style, code, textarea, svg, .command, [lang]:not(html), option[lang]';
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    if (text && !walk.currentNode.parentElement.closest(silent)) found.push(text);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
    if (e.closest(silent)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) found.push(e.getAttribute(name) ?? '');
  }
  return found; }"""
# Names of products, of papers and of what the maker's app calls its switches.
CITED = re.compile(
    r"Spine 25|Sci Sports|J Appl|Biomech|NICE|American College|Axler|Callaghan|McGill|Clin|ACSM|own heuristic|"
    r"Standardise|HTTP Push|Tap to Test|Data Streaming"
)


def english_on(page: Page) -> list[str]:
    """Return what a page says in English: two such words beside each other in a text, or one in a short one."""
    found = []
    for text in page.evaluate(SAID):
        words = ENGLISH.findall(text)
        if (len(words) > 1 or (words and len(text.split()) < 4)) and not CITED.search(text):
            found.append(text)
    return found


def test_a_walk_through_ones_own_pages_is_in_german_and_fits_the_phone(browser, make_site, keep) -> None:
    site = make_site()
    site.say_no_to_all()
    athlete = site.services.accounts.identity(site.athlete_user_id)
    assert athlete is not None
    site.services.accounts.read_in(athlete, "de", Units.METRIC)
    finding = site.services.findings.for_athlete(site.athlete_id)[0]
    own = f"/athletes/{site.athlete_id}"
    page = site.page(browser, site.athlete_user_id, 390)
    english: dict[str, list[str]] = {}
    for path in (
        "/today", "/week", "/signals", "/me", "/findings", f"/findings/{finding.finding_id}", "/days", f"{own}/profile",
        "/tests", "/diary", "/safety", "/spasm", "/choices", "/availability", "/reminders", "/wearables", "/sharing",
        "/data", "/account", f"{own}/treatments", f"{own}/everyday", f"{own}/for-the-doctor", f"{own}/imports",
    ):  # fmt: skip
        answer = page.goto(f"{site.base}{path}")
        assert answer is not None
        assert answer.status < 400, path
        assert page.evaluate("document.documentElement.lang") == "de"
        page.wait_for_load_state("networkidle") if path == "/signals" else None
        if found := english_on(page):
            english[path] = found
        looks_right(page)
    assert english == {}
    page.goto(f"{site.base}/signals")
    keep(page, "signals_390_german")
    page.goto(f"{site.base}/me")
    keep(page, "me_390_german")
