"""Every page with real amounts in it, looked at by axe-core: WCAG 2.2 AA in both widths and both schemes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.club.routes import Address, addresses, browsers, identity_of, site
from tests.club.seeding import Made

pytestmark = pytest.mark.browser

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
SIZES = {1440: 900, 390: 844}
LOOKS = list(product(SIZES, ("light", "dark")))


@dataclass(frozen=True)
class Served:
    """The club, served. pages: the addresses that answer a whole page."""

    base: str
    made: Made
    pages: list[Address]


@pytest.fixture
def served(club: Made) -> Iterator[Served]:
    """Serve the club in a thread, and find out which of its addresses are whole pages."""
    app = site(club)
    clients = browsers(app, club)
    pages = []
    for number, each in enumerate(addresses(app, club)):
        if number % 20 == 0:
            club.clock.forward(minutes=1)
        answer = clients[each.who].get(each.path)
        if answer.status_code == 200 and b"<html" in answer.data[:200]:
            pages.append(each)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", club, pages)
    server.shutdown()
    thread.join(10)
    server.server_close()


# A mark on a time line is as small as its day is. The same link stands as a sentence in the list behind the line: an
# equivalent control, which WCAG 2.5.8 asks for.
HAS_EQUIVALENT = """(selector) => {
  const mark = document.querySelector(selector);
  const same = mark ? [...document.querySelectorAll('main a')].filter(e => e.href === mark.href && e !== mark) : [];
  return same.some(e => e.closest('[data-as-numbers]') && e.textContent.trim().length > 3);
}"""


def violations(page: Page, where: str) -> list[str]:
    """Return what axe finds on a page as it is now: rule and element, four of a kind."""
    found = []
    for each in Axe().run(page, options=RULES).response["violations"]:
        nodes = each["nodes"]
        if each["id"] == "target-size":
            nodes = [node for node in nodes if not page.evaluate(HAS_EQUIVALENT, str(node["target"][0]))]
        found += [f"{where}: {each['id']}: {node['html'][:140]}" for node in nodes[:4]]
    return found


def look(
    served: Served, browser: Browser, pages: list[Address], looks_at: Callable[[int], list[tuple[int, str]]]
) -> list[str]:
    """Open pages and look at each in the given widths and schemes; return what is wrong."""
    found: list[str] = []
    open_pages: dict[str, Page] = {}
    for number, each in enumerate(pages):
        served.made.clock.forward(seconds=20)
        if each.who not in open_pages:
            page = open_pages[each.who] = browser.new_context().new_page()
            who = identity_of(served.made, each.who)
            if who is not None:
                page.goto(f"{served.base}/enter/{served.made.services.accounts.issue_sign_in_link(who.user_id)}")
        page = open_pages[each.who]
        page.goto(served.base + each.path)
        for width, scheme in looks_at(number):
            page.set_viewport_size({"width": width, "height": SIZES[width]})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += violations(page, f"{each.endpoint} ({each.who}, {width} {scheme})")
    for page in open_pages.values():
        page.context.close()
    return found


@pytest.mark.proof
def test_axe_finds_nothing_on_any_page(served: Served, browser: Browser, full_or_quick) -> None:
    """Quickly each page by one reader in one width and scheme, in turns; at the full figure all by all in all four."""
    each_in = full_or_quick(len(LOOKS), 1)
    pages = served.pages if each_in > 1 else list({each.endpoint: each for each in served.pages}.values())
    assert len(pages) > 50
    found = look(served, browser, pages, lambda number: [LOOKS[(number + at) % len(LOOKS)] for at in range(each_in)])
    if found:
        pytest.fail("\n".join(found))


# What sticks out of a phone, and what is torn in two: times and decimals belong on one line.
MISFITS = r"""() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) found.push(`sideways: ${wide} px`);
  const walk = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walk.nextNode()) {
    for (const number of walk.currentNode.textContent.matchAll(/\d{1,2}:\d{2}|\d+[.,]\d+/g)) {
      range.setStart(walk.currentNode, number.index);
      range.setEnd(walk.currentNode, number.index + number[0].length);
      if (new Set([...range.getClientRects()].map((rect) => Math.round(rect.top))).size > 1)
        found.push(`torn: ${number[0]}`);
    }
  }
  for (const button of document.querySelectorAll('main .btn')) {
    if (button.scrollWidth > button.clientWidth + 1 || button.scrollHeight > button.clientHeight + 1)
      found.push(`cut off: ${button.textContent.trim()}`);
  }
  return found; }"""


def test_every_page_fits_a_phone(served: Served, browser: Browser) -> None:
    """Each page once: by an athlete where they see it, for they have the phone."""
    pages = list({each.endpoint: each for each in sorted(served.pages, key=lambda each: each.who == "Mara")}.values())
    assert len(pages) > 50
    found: list[str] = []
    context_of = {who: browser.new_context(viewport={"width": 390, "height": 844}) for who in {e.who for e in pages}}
    opened = {who: context.new_page() for who, context in context_of.items()}
    for who, page in opened.items():
        identity = identity_of(served.made, who)
        if identity is not None:
            link = served.made.services.accounts.issue_sign_in_link(identity.user_id)
            page.goto(f"{served.base}/enter/{link}", wait_until="commit")
    for each in pages:
        served.made.clock.forward(seconds=20)
        page = opened[each.who]
        page.goto(served.base + each.path, wait_until="load")
        found += [f"{each.endpoint} ({each.who}): {what}" for what in page.evaluate(MISFITS)]
    for context in context_of.values():
        context.close()
    assert "\n".join(found) == ""


def test_what_does_not_fit_a_phone_is_seen(served: Served, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(served.base)
    assert page.evaluate(MISFITS) == []
    page.evaluate("""() => {
      const main = document.querySelector('main');
      main.insertAdjacentHTML('beforeend', '<p id="torn">18:30</p><div id="wide">.</div>');
      document.getElementById('torn').setAttribute('class', 'breakable');
      Object.assign(document.getElementById('torn').style, { width: '2ch' });
      Object.assign(document.getElementById('wide').style, { width: '500px' });
    }""")
    seen = page.evaluate(MISFITS)
    assert [each.partition(":")[0] for each in seen] == ["sideways", "torn"]
    page.context.close()


def test_axe_sees_what_is_wrong(served: Served, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.goto(served.base)
    assert violations(page, "/") == []
    page.evaluate("document.querySelector('main').append(Object.assign(document.createElement('input'), {id: 'x'}))")
    assert [each.split(": ")[1] for each in violations(page, "/")] == ["label"]
    page.context.close()
