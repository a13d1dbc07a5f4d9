"""Editions: one version of the algorithm with one set of limits. What an edition says is never changed by another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coach.analysis.detectors.types import Profile
from coach.analysis.types import ALGORITHM_NAME, ALGORITHM_VERSION, AnalysisParams
from coach.service.canonical import canonical, plain
from coach.service.ground import Ground
from coach.service.profiles import analysis_params
from coach.store import findings
from coach.store.engine import Tx
from coach.store.rows import Row

# Hex digits of the digest: a billion sets of limits meet by chance once in 500 times. Own choice.
_DIGITS = 12
# What a profile says to people; no judgement depends on it.
_WORDS = frozenset({"name", "sensors", "cannot_see"})


@dataclass(frozen=True, slots=True)
class Edition:
    """id: version of the algorithm and digest of `parameters`, which are all that a judgement depends on but data."""

    id: str
    profile: Profile
    parameters: dict[str, Any]


def edition_of(profile: Profile, params: AnalysisParams) -> Edition:
    """Return the edition of this version with these limits."""
    parameters = {
        "profile": {name: each for name, each in plain(profile).items() if name not in _WORDS},
        "analysis": plain(params),
    }
    digest = hashlib.sha256(canonical(parameters).encode()).hexdigest()[:_DIGITS]
    return Edition(f"{ALGORITHM_VERSION}-{digest}", profile, parameters)


def limits_of(params: AnalysisParams) -> str:
    """Return the digest of the parameters that a recording is analysed with."""
    return hashlib.sha256(canonical(plain(params)).encode()).hexdigest()[:_DIGITS]


def edition_of_athlete(ground: Ground, athlete: Row) -> Edition:
    """Return the edition that judges an athlete's days now. Raises ConfigError when the profile's file is gone."""
    profile = ground.profiles.of_athlete(athlete)
    return edition_of(profile, analysis_params(ground.config, profile))


def ensure_edition(tx: Tx, edition: Edition, now: datetime) -> None:
    """Have the edition in the table."""
    findings.add_edition(
        tx,
        {
            "id": edition.id,
            "algorithm_name": ALGORITHM_NAME,
            "algorithm_version": ALGORITHM_VERSION,
            "profile_id": edition.profile.id,
            "profile_version": edition.profile.version,
            "parameters": edition.parameters,
            "created_at": now,
        },
    )


def changed_between(before: Row, after: Row) -> tuple[str, ...]:
    """Return what differs between two rows of editions, one sentence each, in order of name."""
    said: list[str] = []
    if before["algorithm_version"] != after["algorithm_version"]:
        said.append(f"algorithm version: {before['algorithm_version']} before, {after['algorithm_version']} now")
    old, new = _flat(before["parameters"]), _flat(after["parameters"])
    said.extend(
        f"{name}: {_shown(old.get(name))} before, {_shown(new.get(name))} now"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )
    return tuple(said)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return the leaves of nested objects by their dotted names, rows from 1; a limit's value and unit are one."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        value = {str(number): each for number, each in enumerate(value, start=1)}
    if not isinstance(value, dict):
        return {name: value}
    if {"value", "unit"} <= value.keys():
        about = {f"{name}.{key}": value.get(key) for key in ("heuristic", "source")}
        return {name: f"{value['value']:g} {value['unit']}".strip(), **about}
    leaves: dict[str, Any] = {}
    for key, each in value.items():
        leaves |= _flat(each, f"{name}.{key}" if name else key)
    return leaves


def _shown(value: Any) -> str:
    return "not there" if value is None else str(value)
