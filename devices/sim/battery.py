"""Timed holds of the trunk endurance battery with known truth: sound ones, and ones that are no proper hold.

Every motion stands upright, bows once (for a calibration), gets ready, takes the pose, and leaves it or not. All
figures are own heuristics, chosen to look like a careful athlete; none is tuned to a recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from devices.sim.randomness import uniform
from devices.sim.synthetic import LANE_EVENT, Hold, Posture, SyntheticMotion, smooth_step
from devices.types import FloatArray

# One bow for the calibration, half way through standing.
BOW_S, BOW_MOVE_S, BOW_DEG = 10.0, 2.0, 50.0
# Getting ready, resting there (a trial is begun then), and rising into the pose.
READIES_S, READIES_FOR_S = 20.0, 4.0
READY_S, RISES_S, RISES_FOR_S = 26.0, 30.0, (1.5, 3.0)
_LANE_TIMES = LANE_EVENT + 60


class HoldForm(StrEnum):
    """How a hold goes. STEADY: until a drop. SINKING: sinks slowly, without a drop. FIDGETING: out and back within the
    pose; COMING_BACK: out of it for more than a second and back. SHORT_OF_POSE: stops before it. TOUCHING: reaches it
    for a moment, again and again."""

    STEADY = "steady"
    SINKING = "sinking"
    FIDGETING = "fidgeting"
    COMING_BACK = "coming_back"
    SHORT_OF_POSE = "short_of_pose"
    TOUCHING = "touching"


@dataclass(frozen=True, slots=True)
class HoldPose:
    """Flexion and lean in deg, when ready and in the pose; down: what one degree of dropping adds to them."""

    ready: tuple[float, float]
    pose: tuple[float, float]
    down: tuple[float, float]


# Sorensen: the trunk hangs over the edge, then is level. Flexor: leans on a rest, then on nothing, at 60 degrees from
# the floor. Side bridge: lies on the side, then the hips are off the floor; leaning to the right is positive.
EXTENSOR = HoldPose((122.0, 0.0), (90.0, 0.0), (1.0, 0.0))
FLEXOR = HoldPose((-52.0, 0.0), (-30.0, 0.0), (-1.0, 0.0))
SIDE_BRIDGE_LEFT = HoldPose((0.0, -92.0), (0.0, -78.0), (0.0, -1.0))
SIDE_BRIDGE_RIGHT = HoldPose((0.0, 92.0), (0.0, 78.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """One trial. hold_s: in the pose, of SINKING until 10 degrees are lost. drop_deg, drop_s: how it is left.

    off_deg: how far from the pose the trunk is kept instead. tired_deg: sway that is added towards the end.
    """

    pose: HoldPose
    form: HoldForm = HoldForm.STEADY
    hold_s: float = 60.0
    drop_deg: float = 15.0
    drop_s: float = 1.0
    off_deg: float = 0.0
    tired_deg: float = 0.5


# Sinking: this much is lost in `hold_s`. Fidgets: size, time out and back, and how often. Touches: how long, how often.
SINK_DEG = 10.0
_FIDGET_DEG, _FIDGET_S, _FIDGET_EACH_S = 7.0, 1.4, 4.5
_OUT_DEG, _OUT_S, _OUT_EACH_S = 16.0, 3.0, 8.0
_TOUCH_S, _TOUCH_EACH_S = 1.2, 4.0
_TIRED_HZ = 0.6


class HoldMotion(SyntheticMotion):
    """A trunk that does one timed hold. `holds` tells when the pose was reached and when it began to be left."""

    def __init__(self, seed: int, plan: HoldPlan, noisy: bool = True) -> None:
        self.plan = plan
        self.reached_s = RISES_S + float(uniform(seed, _LANE_TIMES, np.zeros(1, dtype=np.int64), *RISES_FOR_S)[0])
        super().__init__(seed, self._course_of_hold, lambda duration_s, seed: (), noisy, self._true_holds)

    def _true_holds(self, duration_s: float, seed: int) -> tuple[Hold, ...]:
        if self.plan.form in (HoldForm.SHORT_OF_POSE, HoldForm.TOUCHING):
            return ()
        return (Hold(self.reached_s, self.reached_s + self.plan.hold_s),)

    def _course_of_hold(self, t_s: FloatArray, seed: int) -> Posture:
        plan, pose = self.plan, self.plan.pose
        bow, bow_rate = _there_and_back(t_s - BOW_S, BOW_MOVE_S, 0.0)
        ready, ready_rate = smooth_step((t_s - READIES_S) / READIES_FOR_S)
        rise_s = self.reached_s - RISES_S
        rise, rise_rate = smooth_step((t_s - RISES_S) / rise_s)
        off, off_rate = self._off_deg(t_s - self.reached_s, rise, rise_rate / rise_s)
        angles = []
        for axis, bow_deg in ((0, BOW_DEG), (1, 0.0)):
            up_deg = pose.pose[axis] - pose.ready[axis]
            if plan.form is HoldForm.TOUCHING:
                up_deg = 0.0
            angle = bow_deg * bow + pose.ready[axis] * ready + up_deg * rise + pose.down[axis] * off
            rate = bow_deg * bow_rate / BOW_MOVE_S + pose.ready[axis] * ready_rate / READIES_FOR_S
            rate = rate + up_deg * rise_rate / rise_s + pose.down[axis] * off_rate
            angles.append((np.radians(angle), np.radians(rate)))
        (flexion, flexion_rate), (lean, lean_rate) = angles
        return Posture(flexion, flexion_rate, sway_share=0.5, lean=lean, lean_rate=lean_rate)

    def _off_deg(self, since_s: FloatArray, rise: FloatArray, rise_rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how far (n,) the trunk is dropped from the pose, in deg, and its rate in deg/s."""
        plan = self.plan
        if plan.form is HoldForm.TOUCHING:
            return _touching(since_s, plan.pose)
        within = (since_s >= 0.0) & (since_s < plan.hold_s)
        tired, tired_rate = _tired(since_s, plan)
        if plan.form is HoldForm.SINKING:
            return _sinking(since_s, plan, tired * within, tired_rate * within)
        drop, drop_rate = smooth_step((since_s - plan.hold_s) / plan.drop_s)
        if plan.form is HoldForm.SHORT_OF_POSE:
            return plan.off_deg * rise, plan.off_deg * rise_rate
        off = plan.drop_deg * drop + np.where(within, tired, 0.0)
        rate = plan.drop_deg * drop_rate / plan.drop_s + np.where(within, tired_rate, 0.0)
        if plan.form in (HoldForm.FIDGETING, HoldForm.COMING_BACK):
            size = (_FIDGET_DEG, _FIDGET_S, _FIDGET_EACH_S)
            if plan.form is HoldForm.COMING_BACK:
                size = (_OUT_DEG, _OUT_S, _OUT_EACH_S)
            out, out_rate = _again_and_again(since_s, within & (since_s < plan.hold_s - size[2]), *size)
            return off + out, rate + out_rate
        return off, rate


