"""What the project says: links that lead somewhere, a map that is true, and words that are not said to people."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

# docs/algorithms.md and the regulators' view behind it: a finding is not a diagnosis, a program no treatment.
NOT_SAID = re.compile(
    r"\b(risk of injury|injury risk|heals?|corrects|cures?|prevents?|medical grade|danger zone|abnormal|safe)\b", re.I
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)\)", text)
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_the_map_of_folders_is_true() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:coach|devices|programs|tests|docs)/[\w./]*)`", readme)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_decision_fits_on_a_page() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]
    too_long = {path.name: n for path in decisions if (n := len(path.read_text(encoding="utf-8").splitlines())) > 30}
    assert too_long == {}


def said_in_code(path: Path) -> Iterator[str]:
    """Yield the texts of a module without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def said_to_people() -> Iterator[tuple[Path, str]]:
    for folder in ("programs", "coach/analysis", "coach/service", "coach/reports", "coach/web", "coach/commands"):
        for path in (ROOT / folder).rglob("*.py"):
            for text in said_in_code(path):
                yield path, text
    for path in (
        *(ROOT / "programs").glob("*.toml"),
        *(ROOT / "coach/profiles").rglob("*.toml"),
        *(ROOT / "coach/web/templates").rglob("*.html"),
    ):
        for line in path.read_text(encoding="utf-8").splitlines():
            # A template marks text as already escaped with the filter `safe`; that is not a word to a person.
            yield path, re.sub(r"\|\s*safe\b", "", line)


def test_nothing_is_promised_that_cannot_be_kept() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text.strip()[:100]}" for path, text in said_to_people() if NOT_SAID.search(text)
    ]
    assert found == []
