"""What is not said, per language: read from phrases.toml, searched for as whole words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("phrases.toml")
# What the product is written in where a file does not say another language.
PRODUCT_LANGUAGE = "en"


@dataclass(frozen=True)
class Said:
    """A text that people read. where: file or address. language: of ISO 639-1."""

    where: str
    language: str
    text: str


@dataclass(frozen=True)
class Phrases:
    """One language: a pattern that finds what is not said, and the sentences that may hold such words."""

    pattern: re.Pattern[str]
    allowed: tuple[str, ...]

    def found_in(self, text: str) -> list[str]:
        """Return the phrases that a text holds outside of the allowed sentences."""
        plain = " ".join(
            text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()
        )
        for sentence in self.allowed:
            plain = plain.replace(sentence, " ")
        return [each.group() for each in self.pattern.finditer(plain)]


def _pattern(phrase: str) -> str:
    words = (re.escape(word).replace(r"\*", r"\w*") for word in phrase.split())
    return r"\s+".join(words)


def read(file: Path = FILE) -> dict[str, Phrases]:
    """Return the phrases of every language that the file has."""
    made = {}
    for language, groups in tomllib.loads(file.read_text(encoding="utf-8")).items():
        phrases = [each for name, group in groups.items() if name != "allowed" for each in group]
        either = "|".join(sorted(map(_pattern, phrases), key=len, reverse=True))
        made[language] = Phrases(re.compile(rf"(?<![\w-])(?:{either})(?!\w)", re.IGNORECASE), tuple(groups["allowed"]))
    return made


def wrong(said: Iterator[Said] | list[Said], phrases: dict[str, Phrases] | None = None) -> list[str]:
    """Return what is said and should not be, and what is said in a language that has no list: where, and what."""
    lists = read() if phrases is None else phrases
    found = []
    for each in said:
        if each.language not in lists:
            found.append(f"{each.where}: no list of phrases for the language '{each.language}'")
            continue
        found += [
            f"{each.where}: {phrase}: {each.text.strip()[:160]}" for phrase in lists[each.language].found_in(each.text)
        ]
    return found
