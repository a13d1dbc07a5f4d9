"""Every page with twelve weeks of forty athletes behind it: days are written for people, and each page leads back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient

from coach.service.types import Role, Units
from tests.club.routes import MARA, Address, addresses, browsers, site
from tests.club.seeding import Made

# Where an athlete's own four places are, and where somebody who sets up, or leads a session, goes on from.
_PLACES = ("/today", "/week", "/signals", "/me")
_LEADS_ON = ("start.", "guided.", "spasm.", "offline.", "account.confirm", "joining.", "phones.", "wearables.placement")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_SILENT = {"script", "style", "code", "textarea", "title"}


@dataclass
class Shape(HTMLParser):
    """What a page shows: its texts, the values of its date fields, where its main part leads."""

    texts: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    silent: int = 0
    main: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.silent += tag in _SILENT
        self.main = self.main or tag == "main"
        if tag == "input" and given.get("type") == "date":
            self.dates += [given[name] for name in ("value", "min", "max") if given.get(name)]
        if tag == "a" and self.main:
            self.links.append(given.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT
        self.main = self.main and tag != "main"

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


def shape_of(text: str) -> Shape:
    """Return what a page shows."""
    shape = Shape()
    shape.feed(text)
    return shape


def walk(made: Made, clients: dict[str, FlaskClient], pages: list[Address]) -> Iterator[tuple[Address, Shape]]:
    """Yield every whole page with what it shows."""
    for number, each in enumerate(pages):
        if number % 20 == 0:
            made.clock.forward(minutes=1)
        with clients[each.who].get(each.path) as answer:
            if answer.status_code == 200 and b"<html" in answer.data[:200]:
                yield each, shape_of(answer.text)


def test_days_are_written_for_people_and_each_page_leads_back(club: Made) -> None:
    app = site(club)
    clients, pages = browsers(app, club), list(addresses(app, club))
    # What a coach sees is seen in German too, so that no language is forgotten.
    club.services.accounts.read_in(club.coach, "de", Units.METRIC)
    as_machines, no_field, dead_ends, seen = list[str](), list[str](), list[str](), 0
    for each, shape in walk(club, clients, pages):
        seen += 1
        where = f"{each.endpoint} ({each.who})"
        as_machines += [f"{where}: {text.strip()[:80]}" for text in shape.texts if _ISO.search(text)]
        no_field += [f"{where}: {value}" for value in shape.dates if not _ISO.fullmatch(value)]
        if each.who == MARA and not leads_back(each, shape):
            dead_ends.append(where)
    assert seen > 80
    assert (as_machines, no_field, dead_ends) == ([], [], [])


def leads_back(page: Address, shape: Shape) -> bool:
    """Tell whether a page is one of the four places, or leads from its main part to another page than itself."""
    if page.path in _PLACES or page.endpoint.startswith(_LEADS_ON):
        return True
    return any(link.startswith("/") and link != page.path for link in shape.links[:1])


def test_a_day_as_machines_write_it_is_seen() -> None:
    shape = shape_of(
        "<title>2026-11-01</title><main><p>since 2026-11-27</p><code>2026-11-28</code>"
        '<input type="date" value="27 November 2026" max="2026-11-29"></main><a href="/me">Me</a>'
    )
    assert [text for text in shape.texts if _ISO.search(text)] == ["since 2026-11-27"]
    assert shape.dates == ["27 November 2026", "2026-11-29"]
    assert not leads_back(Address("diary.own", "/diary", MARA), shape)


def test_a_guardian_and_an_owner_read_days_too(club: Made) -> None:
    app, child = site(club), club.member("Alma")
    services = club.services
    pat = services.accounts.create_user("Pat Parent", Role.GUARDIAN)
    olga = services.accounts.create_user("Olga Owner", Role.OWNER)
    services.sharing.appoint(pat, child.athlete_id)
    own = f"/athletes/{child.athlete_id}"
    for user_id, paths in ((pat, ("/people", f"{own}/sharing", f"{own}/data", own)), (olga, ("/people", "/account"))):
        client = app.test_client()
        client.get(f"/enter/{services.accounts.issue_sign_in_link(user_id)}")
        for path in paths:
            with client.get(path) as answer:
                assert answer.status_code == 200, path
                assert [text for text in shape_of(answer.text).texts if _ISO.search(text)] == [], path
