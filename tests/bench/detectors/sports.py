"""What athletes of each profile do: how they move, when they play, and which kinds of findings they are asked about."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.detectors.truth import (
    BENDING,
    COUNT,
    DEEP,
    DEGRADING,
    HEAVY,
    HELD,
    HRV,
    LOAD,
    PAIN,
    PITCHES,
    RECOVERY,
    SIDED,
    TURNING,
)

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sport:
    """All own heuristics: a typical week, no census.

    worn_h: of a day at the level of exposures; raw_h: of a day of raw motion. bends_per_h, walks_share, sits_deg: of
    the ordinary time. plays: days of the week with sport or heavy work, Monday 0. strokes: usual number on such a day;
    share: of them to the usual side; each_s: from one to the next. ages: of the athletes. pelvis: whether another
    sensor is worn there; without it turns are those of the trunk in the room.
    """

    id: str
    kinds: tuple[str, ...]
    worn_h: Range
    raw_h: Range
    bends_per_h: Range
    walks_share: Range
    sits_deg: Range
    plays: tuple[int, ...]
    strokes: Range = (0.0, 0.0)
    share: Range = (0.5, 0.5)
    each_s: Range = (7.0, 11.0)
    ages: tuple[int, int] = (20, 50)
    pelvis: bool = False

    @property
    def two_sided(self) -> bool:
        """Tell whether the sides of turns are asked for, not those of strokes."""
        return not self.strokes[1]


_ENTERED = (LOAD, HRV, PAIN)
_STROKES = (SIDED, COUNT, DEGRADING, *_ENTERED)
_WORK = (RECOVERY, DEGRADING, HEAVY, *_ENTERED)
SPORTS: tuple[Sport, ...] = (
    Sport(
        "baseball", (BENDING, TURNING, PITCHES, *_STROKES), (2.0, 4.0), (0.8, 1.0), (6.0, 18.0), (0.2, 0.4),
        (4.0, 9.0), (0, 1, 3, 5, 6), (60.0, 100.0), (0.60, 0.72), (18.0, 24.0), (11, 18),
    ),
    Sport(
        "golf", (BENDING, HELD, TURNING, *_STROKES), (2.5, 5.0), (0.8, 1.0), (6.0, 16.0), (0.3, 0.6),
        (4.0, 9.0), (1, 2, 4, 5, 6), (60.0, 110.0), (0.60, 0.75), (20.0, 28.0), pelvis=True,
    ),
    Sport(
        "tennis", (BENDING, *_STROKES), (1.5, 3.0), (0.8, 1.0), (6.0, 16.0), (0.3, 0.5),
        (4.0, 9.0), (0, 1, 3, 5, 6), (90.0, 160.0), (0.55, 0.70), (7.0, 11.0), (14, 50),
    ),
    Sport(
        "heavy_lifting", (BENDING, DEEP, *_WORK), (3.0, 6.0), (0.8, 1.0), (12.0, 30.0), (0.15, 0.35),
        (4.0, 10.0), (0, 1, 3, 4, 5),
    ),
    Sport(
        "shovelling", (BENDING, HELD, DEEP, TURNING, SIDED, *_WORK), (4.0, 7.0), (0.8, 1.0), (12.0, 30.0), (0.15, 0.4),
        (4.0, 10.0), (0, 1, 2, 3, 4, 5), pelvis=True,
    ),
    Sport(
        "desk", (BENDING, HELD, DEEP, HEAVY, *_ENTERED), (4.0, 7.0), (2.1, 2.2), (3.0, 9.0), (0.05, 0.15),
        (7.0, 15.0), (0, 1, 2, 3, 4),
    ),
    Sport(
        "general", (BENDING, HELD, DEEP, TURNING, SIDED, *_WORK), (3.0, 6.0), (1.1, 1.2), (6.0, 20.0), (0.1, 0.3),
        (5.0, 12.0), (0, 1, 2, 3, 4, 5),
    ),
)  # fmt: skip
BY_ID = {sport.id: sport for sport in SPORTS}
