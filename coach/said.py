"""Say in the reader's language what was said in English: sentences that are stored, and those that pure code makes.

What a detector found, why a program has an exercise, what an error says: these are made where no reader is known, some
of them months ago, and are kept as they were said. Here such a text is recognised by the sentences that this code can
make (coach/translations/de/said.toml: `"You bent {times} times." = "…"`), its values are taken out of it, said in the
same way, and put into the other language's sentence. A text that nobody knows stays as it is: nothing is guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from coach import language
from coach.analysis.assessment_errors import name_of
from coach.analysis.assessment_types import AssessmentTest
from coach.exercise_texts import in_words
from programs.exercises import library

_FIELD = re.compile(r"\{(\w*)(?::[^{}]*)?\}")
# Between two sentences; not in "2.1 times".
_BETWEEN = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])")
# A decimal point, not one of a version or a date.
_POINT = re.compile(r"(?<![\w.:])(\d+)\.(\d+)(?![\w.])")
# A sentence that follows whatever another one said.
_FOLLOWS = re.compile(r"^\{\w+\} (?=[A-ZÄÖÜ][a-zäöü])")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
# Letters between the values of a sentence, up to which it could be any sentence: "{share} of {time}". Own choice.
_WEAK = 6
_WORD = re.compile(r"[^\W\d_]{3,}")
# Texts whose words were looked up; a page has some hundreds. Own choice.
_KEPT = 8192


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with values. literals: what stands between them, for a first look; the longest one first."""

    form: re.Pattern[str]
    literals: tuple[str, ...]
    said: str
    weak: bool


@dataclass(frozen=True, slots=True)
class Sentences:
    """What one language knows: whole texts, and sentences with values, the most particular first.

    tails: what is said behind something else: its pattern begins with a space or a comma.
    """

    whole: dict[str, str]
    patterns: tuple[Pattern, ...]
    tails: tuple[Pattern, ...]


@lru_cache(maxsize=4)
def sentences(spoken: str) -> Sentences:
    """Return what a language knows of English sentences."""
    path = language.CATALOGUES / spoken / "said.toml"
    known: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))["said"] if path.exists() else {}
    known = _of_exercises(spoken) | known
    known |= {f"{name} {{value}}": f"{known[name]} {{value}}" for name in map(name_of, AssessmentTest) if name in known}
    tails = [_pattern(f"{{before}}{text}", f"{{before}}{told}") for text, told in known.items() if text[:1] in " ,;"]
    known = dict(_after_another(text.strip(), told.strip()) for text, told in known.items())
    known |= _sentence_by_sentence(known)
    whole = {text: told for text, told in known.items() if not _FIELD.search(text)}
    patterns = [_pattern(text, told) for text, told in known.items() if _FIELD.search(text)]
    patterns = [each for each in patterns if any(_LETTERS.search(part) for part in each.literals)]
    return Sentences(whole, _particular_first(patterns), _particular_first(tails))


def _after_another(text: str, told: str) -> tuple[str, str]:
    """Return a sentence and its translation without what another one said before."""
    if _FOLLOWS.match(text) and _FOLLOWS.match(told):
        return _FOLLOWS.sub("", text, count=1), _FOLLOWS.sub("", told, count=1)
    return text, told


def _sentence_by_sentence(known: dict[str, str]) -> dict[str, str]:
    """Return the single sentences of texts of several: what is stored may begin or end elsewhere."""
    found: dict[str, str] = {}
    for text, told in known.items():
        parts, said_parts = _BETWEEN.split(text), _BETWEEN.split(told)
        if len(parts) > 1 and [fields_of(each) for each in parts] == [fields_of(each) for each in said_parts]:
            found |= {one: other for one, other in zip(parts, said_parts, strict=True) if one not in known}
    return found


def _of_exercises(spoken: str) -> dict[str, str]:
    """Return names and aims of the library's exercises: what is stored names them."""
    with language.speaking(spoken):
        pairs = [(one, in_words(one)) for one in library().values()]
    return {text: told for one, read in pairs for text, told in ((one.name, read.name), (one.target, read.target))}


def _particular_first(patterns: Sequence[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda each: -sum(map(len, each.literals))))


def fields_of(text: str) -> list[str]:
    """Return the names of what is filled in, in order; one without a name by its place."""
    return [name or str(place) for place, name in enumerate(_FIELD.findall(text))]


def said(text: str) -> str:
    """Return an English text in the language of now; as it is where that does not know it."""
    spoken = language.current()
    if spoken == language.DEFAULT or not _LETTERS.search(text):
        return text
    return _said(text, spoken)


@lru_cache(maxsize=_KEPT)
def _said(text: str, spoken: str) -> str:
    if not _LETTERS.search(text):
        return _POINT.sub(r"\1,\2", text)
    found = _known(text, spoken)
    if found is not None:
        return found
    # Outer spaces and a first letter that was raised or lowered belong to where a text stands.
    bare = text.strip()
    if bare != text and bare:
        return text.replace(bare, _said(bare, spoken), 1)
    parts = _BETWEEN.split(text)
    if len(parts) > 1:
        return " ".join(_said(each, spoken) for each in parts)
    for other in (text[:1].lower() + text[1:], text[:1].upper() + text[1:]):
        found = _known(other, spoken) if other != text else None
        if found is not None:
            return found[:1].upper() + found[1:] if text[:1].isupper() else found
    behind = _matched(text, sentences(spoken).tails, spoken)
    if behind is not None:
        return behind
    if text.endswith((".", ":")) and _known(text[:-1], spoken) is not None:
        return f"{_known(text[:-1], spoken)}{text[-1]}"
    listed = text.split(", ")
    if len(listed) > 1 and all(_is_value(each, spoken) for each in listed):
        return ", ".join(_said(each, spoken) for each in listed)
    return _POINT.sub(r"\1,\2", text)


def _known(text: str, spoken: str) -> str | None:
    known = sentences(spoken)
    if text in known.whole:
        return known.whole[text]
    marked = language.translations(spoken).ugettext(text)
    if marked != text:
        return marked
    return _matched(text, known.patterns, spoken)


def _matched(text: str, patterns: Sequence[Pattern], spoken: str) -> str | None:
    for pattern in patterns:
        if all(part in text for part in pattern.literals):
            found = pattern.form.fullmatch(text)
            if found is None or any(map(_BETWEEN.search, found.groups())):
                continue
            if not pattern.weak or all(_is_value(each, spoken) for each in found.groups()):
                values = {name.removeprefix("_"): _said(value, spoken) for name, value in found.groupdict().items()}
                return _filled(pattern.said, values)
    return None


def _is_value(text: str, spoken: str) -> bool:
    """Tell whether a text is a value and no part of a sentence: numbers and units, or something that is known."""
    return not _WORD.search(text) or _said(text, spoken) != text


def _filled(text: str, values: dict[str, str]) -> str:
    at = iter(range(len(values) + 1))
    return _FIELD.sub(lambda each: values[each[1] or str(next(at))], text)


def _pattern(text: str, told: str) -> Pattern:
    names = fields_of(text)
    literals = _FIELD.split(text)[::2]
    form = re.escape(literals[0])
    for name, literal in zip(names, literals[1:], strict=True):
        form += f"(?P<_{name}>.*?){re.escape(literal)}"
    weak = sum(map(str.isalpha, "".join(literals))) <= _WEAK
    return Pattern(
        re.compile(form, re.DOTALL), tuple(sorted(filter(None, literals), key=len, reverse=True)), told, weak
    )
