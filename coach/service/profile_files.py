"""Reading a profile or a file of caps, strictly: what is unknown, missing or impossible is refused by file and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coach.analysis.detectors.caps import AgeBand, PitchCaps, stricter
from coach.analysis.detectors.judge import DETECTORS
from coach.analysis.detectors.seen import LEAST
from coach.analysis.detectors.types import Kind, Profile, Threshold, Thresholds
from coach.analysis.exposure import THRESHOLDS_DEG
from coach.analysis.swing_types import SwingKind
from coach.errors import ConfigError

SHIPPED = Path(__file__).resolve().parent.parent / "profiles"

# The most that a limit in such a unit can mean.
_MOST: Mapping[str, float] = {"share": 1.0, "p": 1.0, "deg": 180.0, "min": 1440.0, "days": 365.0}
# The athlete's row keeps an id in 40 characters.
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Sentences for people, none of them empty.
_Sentence = Annotated[str, Field(min_length=1)]
_Sentences = Annotated[tuple[_Sentence, ...], Field(min_length=1)]
_Count = Annotated[int, Field(ge=1, le=1000)]
_Model = TypeVar("_Model", bound=BaseModel)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Limit(_Table):
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: _Sentence
    source: _Sentence
    heuristic: bool


class _ProfileFile(_Table):
    id: str
    name: _Sentence
    version: _Sentence
    effective: date
    stroke: Literal["bat", "golf", "tennis", "throw", "none"]
    caps: str | None = None
    sensors: Annotated[_Sentences, Field(strict=False)]
    cannot_see: Annotated[_Sentences, Field(strict=False)]
    least: dict[str, _Limit]
    detectors: dict[str, dict[str, _Limit]]


class _Band(_Table):
    ages: Annotated[tuple[_Count, _Count], Field(strict=False)]
    max_pitches: _Count
    rest_from: Annotated[tuple[_Count, ...], Field(strict=False, min_length=1)]


class _Sheet(_Table):
    source: _Sentence
    bands: Annotated[tuple[_Band, ...], Field(strict=False, min_length=1)]


class _CapsFile(_Table):
    id: str
    name: _Sentence
    version: _Sentence
    effective: date
    row_days_max: Annotated[int, Field(ge=1, le=7)]
    sheet: Annotated[tuple[_Sheet, ...], Field(strict=False, min_length=1)]


def profile_from(path: Path, caps_folders: Sequence[Path]) -> Profile:
    """Return the profile of a file; caps that it names are looked for in the folders, in order.

    Raises ConfigError with one sentence that names the file and the key.
    """
    file = _parsed(path, _ProfileFile)
    _check_id(path, file.id)
    _check_names(path, "least", file.least, LEAST)
    detectors = {_kind(path, name): limits for name, limits in file.detectors.items()}
    for kind, limits in detectors.items():
        _check_names(path, f"detectors.{kind}", limits, DETECTORS[kind].thresholds)
    if Kind.REPEATED_BENDING not in detectors:
        raise _wrong(path, f"detectors.{Kind.REPEATED_BENDING}", "is missing: the analysis of every stream needs it")
    if (Kind.PITCH_COUNT in detectors) != (file.caps is not None):
        raise _wrong(path, "caps", f"goes with detectors.{Kind.PITCH_COUNT}: give both or neither")
    return Profile(
        id=file.id,
        name=file.name,
        version=file.version,
        stroke=None if file.stroke == "none" else SwingKind(file.stroke),
        least=_thresholds(path, "least", file.least),
        detectors=MappingProxyType(
            {kind: _thresholds(path, f"detectors.{kind}", limits) for kind, limits in detectors.items()}
        ),
        sensors=file.sensors,
        cannot_see=file.cannot_see,
        effective_on=file.effective.isoformat(),
        caps=None if file.caps is None else caps_in(path, file.caps, caps_folders),
    )


def caps_in(path: Path, name: str, folders: Sequence[Path]) -> PitchCaps:
    """Return the caps of that name from the first folder that has them. Raises ConfigError."""
    found = next((folder / f"{name}.toml" for folder in folders if (folder / f"{name}.toml").is_file()), None)
    if found is None:
        raise _wrong(path, "caps", f"names {name!r}, but there is no caps/{name}.toml: correct the name")
    return caps_from(found)


def caps_from(path: Path) -> PitchCaps:
    """Return the caps of a file, the stricter row where its sheets differ. Raises ConfigError."""
    file = _parsed(path, _CapsFile)
    _check_id(path, file.id)
    return reduce(stricter, [_sheet(path, file, number) for number in range(len(file.sheet))])


def _sheet(path: Path, file: _CapsFile, number: int) -> PitchCaps:
    sheet, bands, before = file.sheet[number], [], 0
    for place, band in enumerate(sheet.bands):
        first, last = band.ages
        if first <= before or last < first:
            raise _wrong(path, f"sheet.{number}.bands.{place}.ages", "should ascend and not overlap")
        if list(band.rest_from) != sorted(set(band.rest_from)):
            raise _wrong(path, f"sheet.{number}.bands.{place}.rest_from", "should ascend")
        bands.append(AgeBand(first, last, band.max_pitches, band.rest_from))
        before = last
    return PitchCaps(file.id, file.version, file.effective.isoformat(), sheet.source, file.row_days_max, tuple(bands))


def _parsed(path: Path, model: type[_Model]) -> _Model:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The file {path} cannot be read ({error.strerror}): mend its rights or its name.") from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"The file {path} is no text: write a profile into it (docs/profiles.md), or remove it."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The file {path} cannot be read ({error}): mend that line, or name another file.") from None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                f"{path}: there is no key {key}: remove it or see docs/profiles.md for the keys."
            ) from None
        wrong = "is missing" if first["type"] == "missing" else f"is wrong: {first['msg'][0].lower()}{first['msg'][1:]}"
        raise ConfigError(f"{path}: the key {key} {wrong}; see docs/profiles.md for the keys.") from None


def _check_id(path: Path, found: str) -> None:
    if found != path.stem or not _ID.fullmatch(found):
        raise _wrong(path, "id", f"is {found!r}; it should be the file's name, of small letters, digits and _")


def _kind(path: Path, name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise _wrong(path, f"detectors.{name}", f"names no detector: choose from {', '.join(Kind)}") from None


def _check_names(path: Path, where: str, limits: Mapping[str, _Limit], known: Mapping[str, str]) -> None:
    for name, limit in limits.items():
        if name not in known:
            raise _wrong(path, f"{where}.{name}", f"is not known: the limits here are {', '.join(known) or 'none'}")
        if limit.unit != known[name]:
            raise _wrong(path, f"{where}.{name}.unit", f"is {limit.unit!r}; the value is taken in {known[name]!r}")
        most = _MOST.get(limit.unit)
        if most is not None and limit.value > most:
            raise _wrong(path, f"{where}.{name}.value", f"is {limit.value:g}; it may be {most:g} {limit.unit} at most")
        if name == "angle_deg" and limit.value not in THRESHOLDS_DEG:
            raise _wrong(path, f"{where}.{name}.value", f"should be one of {', '.join(map(str, THRESHOLDS_DEG))}")
    for name in known:
        if name not in limits:
            raise _wrong(path, f"{where}.{name}", "is missing: add it")


def _thresholds(path: Path, where: str, limits: Mapping[str, _Limit]) -> Thresholds:
    for name, limit in limits.items():
        ours = limit.source.casefold().startswith("own heuristic")
        if ours != limit.heuristic:
            raise _wrong(
                path,
                f"{where}.{name}.heuristic",
                "should be true exactly where the source begins with 'own heuristic': say what the limit stands on",
            )
    return MappingProxyType(
        {name: Threshold(limit.value, limit.unit, limit.source, limit.heuristic) for name, limit in limits.items()}
    )


def _wrong(path: Path, key: str, what: str) -> ConfigError:
    return ConfigError(f"{path}: the key {key} {what}.")
