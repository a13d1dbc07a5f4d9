"""What is said about one sensor so far, and what cannot be said and why."""

from __future__ import annotations

import math

from coach.analysis.cycles import histogram
from coach.analysis.findings import bending_finding, bending_not_computable
from coach.analysis.frames import dot
from coach.analysis.integrity import integrity, received_samples
from coach.analysis.lying import side_durations_s
from coach.analysis.orientation import gyroscope_bias_degps
from coach.analysis.posture import exposure, look_every
from coach.analysis.quality import coverage_share
from coach.analysis.soundness import assess_soundness
from coach.analysis.state import AnalysisState
from coach.analysis.swings import swings_not_computable
from coach.analysis.types import (
    Direction,
    Exposure,
    Finding,
    Lying,
    NotComputable,
    OrientationFrom,
    Quality,
    QualityFlag,
    Reference,
    SensorSummary,
    StaticPosture,
)
from coach.analysis.wearing_types import WearingState

# Root mean square over all and of the worst recording, in deg, measured (docs/algorithms.md): with a gyroscope against
# optical truth; without one against VQF, on the trunk and elsewhere, where fast arms are seen wrong altogether.
GYROSCOPE_ERROR_DEG = (0.6, 0.8)
ACCELEROMETER_ON_TRUNK_ERROR_DEG = (1.6, 4.3)
ACCELEROMETER_ERROR_DEG = (21.0, 97.0)
# Own heuristic: a reference pose further than this from how the person walks was not upright.
UPRIGHT_DEG = 30.0
POSE = "an upright pose (a calibration, or ten seconds of walking); nothing else tells lying from standing"
FRONT = "a bow as calibration, or ten seconds of bending in the data"


def summarise(state: AnalysisState) -> SensorSummary:
    """Say everything about the sensor so far. Samples that wait for a reference are added by `finish`.

    Where the samples cannot be what they say, nothing is told of them but why.
    """
    expected = state.next_index - state.origin
    duration_s = expected / state.rate_hz if state.rate_hz else 0.0
    found = assess_quality(state)
    received = integrity(state.integrity)
    orientation = _orientation(state)
    unsound = next((item for item in found if item.fatal), None)
    missing = _unsound(unsound) if unsound else _missing(state, duration_s)
    told = unsound is None and state.rate_hz > 0.0
    look_s = look_every(state.rate_hz) / state.rate_hz if told else 0.0
    return SensorSummary(
        rate_hz=state.rate_hz,
        duration_s=duration_s,
        coverage_share=coverage_share(state.coverage),
        reference=state.reference.source,
        bends_count=state.bends_count if told else 0,
        repetitions_count=state.repetitions_count if told else 0,
        swings_count=state.swings.count if told else 0,
        cycles=histogram(state.cycles) if told else (),
        not_computable=missing,
        posture=exposure(state.params.posture_thresholds_deg, state.posture, look_s) if told else Exposure(),
        static=state.statics.totals if told else StaticPosture(),
        direction=_direction(state, look_s) if told else None,
        lying=_lying(state) if told else None,
        orientation=orientation,
        inclination_error_deg=_error_deg(state, orientation) if told else None,
        gyroscope_bias_degps=gyroscope_bias_degps(state.orientation) if told else None,
        quality=found,
        integrity=received,
    )


def current_findings(state: AnalysisState) -> tuple[Finding, ...]:
    """Return every finding of the stream so far, in order: the closed ones, then the open one.

    There are none from unsound samples.
    """
    if state.bending is None or unsound(state):
        return ()
    found = (*state.bending.closed, state.bending.open)
    return tuple(
        bending_finding(state.params.bending, state.place, state.rate_hz, run) for run in found if run is not None
    )


def unsound(state: AnalysisState) -> bool:
    """Tell whether the samples so far cannot be what they say: whether any item of `assess_quality` is fatal."""
    if not state.rate_hz or not state.integrity.samples:
        return False
    covered_s = received_samples(state.integrity) / state.rate_hz
    found = assess_soundness(state.soundness, state.sound_every / state.rate_hz, covered_s, 1.0, 0.0)
    return any(item.fatal for item in found)


