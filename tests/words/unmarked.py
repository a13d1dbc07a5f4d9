"""Finds words that people read and nobody marked for translation, in templates and in code.

Code is searched for what reads like words: two of them beside each other, outside of docstrings, marks and what is
written for programs and logs. Single words are found where they are shown: test_translated walks the pages.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes
from jinja2.ext import do as jinja_do

from tests.words.catalogues import FOLDER, KEYWORDS, ROOT, sources

LIST = Path(__file__).with_name("unmarked.txt")
# Read by nobody on a page: what stands in terminals, tables, numbers and logs, and what programs are told, in English.
_NOT_READ = (
    "coach/commands/", "coach/store/", "coach/analysis/", "coach/checkup/", "coach/exports/", "coach/translations/",
    "coach/web/api/", "coach/web/admission.py", "coach/web/described.py", "coach/web/headers.py", "coach/web/limits.py",
    "coach/web/live.py", "coach/web/metrics.py", "coach/web/openapi.py", "coach/web/pacing.py", "coach/web/server.py",
    "coach/web/signal_lane.py", "coach/web/phone_push.py", "coach/web/health.py", "coach/service/backups.py",
    "coach/service/consent_texts.py", "coach/service/erased_list.py", "coach/service/erasing.py",
    "coach/service/exports.py",
    "coach/service/from_backup.py", "coach/service/ingest.py", "coach/service/machine.py",
    "coach/service/profile_files.py", "coach/service/restoring.py",
    "coach/service/timekeeping.py", "coach/service/tokens.py", "coach/service/phones.py", "coach/notify/vapid.py",
    "programs/dose.py", "programs/drawings.py", "programs/exercises.py",
)  # fmt: skip
# What only whoever calls the code wrongly, keeps the machine or writes a program reads: in logs, terminals, answers.
_FOR_PROGRAMMERS = re.compile(
    "|".join(
        (
            r"There is no (user|athlete|recording|coach|guardian|device|link|…) ",
            "known are",
            "choose one of",
            "count from",
            "cannot be; ",
            "aware datetime",
            "levels count",
            "should be (yes|from)",
            "-[a-z]+=",
            "filename=",
            "is no (equipment|exercise|place|statement|input|… of) ",
            "mail[.](tls|sender)",
            "A user of role athlete",
            "has a user already",
            "is nothing that (a token|exercises)",
            "for what (is about one|shares something)",
            "so none with number",
            "profiles[.]folder",
            "has no file: put",
            "cannot come from a wearable",
            "a wearable counts",
            "cannot be shown: ask for",
            "^stored trial$",
            "^answered, locked",
            "^plan off$",
            "take it from the scan",
            "^moved to …$",
            "three numbers, not all zero",
            "wants a token",
            "No token opens",
            "not for that: it would need",
            "day of this address",
            "milliseconds?, angles|to the millisecond, angles",
            "^day is …",
            "slots are local dates",
            "weekdays go from",
            "a slot holds one",
            "has no minutes that a wearable",
            "order of time",
            "^connection log",
            "there is no sensor",
            "^Revised Strain Index$|^Hand Activity Level$",
            "than any form here has",
            "^other bytes$",
            "^another availability$",
            "Choose another one[.]$",
        )
    )
)
# Names that are the same in every language, and examples.
_NAMES = {
    "Sam Coach",
    "Robin (simulated)",
    "Simulated wearable",
    "Samsung Internet",
    "Bearer",
    "Backstop: …",
    "7KQ2M-9XW4T",
}
_ROOTS = ("coach/web/", "coach/service/", "coach/notify/", "coach/reports/", "programs/")
NOT_WORDS = "# no words"
_WORDS = re.compile(r"[^\W\d_]{2,}[,.:;!?]? \(?[^\W\d_]{2,}|[^\W\d_]{2,} [aI] [^\W\d_]{2,}|^[A-Z][a-z]+[.!?:]$")
# Calls whose texts go elsewhere: logs, what happened, headers, parsers, errors of ours alone.
_ELSEWHERE = {
    "record", "debug", "info", "warning", "error", "exception", "critical", "getLogger", "compile", "sub", "match",
    "search",
    "CoachError", "RuntimeError", "TypeError", "AssertionError", "LookupError", "KeyError", "ValueError", "text",
    "Column",
    "split", "best_match", "setdefault", "warn", "describe", "Field", "NotImplementedError",
}  # fmt: skip
# What an element says beside its text.
_SAYING = {"aria-label", "title", "placeholder", "alt", "hx-confirm", "aria-description", "data-said"}
# Classes of a style sheet beside each other: what has a hyphen within, or is one of its short names.
_CLASSES = re.compile(
    r"^(btn|btn-[\w-]+|alert-line|card|stack|calm|red|amber|plain|list-row|narrow|[\w]+-[\w-]+)( [\w-]+)*$"
)
# Blocks of a page that hold classes and addresses.
_NO_BLOCKS = {"main_class", "styles", "scripts"}
_SILENT = {"script", "style", "code", "svg", "kbd", "pre", "textarea"}
_FIXED = {"Backstop", "iCal", "FHIR", "PDF", "CSV", "JSON"}
_FIELD = re.compile(r"\{\w*(?::[^{}]*)?\}")
_HEADER = re.compile(r"charset=|^\d+ per \w+(; |$)|-src '|max-age=")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_IN, _OUT = "\x01", "\x02"


def read_by_people() -> list[Path]:
    """Return every file whose words people read on a page, in a message or in a report."""
    names = {path: path.relative_to(ROOT).as_posix() for path in sources()}
    return [p for p, name in names.items() if name.startswith(_ROOTS) and not name.startswith(_NOT_READ)]


@lru_cache(maxsize=1)
def still_to_mark() -> set[str]:
    """Return the files that nobody has marked yet."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def unmarked_in(path: Path) -> list[str]:
    """Return the words of a file that are not marked, each with its line."""
    text = path.read_text(encoding="utf-8")
    found = _of_template(text) if path.suffix == ".html" else [each for each in _of_code(text) if not _is_said(each[1])]
    lines = text.splitlines()
    return [f"{at}: {words[:90]}" for at, words in found if NOT_WORDS not in lines[at - 1]]


