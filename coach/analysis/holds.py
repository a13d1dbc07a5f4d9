"""Holds: the far pose of a repetition kept still, and whether it was the pose that the first holds aimed at.

Source: docs/algorithms.md; a hold begins with a second of less than 10 deg/s within 10 degrees of the pose, and ends
10 degrees away from its mean pose or with more than 40 deg/s. That the target is the usual ROM of the first three held
repetitions of the movement, and a quarter of it for small movements, is an own heuristic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coach.analysis.motion_types import Hold, MotionParams, Repetition, Stretch
from coach.analysis.turning import CHORD_DEG
from devices.types import FloatArray

# Own heuristics of the field, stated in docs/algorithms.md.
QUIET_DEGPS, QUIET_S, MOVING_DEGPS = 12.0, 0.75, 40.0
WITHIN_DEG, WITHIN_SHARE = 10.0, 0.25
MEAN_S, CALM_SHARE = 3.0, 0.5
# Own heuristic: coming to rest and setting out again are no sway.
SETTLING_S = 0.3
# Own heuristics: repetitions that set a target, movements remembered, and how far apart the rest poses and the axes of
# turning of one movement may be.
REACHED_SHARE, LONG_SHARE = 0.85, 0.5
AIMED, REMEMBERED, SAME_COS = 3, 8, math.cos(math.radians(60.0))


@dataclass(frozen=True, slots=True)
class Target:
    """A movement's rest and axis, (3,) each in sensor axes, and the ROM and the duration of its first holds."""

    rest: tuple[float, float, float]
    axis: tuple[float, float, float]
    roms_deg: tuple[float, ...]
    durations_s: tuple[float, ...]

    @property
    def rom_deg(self) -> float:
        return sorted(self.roms_deg)[len(self.roms_deg) // 2]

    @property
    def duration_s(self) -> float:
        return sorted(self.durations_s)[len(self.durations_s) // 2]


def detect_holds(
    params: MotionParams,
    targets: tuple[Target, ...],
    stretch: Stretch,
    offset_s: float,
    repetitions: list[Repetition],
) -> tuple[tuple[Target, ...], list[Hold]]:
    """Return the targets and the holds of one set's repetitions. offset_s: time of the stretch's first sample."""
    if not any(each.hold_s >= QUIET_S for each in repetitions):
        return targets, []
    known = list(targets)
    holds = []
    step = stretch.quat[1:] - stretch.quat[:-1]
    squared = np.vecdot(step, step) * (CHORD_DEG * stretch.rate_hz) ** 2
    for repetition in repetitions:
        if repetition.hold_s < QUIET_S:
            continue
        still = _still(stretch, squared, repetition, offset_s)
        if still is None or still[1] - still[0] < params.hold_s * stretch.rate_hz:
            continue
        duration_s = (still[1] - still[0]) / stretch.rate_hz
        settling = round(SETTLING_S * stretch.rate_hz)
        start = round((repetition.start_s - offset_s) * stretch.rate_hz)
        target = _target(
            known, stretch.quat[start], stretch.quat[(still[0] + still[1]) // 2], repetition.rom_deg, duration_s
        )
        reach = repetition.rom_deg / target.rom_deg
        holds.append(
            Hold(
                repetition.number_of_set,
                offset_s + still[0] / stretch.rate_hz,
                offset_s + still[1] / stretch.rate_hz,
                _sway_deg(stretch.quat[still[0] + settling : still[1] + 1 - settling]),
                reach,
                reach >= REACHED_SHARE and duration_s >= LONG_SHARE * target.duration_s,
            )
        )
    return tuple(known[-REMEMBERED:]), holds


def _still(stretch: Stretch, squared: FloatArray, repetition: Repetition, offset_s: float) -> tuple[int, int] | None:
    """Return the first and last sample of the stillness at the far pose; None when there is no quiet stretch in it."""
    begins, arrives, departs, ends = (
        round((at - offset_s) * stretch.rate_hz)
        for at in (repetition.start_s, repetition.holds_from_s, repetition.holds_until_s, repetition.end_s)
    )
    quat, squared = stretch.quat[begins : ends + 1], squared[begins:ends]
    window = round(QUIET_S * stretch.rate_hz)
    sums = np.concatenate(([0.0], np.cumsum(squared)))[arrives - begins : departs - begins + 1]
    quiet = np.flatnonzero(sums[window:] - sums[:-window] < window * QUIET_DEGPS**2)
    if not quiet.size:
        return None
    begin = arrives - begins + int(quiet[0])
    mean = quat[begin : min(begin + round(MEAN_S * stretch.rate_hz), departs - begins + 1)].mean(axis=0)
    away = quat - mean
    limit = min(WITHIN_DEG, WITHIN_SHARE * repetition.rom_deg)
    moves = CHORD_DEG**2 * np.vecdot(away, away) > limit**2
    moves[:-1] |= squared > MOVING_DEGPS**2
    # What moves within the quiet stretch itself does not end it.
    moves[begin : begin + window] = False
    before, after = np.flatnonzero(moves[:begin]), np.flatnonzero(moves[begin:])
    entered = int(before[-1]) + 1 if before.size else 0
    left = begin + int(after[0]) if after.size else moves.size - 1
    return begins + _calmed(squared, entered, 1, window), begins + _calmed(squared, left, -1, window)


def _calmed(squared: FloatArray, edge: int, inward: int, window: int) -> int:
    """Move an edge inward, by at most a window, to where the movement beyond it has calmed to half its rate."""
    near = squared[max(edge - window, 0) : edge + window]
    calm = CALM_SHARE**2 * float(near.max(initial=0.0))
    inside = squared[edge : edge + window] if inward > 0 else squared[max(edge - window, 0) : edge][::-1]
    calmed = (inside <= calm).nonzero()[0]
    return edge + inward * int(calmed[0]) if calmed.size else edge


def _sway_deg(quat: FloatArray) -> float:
    """Return the RMS distance of poses (n, 4) from a steady drift, in deg."""
    time = np.linspace(-1.0, 1.0, quat.shape[0])
    centred = quat - quat.mean(axis=0)
    drift = np.outer(time, time @ centred / (time @ time))
    return CHORD_DEG * float(np.sqrt(((centred - drift) ** 2).sum(axis=1).mean()))


def _target(known: list[Target], rest: FloatArray, far: FloatArray, rom_deg: float, duration_s: float) -> Target:
    """Return the target of the movement, which this repetition may help to set."""
    up, axis = _up(rest), _axis(rest, far)
    for place, target in enumerate(known):
        if _cos(target.rest, up) > SAME_COS and _cos(target.axis, axis) > SAME_COS:
            if len(target.roms_deg) < AIMED and abs(rom_deg / target.rom_deg - 1.0) <= WITHIN_SHARE:
                known[place] = Target(
                    target.rest, target.axis, (*target.roms_deg, rom_deg), (*target.durations_s, duration_s)
                )
            return known[place]
    known.append(Target(up, axis, (rom_deg,), (duration_s,)))
    return known[-1]


def _up(quat: FloatArray) -> tuple[float, float, float]:
    w, x, y, z = quat.tolist()
    return 2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z


def _axis(rest: FloatArray, far: FloatArray) -> tuple[float, float, float]:
    """Return the unit axis, in sensor axes, about which the rest pose turns into the far one."""
    w, x, y, z = rest.tolist()
    a, b, c, d = far.tolist()
    turned = (w * b - x * a - y * d + z * c, w * c + x * d - y * a - z * b, w * d - x * c + y * b - z * a)
    if w * a + x * b + y * c + z * d < 0:
        turned = (-turned[0], -turned[1], -turned[2])
    length = math.hypot(*turned) or 1.0
    return turned[0] / length, turned[1] / length, turned[2] / length


def _cos(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
