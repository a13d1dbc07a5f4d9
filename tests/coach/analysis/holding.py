"""Simulated trials of the endurance battery, watched as a page would; for the tests and for the benchmark."""

from __future__ import annotations

import numpy as np

from coach.analysis.alignment import estimate_alignment, estimate_upright
from coach.analysis.assessment_types import AssessmentTest, Trial, TrialOutcome
from coach.analysis.endurance import HoldState, begin_hold, finish_hold, watch_hold
from devices.sim.battery import (
    BOW_S,
    EXTENSOR,
    FLEXOR,
    READY_S,
    SIDE_BRIDGE_LEFT,
    SIDE_BRIDGE_RIGHT,
    HoldForm,
    HoldMotion,
    HoldPlan,
)
from devices.types import Chunk, FloatArray
from tests.coach.analysis.motion import chunks

POSES = {
    AssessmentTest.EXTENSOR: EXTENSOR,
    AssessmentTest.FLEXOR: FLEXOR,
    AssessmentTest.SIDE_BRIDGE_LEFT: SIDE_BRIDGE_LEFT,
    AssessmentTest.SIDE_BRIDGE_RIGHT: SIDE_BRIDGE_RIGHT,
}
# What each form of hold is to be told as, by the generator's own words.
EXPECTED = {
    HoldForm.STEADY: TrialOutcome.HELD,
    HoldForm.SINKING: TrialOutcome.SINKING,
    HoldForm.FIDGETING: TrialOutcome.FIDGETING,
    HoldForm.COMING_BACK: TrialOutcome.FIDGETING,
    HoldForm.SHORT_OF_POSE: TrialOutcome.NEVER_STARTED,
    HoldForm.TOUCHING: TrialOutcome.NEVER_STARTED,
}


def watched(state: HoldState, blocks: list[Chunk]) -> tuple[HoldState, Trial]:
    for block in blocks:
        state, _ = watch_hold(state, block)
    return state, finish_hold(state)


def of_motion(test: AssessmentTest, motion: HoldMotion, acc: FloatArray, gyr: FloatArray, rate_hz: float) -> HoldState:
    """Begin a trial with the calibration that the motion's own standing and bow give, the sensor mounted anyhow."""
    stands = slice(round(4.0 * rate_hz), round(8.0 * rate_hz))
    bows = slice(round((BOW_S - 1.0) * rate_hz), round((BOW_S + 6.0) * rate_hz))
    pose = estimate_upright(rate_hz, acc[stands], gyr[stands])
    found = estimate_alignment(rate_hz, pose, acc[bows], gyr[bows])
    return begin_hold(test, "lower_back" if test.startswith("side") else "chest", found.upright, found.forward)


def simulated(
    test: AssessmentTest,
    plan: HoldPlan,
    seed: int,
    rate_hz: float = 50.0,
    loss: float = 0.02,
    noise: float = 0.0,
    bias_degps: float = 0.0,
) -> tuple[HoldMotion, Trial]:
    """Watch a simulated trial from getting ready on, in blocks of a quarter of a second.

    noise: besides the simulated sensor's own, 1.0 is 0.1 m/s^2 and 0.5 deg/s. bias_degps: of the gyroscope, besides.
    """
    motion = HoldMotion(seed, plan)
    length_s = motion.reached_s + plan.hold_s * (2.0 if plan.form is HoldForm.SINKING else 1.0) + 12.0
    acc, gyr = motion.samples(0, round(length_s * rate_hz), rate_hz)
    random = np.random.default_rng(seed)
    acc = acc + random.normal(scale=0.1 * noise, size=acc.shape) if noise else acc
    gyr = gyr + random.normal(scale=np.radians(0.5) * noise, size=gyr.shape) if noise else gyr
    gyr = gyr + np.radians(bias_degps) * np.array([0.6, -0.64, 0.48])
    state = of_motion(test, motion, acc, gyr, rate_hz)
    lost = random.random(len(acc)) < loss
    acc[lost], gyr[lost] = np.nan, np.nan
    first = round(READY_S * rate_hz)
    cuts = list(range(first, len(acc), round(rate_hz / 4.0)))
    blocks = [block for block in chunks(acc, gyr, rate_hz, cuts) if block.start_index >= first]
    return motion, watched(state, blocks)[1]
