"""The list of parts by the standard's own schema; the check against a stored list, made up here in the OSV format."""

from __future__ import annotations

import json
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from coach.__main__ import main
from coach.advisories import audit, read_list
from coach.errors import InvalidInput
from coach.installed import Component, installed

FLASK = Component("PyPI", "flask", "3.1.3")
HTMX = Component("npm", "htmx.org", "4.0.1")


def entry(name: str = "Flask", ecosystem: str = "PyPI", **told: Any) -> dict[str, Any]:
    """Return an entry about all versions, with what is told instead."""
    affected = {"package": {"ecosystem": ecosystem, "name": name}}
    ranges = told.pop("ranges", [{"type": "ECOSYSTEM", "events": told.pop("events", [{"introduced": "0"}])}])
    affected |= {"ranges": ranges, "versions": told.pop("versions", [])}
    base = {"id": "TEST-1", "modified": "2026-11-20T00:00:00Z", "summary": "made up", "affected": [affected]}
    return base | told


def test_the_list_of_parts_is_what_the_standard_says_and_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sbom"]) == 0
    text = capsys.readouterr().out
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    parts = {each["purl"] for each in told["components"]}
    for name in ("flask", "sqlalchemy", "numpy", "werkzeug", "gunicorn", "packaging"):
        assert f"pkg:pypi/{name}@{version(name)}" in parts
    assert {"pkg:npm/htmx.org@4.0.1", "pkg:npm/uplot@1.6.32"} <= parts
    # What only tests need is no part of it.
    assert not [each for each in parts if "pytest" in each or "mypy" in each or "hypothesis" in each]
    needs = {each["ref"]: each["dependsOn"] for each in told["dependencies"]}
    assert f"pkg:pypi/werkzeug@{version('werkzeug')}" in needs[f"pkg:pypi/flask@{version('flask')}"]
    assert main(["sbom"]) == 0
    assert capsys.readouterr().out == text


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (entry(), True),
        (entry(name="FLASK"), True),
        (entry(events=[{"introduced": "0"}, {"fixed": "3.1.3"}]), False),
        (entry(events=[{"introduced": "0"}, {"fixed": "3.1.4"}]), True),
        (entry(events=[{"introduced": "3.1.3"}]), True),
        (entry(events=[{"introduced": "3.1.4"}]), False),
        (entry(events=[{"introduced": "0"}, {"last_affected": "3.1.3"}]), True),
        (entry(events=[{"introduced": "0"}, {"last_affected": "3.1.2"}]), False),
        # Two stretches, told in any order; 3.10 is later than 3.9.
        (entry(events=[{"fixed": "3.2"}, {"introduced": "3.0"}, {"fixed": "2.3.2"}, {"introduced": "0"}]), True),
        (entry(events=[{"introduced": "3.2"}, {"introduced": "0"}, {"fixed": "2.3.2"}]), False),
        (entry(events=[{"introduced": "3.1.3rc1"}, {"fixed": "3.10"}]), True),
        (entry(ranges=[], versions=["3.1.2", "3.1.3"]), True),
        (entry(ranges=[], versions=["3.1.2"]), False),
        (entry(ranges=[{"type": "GIT", "repo": "x", "events": [{"introduced": "0"}]}]), False),
        (entry(withdrawn="2026-01-01T00:00:00Z"), False),
        (entry(name="flask-login"), False),
        (entry(ecosystem="npm"), False),
        (
            entry(name="htmx.org", ecosystem="npm", ranges=[{"type": "SEMVER", "events": [{"introduced": "4.0.0"}]}]),
            True,
        ),
    ],
)
def test_which_entries_name_what_is_installed(told: dict[str, Any], named: bool) -> None:
    done = audit([FLASK, HTMX], [told])
    assert (len(done.found), done.unclear) == (int(named), ())


@pytest.mark.parametrize("events", [[{"introduced": "what"}], [{"hello": "1"}], "none", [1]])
def test_an_entry_that_cannot_be_judged_is_said_and_is_not_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], events: Any
) -> None:
    (tmp_path / "list.json").write_text(json.dumps([entry(events=events)]))
    assert main(["audit", "--list", str(tmp_path / "list.json")]) == 3
    told = capsys.readouterr()
    assert "TEST-1 could not be judged" in told.out
    assert told.err.startswith("Could not")


def test_what_is_found_is_told_with_its_names_and_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps(entry(aliases=["CVE-2026-0001"], events=[{"introduced": "0"}, {"fixed": "99.0"}]))
    )
    (tmp_path / "b.json").write_text(json.dumps(entry(name="no-such-package", id="TEST-2")))
    monkeypatch.setenv("BACKSTOP_ADVISORIES", str(tmp_path))
    assert main(["audit"]) == 1
    told = capsys.readouterr().out
    assert f"flask {version('flask')}: TEST-1 (CVE-2026-0001) made up. Mended in 99.0." in told
    assert "1 of the 2 entries of this list, the newest of 2026-11-20, name what is installed." in told


def test_a_list_that_names_nothing_is_not_called_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("TEST-1.json", json.dumps(entry(name="no-such-package")))
    assert main(["audit", "--list", str(tmp_path / "all.zip")]) == 0
    told = capsys.readouterr().out
    assert "None of the 1 entries" in told
    assert "not known here" in told
    assert "clean" not in told


def test_without_a_list_it_says_that_it_could_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 3
    assert "Could not: there is no stored list" in capsys.readouterr().err
    for text in ("", "[]", "{", '{"a": 1}', "[1]"):
        (tmp_path / "list.json").write_text(text)
        assert main(["audit", "--list", str(tmp_path / "list.json")]) == 3
        assert capsys.readouterr().err.startswith("Could not: ")
    with pytest.raises(InvalidInput):
        read_list(tmp_path / "nowhere.json")


def test_all_that_is_installed_is_known_by_name_and_version() -> None:
    parts = installed()
    assert parts[0].name == "backstop"
    assert all(each.name and each.version for each in parts)
    assert len({each.purl for each in parts}) == len(parts) > 25
