"""What people really read: pages walked link by link, downloads, calendars, reports, reminders."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import icalendar
import pypdfium2

from tests.words.phrases import PRODUCT_LANGUAGE, Said

# What an element says beside its text.
_SAYING = {"aria-label", "title", "placeholder", "alt", "hx-confirm", "data-said"}
_LEADING = {"href", "hx-get", "data-window"}
# Pages of one kind that are walked, so that hundreds of days and findings do not take minutes.
EACH_MAX = 10
# Endless, signing out, or files that are read as they are written.
_NOT_WALKED = re.compile(r"^/(live/|static/|enter/|sign-out)")
_VARYING = re.compile(r"[0-9a-f]{12,}|\d{4}-\d\d-\d\d|(?<==)[^&]+")


class _Page(HTMLParser):
    """Collects language, text and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.language, self.texts, self.links, self._silent = PRODUCT_LANGUAGE, [], [], 0
        self.texts: list[str]
        self.links: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        if tag == "html":
            self.language = given.get("lang", "")
        if tag in {"script", "style"}:
            self._silent += 1
        self.texts += [given[name] for name in sorted(_SAYING & set(given))]
        if tag in {"input", "button"} and given.get("type") in {"submit", "button"}:
            self.texts.append(given.get("value", ""))
        self.links += [given[name] for name in sorted(_LEADING & set(given))]
        if tag in {"p", "li", "div", "td", "h1", "h2", "h3", "section"}:
            self.texts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def of_page(where: str, text: str) -> tuple[Said, list[str]]:
    """Return what a page or a part of one says, in the language that it names, and where it leads."""
    page = _Page()
    page.feed(text)
    return Said(where, page.language, " ".join(page.texts)), page.links


def of_pdf(content: bytes) -> str:
    """Return the text of a PDF."""
    document = pypdfium2.PdfDocument(content)
    try:
        return " ".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def of_json(value: Any) -> Iterator[str]:
    """Yield the texts of JSON values, with what FHIR carries inside: PDF and plain text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from of_json(each)
    elif isinstance(value, dict):
        if value.get("contentType") in {"application/pdf", "text/plain"} and "data" in value:
            content = base64.b64decode(value["data"])
            # Reports of others than us are named PDF too, and need not be one.
            if value["contentType"] == "text/plain":
                yield content.decode()
            elif value.get("title") == "For the doctor":
                yield of_pdf(content)
        for name, each in value.items():
            yield from of_json(each) if name != "data" else ()


def of_calendar(text: str) -> Iterator[str]:
    """Yield what the entries of a calendar show."""
    calendar = icalendar.Calendar.from_ical(text)
    for part in calendar.walk():
        for name in ("X-WR-CALNAME", "SUMMARY", "DESCRIPTION", "COMMENT", "LOCATION"):
            if name in part:
                yield str(part[name])


def of_answer(where: str, answer: Any) -> tuple[list[Said], list[str]]:
    """Return what an answer of the site says, by its kind, and where it leads."""
    kind = answer.mimetype
    if kind == "text/html":
        said, links = of_page(where, answer.text)
        return [said], links
    texts: list[str] = []
    if kind in {"application/json", "application/fhir+json"}:
        texts = list(of_json(json.loads(answer.data)))
    elif kind == "text/calendar":
        texts = list(of_calendar(answer.text))
    elif kind == "application/pdf" and answer.data.startswith(b"%PDF-1."):
        texts = [of_pdf(answer.data)] if b"Backstop" in answer.data or where.endswith("for-the-doctor.pdf") else []
    elif kind.startswith("text/"):
        texts = [answer.text]
    return [Said(where, PRODUCT_LANGUAGE, text) for text in texts], []


@dataclass
class Walk:
    """One person's way through the site. kinds: how many addresses of a kind there are; said: all that was read."""

    client: Any
    each_max: int = EACH_MAX
    kinds: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def from_(self, *starts: str, also: tuple[str, ...] = ()) -> Walk:
        """Follow every link from some addresses on. also: addresses that no link leads to."""
        waiting, seen = [*starts, *also], set(starts) | set(also)
        while waiting:
            path = waiting.pop(0)
            kind = _VARYING.sub("…", path)
            self.kinds[kind] += 1
            if self.kinds[kind] > self.each_max:
                continue
            self.asked.append(path)
            answer = self.client.get(path)
            if answer.status_code >= 400:
                self.failed.append(f"{path}: {answer.status_code}")
            said, links = of_answer(path, answer)
            self.said += said
            if answer.status_code in {301, 302, 303, 307, 308}:
                links = [answer.headers["Location"]]
            for link in links:
                to = urlsplit(urljoin(f"http://localhost{path}", link))
                address = to.path + (f"?{to.query}" if to.query else "")
                own = to.hostname == "localhost" and to.scheme in {"http", "https"}
                if own and address not in seen and not _NOT_WALKED.match(address):
                    seen.add(address)
                    waiting.append(address)
        return self
