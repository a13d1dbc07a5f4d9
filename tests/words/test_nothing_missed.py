"""Nobody reads a word that did not go through the catalogues: with each text in brackets, nothing is left over.

On every page, in what is downloaded (PDF, FHIR) and in calendars. What stands within a text as its value is no part of
its brackets: it has to go through the catalogues by itself.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html import escape
from html.parser import HTMLParser
from itertools import chain
from typing import Any

import pytest
from babel.support import NullTranslations
from flask import Flask
from flask.testing import FlaskClient

from coach import exercise_texts, language, said
from coach.service.job_models import MODELS
from coach.store.every_table import metadata
from tests.club import desk
from tests.club.routes import addresses, browsers, site
from tests.club.seeding import Made
from tests.words import catalogues
from tests.words.after_steps import TYPED, empty_forms, pages
from tests.words.phrases import Said, wrong
from tests.words.rendered import _SAYING, of_calendar, of_page, of_pdf
from tests.words.vocabulary import english_only, words_of

# Signs that the font of the reports has, and that no text holds.
_BRACKETED = re.compile(r"«[^«»]*»")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
# What stands in a text and is none of its words: markup, values, and the forms of dates.
_VALUES = re.compile(
    r"(<[^<>]*>|%\(\w+\)[#0\- +]*[\d.*]*[sdifgxe]|\{\w*(?::[^{}]*)?\}|^E{3} d M{3}(?: y)?$|^d M{4} y$)"
)
# Signs of units, names of ours and of days, and words that both languages share.
_SAME = set(
    _LETTERS.findall(
        "min Hz kg cm lb Backstop backstop LiFFT Deutsch English FHIR PDF CSV JSON UTC iCal RMSSD MAD deg ms dBm MB kB "
        "Mail Push Webhook https acc gyr MRT Mo Di Mi Do Fr Sa So Januar Februar März April Mai Juni Juli August "
        "September Oktober November Dezember "
        "Jan Feb Mär Apr Jun Jul Aug Sept Sep Okt Nov Dez"
    )
)


def in_brackets(text: str) -> str:
    """Return a text with its own words in brackets, and neither its values nor its markup."""
    return "".join(
        f"«{part}»" if at % 2 == 0 and _LETTERS.search(part) else part for at, part in enumerate(_VALUES.split(text))
    )


@cache
def translated_texts() -> frozenset[catalogues.Key]:
    """Return every text of the German catalogues, with its context."""
    messages = [each for part in catalogues.parts() for each in catalogues.catalogue_of(part, "de") if each.id]
    return frozenset((each.id if isinstance(each.id, str) else each.id[0], each.context) for each in messages)


class _Bracketed(NullTranslations):
    """Says each text that is translated in brackets, so that it can be told from what is not."""

    def ugettext(self, message: str) -> str:
        return self._said(message, message, None)

    def ungettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._said(msgid1, msgid1 if n == 1 else msgid2, None)

    def upgettext(self, context: str, message: str) -> str:
        return self._said(message, message, context)

    def unpgettext(self, context: str, singular: str, plural: str, num: int) -> str:
        return self._said(singular, singular if num == 1 else plural, context)

    def _said(self, key: str, text: str, context: str | None) -> str:
        return in_brackets(text) if (key, context) in translated_texts() else text


class _Data(dict[str, Any]):
    """Says each text that a data file has in German in brackets. real: what stands beside the file."""

    def __init__(self, real: dict[str, Any]) -> None:
        super().__init__()
        self._real = real

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._real:
            return default
        if isinstance(self._real[key], dict):
            return _Data(self._real[key])
        return f"«{default}»" if isinstance(default, str) else [f"«{each}»" for each in default]


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
        text = re.sub(r"«.*$", "", re.sub(r"^[^«]*»", "", text, flags=re.S), flags=re.S)
        # Names of settings and editions are the machine's own, as an example of a code is.
        # So is what a script fills in.
        plain = re.sub(r"\b\w*[_.\d]\w*\b|\{\w+\}", " ", text)
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
        self._silent += tag in {"script", "style", "code", "kbd"}

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"b", "strong", "em", "span", "a", "i", "br"}:
            self._end_of_text()
        self._silent -= tag in {"script", "style", "code", "kbd"}

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


class _English(_Left):
    """Collects what is read with a word in it that no German text of ours has."""

    def take(self, text: str) -> None:
        plain = re.sub(r"\b\w*[_.\d]\w*\b", " ", text)
        if words_of(plain) & english_only() - {each.lower() for each in self._known}:
            self.left.append(" ".join(text.split())[:90])


def english_on(page: str, known: set[str]) -> list[str]:
    """Return what a page in German says in English, besides known names."""
    reader = _English(set(known))
    reader.feed(page)
    reader.close()
    reader._end_of_text()
    return reader.left


# What people read of a FHIR resource; codings keep the names that their systems give them.
_READ_IN_FHIR = {"text", "title", "unit", "valueString", "description", "div"}
# A text that found no room ends before its bracket does.
_CUT = re.compile(r"«[^«»]*…")


def of_fhir(value: Any) -> Iterator[str]:
    """Yield what people read of a bundle."""
    if isinstance(value, list):
        for each in value:
            yield from of_fhir(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and name in _READ_IN_FHIR:
                yield each if name == "div" else f"<p>{escape(each)}</p>"
            elif not isinstance(each, str):
                yield from of_fhir(each)


def left_in(answer: Any, known: set[str]) -> list[str]:
    """Return what an answer says outside of brackets, by its kind; nothing where it is for machines."""
    kind = answer.mimetype
    # Who is led elsewhere reads what is there.
    if kind == "text/html" and "Location" not in answer.headers:
        return left_on(answer.text, known)
    if kind == "text/calendar":
        return left_on("".join(f"<p>{escape(each)}</p>" for each in of_calendar(answer.text)), known)
    if kind == "application/pdf":
        return left_on(f"<p>{escape(_CUT.sub(' ', of_pdf(answer.data)))}</p>", known)
    if kind == "application/fhir+json":
        return left_on("".join(of_fhir(json.loads(answer.data))), known)
    return []


def forget() -> None:
    """Let no text of these tests, in brackets, be another's, and the other way about."""
    for kept in (said._said, said.sentences, exercise_texts._read):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Leave no German spoken in this thread: a request speaks until the next one does."""
    yield
    language.speak(language.DEFAULT)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Say every text that goes through the catalogues in brackets."""
    real, beside = language.translations("de"), language._beside

    def known(text: str, spoken: str) -> str | None:
        """Recognise a stored sentence as the product does, and say it in brackets."""
        there, marked = said.sentences(spoken), real.ugettext(text)
        if text in there.whole or marked != text:
            return in_brackets(text)
        return said._matched(text, there.patterns, spoken)

    filled = said._filled
    forget()
    monkeypatch.setattr(said, "_filled", lambda text, values: filled(in_brackets(text), values))
    monkeypatch.setattr(language, "translations", lambda _: _Bracketed())
    monkeypatch.setattr(language, "_beside", lambda file, _: _Data(beside(file, "de")))
    monkeypatch.setattr(said, "_known", known)
    yield
    forget()


