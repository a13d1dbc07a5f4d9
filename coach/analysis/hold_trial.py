"""What became of a timed hold: held, stopped, sinking, fidgeting, cut short, interrupted or never started.

The limits that tell these apart are own heuristics (docs/assessments.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.signal import lfilter

from coach.analysis.assessment_types import AssessmentTest, HoldParams, Trial, TrialOutcome
from coach.analysis.frames import Vector
from coach.analysis.hold_course import Course, Ended
from coach.analysis.hold_looks import Looks, angle_deg
from coach.analysis.sway import Sway, estimate_sway, tilt_components_deg
from coach.analysis.types import OrientationFrom
from devices.types import FloatArray

ALGORITHM = "timed_hold"
# Changes whenever the same samples may give another trial.
VERSION = "1"
# Own heuristics: an excursion leaves the slowly followed pose by more than 4 degrees and comes back below 2; three of
# them, three a minute, or a sway of 3 degrees RMS are fidgeting.
FOLLOW_S, OUT_DEG, BACK_DEG, EXCURSIONS, EXCURSIONS_PER_MIN, FIDGET_SWAY_DEG = 5.0, 4.0, 2.0, 3, 3.0, 3.0
# Own heuristic: at rest the acceleration is gravity; what is farther off is in other units.
GRAVITY_MPS2, GRAVITY_SHARE = 9.81, 0.1
AGAIN = {
    TrialOutcome.FIDGETING: "another trial, held without moving out of the pose and back",
    TrialOutcome.CUT_SHORT: "another trial, watched until the pose is given up",
    TrialOutcome.INTERRUPTED: "another trial, with the sensor in range of its receiver all the time",
    TrialOutcome.NEVER_STARTED: "another trial: take the pose and keep still for a second, then the time begins",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """What was watched, besides the looks. delay_s: how late "up" is. seconds: of samples and gaps altogether."""

    test: AssessmentTest
    place: str
    params: HoldParams
    target_up: Vector
    within_deg: float
    moved_deg: float
    closest_deg: float
    farthest_deg: float
    in_pose_s: float
    seconds: float
    has_gyroscope: bool
    delay_s: float


def not_computable(test: AssessmentTest, params: HoldParams, needs: str) -> Trial:
    """Return the trial of a hold that cannot be judged."""
    return Trial(
        test,
        TrialOutcome.NOT_COMPUTABLE,
        None,
        "s",
        f"Not enough data: needs {needs}.",
        needs=needs,
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=asdict(params),
    )


def trial_of(watched: Watched, looks: Looks, course: Course | None) -> Trial:
    """Return the trial; `course` is None when the hold never began."""
    if course is None:
        return _never_started(watched)
    held = slice(course.first, course.end)
    length = np.sqrt(np.sum(looks.acc_mps2[held] ** 2, axis=1))
    if abs(float(np.median(length)) / GRAVITY_MPS2 - 1.0) > GRAVITY_SHARE:
        return not_computable(watched.test, watched.params, "acceleration in m/s2 with gravity in it")
    time_s = looks.time_s[held]
    tilt = tilt_components_deg(looks.up[held], course.mean_up)
    sway = estimate_sway(time_s, tilt, looks.acc_mps2[held], looks.step_s)
    held_s = course.end_s - course.start_s
    excursions = _excursions(tilt, looks.step_s)
    outcome = _outcome(course, held_s, excursions, sway)
    expected = max(round(held_s / looks.step_s), 1)
    evidence = _evidence(watched, course, held_s, excursions, sway)
    void = outcome is TrialOutcome.INTERRUPTED
    return Trial(
        watched.test,
        outcome,
        None if void else held_s,
        "s",
        _statement(outcome, held_s, course),
        at_least=outcome in (TrialOutcome.STOPPED_AT_LIMIT, TrialOutcome.CUT_SHORT),
        needs=AGAIN.get(outcome),
        evidence=evidence,
        coverage_share=min(time_s.size / expected, 1.0),
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=asdict(watched.params),
    )


def _outcome(course: Course, held_s: float, excursions: int, sway: Sway | None) -> TrialOutcome:
    if course.ended is Ended.GAP:
        return TrialOutcome.INTERRUPTED
    often = excursions >= EXCURSIONS and excursions >= EXCURSIONS_PER_MIN * held_s / 60.0
    wide = sway is not None and sway.rms_deg > FIDGET_SWAY_DEG
    if course.ended is Ended.DRIFT and not often:
        return TrialOutcome.SINKING
    if often or wide or course.returned:
        return TrialOutcome.FIDGETING
    by_end = {Ended.CAP: TrialOutcome.STOPPED_AT_LIMIT, Ended.SAMPLES: TrialOutcome.CUT_SHORT}
    return by_end.get(course.ended, TrialOutcome.HELD)


def _excursions(tilt_deg: FloatArray, step_s: float) -> int:
    """Count how often the tilt (m, 2) left the pose, which is followed slowly, and came back."""
    share = step_s / FOLLOW_S
    follows = lfilter([share], [1.0, share - 1.0], tilt_deg, axis=0)
    away = np.sqrt(np.sum((tilt_deg - follows) ** 2, axis=1))
    mark = np.where(away > OUT_DEG, 1, np.where(away < BACK_DEG, -1, 0))
    settled = mark[mark != 0]
    return int(np.count_nonzero((settled[:-1] == 1) & (settled[1:] == -1)))


def _evidence(watched: Watched, course: Course, held_s: float, excursions: int, sway: Sway | None) -> dict[str, Any]:
    """Return the values that the trial rests on, named with units; times in s from the first sample."""
    within = course.deviation_deg[course.first : course.end]
    values: dict[str, Any] = {
        "place": watched.place,
        "start_s": course.start_s - watched.delay_s,
        "end_s": course.end_s - watched.delay_s,
        "held_s": held_s,
        "ended_by": course.ended.value,
        "came_back": course.returned,
        "target_inclination_deg": _inclination_deg(watched.target_up),
        "off_target_deg": float(angle_deg(np.asarray(course.mean_up), np.asarray(watched.target_up))),
        "deviation_max_deg": float(within.max(initial=0.0)),
        "excursions": excursions,
        "orientation": str(
            OrientationFrom.GYROSCOPE.value if watched.has_gyroscope else OrientationFrom.ACCELEROMETER.value
        ),
    }
    if sway is not None:
        values |= {
            "sway_rms_deg": sway.rms_deg,
            "sway_first_third_deg": sway.first_third_deg,
            "sway_last_third_deg": sway.last_third_deg,
            "sway_ellipse_95_deg2": sway.ellipse_95_deg2,
            "jerk_rms_mps3": None if math.isnan(sway.jerk_rms_mps3) else sway.jerk_rms_mps3,
            "drift_deg": sway.drift_deg,
        }
    return values


def _never_started(watched: Watched) -> Trial:
    away = f"The closest was {watched.closest_deg:.0f} degrees away."
    if watched.moved_deg and watched.in_pose_s > watched.params.start_s:
        away = f"It lay on its side, but was not lifted by {watched.moved_deg:g} degrees and then kept still."
    elif watched.closest_deg <= watched.within_deg:
        away = f"It was there for {watched.in_pose_s:.1f} s, but not calm for {watched.params.start_s:g} s."
    elif watched.test.startswith("side_bridge") and watched.farthest_deg >= 180.0 - watched.within_deg:
        away = "The other side was down."
    return Trial(
        watched.test,
        TrialOutcome.NEVER_STARTED,
        None,
        "s",
        f"The pose of the test was not taken. {away}",
        needs=AGAIN[TrialOutcome.NEVER_STARTED],
        evidence={
            "place": watched.place,
            "watched_s": watched.seconds,
            "closest_deg": watched.closest_deg,
            "in_pose_s": watched.in_pose_s,
            "target_inclination_deg": _inclination_deg(watched.target_up),
        },
        algorithm=ALGORITHM,
        version=VERSION,
        parameters=asdict(watched.params),
    )


def _statement(outcome: TrialOutcome, held_s: float, course: Course) -> str:
    match outcome:
        case TrialOutcome.STOPPED_AT_LIMIT:
            return f"Held for {held_s:.0f} s and stopped there, as the test asks: the true time is that or more."
        case TrialOutcome.SINKING:
            return f"Sank slowly, without a clear drop; {held_s:.1f} s until it was too far from the first pose."
        case TrialOutcome.FIDGETING:
            return f"Moved out of the pose and back again; {held_s:.1f} s do not count as a hold."
        case TrialOutcome.CUT_SHORT:
            return f"Still held after {held_s:.1f} s, when the samples ended: the true time is that or more."
        case TrialOutcome.INTERRUPTED:
            return f"No samples for more than a second after {held_s:.0f} s: this trial does not count."
        case _:
            return f"Held for {held_s:.1f} s."


def _inclination_deg(up: Vector) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, up[2]))))
