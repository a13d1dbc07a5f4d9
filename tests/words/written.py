"""Everything that is written in the project for people: catalogues, code, templates, scripts, documents.

A catalogue, template or document in another language than the product's has it before its ending, as in
`exercises.de.toml` or `README.de.md`.
"""

from __future__ import annotations

import ast
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

from tests.words.phrases import PRODUCT_LANGUAGE, Said

ROOT = Path(__file__).resolve().parents[2]
# Other people's files.
FOREIGN = {"vendor", "node_modules", ".venv", "artifacts", "var"}
_LANGUAGE = re.compile(r"\.([a-z]{2})$")


def language_of(path: Path) -> str:
    """Return the language that a file's name says, by default the product's."""
    found = _LANGUAGE.search(path.stem)
    if path.suffix == ".po":
        return path.parent.name if re.fullmatch("[a-z]{2}", path.parent.name) else PRODUCT_LANGUAGE
    return found[1] if found else PRODUCT_LANGUAGE


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _values(each)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each)


def of_catalogue(text: str) -> Iterator[str]:
    """Yield the texts of a TOML file, without its comments."""
    yield from _values(tomllib.loads(text))


def of_code(text: str) -> Iterator[str]:
    """Yield the texts of a Python module, without its docstrings; of an f-string all that is fixed, as one."""
    tree = ast.parse(text)
    silent: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            silent.add(id(body[0].value))
        if isinstance(node, ast.JoinedStr):
            parts = [each for each in node.values if isinstance(each, ast.Constant)]
            silent.update(map(id, parts))
            yield " … ".join(str(each.value) for each in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def of_template(text: str) -> Iterator[str]:
    """Yield a template with what stands in its tags: words may stand there too. `| safe` is no word to a person."""
    yield re.sub(r"\|\s*safe\b", "", re.sub(r"\{#.*?#\}", "", text, flags=re.S))


def of_script(text: str) -> Iterator[str]:
    """Yield a script without its comments."""
    yield re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", text, flags=re.S | re.M)


def of_document(text: str) -> Iterator[str]:
    """Yield the sections of a document, so that what is found names its place."""
    yield from re.split(r"\n(?=#)", text)


def of_words(text: str) -> Iterator[str]:
    """Yield the translations of a catalogue of words; what is translated stands where it is marked."""
    for message in read_po(io.BytesIO(text.encode())):
        if message.id:
            yield from [message.string] if isinstance(message.string, str) else message.string


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    ".toml": of_catalogue,
    ".po": of_words,
    ".py": of_code,
    ".html": of_template,
    ".js": of_script,
    ".svg": of_template,
    ".md": of_document,
}
# Name of a source -> folder or file below the root, endings.
SOURCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "exercises and drawings": (("programs",), (".toml",)),
    "profiles and settings": (("coach", "devices", "config.toml", "pyproject.toml"), (".toml",)),
    "code of programs": (("programs",), (".py",)),
    "code of the coach": (("coach",), (".py",)),
    "code of devices": (("devices",), (".py",)),
    "translations": (("coach/translations",), (".po",)),
    "templates": (("coach/web/templates",), (".html",)),
    "scripts and drawings": (("coach/web/static",), (".js", ".svg")),
    "README and documents": (("README.md", "CHANGELOG.md", "docs"), (".md",)),
}


def files_of(source: str, root: Path = ROOT) -> list[Path]:
    """Return the files of a source, in order."""
    places, endings = SOURCES[source]
    found: list[Path] = []
    for place in places:
        path = root / place
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [each for each in files if each.suffix in endings and not FOREIGN & set(each.parts[len(root.parts) :])]
    return found


def written(source: str, root: Path = ROOT) -> Iterator[Said]:
    """Yield every text of a source."""
    for path in files_of(source, root):
        for text in READERS[path.suffix](path.read_text(encoding="utf-8")):
            yield Said(str(path.relative_to(root)), language_of(path), text)
