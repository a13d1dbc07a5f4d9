"""The stream of exercise: equal however it is cut, told in time, small when nobody moves."""

from __future__ import annotations

import os
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.analysis.activity import FULL_S, ActivityState, detect_activity, finish_activity
from coach.analysis.motion_types import ActivityKind, Motion, MotionParams
from coach.analysis.state_bytes import decode, encode
from devices.types import FloatArray
from tests.coach.analysis.limb import repeated, strokes, walking

PARAMS = MotionParams()


def oriented(angle_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return quaternions (n, 4) of a sensor that leans by the angle about x, and the direction up (3, n)."""
    half = np.radians(angle_deg) / 2
    zero = np.zeros_like(half)
    quat = np.stack((np.cos(half), np.sin(half), zero, zero), axis=1)
    return quat, np.stack((zero, np.sin(2 * half), np.cos(2 * half)))


def run(
    quat: FloatArray, up: FloatArray, acc: FloatArray, rate_hz: float, cuts: list[int], as_bytes: bool = False
) -> tuple[ActivityState, list[Motion]]:
    state, told = ActivityState(), []
    edges = sorted({0, len(quat), *(cut for cut in cuts if 0 < cut < len(quat))})
    for first, end in pairwise(edges):
        if as_bytes:
            state = decode(ActivityState, encode(state, 1), 1)
        rows = slice(first, end)
        state, motion = detect_activity(PARAMS, state, rate_hz, acc[rows], quat[rows], up[:, rows])
        told.append(motion)
    return state, told


def joined(told: list[Motion]) -> Motion:
    whole = Motion()
    for motion in told:
        whole = whole.followed_by(motion)
    return whole


@pytest.mark.proof
@settings(max_examples=400 if os.environ.get("PROOF") else 25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate_hz=st.sampled_from([25.0, 52.0, 100.0]),
    cuts=st.lists(st.integers(1, 40000), max_size=40),
    gaps=st.lists(st.tuples(st.integers(0, 40000), st.integers(1, 900)), max_size=3),
)
def test_any_cut_tells_the_same(seed: int, rate_hz: float, cuts: list[int], gaps: list[tuple[int, int]]) -> None:
    random = np.random.default_rng(seed)
    parts: list[tuple[float, float]] = []
    for _ in range(4):
        deg, rest_s = random.uniform(10, 90), random.choice([0.2, 0.8])
        parts += [*repeated(int(random.integers(3, 25)), 1.0, random.choice([0.0, 3.0]), 1.0, rest_s, deg)]
        parts += [(random.uniform(1, 25), 0.0), (random.uniform(0.5, 3), random.uniform(-40, 40)), (1.0, 0.0)]
    quat, up = oriented(strokes(rate_hz, *parts) + random.normal(scale=0.2, size=1))
    acc = 9.81 * up.T + random.normal(scale=0.2, size=(len(quat), 3))
    for first, count in gaps:
        quat[first : first + count], up[:, first : first + count] = np.nan, np.nan
    one, whole = run(quat, up, acc, rate_hz, [])
    cut, pieces = run(quat, up, acc, rate_hz, cuts, as_bytes=True)
    assert joined(whole) == joined(pieces)
    assert encode(one, 1) == encode(cut, 1)
    assert finish_activity(PARAMS, one, rate_hz)[1] == finish_activity(PARAMS, cut, rate_hz)[1]
    assert joined(whole).repetitions or finish_activity(PARAMS, one, rate_hz)[1].repetitions or gaps


def test_what_counts_so_far_can_be_asked_without_delay() -> None:
    rate_hz = 50.0
    quat, up = oriented(strokes(rate_hz, (3.0, 0.0), *repeated(12, 1.0, 0.0, 1.0, 0.5, 50.0)))
    state, counts = ActivityState(), []
    for first in range(0, len(quat), 25):
        rows = slice(first, first + 25)
        state, settled = detect_activity(PARAMS, state, rate_hz, 9.81 * up.T[rows], quat[rows], up[:, rows])
        assert settled == Motion()
        counts.append(len(finish_activity(PARAMS, state, rate_hz)[1].repetitions))
    back_s = [3.0 + 2.0 + 2.5 * number for number in range(12)]
    for number, at_s in enumerate(back_s, 1):
        if number >= 3:
            # The third proves the set; from then on each counts half a second after it is back.
            assert counts[min(int((at_s + 0.5) * 2), len(counts) - 1)] >= number
        assert counts[int((at_s - 1.2) * 2)] <= number


def test_a_set_is_settled_within_the_stated_time() -> None:
    rate_hz = 25.0
    parts = [(3.0, 0.0), *repeated(8, 1.0, 0.0, 1.0, 0.5, 50.0)]
    # Afterwards somebody fidgets for ever, so that no stillness ends it.
    quat, up = oriented(np.concatenate((strokes(rate_hz, *parts), 10 * np.sin(np.arange(10000) ** 1.1 / 90.0))))
    state, end_s = ActivityState(), 3.0 + 8 * 2.5
    for first in range(0, len(quat), 25):
        rows = slice(first, first + 25)
        state, settled = detect_activity(PARAMS, state, rate_hz, 9.81 * up.T[rows], quat[rows], up[:, rows])
        if any(each.rom_deg > 40 for each in settled.repetitions):
            assert first / rate_hz <= end_s + FULL_S
            return
    pytest.fail("the set was never settled")


def test_nothing_is_kept_of_stillness() -> None:
    quat, up = oriented(np.zeros(25 * 3600))
    state, told = run(quat, up, 9.81 * up.T, 25.0, list(range(125, 25 * 3600, 125)))
    assert joined(told) == Motion()
    assert len(state.quat) <= 4 * 25
    assert len(encode(state, 1)) < 2000


def test_the_state_stays_small_while_somebody_never_rests() -> None:
    random = np.random.default_rng(2)
    quat, up = oriented(np.cumsum(random.normal(size=25 * 1200)))
    state = ActivityState()
    for first in range(0, len(quat), 125):
        rows = slice(first, first + 125)
        state, _ = detect_activity(PARAMS, state, 25.0, 9.81 * up.T[rows], quat[rows], up[:, rows])
        assert len(state.quat) <= (FULL_S + 5) * 25
        assert len(encode(state, 1)) < 50_000


def test_walking_is_told_with_its_steps() -> None:
    rate_hz = 50.0
    angle, lift = walking(40.0, rate_hz, 25.0, 1.8)
    quat, up = oriented(angle)
    state, told = run(quat, up, ((9.81 + lift) * up).T, rate_hz, [])
    (walk,) = joined([*told, finish_activity(PARAMS, state, rate_hz)[1]]).segments
    assert walk.kind is ActivityKind.WALKING
    assert walk.count == pytest.approx(72, abs=5)


def test_every_part_of_the_state_is_stored() -> None:
    quat, up = oriented(strokes(25.0, *repeated(80, 1.0, 0.0, 1.0, 0.0, 50.0)))
    state, _ = run(quat, up, 9.81 * up.T, 25.0, [])
    assert state.open is not None
    again = decode(ActivityState, encode(state, 1), 1)
    for part in fields(ActivityState):
        before, after = getattr(state, part.name), getattr(again, part.name)
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else encode_equal(before, after)


def encode_equal(before: object, after: object) -> bool:
    return repr(before) == repr(after)
