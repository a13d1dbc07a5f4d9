"""Days of a trunk sensor with known contents, written down by hand. Limits are literals, not those of the profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from coach.analysis.detectors.types import (
    BendingStretch,
    Day,
    DayValues,
    Kind,
    Minutes,
    Profile,
    Threshold,
    Thresholds,
)

TODAY = 740000
START = 1_700_000_040.0  # a whole minute of UTC
THRESHOLDS_DEG = (20, 30, 45, 60, 90)
LEAST = {"worn_min": 60.0, "coverage_share": 0.8, "baseline_days": 14.0}
OWN: Mapping[Kind, Mapping[str, float]] = {
    Kind.REPEATED_BENDING: {"rate_per_min": 4.0, "duration_min": 10.0, "range_deg": 20.0, "baseline_z": 2.0},
    Kind.SUSTAINED_FLEXION: {"dose": 1.0, "window_min": 10.0, "baseline_z": 2.0},
    Kind.DEEP_FLEXION: {"angle_deg": 60.0, "share": 0.05, "baseline_z": 2.0},
    Kind.REPEATED_ROTATION: {"rate_per_min": 4.0, "duration_min": 10.0, "baseline_z": 2.0},
    Kind.SHORT_RECOVERY: {
        "rate_per_min": 4.0,
        "duration_min": 10.0,
        "pause_min": 5.0,
        "short_work_min": 60.0,
        "short_recovery_ratio": 1.0,
        "long_work_min": 120.0,
        "long_recovery_ratio": 0.3,
    },
    Kind.HEAVY_BACK_DAYS: {"days": 3.0},
}


def given(values: Mapping[str, float]) -> Thresholds:
    return {name: Threshold(value, "", "stated in the test", heuristic=True) for name, value in values.items()}


def limits(kind: Kind, **changed: float) -> Thresholds:
    """Return the limits of a detector and of a usable day, some of them changed."""
    return given({**LEAST, **OWN[kind], **changed})


def profile(*kinds: Kind) -> Profile:
    detectors = {kind: given(OWN[kind]) for kind in kinds}
    return Profile("test", "Test", "1", None, given(LEAST), detectors, ("a trunk sensor",), ("loads",))


def minutes(count: int, numbers: Iterable[int] | None = None, **columns: Any) -> Minutes:
    """Return minutes that were worn throughout; columns: scalars or (count,). numbers: of the minutes of the day."""
    places = np.arange(count) if numbers is None else np.asarray(list(numbers))
    known: dict[str, Any] = {"expected_s": 60.0, "covered_s": 60.0}
    floats = ("expected_s", "covered_s", "lying_s", "dose", "loose_s", "displaced_s")
    counts = ("bends", "turns_left", "turns_right", "strokes_left", "strokes_right", "strokes_unknown", "repetitions")
    values = known | columns
    above = values.pop("above_s", {})
    assert set(values) <= {*floats, *counts}
    return Minutes(
        stream_id=("s",) * count,
        start_utc_s=START + 60.0 * places,
        above_s={each: np.full(count, 0.0) + above.get(each, 0.0) for each in THRESHOLDS_DEG},
        **{name: np.full(count, 0.0) + values.get(name, 0.0) for name in floats},
        **{name: np.full(count, 0) + np.asarray(values.get(name, 0), dtype=np.int64) for name in counts},
    )


def day(trunk: Minutes | None, **values: Any) -> Day:
    known: dict[str, Any] = {"over": True, "trunk_place": None if trunk is None else "chest"}
    return Day(TODAY, START, START + 86400.0, trunk=trunk, **(known | values))


def past(back: int, **values: Any) -> DayValues:
    """Return the day so many days before today."""
    known: dict[str, Any] = {"valid": True, "worn_min": 480.0, "coverage_share": 1.0, "trunk_place": "chest"}
    return DayValues(ordinal=TODAY - back, **(known | values))


def stretch(
    first_min: float, last_min: float, per_min: float, coverage: float = 1.0, range_deg: float = 50.0
) -> BendingStretch:
    """Return a stretch between two minutes of the day, evenly bent, its rate per covered minute."""
    length_min = last_min - first_min
    bends = round(per_min * length_min * coverage)
    start, end = START + 60.0 * first_min, START + 60.0 * last_min
    return BendingStretch("s", start, end, bends, per_min, per_min, range_deg, coverage)


def spread(total: int, count: int) -> np.ndarray:
    """Return `total` events spread evenly over `count` minutes."""
    return np.diff(np.floor(np.arange(count + 1) * total / count + 1e-9)).astype(np.int64)


def placed(count: int, *parts: tuple[int, int, float]) -> np.ndarray:
    """Return (count,) events per minute: in minutes first..last-1 of each part `per_min` of them, evenly spread."""
    events = np.zeros(count, dtype=np.int64)
    for first, last, per_min in parts:
        events[first:last] = spread(round(per_min * (last - first)), last - first)
    return events