def names_of(club: Made) -> set[str]:
    """Return what people of the club named: themselves, their sport, their wearables and zones."""
    told = ["Kim Coach", "Chest strap", "movella-dot", "Movella DOT", "Polar Sensor Logger", "phyphox npz"]
    told += ["a strain in spring", "Trunk, twice a week", "Mornings"]
    told.append(str(desk.OWN))
    # What a form sends, and a sentence names where it sent something else.
    told += [*club.services.profiles.ids(), *MODELS]
    for each in club.members:
        told += [each.life.name, each.life.sport, each.life.zone, each.life.zone.replace("_", " ")]
    return _SAME | set(_LETTERS.findall(" ".join(told)))


def in_german(app: Flask, club: Made) -> dict[str, FlaskClient]:
    """Return a browser of each who asks. Everybody chose German, and a stranger's browser asks for it."""
    with club.store.begin() as tx:
        tx.execute(metadata.tables["user_account"].update().values(language="de"))
    clients = browsers(app, club)
    for client in clients.values():
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    return clients


def test_no_page_shows_a_word_that_nobody_marked(club: Made, bracketed: None) -> None:
    app = site(club)
    clients, known, found, kinds = in_german(app, club), names_of(club), dict[str, set[str]](), Counter[str]()
    for number, each in enumerate(addresses(app, club)):
        if number % 20 == 0:
            club.clock.forward(minutes=1)
        answer = clients[each.who].get(each.path, buffered=True)
        assert answer.status_code < 500, each
        kinds[answer.mimetype] += answer.status_code == 200
        left = left_in(answer, known)
        if left:
            found.setdefault(each.endpoint, set()).update(left)
    assert all(kinds[kind] for kind in ("text/html", "text/calendar", "application/pdf", "application/fhir+json"))
    assert found == {}


def test_nothing_that_comes_after_a_step_shows_a_word_that_nobody_marked(club: Made, bracketed: None) -> None:
    app = site(club)
    clients, known, found, asked = in_german(app, club), names_of(club) | {TYPED}, dict[str, set[str]](), Counter[int]()
    for endpoint, answer in chain(pages(club, clients), empty_forms(app, club, clients)):
        asked[answer.status_code] += 1
        assert answer.status_code < 500, (endpoint, answer.text)
        left = left_in(answer, known)
        if left:
            found.setdefault(endpoint, set()).update(left)
    # What was done, what was wrong with it, and what is not there.
    assert all(asked[status] > 5 for status in (200, 404, 422)), asked
    assert found == {}


def test_no_page_in_german_says_what_is_not_said(club: Made) -> None:
    app = site(club)
    clients, told, known, english = in_german(app, club), [], names_of(club), dict[str, set[str]]()
    for number, each in enumerate(addresses(app, club)):
        if number % 20 == 0:
            club.clock.forward(minutes=1)
        answer = clients[each.who].get(each.path, buffered=True)
        assert answer.status_code < 500, each
        if answer.status_code == 200 and answer.mimetype == "text/html":
            only = english_on(answer.text, known)
            if only:
                english.setdefault(each.endpoint, set()).update(only)
            read, _links = of_page(each.path, answer.text)
            # A part of a page does not name its language.
            told.append(Said(each.endpoint, "de", read.text))
    assert sum(len(each.text) for each in told) > 50_000
    assert wrong(told) == []
    assert english == {}


def test_a_word_that_nobody_marked_is_found() -> None:
    page = '<p>«You bent «3» times» <b>Ada</b> · 4 min</p><p title="«Keep»">Bird-dog</p><input placeholder="Name">'
    assert left_on(page, _SAME | {"Ada"}) == ["Bird-dog", "Name"]


def test_a_word_that_only_english_has_is_found() -> None:
    page = "<p>Üblich: 16,6 bends per hour worn</p><p><code>bend.worn</code> 3 min, Test von Ada</p>"
    assert english_on(page, {"Ada"}) == ["Üblich: 16,6 bends per hour worn"]
