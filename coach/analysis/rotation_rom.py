"""Range of motion of hip and thoracic rotation, left and right, in positions in which gravity can measure it.

Hip: sitting, the shank hanging; turning the thigh swings the shank, which tilts the sensor at the ankle. Upper back: on
hands and knees, sitting back on the heels (lumbar-locked), which turns the sensor at the chest about the level spine.
So no yaw is needed, and nothing drifts. Positions: Krause et al. 2015 (hip), Johnson et al. 2012 (thoracic). How
repetitions are found and judged is an own heuristic.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coach.analysis.assessment_types import SPECS, AssessmentTest, Method, Trial, TrialOutcome
from coach.analysis.errors import AnalysisError
from coach.analysis.frames import Vector, unit
from coach.analysis.guided import Side
from coach.analysis.orientation import OrientationParams, OrientationState, Oriented, estimate_orientation
from coach.analysis.quality import BoolArray
from coach.analysis.sway import tilt_components_deg
from coach.analysis.turning import turning_points
from devices.types import FloatArray, IntArray

ALGORITHM = "rotation_rom"
# Changes whenever the same samples may give another trial.
VERSION = "1"
# The standard error of a median is so many times that of a mean, for normal values.
MEDIAN_FACTOR = 1.2533
LUMBAR_LOCKED = "a level trunk: on hands and knees, sitting back on the heels (upright, gravity does not show a turn)"


@dataclass(frozen=True, slots=True)
class RotationParams:
    """Own heuristics, all of them.

    rest_s, rest_rate_degps: the first stillness is the pose that is turned from. min_deg: a smaller turn is none.
    least, most: repetitions that the median is of, the first ones. peak_s: around the farthest moment, averaged.
    alike_share: how much a turn may differ from the median; other movement is left out. max_spread_deg: of the
    directions of the turns. level_deg: how near the spine may be to the vertical.
    """

    rest_s: float = 1.0
    rest_rate_degps: float = 10.0
    min_deg: float = 8.0
    least: int = 3
    most: int = 5
    peak_s: float = 0.2
    alike_share: float = 0.35
    max_spread_deg: float = 20.0
    level_deg: float = 40.0
    coverage_share: float = 0.8


@dataclass(frozen=True, slots=True)
class _Turn:
    """angle_deg: (n,) from the pose of rest, positive to the asked side. spread_deg: of the repetitions' directions."""

    angle_deg: FloatArray
    spread_deg: float


def measure_rotation(
    test: AssessmentTest,
    place: str,
    rate_hz: float,
    acc_mps2: FloatArray,
    gyr_radps: FloatArray,
    upright: Vector | None = None,
    params: RotationParams | None = None,
) -> Trial:
    """Return the median range of three to five turns to one side, of all samples of a trial.

    acc_mps2, gyr_radps: (n, 3), NaN where missing. upright: of the sensor's calibration, needed for the upper back.
    Raises AnalysisError for a test that is no rotation.
    """
    spec, params = SPECS[test], params or RotationParams()
    if spec.method is not Method.ROTATION:
        raise AnalysisError(f"The test '{test}' is no rotation: choose one that is.")
    if place not in spec.places:
        return _none(test, params, f"a sensor at the {' or '.join(each.replace('_', ' ') for each in spec.places)}")
    thoracic = test.startswith("thoracic")
    if thoracic and upright is None:
        return _none(test, params, "a calibration (stand upright)")
    _, oriented = estimate_orientation(OrientationParams(), OrientationState(), rate_hz, acc_mps2, gyr_radps, False)
    coverage = float(np.count_nonzero(oriented.valid)) / max(oriented.valid.size, 1)
    if coverage < params.coverage_share:
        return _none(test, params, f"{params.coverage_share:.0%} of the samples (there were {coverage:.0%})", coverage)
    turned = _turned(test, params, rate_hz, oriented, upright if thoracic else None)
    if isinstance(turned, str):
        return _none(test, params, turned, coverage)
    return _trial(test, place, params, rate_hz, turned, coverage)


def _turned(
    test: AssessmentTest, params: RotationParams, rate_hz: float, oriented: Oriented, upright: Vector | None
) -> _Turn | str:
    """Return the turn from the first stillness on, or what is needed. upright: of the upper back, None for a hip."""
    up = oriented.up[:, oriented.valid].T
    rate = np.degrees(np.sqrt(np.sum(oriented.gyr[oriented.valid] ** 2, axis=1)))
    level = np.ones(len(up), dtype=bool) if upright is None else _level(params, up, upright)
    rest = _rest(params, rate_hz, rate, level)
    if rest is None:
        return f"{params.rest_s:g} s of stillness before the first turn" if level.any() else LUMBAR_LOCKED
    x, y, z = (float(each) for each in up[rest].mean(axis=0))
    still = unit((x, y, z))
    # What comes before the pose is taken, or after the trunk is raised again, is no turn.
    end = rest.start + int(np.argmin(np.append(level[rest.start :], False)))
    up = up[rest.start : end]
    if upright is None:
        return _to_a_side(params, still, up)
    return _about_spine(still, up, upright, SPECS[test].side)


