"""Words that only the English texts of the product have: none of them is read on a page in German."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache

from coach import language
from tests.words import catalogues
from tests.words.written import ROOT, of_catalogue

_PLACE = re.compile(r"%\(\w+\)[#0\- +]*[\d.*]*[sdifgxe]|\{[^{}]*\}|<[^<>]*>")
# Shorter ones are signs and abbreviations in either language. Own choice.
_WORD = re.compile(r"[^\W\d_]{3,}")
_EXERCISES = "programs/exercises"


def words_of(text: str) -> set[str]:
    """Return the words of a text in small letters."""
    return {each.lower() for each in _WORD.findall(_PLACE.sub(" ", text))}


@cache
def english_only() -> frozenset[str]:
    """Return the words of all English texts that no German one has."""
    english, german = set[str](), set[str]()
    for one, other in _pairs():
        english |= words_of(one)
        german |= words_of(other)
    return frozenset(english - german)


def _pairs() -> Iterator[tuple[str, str]]:
    """Yield texts with their German; of files, all of it."""
    for part in catalogues.parts():
        for each in catalogues.catalogue_of(part, "de"):
            if each.id:
                yield " ".join(_forms(each.id)), " ".join(_forms(each.string))
    yield from tomllib.loads((language.CATALOGUES / "de" / "said.toml").read_text(encoding="utf-8"))["said"].items()
    english, german = ((ROOT / f"{_EXERCISES}{ending}").read_text(encoding="utf-8") for ending in (".toml", ".de.toml"))
    yield "", " ".join(of_catalogue(german))
    # Where an exercise is from stands in its German sentence too.
    yield " ".join(of_catalogue(english)), ""


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(map(str, text))  # type: ignore[arg-type]
