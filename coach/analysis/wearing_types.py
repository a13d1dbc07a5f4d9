"""How a sensor sits: what is kept from one second to the next, and what no trunk does (wearing.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from coach.analysis.direction import DirectionState
from coach.analysis.frames import Vector
from coach.analysis.wobble import COLUMNS, LOOKS
from devices.types import FloatArray, IntArray

# A sum of directions, of any length.
Sums = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class WearingParams:
    """wobble_deg: amplitude, over window_s, of what is left of "up" after its mean over a second, that no trunk reaches
    at a pace of wobble_hz or faster; wobble_deg_hz: amplitude times pace; swing_deg: amplitude at any pace. twist_hz,
    twist_deg_hz: the same of the heading. spin_deg: turn about the vertical in window_s. settle_s: of sound wear before
    it is believed again, twice as long each time that it swings anew, up to settle_max_s, after which that is
    forgotten. still_s, still_deg, turned_deg: it lies that long within that cone, that far from the mean pose.
    astray_deg: of the pose in walking, in `walks` stretches of ten seconds in a row; aside_deg: between the calibrated
    front and the one in the bends, `asides` times in a row (direction.py); over_deg, over_s: from upright, that long.
    All own heuristics.
    """

    window_s: int = 5
    wobble_deg: float = 10.0
    wobble_deg_hz: float = 16.0
    wobble_hz: float = 0.85
    swing_deg: float = 18.0
    twist_hz: float = 1.5
    twist_deg_hz: float = 20.0
    spin_deg: float = 400.0
    settle_s: int = 60
    settle_max_s: int = 1800
    still_s: int = 60
    still_deg: float = 0.2
    turned_deg: float = 40.0
    astray_deg: float = 30.0
    walks: int = 2
    aside_deg: tuple[float, float] = (60.0, 120.0)
    asides: int = 2
    over_deg: float = 140.0
    over_s: int = 5


@dataclass(frozen=True, slots=True)
class Glimpses:
    """What is looked at of samples start .. end - 1. up: (3, m) direction "up" in sensor axes at the looks, NaN where
    missing. turn_radps: (m,) angular rate about the vertical, NaN likewise. steps: (k,) samples at which one began.
    """

    start: int
    end: int
    up: FloatArray
    turn_radps: FloatArray
    steps: IntArray


def _no(columns: int) -> Callable[[], IntArray]:
    return lambda: np.zeros((0, columns), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pose:
    """What the seconds have told of how it sits. Directions are sums of looks, in sensor axes.

    still, lain: direction since when it lies still, and for how many seconds. worn: sum of the seconds that moved.
    run, run_up: steps of the present seconds of walking, and their sum. walked: direction of the first walk; astray:
    walks in a row that were far from where up should be; aside: fronts in a row. over: seconds in a row upside down.
    """

    still: Sums = (0, 0, 0)
    lain: int = 0
    worn: Sums = (0, 0, 0)
    run: tuple[int, ...] = ()
    run_up: Sums = (0, 0, 0)
    walked: Vector | None = None
    astray: int = 0
    over: int = 0
    aside: int = 0


@dataclass(frozen=True, slots=True)
class WearingState:
    """phase_s, second: seconds are counted as in exposure.ExposureState; `second` is under way.

    looks: (k, 5) the newest, as in wobble.looked. sums: of the second under way. window: (w, LOOKS) sums of the newest
    complete seconds. direction: of the bends; fronts_deg: those found in the second under way. swung: times that it
    began to swing. loose_until, displaced_until: the second from which on it is believed again. spans: (s, 3) first
    second, end and code of what was not worn well. loose_s, displaced_s: seconds with samples in all; apart_deg: the
    furthest that a walk was from where it should be.
    """

    phase_s: float = 0.0
    second: int = 0
    looks: IntArray = field(default_factory=_no(5))
    sums: tuple[int, ...] = (0,) * COLUMNS
    window: IntArray = field(default_factory=_no(LOOKS))
    pose: Pose = field(default_factory=Pose)
    direction: DirectionState = field(default_factory=DirectionState)
    fronts_deg: tuple[float, ...] = ()
    swung: int = 0
    loose_until: int = 0
    displaced_until: int = 0
    spans: IntArray = field(default_factory=_no(3))
    loose_s: int = 0
    displaced_s: int = 0
    apart_deg: float = 0.0
