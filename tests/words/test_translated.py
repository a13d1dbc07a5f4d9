"""Every sentence that people read is marked, is translated, and says the same with the same values in each language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tests.words import catalogues, unmarked
from tests.words.catalogues import ROOT, TRANSLATED, all_marked, catalogue_of, faults, parts
from tests.words.phrases import Said, wrong

# Who is addressed as Sie: within a sentence, where it can be nothing else.
_FORMAL = re.compile(r"(?<=[a-zäöüß,] )(Sie|Ihr(e[nmrs]?)?)\b|\bIhnen\b")


def translated(language: str) -> dict[catalogues.Key, tuple[str, Catalog, list[str]]]:
    """Return every text of the catalogues: in which part it stands, and what is wrong with it."""
    found = {}
    for part in parts():
        catalogue = catalogue_of(part, language)
        for message in catalogue:
            if message.id:
                text = message.id if isinstance(message.id, str) else message.id[0]
                found.setdefault((text, message.context), (part, catalogue, list(faults(message))))
    return found


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_marked_text_is_translated_with_the_same_values(language: str) -> None:
    there, marked = translated(language), all_marked()
    assert len(marked) > 10
    missing = [
        f"{each.path}:{each.line}: {each.key[0]!r} is in no catalogue: make words PART={catalogues.part_of(each.path)}"
        for key, each in marked.items()
        if key not in there
    ]
    assert missing == []
    assert [f"{part}.po: {key[0]!r} {fault}" for key, (part, _, all_) in there.items() for fault in all_] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_catalogue_holds_a_text_that_nobody_uses(language: str) -> None:
    marked = all_marked()
    assert [f"{part}.po: {key[0]!r}" for key, (part, *_) in translated(language).items() if key not in marked] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_has_one_translation(language: str) -> None:
    said: dict[catalogues.Key, tuple[str, object]] = {}
    for part in parts():
        for message in catalogue_of(part, language):
            if message.id:
                key = (message.id if isinstance(message.id, str) else message.id[0], message.context)
                first = said.setdefault(key, (part, message.string))
                assert first[1] == message.string, f"{first[0]}.po and {part}.po translate {key[0]!r} differently"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_says_what_is_not_said(language: str) -> None:
    said = [
        Said(f"{part}.po", language, form)
        for part in parts()
        for message in catalogue_of(part, language)
        if message.id
        for form in ([message.string] if isinstance(message.string, str) else message.string)
    ]
    assert len(said) > 5
    assert wrong(said) == []
    assert language != "de" or [each for each in said if _FORMAL.search(each.text)] == []


def test_every_file_that_is_not_on_the_list_has_all_of_its_words_marked() -> None:
    left = unmarked.still_to_mark()
    files = [path for path in unmarked.read_by_people() if path.relative_to(ROOT).as_posix() not in left]
    assert len(files) > 50
    found = {path.relative_to(ROOT).as_posix(): words for path in files if (words := unmarked.unmarked_in(path))}
    assert found == {}


def test_the_list_of_files_to_mark_only_names_those_that_wait() -> None:
    done = [name for name in sorted(unmarked.still_to_mark()) if not (ROOT / name).exists()]
    done += [n for n in sorted(unmarked.still_to_mark()) if (ROOT / n).exists() and not unmarked.unmarked_in(ROOT / n)]
    assert done == [], "take them off tests/words/unmarked.txt"


PLANTED = {
    ".html": [
        "<p>{{ name }}, your back</p>",
        '<p aria-label="Your back">{{ name }}</p>',
        "<p>{{ 'look here' if a == 'all well' else _('Well') }}</p>",
        '{% set title = "Your back" %}<h1>{{ title }}</h1>',
        '<input type="submit" value="Keep">',
        '{{ link("a.b", "Weeks") }}',
        '{{ {_("back"): _("Your back")}[name] }}',
    ],
    ".py": [
        'said = "your back is stiff"',
        'said = f"{count} zebras"',
        'said = _(f"{count} bends")',
        """said = f"<b>{_('Bends')}</b>\"""",
        'flash("Vanished.", "done")',
        '_("%(what)s is kept", what="your back")',
    ],
}
QUIET = {
    ".html": [
        '<p class="{{ "card stack" if a == "not due" }}">{{ _("Your back") }} · {{ url_for("a.b", c="d e f") }} %</p>',
        "{% trans n=count %}{{ n }} bend{% pluralize %}{{ n }} bends{% endtrans %}",
        "<code>backstop run</code><svg><title>Back</title></svg>{% block main_class %}narrow wide{% endblock %}",
    ],
    ".py": [
        '"""A module about backs."""\nlog.info("a back is stiff")\n',
        'said = _("%(n)s bends", n=count)\nkind = "trunk_flexion"\n',
        'kind = "text/html; charset=utf-8"\npolicy = "style src is self"  # no words\n',
    ],
}


@pytest.mark.parametrize(("ending", "text"), [(ending, text) for ending, all_ in PLANTED.items() for text in all_])
def test_words_that_nobody_marked_are_found(tmp_path: Path, ending: str, text: str) -> None:
    file = tmp_path / f"planted{ending}"
    file.write_text(f"\n{text}\n", encoding="utf-8")
    (found,) = unmarked.unmarked_in(file)
    assert found.startswith("2: ")


@pytest.mark.parametrize(("ending", "text"), [(ending, text) for ending, all_ in QUIET.items() for text in all_])
def test_what_is_marked_or_no_word_is_let_be(tmp_path: Path, ending: str, text: str) -> None:
    file = tmp_path / f"planted{ending}"
    file.write_text(text, encoding="utf-8")
    assert unmarked.unmarked_in(file) == []


@pytest.mark.parametrize(
    ("text", "said", "wrong_with"),
    [
        ("%(n)s sets", "%(n)s Sätze", 0),
        ("%(n)s sets", "", 1),
        ("%(n)s %% done", "%(n)s % fertig", 1),
        ("%(n)s %% done", "%(n)s %% fertig", 0),
        ("%(n)s sets", "Sätze", 1),
        ("%(n)s sets", "%(m)s Sätze", 1),
        ("%(n)d sets", "%(n)s Sätze", 1),
        (("%(num)s set", "%(num)s sets"), ("ein Satz", "%(num)s Sätze"), 0),
        (("%(num)s set", "%(num)s sets"), ("ein Satz", "Sätze"), 1),
        (("%(num)s set", "%(num)s sets"), ("%(num)s Satz", ""), 1),
    ],
)
def test_a_translation_that_is_not_whole_is_found(text: object, said: object, wrong_with: int) -> None:
    catalogue = Catalog(locale="de")
    message = catalogue.add(text, said)
    assert len(list(faults(message))) == wrong_with
