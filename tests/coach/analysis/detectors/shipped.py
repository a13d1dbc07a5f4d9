"""What the tests of detectors share: the limits of the shipped profiles, and days with few things in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import coach
from coach.analysis.detectors.types import Day, DayValues, Entered, Kind, Minutes, Profile, Thresholds
from coach.service.profile_files import profile_from

FOLDER = Path(coach.__file__).parent / "profiles"
# A Monday: 2026-11-23.
MONDAY = 739943


def profile(name: str) -> Profile:
    return profile_from(FOLDER / f"{name}.toml", [FOLDER / "caps"])


def limits(name: str, kind: Kind) -> Thresholds:
    """The limits as judge.py hands them to a detector: its own and those of a usable day."""
    found = profile(name)
    return {**found.least, **found.detectors[kind]}


def minutes(
    count: int = 60,
    strokes: tuple[int, int, int] = (0, 0, 0),
    turns: tuple[int, int] = (0, 0),
    covered_share: float = 1.0,
) -> Minutes:
    """An hour of minutes; the events all fall into the first one."""

    def first(value: int) -> np.ndarray:
        return np.array([value] + [0] * (count - 1), dtype=np.int64)

    nothing = np.zeros(count)
    return Minutes(
        stream_id=("s",) * count,
        start_utc_s=60.0 * np.arange(count),
        expected_s=np.full(count, 60.0),
        covered_s=np.full(count, 60.0 * covered_share),
        lying_s=nothing,
        above_s=dict.fromkeys((20, 30, 45, 60, 90), nothing),
        bends=first(0),
        turns_left=first(turns[0]),
        turns_right=first(turns[1]),
        dose=nothing,
        strokes_left=first(strokes[0]),
        strokes_right=first(strokes[1]),
        strokes_unknown=first(strokes[2]),
        repetitions=first(0),
        loose_s=nothing,
        displaced_s=nothing,
    )


def day(ordinal: int = MONDAY, **values: object) -> Day:
    start = (ordinal - MONDAY) * 86400.0
    known: dict[str, object] = {"over": True, "trunk": None, "trunk_place": None} | values
    return Day(ordinal=ordinal, start_utc_s=start, end_utc_s=start + 86400.0, **known)  # type: ignore[arg-type]


def entered(**values: object) -> Entered:
    return Entered(**values)  # type: ignore[arg-type]


def past(ordinal: int, **values: object) -> DayValues:
    known: dict[str, object] = {"valid": True, "worn_min": 60.0, "coverage_share": 1.0} | values
    return DayValues(ordinal=ordinal, **known)  # type: ignore[arg-type]