def _level(params: RotationParams, up: FloatArray, upright: Vector) -> BoolArray:
    """Tell for each sample (n,) whether the spine is level enough for gravity to show a turn about it."""
    level: BoolArray = np.abs(up @ np.asarray(unit(upright))) <= math.cos(math.radians(params.level_deg))
    return level


def _rest(params: RotationParams, rate_hz: float, rate_degps: FloatArray, level: BoolArray) -> slice | None:
    """Return the samples of the first stillness throughout which the trunk was level."""
    count = max(round(params.rest_s * rate_hz), 1)
    if rate_degps.size < count:
        return None
    # A sample that is not level counts as far too fast.
    squares = np.where(level, rate_degps**2, count * params.rest_rate_degps**2)
    sums = np.concatenate(([0.0], np.cumsum(squares)))
    calm: BoolArray = sums[count:] - sums[:-count] < count * params.rest_rate_degps**2
    return slice(int(np.argmax(calm)), int(np.argmax(calm)) + count) if calm.any() else None


def _about_spine(still: Vector, up: FloatArray, upright: Vector, side: Side) -> _Turn:
    """Return the turn about the spine, from the direction of gravity around it."""
    spine = np.asarray(unit(upright))
    zero = np.asarray(still) - float(np.asarray(still) @ spine) * spine
    beside = np.cross(spine, zero)
    # The body turns to the left about its spine, so that "up" goes round it to the right.
    to_left = -np.degrees(np.unwrap(np.arctan2(up @ beside, up @ zero)))
    return _Turn(to_left if side is Side.LEFT else -to_left, 0.0)


def _to_a_side(params: RotationParams, still: Vector, up: FloatArray) -> _Turn | str:
    """Return the tilt towards the side of the deeper half of all tilts; or what is needed."""
    tilt = tilt_components_deg(up, still)
    size = np.sqrt(np.sum(tilt**2, axis=1))
    if float(size.max()) < params.min_deg:
        return _Turn(size, 0.0)
    deep = tilt[size > float(size.max()) / 2.0]
    total = deep.sum(axis=0)
    length = float(np.linalg.norm(total))
    resultant = length / float(np.sqrt(np.sum(deep**2, axis=1)).sum())
    spread = math.degrees(math.sqrt(max(-2.0 * math.log(max(resultant, 1e-9)), 0.0)))
    if spread > params.max_spread_deg:
        return "turns to one side only, with the thigh kept still (these went to more than one side)"
    return _Turn(tilt @ (total / length), spread)


def _trial(
    test: AssessmentTest, place: str, params: RotationParams, rate_hz: float, turned: _Turn, coverage: float
) -> Trial:
    angle = turned.angle_deg
    turns = turning_points(angle, params.min_deg)
    highs = _highs(angle, turns)
    roms = [_rom(params, rate_hz, angle, low, high) for low, high in highs]
    usual = float(np.median(roms)) if roms else 0.0
    roms = [each for each in roms if abs(each - usual) <= params.alike_share * usual][: params.most]
    if -float(angle.min()) > float(angle.max()) and len(roms) < params.least:
        return _none(test, params, f"turns to the {SPECS[test].side} (these went to the other side)", coverage)
    if len(roms) < params.least:
        return _none(
            test,
            params,
            f"{params.least} turns of at least {params.min_deg:g} degrees (there were {len(roms)})",
            coverage,
        )
    spread = float(np.std(roms, ddof=1))
    median = float(np.median(roms))
    error = MEDIAN_FACTOR * spread / math.sqrt(len(roms))
    evidence: dict[str, Any] = {
        "place": place,
        "roms_deg": roms,
        "spread_deg": spread,
        "direction_spread_deg": turned.spread_deg,
    }
    return Trial(
        test,
        TrialOutcome.MEASURED,
        median,
        "deg",
        f"{median:.0f} degrees, the median of {len(roms)} turns.",
        error=error,
        evidence=evidence,
        coverage_share=coverage,
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=asdict(params),
    )


def _highs(angle: FloatArray, turns: IntArray) -> list[tuple[int, int]]:
    """Return the low before and the high of each turn to the asked side; the first low may be the beginning."""
    at = turns.tolist()
    highs = []
    for number, place in enumerate(at):
        before = at[number - 1] if number else int(np.argmin(angle[: place + 1]))
        if angle[place] > angle[before] and angle[place] > abs(angle[before]):
            highs.append((before, place))
    return highs


def _rom(params: RotationParams, rate_hz: float, angle: FloatArray, low: int, high: int) -> float:
    half = max(round(params.peak_s * rate_hz / 2.0), 1)
    near = [float(angle[max(place - half, 0) : place + half + 1].mean()) for place in (low, high)]
    return near[1] - near[0]


def _none(test: AssessmentTest, params: RotationParams, needs: str, coverage: float | None = None) -> Trial:
    return Trial(
        test,
        TrialOutcome.NOT_COMPUTABLE,
        None,
        "deg",
        f"Not enough data: needs {needs}.",
        needs=needs,
        coverage_share=coverage,
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=asdict(params),
    )