def assess_quality(state: AnalysisState) -> tuple[Quality, ...]:
    """Say what is wrong with the samples so far."""
    if not state.rate_hz or not state.integrity.samples:
        return ()
    received = integrity(state.integrity)
    covered_s = received.received / state.rate_hz
    clipped = max(received.acc_clipped_share or 0.0, received.gyr_clipped_share or 0.0)
    look_s = state.sound_every / state.rate_hz
    found = assess_soundness(state.soundness, look_s, covered_s, received.coverage_share, clipped)
    upright, walked = state.reference.upright, state.walking.upright
    if upright and walked and state.reference.source is not Reference.CALIBRATION:
        apart_deg = math.degrees(math.acos(max(min(dot(upright, walked), 1.0), -1.0)))
        if apart_deg > UPRIGHT_DEG:
            what = f"the reference pose is {apart_deg:.0f} degrees from how the trunk is carried in walking; calibrate"
            found += (Quality(QualityFlag.REFERENCE_NOT_UPRIGHT, what, fatal=False),)
    return found if state.wearing is None else (*found, *_worn(state.wearing))


def _worn(state: WearingState) -> list[Quality]:
    """Say for how long the sensor was not worn as it should be."""
    found = []
    if state.loose_s:
        what = (
            f"for {_minutes(state.loose_s)} the sensor moved as no trunk does, or lay still and turned away: its strap "
            "is loose, it has come off, or it is worn on an arm or a leg; that time is left out of bending"
        )
        found.append(Quality(QualityFlag.LOOSE, what, fatal=False))
    if state.displaced_s:
        what = (
            f"for {_minutes(state.displaced_s)} the sensor sat otherwise than before, by up to {state.apart_deg:.0f} "
            "degrees in walking: put it back, and calibrate anew; that time is left out of bending"
        )
        found.append(Quality(QualityFlag.DISPLACED, what, fatal=False))
    return found


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds} s"


def _orientation(state: AnalysisState) -> OrientationFrom | None:
    if state.orientation.vqf is not None:
        return OrientationFrom.GYROSCOPE
    return OrientationFrom.ACCELEROMETER if state.orientation.tilted else None


def _error_deg(state: AnalysisState, orientation: OrientationFrom | None) -> tuple[float, float] | None:
    if orientation is None or orientation is OrientationFrom.GYROSCOPE:
        return GYROSCOPE_ERROR_DEG if orientation else None
    return ACCELEROMETER_ON_TRUNK_ERROR_DEG if state.on_trunk else ACCELEROMETER_ERROR_DEG


def _direction(state: AnalysisState, look_s: float) -> Direction | None:
    if state.forward_from is None or len(state.posture.looks) < 3:
        return None
    flexion, lean = (
        [exposure(state.params.posture_thresholds_deg, state.posture, look_s, angle, side) for side in (0, 1)]
        for angle in (1, 2)
    )
    since_s = state.forward_since / state.rate_hz
    return Direction(state.forward_from, since_s, flexion[0], flexion[1], left=lean[1], right=lean[0])


def _lying(state: AnalysisState) -> Lying | None:
    if state.lying.known_from < 0:
        return None
    return Lying(
        state.lying.known_from / state.rate_hz, side_durations_s(state.lying, state.glance_every / state.rate_hz)
    )


def _unsound(item: Quality) -> tuple[NotComputable, ...]:
    """Say that nothing can be told, and why."""
    needs = f"sound samples: {item.what}"
    return tuple(
        NotComputable(what, needs)
        for what in ("posture", "cycles", "repetitions", "repeated_bending", "lying", "direction")
    )


def _missing(state: AnalysisState, duration_s: float) -> tuple[NotComputable, ...]:
    missing = bending_not_computable(state.params.bending, state.place, duration_s, state.bending)
    if state.params.swing is not None:
        needed = swings_not_computable(state.rate_hz, state.gyroscope_from >= 0)
        missing += (needed,) if needed else ()
    if not len(state.posture.looks) or not state.posture.looks.any():
        needs = "samples with a known reference pose; there are none so far"
        missing += (NotComputable("posture", needs), NotComputable("cycles", needs))
    if not state.on_trunk:
        needs = f"a sensor on the trunk (chest, upper_back or lower_back); {state.place} is not one"
        return (*missing, NotComputable("lying", needs), NotComputable("direction", needs))
    if state.lying.known_from < 0:
        missing += (NotComputable("lying", POSE),)
    if state.forward is None:
        missing += (NotComputable("direction", FRONT),)
    return missing
