"""Known weaknesses from a stored list in the OSV format, held against what is installed. Nothing is asked of anybody.

Source: Open Source Vulnerability format, 1.7: `affected`, `ranges` (how events are evaluated), `withdrawn`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from coach.errors import InvalidInput
from coach.installed import Component
from devices.files.zips import open_zip

# Own bounds: all of PyPI's entries are some 20,000; the largest of them some hundred kB.
_ENTRIES_MAX, _ENTRY_BYTES_MAX = 200_000, 5_000_000


@dataclass(frozen=True, slots=True)
class Weakness:
    """An entry that names an installed version. fixed: versions that mend it, as far as the entry tells."""

    component: Component
    entry: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """entries: how many the list has. newest: when one was last changed. unclear: entries that could not be judged."""

    entries: int
    newest: str
    found: tuple[Weakness, ...]
    unclear: tuple[str, ...]


def read_list(path: Path) -> list[Mapping[str, Any]]:
    """Return the entries of a JSON file (one, or a list), of a folder of such files, or of a zip of them.

    Raises InvalidInput.
    """
    entries: list[Mapping[str, Any]] = []
    for name, text in _texts(path):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidInput(f"{name} is no JSON: name a list in the OSV format.") from None
        for each in told if isinstance(told, list) else [told]:
            if not isinstance(each, dict) or not isinstance(each.get("id"), str):
                raise InvalidInput(f"{name} holds an entry without an id: name a list in the OSV format.")
            entries.append(each)
        if len(entries) > _ENTRIES_MAX:
            raise InvalidInput(f"{path} holds more than {_ENTRIES_MAX} entries: keep those of PyPI and npm.")
    if not entries:
        raise InvalidInput(f"{path} holds no entry: name a list in the OSV format.")
    return entries


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for each in sorted(path.glob("*.json")):
                yield str(each), _bounded(each.read_bytes(), str(each))
        elif zipfile.is_zipfile(path):
            with open_zip(path, _ENTRIES_MAX) as archive:
                for info in archive.infolist():
                    if info.filename.endswith(".json"):
                        with archive.open(info) as member:
                            yield (
                                f"{path} ({info.filename})",
                                _bounded(member.read(_ENTRY_BYTES_MAX + 1), info.filename),
                            )
        else:
            yield str(path), path.read_bytes()
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidInput(f"The list {path} cannot be read ({why}).") from None


def _bounded(text: bytes, name: str) -> bytes:
    if len(text) > _ENTRY_BYTES_MAX:
        raise InvalidInput(f"{name} is larger than an entry of a list can be.")
    return text


def audit(components: Sequence[Component], entries: Iterable[Mapping[str, Any]]) -> Audit:
    """Hold the entries against what is installed; withdrawn ones do not count."""
    by_name = {(each.ecosystem, each.name): each for each in components}
    found: list[Weakness] = []
    unclear: list[str] = []
    count, newest = 0, ""
    for entry in entries:
        count += 1
        newest = max(newest, str(entry.get("modified", "")))
        if entry.get("withdrawn"):
            continue
        try:
            found += _named(entry, by_name)
        except (InvalidVersion, KeyError, TypeError, AttributeError, ValueError):
            unclear.append(str(entry["id"]))
    return Audit(count, newest, tuple(found), tuple(unclear))


def _named(entry: Mapping[str, Any], by_name: Mapping[tuple[str, str], Component]) -> list[Weakness]:
    """Return what an entry says of installed versions. Raises what an entry of another form comes to."""
    hit: dict[str, Component] = {}
    fixed: list[str] = []
    for affected in entry.get("affected", []):
        package = affected.get("package", {})
        ecosystem, name = str(package.get("ecosystem", "")).partition(":")[0], str(package.get("name", ""))
        component = by_name.get((ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name))
        if component is None:
            continue
        ranges = [each for each in affected.get("ranges", []) if each["type"] in {"ECOSYSTEM", "SEMVER"}]
        if component.version in affected.get("versions", []) or any(
            _within(component.version, each["events"]) for each in ranges
        ):
            hit[component.purl] = component
            fixed += [event["fixed"] for each in ranges for event in each["events"] if "fixed" in event]
    aliases, summary = tuple(map(str, entry.get("aliases", []))), str(entry.get("summary", ""))
    return [Weakness(each, str(entry["id"]), aliases, summary, tuple(fixed)) for each in hit.values()]


def _within(version: str, events: Sequence[Mapping[str, str]]) -> bool:
    """Tell whether a version is in a range. Raises InvalidVersion."""
    own = Version(version)
    order = {"introduced": 0, "last_affected": 1, "fixed": 2, "limit": 2}
    marks = []
    for event in events:
        ((kind, text),) = event.items()
        # "0" stands before every version.
        marks.append((Version("0.dev0") if text == "0" else Version(text), order[kind], kind))
    inside = False
    for at, _, kind in sorted(marks):
        if kind == "introduced" and own >= at:
            inside = True
        elif (kind in {"fixed", "limit"} and own >= at) or (kind == "last_affected" and own > at):
            inside = False
    return inside
