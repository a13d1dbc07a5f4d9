"""What the project says: links that lead somewhere, and a map that is true. Its words: tests/words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


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


@pytest.mark.parametrize(("page", "least"), [("rules.md", 60), ("threat-model.md", 35), ("risk.md", 35)])
def test_every_rule_and_every_risk_names_tests_that_there_are(page: str, least: int) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    missing, at = [], Path()
    named = re.findall(r"`(tests/[\w/]+\.py)`|`(test_\w+)`", text)
    assert len(named) > least
    for file, test in named:
        at = ROOT / file if file else at
        if file and not at.exists():
            missing.append(file)
        elif test and f"\ndef {test}(" not in at.read_text(encoding="utf-8"):
            missing.append(f"{at.name}: {test}")
    assert missing == []


@pytest.mark.parametrize("page", ["threat-model.md", "risk.md"])
def test_no_risk_is_without_a_test(page: str) -> None:
    rows = re.findall(r"^\| (.+) \|$", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)[1:]
    assert len(rows) > 12
    assert [row.split(" | ")[0] for row in rows if not re.search(r"`test_\w+`", row.split(" | ")[-1])] == []
