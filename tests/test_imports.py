"""The direction of imports, as the architecture states it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coach", "devices", "programs")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def broken(rule_holds: object) -> list[str]:
    return [
        f"{module_of(path)} imports {name}"
        for path in SOURCES
        for name in imports_of(path)
        if not rule_holds(module_of(path), name)  # type: ignore[operator]
    ]


def within(module: str, *parents: str) -> bool:
    return any(module == parent or module.startswith(parent + ".") for parent in parents)


def test_devices_and_programs_know_neither_coach_nor_each_other() -> None:
    assert broken(lambda m, n: not (within(m, "devices") and within(n, "coach", "programs"))) == []
    assert broken(lambda m, n: not (within(m, "programs") and within(n, "coach", "devices"))) == []


def test_programs_use_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"programs"}
    assert broken(lambda m, n: not within(m, "programs") or n.split(".")[0] in allowed) == []


def test_analysis_is_pure() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "scipy", "vqf", "msgspec"}
    banned_clocks = {"time", "datetime", "threading", "os", "random", "socket", "sqlite3"}

    def holds(module: str, name: str) -> bool:
        if not within(module, "coach.analysis"):
            return True
        if within(name, "coach"):
            return within(name, "coach.analysis")
        if within(name, "devices"):
            return within(name, "devices.types", "devices.errors")
        top = name.split(".")[0]
        return top in allowed and top not in banned_clocks

    assert broken(holds) == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("flask", "coach.web"),
        ("sqlalchemy", "coach.store"),
        ("alembic", "coach.store"),
        ("bleak", "devices"),
        ("dbus_fast", "devices.sim"),
        ("apscheduler", "coach.clock"),
        ("nats", "coach.jetstream"),
        ("reportlab", "coach.reports"),
        ("pyarrow", "coach.exports"),
        ("garmin_fit_sdk", "coach.exports"),
        ("smtplib", "coach.notify"),
        ("email", "coach.notify"),
        ("cryptography", "coach.notify"),
        ("argon2", "coach.service.secrets"),
        ("webauthn", "coach.service.passkeys"),
        ("pyotp", "coach.service.second_factors"),
        ("segno", "coach.web.account"),
        ("limits", "coach.web"),
    ],
)
def test_each_library_has_one_home(library: str, home: str) -> None:
    assert broken(lambda m, n: not within(n, library) or within(m, home)) == []


def test_only_the_composition_imports_the_roles() -> None:
    """Service and store know nothing of web, clock, worker and gateway."""
    roles = ("coach.web", "coach.clock", "coach.worker", "coach.gateway", "coach.commands")
    assert (
        broken(lambda m, n: not (within(m, "coach.service", "coach.store", "coach.coaching") and within(n, *roles)))
        == []
    )


def test_the_simulator_is_not_part_of_the_product_path() -> None:
    """Only the commands that simulate may import the simulator."""

    def holds(module: str, name: str) -> bool:
        return not within(name, "devices.sim") or within(module, "devices.sim", "coach.commands")

    assert broken(holds) == []


def test_files_and_functions_stay_small() -> None:
    long_files = [f"{path}: {n}" for path in SOURCES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400]
    assert long_files == []
    long_functions = [
        f"{module_of(path)}.{node.name}: {(node.end_lineno or 0) - node.lineno + 1}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert long_functions == []
    says_nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [str(path) for path in SOURCES if path.stem in says_nothing] == []
