"""What the library says a wearable counts, it counts; what it cannot, the library does not say."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from coach.analysis.guided_follow import guide_of
from coach.analysis.guided_set import begin_set, done_of
from coach.service.guidance_views import script_of
from coach.service.plain import exercises_to_plain
from devices.sim.exercises import Sets, exercise
from devices.sim.synthetic import Posture, SyntheticMotion
from devices.types import Chunk, FloatArray
from programs.exercises import library
from programs.types import Exercise, PrescribedExercise, SeenAs
from tests.coach.analysis.test_guided_set import run

RATE_HZ, BLOCK_S, FIRST_S, COUNT = 50.0, 0.5, 4.0, 3
# deg that the part of the body with the wearable turns from where it began, by somebody who moves little. Own estimates
# from how each exercise goes.
TURNS_DEG = {
    "side_bridge": 15.0, "curl_up": 20.0, "dead_bug": 35.0, "short_plank": 12.0, "hip_hinge": 35.0,
    "glute_bridge": 30.0, "hip_and_upper_back_turns": 25.0, "heel_slide": 30.0, "heel_tap": 30.0,
    "band_dead_bug": 35.0, "wall_plank": 15.0, "wall_side_bridge": 15.0, "side_leg_lift": 20.0, "clamshell": 20.0,
    "band_side_step": 15.0, "standing_march": 45.0, "prone_leg_lift": 12.0, "single_leg_bridge": 25.0,
    "bridge_march": 30.0, "sit_to_stand": 25.0, "goblet_squat": 20.0, "split_squat": 35.0, "step_up": 30.0,
    "light_deadlift": 40.0, "back_extension_hold": 15.0, "band_chop": 30.0, "band_lift": 30.0,
    "seated_hip_rotation": 20.0, "rock_back": 20.0, "hamstring_strap": 40.0, "open_book": 40.0,
    "thread_the_needle": 30.0, "cat_camel": 15.0, "chair_extension": 12.0, "all_fours_turn": 25.0, "wall_slide": 40.0,
    "band_pull_apart": 40.0, "band_row": 25.0, "band_outward_turn": 40.0, "wall_push_up": 15.0, "floor_angel": 50.0,
    "knee_rocks": 20.0, "childs_pose": 50.0,
}  # fmt: skip
# Where the trunk is meant to stay still, or turns no further than a slow sway does: nothing is there to be counted.
STILL = {
    "bird_dog", "pallof_press", "plank_shoulder_tap", "bear_hold", "ball_circles", "single_leg_stand",
    "half_kneeling_press", "push_up_plus", "legs_on_chair", "pelvic_tilt",
}  # fmt: skip


def claims(one: Exercise) -> bool:
    """Tell whether a session would say of any level that a wearable counts along."""
    items = [PrescribedExercise(one.id, level, dose, "a test") for level, dose in enumerate(one.dose_by_level)]
    return any(step.placement is not None for step in script_of(exercises_to_plain(items)))


def turning(deg: float, hold_s: float) -> tuple[SyntheticMotion, float]:
    """Return a part of the body that turns so far and back, COUNT times, and when it is over, s."""

    def course(t_s: FloatArray, share: FloatArray, rate: FloatArray, bend: FloatArray, seed: int) -> Posture:
        return Posture(np.radians(deg) * share, np.radians(deg) * rate, sway_share=0.3)

    each_s = 5.0 + 1.3 * hold_s
    sets = Sets(COUNT, each_s=each_s, move_s=1.4, hold_s=hold_s or 0.3, rest_s=600.0, first_s=FIRST_S)
    return exercise(5, sets, deg, course), FIRST_S + COUNT * each_s + 2.0


def count_of(one: str, hold_s: float | None, deg: float) -> tuple[int, int]:
    """Return how many of COUNT are counted, live and at the end."""
    motion, end_s = turning(deg, hold_s or 0.0)
    per, n = round(BLOCK_S * RATE_HZ), round(end_s * RATE_HZ)
    acc, gyr = motion.samples(0, n, RATE_HZ)
    chunks = [
        Chunk("d", "r", seq, at / RATE_HZ, at, RATE_HZ, acc[at : at + per], gyr[at : at + per])
        for seq, at in enumerate(range(0, n, per))
    ]
    end = run(begin_set(one, hold_s), chunks)[-1]
    return end.count, len(done_of(end))


def test_it_is_known_of_every_exercise_whether_a_wearable_can_count_it() -> None:
    claimed = {one.id for one in library().values() if claims(one)}
    assert claimed == set(TURNS_DEG)
    assert not claimed & STILL
    # What keeps the trunk still says so before the set begins: it has no place where a wearable would see it.
    assert {one.id for one in library().values() if one.id in STILL and one.seen_as is SeenAs.NOT_SEEN} == STILL


def asked() -> list[tuple[str, float | None, float]]:
    """Return an exercise, hold asked for and degrees for each way of counting: the smallest movement of each."""
    ways: dict[tuple[object, float | None], list[tuple[float, str]]] = defaultdict(list)
    for one in library().values():
        if claims(one):
            fitting = {
                each.hold_s for each in one.dose_by_level if (each.hold_s is not None) == (one.seen_as == "hold")
            }
            for hold_s in fitting:
                ways[guide_of(one.id), hold_s].append((TURNS_DEG[one.id], one.id))
    return [(min(found)[1], hold_s, min(found)[0]) for (_, hold_s), found in ways.items()]


@pytest.mark.parametrize(("one", "hold_s", "deg"), asked())
def test_what_is_said_to_be_counted_is_counted(one: str, hold_s: float | None, deg: float) -> None:
    assert count_of(one, hold_s, deg) == (COUNT, COUNT)


def test_what_turns_no_further_than_a_bird_dogs_chest_is_not_counted() -> None:
    """The reason why the library does not say that it is."""
    assert count_of("bird_dog", 10.0, 4.0) == (0, 0)
