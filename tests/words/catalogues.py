"""Collects the words that are marked, and brings the catalogues up to date: `make words`, `make words PART=pocket`.

Each marked text stands in one catalogue: the first part (coach/translations/parts.toml) that uses it, unless another
part has it already. What nobody uses any more is dropped.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "coach" / "translations"
TRANSLATED = ("de",)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
OPTIONS = {
    "trimmed": "true",
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}
_NAMED = re.compile(r"%\((\w+)\)[#0\- +]*[\d.*]*([sdifgxe])")
Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that is marked: its words (one, or one and many), its context, and where it stands."""

    text: str | tuple[str, str]
    context: str | None
    path: str
    line: int

    @property
    def key(self) -> Key:
        return (self.text if isinstance(self.text, str) else self.text[0]), self.context


def sources() -> list[Path]:
    """Return every file whose words may be marked."""
    code = [*(ROOT / "coach").rglob("*.py"), *(ROOT / "programs").rglob("*.py")]
    return sorted([*code, *(ROOT / "coach" / "web" / "templates").rglob("*.html")])


def marked_in(path: Path) -> Iterator[Marked]:
    """Yield what is marked in a file."""
    method = "jinja2" if path.suffix == ".html" else "python"
    name = path.relative_to(ROOT).as_posix()
    for line, text, _, context in extract_from_file(method, path, keywords=KEYWORDS, options=OPTIONS):
        words = tuple(text[:2]) if isinstance(text, tuple) else text
        yield Marked(words, context, name, line)


@lru_cache(maxsize=1)
def parts() -> dict[str, list[str]]:
    """Return the globs of each part."""
    with (FOLDER / "parts.toml").open("rb") as file:
        return dict(tomllib.load(file)["parts"])


def part_of(path: str) -> str:
    """Return whose words stand in a file. Raises LookupError for a file that no part names."""
    for part, globs in parts().items():
        if any(fnmatch(path, glob.replace("**", "*")) for glob in globs):
            return part
    raise LookupError(f"{path} is of no part: name it in coach/translations/parts.toml.")


def catalogue_of(part: str, language: str) -> Catalog:
    """Return a part's catalogue, an empty one where there is none yet."""
    path = FOLDER / language / f"{part}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: str) -> set[str]:
    """Return what a text leaves to be filled in, each with how it is written."""
    return {"".join(found) for found in _NAMED.findall(text)}


def faults(message: Message) -> Iterator[str]:
    """Yield what is wrong with a translation: missing, to be looked at, or with other placeholders."""
    said = list(message.string) if isinstance(message.string, tuple | list) else [message.string]
    texts = list(message.id) if isinstance(message.id, tuple | list) else [message.id]
    if not all(said):
        yield "is not translated"
        return
    if message.fuzzy:
        yield "is marked fuzzy: look at it and remove the mark"
    for at, form in enumerate(said):
        # The one of a kind may leave out its number: "one repetition".
        free = {"nums", "numd"} if len(said) > 1 and at == 0 else set()
        wanted = placeholders(texts[-1] if at else texts[0])
        if _cannot_be_filled(form) or _cannot_be_filled(texts[-1] if at else texts[0]):
            yield "cannot be filled in: write %% for a percent sign beside values"
        if placeholders(form) - free != wanted - free:
            yield f"has other placeholders: {sorted(wanted)} became {sorted(placeholders(form))}"


def _cannot_be_filled(form: str) -> bool:
    """Tell whether filling in fails: a percent sign beside values is written twice."""
    names = {name for name, _ in _NAMED.findall(form)}
    try:
        return bool(names) and not form % dict.fromkeys(names, 1)
    except (ValueError, TypeError, KeyError):
        return True


def all_marked() -> dict[Key, Marked]:
    """Return every text that is marked, once each, the plural one where there are both."""
    found: dict[Key, Marked] = {}
    for path in sources():
        for each in marked_in(path):
            if each.key not in found or isinstance(each.text, tuple) > isinstance(found[each.key].text, tuple):
                found[each.key] = each
    return found


def update(part: str, language: str, marked: dict[Key, Marked]) -> tuple[int, int]:
    """Bring one catalogue up to date; return how many texts are new in it and how many wait for a translation."""
    old = catalogue_of(part, language)
    elsewhere = {
        (message.id if isinstance(message.id, str) else message.id[0], message.context)
        for other in parts()
        if other != part
        for message in catalogue_of(other, language)
        if message.id
    }
    new = Catalog(locale=language, fuzzy=False)
    added = 0
    for key, each in sorted(marked.items(), key=lambda item: (item[1].path, item[1].line)):
        kept = old.get(key[0], key[1])
        mine = part_of(each.path) == part
        if kept is None and not (mine and key not in elsewhere):
            continue
        if kept is not None and not mine and key in elsewhere:
            continue
        same_kind = kept is not None and isinstance(kept.id, tuple | list) == isinstance(each.text, tuple)
        added += kept is None
        new.add(
            each.text,
            kept.string if same_kind and kept is not None else None,
            locations=[(each.path, None)],
            context=each.context,
            user_comments=kept.user_comments if kept is not None else (),
        )
    _write(FOLDER / language / f"{part}.po", new)
    return added, sum(1 for message in new if message.id and any(faults(message)))


def _write(path: Path, catalogue: Catalog) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [
        'msgid ""',
        'msgstr ""',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        f'"Plural-Forms: {catalogue.plural_forms}\\n"',
        "",
        "",
    ]
    with path.open("wb") as file:
        file.write("\n".join(lines).encode())
        write_po(file, catalogue, width=120, omit_header=True, include_lineno=False, ignore_obsolete=True)


def main() -> int:
    """Update one part's catalogues or all, and say what waits. Exit status 1 while something does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=[*parts(), ""], help="only this part's catalogue")
    wanted = parser.parse_args().part
    waiting, marked = 0, all_marked()
    for part in [wanted] if wanted else parts():
        for language in TRANSLATED:
            added, wait = update(part, language, marked)
            waiting += wait
            name = f"coach/translations/{language}/{part}.po"
            print(f"{name}: {added} new, {wait} to translate or mend")
            for message in catalogue_of(part, language):
                for fault in faults(message) if message.id else ():
                    text = message.id if isinstance(message.id, str) else message.id[0]
                    print(f"    {text!r} {fault}")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
