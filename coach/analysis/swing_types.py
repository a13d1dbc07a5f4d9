"""Values of swings and throws: which sport, what counts, what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SwingKind(StrEnum):
    BAT = "bat"
    GOLF = "golf"
    TENNIS = "tennis"
    THROW = "throw"


class Turn(StrEnum):
    """Which way the body turned, seen from above: left is anticlockwise."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class SwingParams:
    """All own heuristics. min_peak_degps: of the arm; trunk_min_peak_degps: of the trunk, which turns a third as fast.

    min_angle_deg, trunk_min_angle_deg: turned while above half of the peak; a knock is as fast, but goes nowhere.
    width_s: shortest and longest time above half of the peak. before_share: how high the rate may have been within
    LOOK_BACK_S before, relative to the peak. turn_share: least share of the turn about the vertical that tells a side.
    """

    min_peak_degps: float = 700.0
    trunk_min_peak_degps: float = 200.0
    min_angle_deg: float = 60.0
    trunk_min_angle_deg: float = 25.0
    width_s: tuple[float, float] = (0.03, 0.5)
    before_share: float = 0.6
    turn_share: float = 0.3


# Own heuristic: strokes with a racket are the slowest that count. Putts, chips, bunts and lobs are slower and do not.
PARAMS: dict[SwingKind, SwingParams] = {
    SwingKind.BAT: SwingParams(),
    SwingKind.GOLF: SwingParams(),
    SwingKind.TENNIS: SwingParams(min_peak_degps=600.0),
    SwingKind.THROW: SwingParams(),
}


@dataclass(frozen=True, slots=True)
class Swing:
    """time_s: of the peak, from the stream's first sample. peak_degps is a lower limit where `clipped`.

    turn: None where the axis lay too flat to tell. since_last_s: None for the first.
    """

    time_s: float
    peak_degps: float
    clipped: bool
    turn: Turn | None
    since_last_s: float | None
