"""Guided mode: the exercise and the side are known, so that a single repetition needs no proof by its likes.

The same functions do the work with other parameters: the smallest ROM, the time of a cycle and the hold to expect.
Source: own heuristic; the ranges are wide on purpose, for slow and for strong people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from coach.analysis.errors import AnalysisError
from coach.analysis.motion_types import Motion, MotionParams, Repetition


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Guide:
    """What to expect of an exercise. min_rom_deg: at the sensor that moves most; cycle_s: without the hold; hold_s: 0
    for none."""

    min_rom_deg: float
    cycle_s: tuple[float, float]
    hold_s: float = 0.0


# Ids of the exercise library where it has the exercise; all figures are own heuristics.
GUIDES: Mapping[str, Guide] = MappingProxyType(
    {
        "bird_dog": Guide(12.0, (1.5, 12.0), 10.0),
        "side_bridge": Guide(12.0, (1.5, 12.0), 10.0),
        "curl_up": Guide(10.0, (1.5, 12.0), 10.0),
        "dead_bug": Guide(15.0, (1.5, 12.0)),
        "short_plank": Guide(8.0, (1.5, 12.0), 10.0),
        "hip_hinge": Guide(25.0, (1.5, 12.0)),
        "glute_bridge": Guide(12.0, (1.5, 12.0)),
        "pallof_press": Guide(10.0, (1.5, 12.0)),
        "hip_and_upper_back_turns": Guide(15.0, (1.5, 14.0)),
        "trunk_bend": Guide(10.0, (1.2, 14.0), 5.0),
        "knee_extension": Guide(15.0, (1.0, 10.0), 5.0),
        "leg_raise": Guide(6.0, (1.0, 10.0), 5.0),
        "elbow_curl": Guide(25.0, (0.8, 12.0)),
        "arm_raise": Guide(20.0, (0.8, 12.0)),
        "arm_rotation": Guide(15.0, (0.7, 10.0)),
        "row": Guide(8.0, (0.7, 10.0)),
        "press": Guide(8.0, (0.8, 12.0)),
        "pull_up": Guide(10.0, (1.0, 14.0)),
        "pendulum": Guide(10.0, (0.7, 3.0)),
    }
)
# Own heuristics: a known exercise is done once or more; half of the hold asked for is a hold.
ONE_CYCLE, HOLD_SHARE, LEAST_HOLD_S = 1.0, 0.5, 1.5
# Own heuristic: how many holds long a stroke with its hold may be.
CYCLES_OF_HOLD = 1.5


def guided_params(exercise: str) -> MotionParams:
    """Return the parameters of a known exercise. Raises AnalysisError for one that has no guide."""
    if exercise not in GUIDES:
        raise AnalysisError(f"There is no guide to the exercise '{exercise}'; choose one of {', '.join(GUIDES)}.")
    guide = GUIDES[exercise]
    return MotionParams(
        min_rom_deg=guide.min_rom_deg,
        min_cycle_s=guide.cycle_s[0],
        max_stroke_s=guide.cycle_s[1] + CYCLES_OF_HOLD * guide.hold_s,
        min_cycles=ONE_CYCLE,
        certain=True,
        hold_s=max(HOLD_SHARE * guide.hold_s, LEAST_HOLD_S),
    )


def sides(left: Motion, right: Motion) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
    """Say of each repetition of two sensors, one on each side, which side did it.

    A side did it alone when the other did nothing of at least half its ROM meanwhile.
    """
    return (
        tuple(_side(each, right.repetitions, Side.LEFT) for each in left.repetitions),
        tuple(_side(each, left.repetitions, Side.RIGHT) for each in right.repetitions),
    )


def _side(one: Repetition, others: Iterable[Repetition], own: Side) -> Side:
    with_it = [each for each in others if each.start_s <= one.peak_s <= each.end_s]
    return Side.BOTH if any(each.rom_deg >= 0.5 * one.rom_deg for each in with_it) else own
