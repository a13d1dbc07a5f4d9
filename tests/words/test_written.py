"""Nothing that is written for people promises what cannot be kept, in any language; and the search can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.words.phrases import PRODUCT_LANGUAGE, Said, read, wrong
from tests.words.written import READERS, ROOT, SOURCES, files_of, language_of, written


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_written_that_cannot_be_kept(source: str) -> None:
    said = list(written(source))
    assert sum(len(each.text) for each in said) > 1000, source
    assert wrong(said) == []


# A sentence for each kind of file, put where people would read it.
PLANTED = {
    ".toml": '[bird_dog]\nname = "Bird-dog"\ncues = ["Hold still.", "This {} in a week."]\n',
    ".py": 'def told(back: str) -> str:\n    """Say something."""\n    return f"This {} of {{back}} in a week."\n',
    ".html": "<p>{{% if done %}}{{{{ 'This {} in a week.' }}}}{{% endif %}}</p>\n",
    ".js": 'export const said = "This {} in a week.";\n',
    ".svg": "<svg><title>This {} in a week.</title></svg>\n",
    ".po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "x"\nmsgstr "This {} in a week."\n',
    ".md": "# Backstop\nA program.\n## What it does\nThis\n{} in a week.\n",
}
WRONG = {"en": ("heals your back", "heals"), "de": ("heilt Ihren Rücken", "heilt")}


@pytest.mark.parametrize("language", WRONG)
@pytest.mark.parametrize(
    ("source", "ending"), [(source, ending) for source, (_, endings) in SOURCES.items() for ending in endings]
)
def test_a_planted_sentence_is_found_in_each_source(tmp_path: Path, source: str, ending: str, language: str) -> None:
    places, _ = SOURCES[source]
    # A catalogue of words has its language as its folder's name.
    folder = tmp_path / next(each for each in places if "." not in each) / (language if ending == ".po" else "deep")
    folder.mkdir(parents=True)
    sentence, phrase = WRONG[language]
    said = "" if language == PRODUCT_LANGUAGE or ending == ".po" else f".{language}"
    file = folder / f"planted{said}{ending}"
    file.write_text(PLANTED[ending].format(sentence), encoding="utf-8")
    (found,) = wrong(list(written(source, tmp_path)))
    assert found.startswith(f"{file.relative_to(tmp_path)}: {phrase}")


def test_what_is_searched_is_what_there_is() -> None:
    assert {ending for _, endings in SOURCES.values() for ending in endings} == set(READERS)
    for source in SOURCES:
        assert files_of(source) != [], source
    for name in ("README.md", "config.toml", "programs/exercises.toml", "programs/triage.py", "coach/reports/pdf.py"):
        assert any(ROOT / name in files_of(source) for source in SOURCES), name


def test_every_language_has_every_kind_of_phrase() -> None:
    phrases = read()
    assert set(phrases) >= {"en", "de"}
    for language, each in phrases.items():
        assert len(each.pattern.pattern.split("|")) > 40, language


def test_a_second_language_is_held_to_its_own_list_and_a_third_needs_one() -> None:
    assert language_of(Path("exercises.de.toml")) == "de"
    assert language_of(Path("exercises.toml")) == "en"
    assert wrong([Said("a", "de", "Das senkt dein Verletzungsrisiko.")]) == [
        "a: Verletzungsrisiko: Das senkt dein Verletzungsrisiko."
    ]
    assert wrong([Said("a", "de", "Diese Übung zielt auf mehr Ausdauer.")]) == []
    assert wrong([Said("a", "fr", "Bonjour.")]) == ["a: no list of phrases for the language 'fr'"]


@pytest.mark.parametrize(
    ("language", "text", "phrases"),
    [
        ("en", "It lowers the Risk of\n  injury by 40 %.", ["Risk of injury"]),
        ("en", "It corrects\N{NO-BREAK SPACE}your disorder; that is safe.", ["corrects", "safe"]),
        ("en", "A medical grade sensor in the danger zone.", ["medical grade", "danger zone"]),
        ("en", "Healthy people answer the Safety questions. The pattern is unsafe to guess.", []),
        ("en", "Not a diagnosis. It cannot detect an injury. Bird-dog aims at better balance.", []),
        ("de", "Das ist sicher und beugt vor.", ["ist sicher", "beugt vor"]),
        ("de", "Gefährliche Fehlhaltungen.", ["Gefährliche", "Fehlhaltungen"]),
        ("de", "Sicherheitsfragen zuerst. Die Heilungsdauer kennt niemand.", []),
    ],
)
def test_whole_words_are_found_across_line_ends(language: str, text: str, phrases: list[str]) -> None:
    assert read()[language].found_in(text) == phrases


def test_only_the_exact_sentence_is_allowed() -> None:
    (sentence,) = read()["en"].allowed
    assert read()["en"].found_in(sentence) == []
    assert read()["en"].found_in(sentence.replace("relative to", "next to")) == ["Weak back"]
