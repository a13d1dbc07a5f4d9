"""Simulated tests of endurance and mobility: what the sensor measures, read by plain physics, is what they say."""

from __future__ import annotations

import numpy as np
import pytest

from devices.sim import battery, mobility
from devices.sim.battery import READY_S, HoldForm, HoldMotion, HoldPlan
from devices.sim.body import rotation_from_quaternion
from devices.sim.motions import MOTIONS
from devices.types import FloatArray

RATE_HZ = 100.0
# Direction of "up" in the pose, in trunk axes: right, front, head.
UP = {
    "extensor": (battery.EXTENSOR, (0.0, -1.0, 0.0)),
    "flexor": (battery.FLEXOR, (0.0, 0.5, np.sqrt(0.75))),
    "side bridge left": (battery.SIDE_BRIDGE_LEFT, (np.sin(np.radians(78)), 0.0, np.cos(np.radians(78)))),
    "side bridge right": (battery.SIDE_BRIDGE_RIGHT, (-np.sin(np.radians(78)), 0.0, np.cos(np.radians(78)))),
}


def smooth(values: FloatArray, samples: int = 30) -> FloatArray:
    window = np.ones(samples) / samples
    return np.stack([np.convolve(column, window, "same") for column in values.T], axis=1)


def off_deg(motion: HoldMotion, seconds: float, up: tuple[float, float, float]) -> tuple[FloatArray, FloatArray]:
    """Return time and how far gravity is from where it lies in the pose, by the accelerometer alone."""
    acc, _ = motion.samples(0, int(seconds * RATE_HZ), RATE_HZ)
    measured = smooth(acc)
    measured /= np.linalg.norm(measured, axis=1)[:, None]
    return np.arange(len(acc)) / RATE_HZ, np.degrees(
        np.arccos(np.clip(measured @ (np.asarray(up) @ motion.mount), -1, 1))
    )


@pytest.mark.parametrize("name", list(UP))
@pytest.mark.parametrize("seed", [1, 2])
def test_the_pose_is_held_when_it_is_said(name: str, seed: int) -> None:
    pose, up = UP[name]
    motion = HoldMotion(seed, HoldPlan(pose, hold_s=30.0))
    (hold,) = motion.holds(1e3)
    assert hold.end_s - hold.start_s == pytest.approx(30.0)
    t_s, off = off_deg(motion, 80.0, up)
    assert off[(t_s > hold.start_s) & (t_s < hold.end_s - 0.2)].max() < 4.0
    assert off[(t_s > READY_S) & (t_s < READY_S + 3.0)].min() > 8.0, "it rests elsewhere before"
    assert off[(t_s > hold.end_s + 2.0) & (t_s < hold.end_s + 10.0)].min() > 10.0, "it is dropped"


def test_forms_are_what_they_are_called() -> None:
    up = UP["extensor"][1]
    course = {}
    for form in HoldForm:
        motion = HoldMotion(3, HoldPlan(battery.EXTENSOR, form, hold_s=40.0, off_deg=20.0))
        t_s, off = off_deg(motion, 130.0, up)
        since = t_s - motion.reached_s
        course[form] = (motion, since, off)
    _, since, off = course[HoldForm.SINKING]
    for at_s, lost_deg in ((10.0, 2.5), (20.0, 5.0), (40.0, 10.0)):
        assert off[np.abs(since - at_s) < 0.5].mean() == pytest.approx(lost_deg, abs=1.2)
    _, since, off = course[HoldForm.FIDGETING]
    within = (since > 0) & (since < 39.5)
    out = np.diff((off[within] > 5.0).astype(int))
    assert np.count_nonzero(out == 1) >= 7
    assert off[within].max() < 10.0
    _, since, off = course[HoldForm.COMING_BACK]
    assert off[(since > 0) & (since < 30)].max() > 13.0
    assert np.median(off[(since > 0) & (since < 30)]) < 3.0
    motion, since, off = course[HoldForm.SHORT_OF_POSE]
    assert motion.holds(1e3) == ()
    assert off[since > 0.5].min() > 17.0
    motion, since, off = course[HoldForm.TOUCHING]
    assert motion.holds(1e3) == ()
    assert off[since > 5].min() < 5.0
    near = np.diff(np.flatnonzero(np.diff((off[since > 0] < 10.0).astype(int))))
    assert near[::2].max() < 1.0 * RATE_HZ or near[1::2].max() < 1.0 * RATE_HZ, "never there for a second"


@pytest.mark.parametrize(
    ("make", "rom_deg"),
    [(mobility.thoracic_left, mobility.THORACIC_LEFT_DEG), (mobility.thoracic_right, -mobility.THORACIC_RIGHT_DEG)],
)
def test_the_gyroscope_agrees_that_the_trunk_turns_about_its_spine(make: object, rom_deg: float) -> None:
    motion = make(4)  # type: ignore[operator]
    bend = motion.truth(60.0)[0]
    _, gyr = motion.samples(round(bend.start_s * RATE_HZ), round(1.5 * RATE_HZ), RATE_HZ)
    turned = np.degrees((gyr @ (np.array([0.0, 0.0, 1.0]) @ motion.mount)).sum() / RATE_HZ)
    assert turned == pytest.approx(np.sign(rom_deg) * bend.rom_deg, abs=2.5)
    assert 0.88 * abs(rom_deg) <= bend.rom_deg <= abs(rom_deg)


@pytest.mark.parametrize("name", [*battery.BATTERY, *mobility.MOBILITY])
def test_gravity_turns_as_the_gyroscope_says(name: str) -> None:
    motion = MOTIONS[name](6)
    first = round(18.0 * RATE_HZ)
    acc, gyr = motion.samples(first, round(40.0 * RATE_HZ), RATE_HZ)
    up = acc[0] / np.linalg.norm(acc[0])
    worst = 0.0
    for number, rate in enumerate(gyr[:-1] + np.diff(gyr, axis=0) / 2, start=1):
        # "Up" stays in the earth and so turns backwards in the sensor; a little of the accelerometer holds the bias.
        half = -rate / RATE_HZ / 2
        up = up @ rotation_from_quaternion(1.0, *half.tolist()).T
        now = acc[number] / np.linalg.norm(acc[number])
        up = up + 0.01 * (now - up)
        up /= np.linalg.norm(up)
        worst = max(worst, float(np.degrees(np.arccos(np.clip(up @ smooth_at(acc, number), -1, 1)))))
    # Fast turns push the sensor by up to 5 degrees of their own; a wrong sign would be off by tens.
    assert worst < 6.0


def smooth_at(acc: FloatArray, number: int) -> FloatArray:
    near = acc[max(number - 3, 0) : number + 4].mean(axis=0)
    return np.asarray(near / np.linalg.norm(near))