def _there_and_back(since_s: FloatArray, move_s: float, stay_s: float) -> tuple[FloatArray, FloatArray]:
    """Return the way (n,) there and back, of 1, and its rate per move."""
    there, there_rate = smooth_step(since_s / move_s)
    back, back_rate = smooth_step((since_s - move_s - stay_s) / move_s)
    return there - back, there_rate - back_rate


def _again_and_again(
    since_s: FloatArray,
    when: np.ndarray[tuple[int], np.dtype[np.bool_]],
    size_deg: float,
    lasts_s: float,
    each_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Return an excursion of `size_deg` that comes in the second half of every `each_s`, whole ones only."""
    number = np.floor(since_s / each_s)
    whole = when & (number >= 0)
    move_s = lasts_s / 3.0
    out, rate = _there_and_back(since_s - number * each_s - (each_s - lasts_s), move_s, move_s)
    return np.where(whole, size_deg * out, 0.0), np.where(whole, size_deg * rate / move_s, 0.0)


def _touching(since_s: FloatArray, pose: HoldPose) -> tuple[FloatArray, FloatArray]:
    """Return moments in the pose, seen from the ready position, for ever."""
    up_deg = -float(np.hypot(pose.ready[0] - pose.pose[0], pose.ready[1] - pose.pose[1]))
    return _again_and_again(since_s, since_s > 0.0, up_deg, _TOUCH_S, _TOUCH_EACH_S)


def _sinking(
    since_s: FloatArray, plan: HoldPlan, tired: FloatArray, tired_rate: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return a steady sinking that has lost SINK_DEG after `hold_s` and goes on to twice that."""
    pace = SINK_DEG / plan.hold_s
    sinks = np.clip(since_s, 0.0, 2 * plan.hold_s)
    moving = (since_s > 0.0) & (since_s < 2 * plan.hold_s)
    return pace * sinks + tired, np.where(moving, pace, 0.0) + tired_rate


def _tired(since_s: FloatArray, plan: HoldPlan) -> tuple[FloatArray, FloatArray]:
    """Return the sway (n,) in deg that grows until the hold's end, and its rate; nothing at its very end."""
    share = np.clip(since_s / plan.hold_s, 0.0, 1.0)
    size, size_rate = share**2 * (1 - share**8), (2 * share - 10 * share**9) / plan.hold_s
    turning = 2 * np.pi * _TIRED_HZ
    wave, wave_rate = np.sin(turning * since_s), turning * np.cos(turning * since_s)
    return plan.tired_deg * size * wave, plan.tired_deg * (size_rate * wave + size * wave_rate)


def extensor_hold(seed: int) -> HoldMotion:
    """Return a Sorensen hold of 75 s: trunk level over the edge, until it drops."""
    return HoldMotion(seed, HoldPlan(EXTENSOR, hold_s=75.0))


def flexor_hold(seed: int) -> HoldMotion:
    """Return a flexor hold of 90 s: leaning back, 60 degrees from the floor, until the back drops."""
    return HoldMotion(seed, HoldPlan(FLEXOR, hold_s=90.0))


def side_bridge_left_hold(seed: int) -> HoldMotion:
    """Return a side bridge of 45 s on the left side, until the hip drops."""
    return HoldMotion(seed, HoldPlan(SIDE_BRIDGE_LEFT, hold_s=45.0))


def side_bridge_right_hold(seed: int) -> HoldMotion:
    """Return a side bridge of 60 s on the right side, until the hip drops."""
    return HoldMotion(seed, HoldPlan(SIDE_BRIDGE_RIGHT, hold_s=60.0))


def extensor_long(seed: int) -> HoldMotion:
    """Return a Sorensen hold of 300 s, longer than any test lets anybody hold."""
    return HoldMotion(seed, HoldPlan(EXTENSOR, hold_s=300.0))


def extensor_fidgeting(seed: int) -> HoldMotion:
    """Return somebody who moves out of the Sorensen hold and back all the time."""
    return HoldMotion(seed, HoldPlan(EXTENSOR, HoldForm.FIDGETING))


def extensor_sinking(seed: int) -> HoldMotion:
    """Return somebody who sinks out of the Sorensen hold by 10 degrees in 60 s, and on, without a drop."""
    return HoldMotion(seed, HoldPlan(EXTENSOR, HoldForm.SINKING))


def extensor_never_started(seed: int) -> HoldMotion:
    """Return somebody who stops 20 degrees short of the Sorensen hold and stays there."""
    return HoldMotion(seed, HoldPlan(EXTENSOR, HoldForm.SHORT_OF_POSE, off_deg=20.0))


BATTERY: dict[str, Callable[[int], SyntheticMotion]] = {
    "extensor-hold": extensor_hold,
    "flexor-hold": flexor_hold,
    "side-bridge-left-hold": side_bridge_left_hold,
    "side-bridge-right-hold": side_bridge_right_hold,
    "extensor-long": extensor_long,
    "extensor-fidgeting": extensor_fidgeting,
    "extensor-sinking": extensor_sinking,
    "extensor-never-started": extensor_never_started,
}
