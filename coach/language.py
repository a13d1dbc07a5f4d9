"""The languages that people read: catalogues of words, and in which of them this thread speaks now.

Pages speak the reader's language by `coach/web/language.py`; whatever speaks to somebody without a request (reminders,
reports) says `with speaking(language):` around it. English is what stands in the code and needs no catalogue.
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from programs.marking import N_

__all__ = [
    "DEFAULT",
    "LANGUAGES",
    "N_",
    "current",
    "gettext",
    "locale",
    "ngettext",
    "npgettext",
    "of_data",
    "pgettext",
    "speak",
    "speaking",
    "translations",
]

DEFAULT = "en"
# By its own name: whoever looks for their language knows that one.
LANGUAGES = {"en": "English", "de": "Deutsch"}
CATALOGUES = Path(__file__).parent / "translations"

_spoken: ContextVar[str] = ContextVar("spoken", default=DEFAULT)


def current() -> str:
    """Return the language that this thread speaks now, a key of LANGUAGES."""
    return _spoken.get()


def speak(language: str) -> None:
    """Speak a language in this thread from now on; one that is not of LANGUAGES is English."""
    _spoken.set(language if language in LANGUAGES else DEFAULT)


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Speak a language within, as `speak`."""
    before = _spoken.set(language if language in LANGUAGES else DEFAULT)
    try:
        yield
    finally:
        _spoken.reset(before)


@lru_cache(maxsize=8)
def locale(language: str) -> Locale:
    """Return how a language writes dates and numbers."""
    return Locale.parse(language)


@lru_cache(maxsize=8)
def translations(language: str) -> NullTranslations:
    """Return a language's words: one catalogue for each part of the project, read when the language is first spoken."""
    if language == DEFAULT:
        return NullTranslations()
    merged = Translations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        compiled = io.BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=language))
        compiled.seek(0)
        merged.merge(Translations(compiled))
    return merged


def gettext(text: str, **values: Any) -> str:
    """Return a text in the language of now, with its `%(name)s` filled in."""
    said = translations(current()).ugettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """Return a text that depends on a number, `%(num)s` in it."""
    return translations(current()).ungettext(one, many, num) % {"num": num, **values}


def pgettext(context: str, text: str, **values: Any) -> str:
    """Return a text whose translation depends on where it stands."""
    said = str(translations(current()).upgettext(context, text))
    return said % values if values else said


def npgettext(context: str, one: str, many: str, num: int, **values: Any) -> str:
    """Return a text that depends on a number and on where it stands."""
    return str(translations(current()).unpgettext(context, one, many, num)) % {"num": num, **values}


@lru_cache(maxsize=64)
def _beside(file: Path, language: str) -> dict[str, dict[str, Any]]:
    path = file.with_suffix(f".{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def of_data(file: Path, key: str, field: str, text: Any) -> Any:
    """Return a data file's text in the language of now: by its id from `<file>.de.toml` beside it, else as it is."""
    return _beside(file, current()).get(key, {}).get(field, text)
