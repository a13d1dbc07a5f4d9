"""Values of exercise: repetition, hold, stretch of one activity. Times in s from the stream's first sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from devices.types import FloatArray

# Own heuristic: who stands still for less goes on walking.
SAME_WALK_S = 3.0


@dataclass(frozen=True, slots=True)
class MotionParams:
    """What counts as a repetition; every figure is an own heuristic (docs/algorithms.md tells how far each may be off).

    min_rom_deg: a smaller excursion is none. cycle_s: shortest and longest time from one turn to the next of its kind;
    a stroke with its hold may last `max_stroke_s`. min_cycles: complete cycles that make a set. certain: the exercise
    is known (guided mode), so that a set needs no further proof by its evenness.
    """

    min_rom_deg: float = 4.5
    min_cycle_s: float = 0.6
    max_stroke_s: float = 15.0
    min_cycles: float = 2.0
    certain: bool = False
    hold_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Repetition:
    """One movement away from a pose and back to it.

    number_of_set: counts sets from 1. start_s, peak_s, end_s: leaving the pose, farthest from it, back in it.
    rom_deg: angle between the two poses. up_s, hold_s, down_s: on the way there, held there, on the way back.
    peak_rate_degps: of the angular rate. whole: False where the recording cut into it or its return was not seen.
    sparc, log_jerk: smoothness of the way there (smoothness.py), None where it is too short to tell.
    """

    number_of_set: int
    start_s: float
    peak_s: float
    end_s: float
    rom_deg: float
    up_s: float
    hold_s: float
    down_s: float
    peak_rate_degps: float
    whole: bool = True
    sparc: float | None = None
    log_jerk: float | None = None

    @property
    def mean_rate_degps(self) -> float:
        """Return the mean angular rate on the way there, 0 where it took no time that could be told."""
        return self.rom_deg / self.up_s if self.up_s > 0 else 0.0

    @property
    def holds_from_s(self) -> float:
        return self.start_s + self.up_s

    @property
    def holds_until_s(self) -> float:
        return self.end_s - self.down_s


@dataclass(frozen=True, slots=True)
class Hold:
    """A pose kept at the far end of a repetition.

    sway_deg: RMS of the angle to the mean pose, detrended. reached_share: ROM / the ROM of the first held repetitions
    of this movement. on_target: it reached most of that ROM, for at least half of their time.
    """

    number_of_set: int
    start_s: float
    end_s: float
    sway_deg: float
    reached_share: float
    on_target: bool

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


class ActivityKind(StrEnum):
    EXERCISE = "exercise"
    WALKING = "walking"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one activity. count: repetitions, or steps of walking. per_min: of the same."""

    kind: ActivityKind
    start_s: float
    end_s: float
    count: int
    per_min: float
    number_of_set: int = 0


@dataclass(frozen=True, slots=True)
class Motion:
    """What was settled: all in order of time."""

    segments: tuple[Segment, ...] = ()
    repetitions: tuple[Repetition, ...] = ()
    holds: tuple[Hold, ...] = ()

    def followed_by(self, more: Motion) -> Motion:
        """Return both, in order; a walk that was told in parts becomes one."""
        if not more.segments:
            return Motion(self.segments, self.repetitions + more.repetitions, self.holds + more.holds)
        last, *others = *self.segments[-1:], *more.segments
        rest = self.segments[:-1]
        for each in others:
            if last.kind is each.kind is ActivityKind.WALKING and each.start_s - last.end_s < SAME_WALK_S:
                count = last.count + each.count
                per_min = 60.0 * count / (each.end_s - last.start_s)
                last = Segment(last.kind, last.start_s, each.end_s, count, per_min)
            else:
                rest, last = (*rest, last), each
        return Motion((*rest, last), self.repetitions + more.repetitions, self.holds + more.holds)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch without a gap, evenly sampled.

    quat: (n, 4) sensor to a frame with z up, its sign continuous. lift_mps2: (n,) acceleration along the vertical
    without gravity.
    """

    rate_hz: float
    quat: FloatArray
    lift_mps2: FloatArray = field(default_factory=lambda: np.empty(0))
