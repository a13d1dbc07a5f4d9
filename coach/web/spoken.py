"""The words that code makes, said in the reader's language where a template shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from flask import Flask
from jinja2 import pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from markupsafe import Markup, escape

from coach import language
from coach.said import said
from coach.written import long_day
from programs.drawings import Drawing

# Filters of these endings return classes and days as addresses have them.
_CODES = ("_tone", "_day", "_icon", "_class", "tojson")
# These return names that people gave, or parts of a machine's.
_NAMES = frozenset({"short_name", "group_name", "name_parts", "leaves", "mark_sign"})
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
# Functions of templates that return words, as filters do.
_FUNCTIONS = ("quantity", "how_much", "limit_name", "field_words")


def spoken(value: Any) -> Any:
    """Return a text in the reader's language, and every text within lists; anything else as it is."""
    if type(value) is str:
        return said(value)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(spoken(each) for each in value)
    return value


def written(value: Any) -> Any:
    """Return a day as the reader's language writes it, anything else as it is. Addresses take isoformat()."""
    return long_day(value) if type(value) is date else value


def with_days(text: object) -> str:
    """Return a made sentence with its days, or a day alone, as the reader's language writes it."""
    return _DAY.sub(_day_written, str(spoken(text)))


def _day_written(found: re.Match[str]) -> str:
    try:
        return long_day(date.fromisoformat(found[0]))
    except ValueError:
        return found[0]


def drawn(picture: Drawing) -> Markup:
    """Return a drawing, with what it shows said in the reader's language."""
    title = f"<title>{escape(said(picture.says))}</title>"
    return Markup(_TITLE.sub(lambda _: title, picture.svg, count=1))  # noqa: S704 - ours, and its title is escaped


def capitalized(text: str) -> str:
    """Return a text with a large first letter. The rest stays: `On Thu 12 Nov`, and German writes its nouns large."""
    plain = str(text)
    return plain[:1].upper() + plain[1:]


def lowered(text: str) -> str:
    """Return a text as it stands within a sentence: with small letters in English, as it is in German."""
    return str(text).lower() if language.current() == language.DEFAULT else str(text)


@pass_context
def shown(_: Context, value: Any) -> Any:
    """Return what a template writes out, in the reader's language. One word alone may be somebody's: it stays."""
    return said(value) if type(value) is str and " " in value else written(value)


def _speaking(make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def worded(*told: Any, **named: Any) -> Any:
        made = make(*told, **named)
        return made if isinstance(made, Markup) else spoken(made)

    return worded


def install(app: Flask) -> None:
    """Have our own filters and word-making functions speak. After all of them are there."""
    filters = app.jinja_env.filters
    known: dict[str, Any] = dict(app.jinja_env.globals)
    for name, make in filters.items():
        if FILTERS.get(name) is not make and name not in _NAMES and not name.endswith(_CODES):
            filters[name] = _speaking(make)
    for name in _FUNCTIONS:
        if name in known:
            app.jinja_env.globals[name] = _speaking(known[name])
    app.jinja_env.finalize = shown
    filters |= {"said": spoken, "with_days": with_days, "drawn": drawn, "capitalize": capitalized, "lower": lowered}
