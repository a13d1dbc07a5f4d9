"""Calibration by a pose and a bow: motion with known axes in, the same axes out; what it sees, what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from coach.errors import Conflict, NoSuch
from coach.service.calibration import Calibration, PoseStep, PoseView
from coach.service.types import Identity, Role
from devices.types import Chunk, Gap
from tests.coach.club import ADDRESS, Club

RATE_HZ = 60.0
G = 9.80665
Array = NDArray[np.float64]


def rotation(axis: Array, angle_rad: float) -> Array:
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle_rad) * cross + (1 - math.cos(angle_rad)) * cross @ cross


class Body:
    """A trunk that leans by known angles, with a sensor put on at any turn. Body axes: right, up, forward."""

    def __init__(self, seed: int = 1, gyroscope: bool = True) -> None:
        draw = np.random.default_rng(seed)
        self.mount = rotation(draw.normal(size=3), draw.uniform(0.3, 3.0))
        self.up, self.forward = self.mount @ [0, 1, 0], self.mount @ [0, 0, 1]
        self._gyroscope, self._noise = gyroscope, draw
        self.angles: list[tuple[float, float]] = []  # forward, sideways, in degrees

    def stand(self, seconds: float) -> Body:
        self.angles += [self.angles[-1] if self.angles else (0.0, 0.0)] * round(seconds * RATE_HZ)
        return self

    def lean(self, forward_deg: float, sideways_deg: float = 0.0, seconds: float = 2.0) -> Body:
        """Go to another lean with a smooth start and end."""
        a, b = self.angles[-1] if self.angles else (0.0, 0.0)
        for part in (1 - np.cos(np.linspace(0, np.pi, round(seconds * RATE_HZ)))) / 2:
            self.angles.append((a + (forward_deg - a) * part, b + (sideways_deg - b) * part))
        return self

    def blocks(self, lost: range = range(0), recording_id: str = "rec") -> list[Chunk]:
        """Return live blocks of a quarter of a second; those numbered in `lost` never came."""
        # Rotation from the leaning trunk to the upright one, then what the sensor feels of gravity.
        turns = [
            rotation(np.array([1.0, 0, 0]), math.radians(f)) @ rotation(np.array([0, 0, 1.0]), math.radians(-s))
            for f, s in self.angles
        ]
        acc = np.array([self.mount @ turn.T @ [0, G, 0] for turn in turns])
        gyr = np.zeros_like(acc)
        for k in range(1, len(turns)):
            step = turns[k - 1].T @ turns[k]
            gyr[k] = self.mount @ (
                RATE_HZ * np.array([step[2, 1] - step[1, 2], step[0, 2] - step[2, 0], step[1, 0] - step[0, 1]]) / 2
            )
        acc += self._noise.normal(0, 0.02, acc.shape)
        gyr += self._noise.normal(0, 0.002, gyr.shape)
        if not self._gyroscope:
            gyr[:] = np.nan
        per = 15
        return [
            Chunk(
                ADDRESS,
                recording_id,
                at // per,
                1.8e9 + at / RATE_HZ,
                at,
                RATE_HZ,
                acc[at : at + per],
                gyr[at : at + per],
            )
            for at in range(0, len(acc) - per + 1, per)
            if at // per not in lost
        ]


def run(calibration: Calibration, blocks: list[Chunk]) -> list[PoseView]:
    """Feed the blocks as they would come, with a look after each."""
    views = []
    for block in blocks:
        if calibration.alignment is None:
            calibration.take(block)
            views.append(calibration.look())
    return views


def degrees_between(a: tuple[float, ...] | Array, b: Array) -> float:
    return math.degrees(math.acos(min(1.0, float(np.dot(a, b)))))


@pytest.mark.parametrize("gyroscope", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_pose_and_a_bow_give_the_axes_that_the_sensor_was_put_on_with(seed: int, gyroscope: bool) -> None:
    body = Body(seed, gyroscope).stand(4).lean(55).stand(0.5).lean(0).stand(2)
    calibration = Calibration("lower_back")
    views = run(calibration, body.blocks())
    assert views[-1].step is PoseStep.DONE
    assert calibration.alignment is not None
    assert degrees_between(calibration.alignment.upright, body.up) < 1
    assert degrees_between(calibration.alignment.forward, body.forward) < 3
    assert calibration.alignment.bow_deg == pytest.approx(55, abs=3)
    # On the way it says what it sees, in this order.
    said = list(dict.fromkeys(view.sees.split(":")[0].split(" of ")[0] for view in views))
    assert [each for each in said if each in {"Bowing", "Coming back up"}] == ["Bowing", "Coming back up"]
    assert views[0].sees.startswith(("You are moving", "Still"))
    assert any(view.step is PoseStep.BOW and (view.angle_deg or 0) > 40 for view in views)
    assert [view.step for view in views] == sorted((view.step for view in views), key=list(PoseStep).index)


def test_stillness_is_counted_and_begins_anew_after_a_movement() -> None:
    body = Body().stand(2).lean(8, seconds=0.5).lean(0, seconds=0.5).stand(2.6)
    calibration = Calibration("chest")
    views = run(calibration, body.blocks())
    assert calibration.pose is None
    shares = [view.share for view in views]
    assert max(shares[:8]) > 0.4
    assert "You are moving. Stand upright and still." in {view.sees for view in views[8:13]}
    assert views[-1].sees.startswith("Still for 2 of 3 s") or views[-1].sees.startswith("Still for 3 of 3 s")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (lambda body: body.lean(17).lean(0), "at least 20"),
        (lambda body: body.lean(40).lean(20, 40).lean(0, 0), "straight"),
    ],
)
def test_a_bow_that_cannot_tell_is_refused_with_the_reason_and_the_next_one_counts(path, told: str) -> None:  # type: ignore[no-untyped-def]
    body = Body(5).stand(4)
    path(body)
    body.stand(1.5)
    refused_from = len(body.angles)
    body.lean(60).lean(0).stand(1.5)
    calibration = Calibration("chest")
    views = run(calibration, body.blocks())
    refused = [view.refused for view in views[: refused_from // 15 + 1] if view.refused]
    assert refused
    assert told in refused[0]
    assert calibration.alignment is not None
    assert degrees_between(calibration.alignment.forward, body.forward) < 3


def test_a_sensor_that_is_turned_in_a_hand_is_no_bow() -> None:
    body = Body(6).stand(4).lean(160, seconds=1.5).lean(0, seconds=1.5).stand(1.5)
    calibration = Calibration("chest")
    views = run(calibration, body.blocks())
    assert calibration.alignment is None
    assert any("further than anybody bows" in (view.refused or "") for view in views)


def test_without_a_bow_the_pose_is_taken_anew() -> None:
    calibration = Calibration("chest")
    views = run(calibration, Body().stand(32).blocks())
    assert any(view.step is PoseStep.BOW for view in views)
    assert any("No bow came" in (view.refused or "") for view in views)


def test_missing_signal_is_not_stillness() -> None:
    calibration = Calibration("chest")
    views = run(calibration, Body().stand(3.4).blocks(lost=range(4, 8)))
    assert all(view.step is PoseStep.STILL for view in views)
    block = Body().stand(1).blocks()[0]
    block.acc_mps2[3:9] = np.nan
    calibration = Calibration("chest")
    run(calibration, [Chunk(ADDRESS, "rec", 0, 1.8e9, 0, RATE_HZ, block.acc_mps2, block.gyr_radps, (Gap(3, 6),))])
    assert calibration.pose is None


def test_on_an_arm_or_a_leg_the_pose_alone_is_taken() -> None:
    body, calibration = Body(2).stand(4), Calibration("wrist_left")
    for block in body.blocks():
        calibration.take(block)
        view = calibration.look()
        if view.step is PoseStep.DONE:
            break
    assert view.step is PoseStep.DONE
    assert calibration.pose is not None
    assert degrees_between(calibration.pose.upright, body.up) < 1
    assert calibration.alignment is None


def test_what_was_found_is_stored_with_the_wearable(club: Club) -> None:
    poses, wearables, body = club.services.poses, club.services.wearables, Body(3)
    body.stand(4).lean(50).lean(0).stand(2)
    with pytest.raises(Conflict, match="begin it again"):
        poses.look(club.athlete, club.wearable_id)
    assert not poses.wanted(club.wearable_id)
    poses.begin(club.athlete, club.wearable_id)
    assert poses.wanted(club.wearable_id)
    assert poses.look(club.athlete, club.wearable_id).sees == "Waiting for its first signal."
    for block in body.blocks():
        club.clock.forward(seconds=0.25)
        poses.take(club.wearable_id, block)
        poses.take("somebody else's", block)
        view = poses.look(club.athlete, club.wearable_id)
    assert view.step is PoseStep.DONE
    stored = wearables.get(club.athlete, club.wearable_id)
    assert stored.upright is not None
    assert stored.forward is not None
    assert degrees_between(stored.upright, body.up) < 1
    assert degrees_between(stored.forward, body.forward) < 3
    assert not poses.wanted(club.wearable_id)
    # The next recording carries it.
    club.services.log.append(body.blocks()[:1])
    with club.store.read() as tx:
        row = tx.exec_driver_sql("SELECT upright, forward, calibrated_at FROM stream").one()
    assert all(row)


def test_the_upright_pose_can_be_kept_without_a_bow(club: Club) -> None:
    poses, body = club.services.poses, Body(4).stand(4)
    poses.begin(club.athlete, club.wearable_id)
    with pytest.raises(Conflict, match="not taken yet"):
        poses.keep_upright(club.athlete, club.wearable_id)
    for block in body.blocks():
        poses.take(club.wearable_id, block)
        poses.look(club.athlete, club.wearable_id)
    poses.keep_upright(club.athlete, club.wearable_id)
    stored = club.services.wearables.get(club.athlete, club.wearable_id)
    assert stored.upright is not None
    assert stored.forward is None
    assert poses.look(club.athlete, club.wearable_id).step is PoseStep.DONE


def test_silence_and_leaving_it_alone_are_said(club: Club) -> None:
    poses = club.services.poses
    poses.begin(club.athlete, club.wearable_id)
    club.clock.forward(seconds=5)
    assert "Nothing arrives" in poses.look(club.athlete, club.wearable_id).sees
    club.clock.forward(seconds=121)
    assert not poses.wanted(club.wearable_id)
    with pytest.raises(Conflict, match="left alone"):
        poses.look(club.athlete, club.wearable_id)


def test_nobody_calibrates_anothers_wearable(club: Club) -> None:
    stranger, poses = Identity("somebody", Role.COACH, "Lee", None), club.services.poses
    poses.begin(club.athlete, club.wearable_id)
    for act in (poses.begin, poses.look):
        with pytest.raises(NoSuch):
            act(stranger, club.wearable_id)
