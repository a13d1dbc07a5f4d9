"""Finds the sentences that code makes where no reader is known: what coach/said.py has to know in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.words.catalogues import KEYWORDS, ROOT

# Made by pure code and kept, or said by the service to whoever asked.
MAKERS = (
    "coach/analysis/detectors/*.py",
    "coach/analysis/assessment_*.py",
    "coach/analysis/imbalance.py",
    "coach/analysis/response.py",
    "coach/analysis/weakness.py",
    "coach/analysis/ergonomics/*.py",
    "coach/service/day_*.py",
    "coach/service/charts.py",
    "coach/service/triage.py",
    "coach/service/spasm*.py",
    "coach/service/may_test.py",
    "coach/service/diary.py",
    "coach/service/progressing.py",
    "coach/service/reminder_words.py",
    "programs/*.py",
)
# Texts of these go to logs, programs and parsers.
_ELSEWHERE = {"record", "debug", "info", "warning", "error", "exception", "compile", "sub", "ValueError", "split"}
_WORDS = re.compile(r"[^\W\d_]{2,}[,.:;!?]? \(?[^\W\d_]{2,}")


def sentences_of(path: Path) -> Iterator[str]:
    """Yield what a file's code can say, `{name}` for its values."""
    finder = _Finder()
    finder.visit(ast.parse(path.read_text(encoding="utf-8")))
    yield from finder.found


def sayable() -> dict[str, str]:
    """Return every sentence of the makers, and the file that makes it."""
    return {
        text: path.relative_to(ROOT).as_posix()
        for glob in MAKERS
        for path in sorted(ROOT.glob(glob))
        for text in sentences_of(path)
    }


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in KEYWORDS and name not in _ELSEWHERE:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        text = "".join(each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
        if _WORDS.search(text.replace("{}", "…")):
            self.found.append(text)
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self.visit(each.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _WORDS.search(node.value):
            self.found.append(node.value)