@lru_cache(maxsize=1)
def _said() -> frozenset[str]:
    """Return the sentences that coach/said.py recognises when they are shown, `…` for each value."""
    known = tomllib.loads((FOLDER / "de" / "said.toml").read_text(encoding="utf-8"))["said"]
    bare = {_FIELD.sub("…", each) for each in known}
    return frozenset(bare | {each.strip() for each in bare} | {each.partition("… ")[2] for each in bare})


def _is_said(text: str) -> bool:
    text = _FIELD.sub("…", text)
    return text in _NAMES or text in _said() or text.strip() in _said() or bool(_FOR_PROGRAMMERS.search(text))


# Code ---------------------------------------------------------------------


def _of_code(text: str) -> Iterator[tuple[int, str]]:
    finder = _Code()
    finder.visit(ast.parse(text))
    yield from finder.found


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


class _Code(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_Call(self, node: ast.Call) -> None:
        if _name(node) in KEYWORDS:
            # What fills a text in may itself hold words.
            for each in node.keywords:
                self.visit(each.value)
            if any(isinstance(each, ast.JoinedStr) for each in node.args):
                self.found.append((node.lineno, "an f-string inside a mark cannot be collected"))
        elif _name(node) not in _ELSEWHERE:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = [each.value if isinstance(each, ast.Constant) else "…" for each in node.values]
        said = "".join(map(str, parts))
        if _WORDS.search(said) or re.search(r"… [^\W\d_]{2,}|[^\W\d_]{2,}:? …", said):
            self.found.append((node.lineno, said))
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self._marked_within(each.value)
                self.visit(each.value)

    def _marked_within(self, value: ast.expr) -> None:
        for each in ast.walk(value):
            if isinstance(each, ast.Call) and _name(each) in KEYWORDS and isinstance(each.args[0], ast.Constant):
                self.found.append((each.lineno, "a mark within an f-string cannot be collected"))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _WORDS.search(node.value) and not _HEADER.search(node.value):
            self.found.append((node.lineno, node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)


# Templates ----------------------------------------------------------------


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n", jinja_do], autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _of_template(text: str) -> Iterator[tuple[int, str]]:
    reader = _Html()
    tree = _environment().parse(text)
    for pair in tree.find_all(nodes.Pair):
        if isinstance(pair.key, nodes.Call):
            reader.found.append((pair.key.lineno, "the key of a dictionary is a code, and is not translated"))
    for node in tree.body:
        _feed(node, reader)
    reader.close()
    yield from reader.found


def _feed(node: nodes.Node, reader: _Html) -> None:
    """Give a template to a reader in the order it stands, what is computed between two marks."""
    if isinstance(node, nodes.TemplateData):
        reader.at(node.lineno)
        reader.feed(node.data)
    elif isinstance(node, nodes.Output):
        for each in node.nodes:
            if isinstance(each, nodes.TemplateData):
                _feed(each, reader)
            else:
                _shown(each, reader)
    elif isinstance(node, nodes.Block) and node.name in _NO_BLOCKS:
        return
    elif isinstance(node, nodes.Expr):
        if not isinstance(node, nodes.Test | nodes.Compare):
            for text, line in _texts(node):
                if _reads_like_words(text):
                    reader.found.append((line, text))
    else:
        for each in node.iter_child_nodes():
            _feed(each, reader)


def _shown(node: nodes.Node, reader: _Html) -> None:
    reader.at(node.lineno)
    said = " ".join(text for text, _ in _texts(node) if _reads_like_words(text))
    reader.feed(_IN + re.sub(r"[<>\"']", "’", said) + _OUT)


def _texts(node: nodes.Node) -> Iterator[tuple[str, int]]:
    """Yield the texts that an expression may show: not what it compares, looks up or has translated."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str) and node.value.strip():
            yield node.value, node.lineno
    elif isinstance(node, nodes.Call):
        called = node.node.name if isinstance(node.node, nodes.Name) else ""
        if called in {"url_for", "asset", "csrf_token"}:
            return
        skipped = called in KEYWORDS
        for each in [*([] if skipped else node.args), *(keyword.value for keyword in node.kwargs)]:
            yield from _texts(each)
    elif isinstance(node, nodes.CondExpr):
        for each in (node.expr1, node.expr2):
            if each is not None:
                yield from _texts(each)
    elif isinstance(node, nodes.Filter):
        if node.node is not None:
            yield from _texts(node.node)
        for each in node.args:
            yield from _texts(each)
    elif isinstance(node, nodes.Compare | nodes.Test | nodes.Getitem):
        return
    elif isinstance(node, nodes.Dict):
        for pair in node.items:
            yield from _texts(pair.value)
    else:
        for each in node.iter_child_nodes():
            yield from _texts(each)


class _Html(HTMLParser):
    """Collects what is read: text, and the attributes that are read aloud or shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self._line, self._silent = 1, 0

    def at(self, line: int) -> None:
        self._line = line - self.getpos()[0] + 1

    def _take(self, text: str) -> None:
        plain = " ".join(text.replace(_IN, "").replace(_OUT, "").split())
        if "hx-" not in plain and plain not in _NAMES and any(word not in _FIXED for word in _LETTERS.findall(plain)):
            self.found.append((self._line + self.getpos()[0] - 1, plain))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        given = {name: value for name, value in attrs if value}
        for name in sorted(_SAYING & set(given)):
            self._take(given[name])
        if tag == "input" and given.get("type") in {"submit", "button"} and "value" in given:
            self._take(given["value"])

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._take(data)


def _reads_like_words(text: str) -> bool:
    """Tell names of forms, classes and endpoints from words; `{}` stands for a value."""
    if not _LETTERS.search(text):
        return False
    return text[:1].isupper() or bool(_WORDS.search(text) and not _CLASSES.match(text)) or text[:1] in " ,.:;"
