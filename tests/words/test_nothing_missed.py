"""No page shows a word that did not go through the catalogues: with each text in brackets, nothing is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.support import NullTranslations

from coach import exercise_texts, language, said
from tests.club.routes import addresses, browsers, site
from tests.club.seeding import Made
from tests.words.phrases import Said, wrong
from tests.words.rendered import _SAYING, of_page

LIST = Path(__file__).with_name("unmarked_pages.txt")
_BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
# Signs of units, names of ours and of days, and words that both languages share.
_SAME = set(
    _LETTERS.findall(
        "min Hz kg cm lb Backstop Deutsch English FHIR PDF CSV JSON UTC iCal RMSSD MAD deg ms dBm MB kB Mail "
        "Push Webhook MRT Mo Di Mi Do Fr Sa So Januar Februar März April Mai Juni Juli August September Oktober "
        "November Dezember "
        "Jan Feb Mär Apr Jun Jul Aug Sept Sep Okt Nov Dez"
    )
)


class _Bracketed(NullTranslations):
    """Says each text in brackets, so that it can be told from what nobody marked."""

    def ugettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ungettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def upgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"

    def unpgettext(self, context: str, singular: str, plural: str, num: int) -> str:
        return f"⟦{singular if num == 1 else plural}⟧"


class _Data(dict[str, Any]):
    """Says each text of a data file in brackets."""

    def get(self, key: str, default: Any = None) -> Any:
        if isinstance(default, str):
            return f"⟦{default}⟧"
        if isinstance(default, list | tuple):
            return [f"⟦{each}⟧" for each in default]
        return _Data()


class _Left(HTMLParser):
    """Collects what is read outside of brackets."""

    def __init__(self, known: set[str]) -> None:
        super().__init__()
        self.left: list[str] = []
        self._known, self._silent, self._text = known, 0, ""

    def take(self, text: str) -> None:
        before = None
        while before != text:
            before, text = text, _BRACKETED.sub(" ", text)
        # A page may show one sentence of a text by itself: then one of its brackets is elsewhere.
        text = re.sub(r"⟦.*$", "", re.sub(r"^[^⟦]*⟧", "", text, flags=re.S), flags=re.S)
        # Names of settings and editions are the machine's own, as an example of a code is.
        plain = re.sub(r"\b\w*[_.\d]\w*\b", " ", text)
        if any(word not in self._known for word in _LETTERS.findall(plain)):
            self.left.append(" ".join(text.split())[:90])

    def _end_of_text(self) -> None:
        text, self._text = self._text, ""
        if text.strip():
            self.take(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        for name in sorted(_SAYING & set(given)):
            self.take(given[name])
        if tag not in {"b", "strong", "em", "span", "a", "i", "br"}:
            self._end_of_text()
        self._silent += tag in {"script", "style", "code", "svg", "kbd"}
        if any(name == "lang" for name, _ in attrs) and tag not in {"html"}:
            self._known |= set(_LETTERS.findall("English Deutsch"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"b", "strong", "em", "span", "a", "i", "br"}:
            self._end_of_text()
        self._silent -= tag in {"script", "style", "code", "svg", "kbd"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text += data


def left_on(page: str, known: set[str]) -> list[str]:
    """Return what a page says outside of brackets, besides known names."""
    reader = _Left(set(known))
    reader.feed(page)
    reader.close()
    reader._end_of_text()
    return reader.left


def forget() -> None:
    """Let no text of these tests, in brackets, be another's, and the other way about."""
    for kept in (said._said, said.sentences, exercise_texts._read):
        kept.cache_clear()


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Say every text that goes through the catalogues in brackets."""
    real = language.translations("de")

    def known(text: str, spoken: str) -> str | None:
        """Recognise a stored sentence as the product does, and say it in brackets."""
        there, marked = said.sentences(spoken), real.ugettext(text)
        found = there.whole.get(text) or (marked if marked != text else said._matched(text, there.patterns, spoken))
        return f"⟦{found}⟧" if found is not None else None

    forget()
    monkeypatch.setattr(language, "translations", lambda _: _Bracketed())
    monkeypatch.setattr(language, "_beside", lambda *_: _Data())
    monkeypatch.setattr(said, "_known", known)
    yield
    forget()


def names_of(club: Made) -> set[str]:
    """Return what people of the club named: themselves, their sport, their wearables and zones."""
    told = ["Kim Coach", "Chest strap", "movella-dot", "Movella DOT"]
    for each in club.members:
        told += [each.life.name, each.life.sport, each.life.zone, each.life.zone.replace("_", " ")]
    return _SAME | set(_LETTERS.findall(" ".join(told)))


def still_unmarked() -> set[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_no_page_shows_a_word_that_nobody_marked(club: Made, bracketed: None) -> None:
    app = site(club)
    clients, known, found = browsers(app, club), names_of(club), {}
    for number, each in enumerate(addresses(app, club)):
        if number % 20 == 0:
            club.clock.forward(minutes=1)
        answer = clients[each.who].get(each.path, headers={"Accept-Language": "de"})
        if answer.status_code == 200 and answer.mimetype == "text/html":
            left = left_on(answer.text, known)
            if left:
                found.setdefault(each.endpoint, []).extend(left)
    unknown = {endpoint: left for endpoint, left in found.items() if endpoint not in still_unmarked()}
    if unknown:
        pytest.fail("\n".join(f"{endpoint}: {sorted(set(left))}" for endpoint, left in sorted(unknown.items())))
    assert still_unmarked() - set(found) == set(), "take them off tests/words/unmarked_pages.txt"


def test_no_page_in_german_says_what_is_not_said(club: Made) -> None:
    app = site(club)
    clients, told = browsers(app, club), []
    for number, each in enumerate(addresses(app, club)):
        if number % 20 == 0:
            club.clock.forward(minutes=1)
        answer = clients[each.who].get(each.path, headers={"Accept-Language": "de"})
        if answer.status_code == 200 and answer.mimetype == "text/html":
            read, _links = of_page(each.path, answer.text)
            # A part of a page does not name its language.
            told.append(Said(each.endpoint, "de", read.text))
    assert sum(len(each.text) for each in told) > 50_000
    assert wrong(told) == []


def test_a_word_that_nobody_marked_is_found() -> None:
    page = '<p>⟦You bent ⟦3⟧ times⟧ <b>Ada</b> · 4 min</p><p title="⟦Keep⟧">Bird-dog</p><input placeholder="Name">'
    assert left_on(page, _SAME | {"Ada"}) == ["Bird-dog", "Name"]
