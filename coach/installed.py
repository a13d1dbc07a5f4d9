"""What this Backstop is made of: itself, the packages that it needs, installed here, and the scripts that it brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coach.errors import ConfigError

_VENDOR = Path(__file__).parent / "web" / "static" / "vendor"
ROOT = "backstop"


@dataclass(frozen=True, slots=True)
class Component:
    """ecosystem: "PyPI" or "npm". needs: names of the components that it asks for. licence: as it states it."""

    ecosystem: str
    name: str
    version: str
    licence: str = ""
    needs: tuple[str, ...] = field(default=())

    @property
    def purl(self) -> str:
        """Return the package URL. Source: package-url/purl-spec, types pypi and npm."""
        kind = "pypi" if self.ecosystem == "PyPI" else "npm"
        return f"pkg:{kind}/{self.name.replace('@', '%40')}@{self.version}"


def installed() -> tuple[Component, ...]:
    """Return Backstop first, then everything it needs here, then its vendored scripts. Raises ConfigError."""
    found: dict[str, Component] = {}
    _add(ROOT, frozenset(), found, set())
    vendored = [
        Component("npm", name, version)
        for name, _, version in sorted(folder.name.rpartition("@") for folder in _VENDOR.iterdir() if folder.is_dir())
    ]
    rest = (component for name, component in sorted(found.items()) if name != ROOT)
    return (found[ROOT], *rest, *vendored)


def _add(name: str, extras: frozenset[str], found: dict[str, Component], seen: set[tuple[str, frozenset[str]]]) -> None:
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    try:
        package = distribution(name)
    except PackageNotFoundError:
        raise ConfigError(f"The package {name} is needed and not installed: install Backstop anew.") from None
    needs = _needs(package, extras)
    known = found.get(name)
    names = {*(known.needs if known else ()), *(each for each, _ in needs)}
    found[name] = Component("PyPI", name, package.version, _licence(package), tuple(sorted(names)))
    for need, of_need in needs:
        _add(need, of_need, found, seen)


def _needs(package: Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Return what a package asks for on this machine, with the extras that it asks for."""
    asked = (Requirement(text) for text in package.requires or ())
    return [
        (canonicalize_name(each.name), frozenset(each.extras))
        for each in asked
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def _licence(package: Distribution) -> str:
    told = package.metadata
    return str(told["License-Expression"]) if "License-Expression" in told else ""
