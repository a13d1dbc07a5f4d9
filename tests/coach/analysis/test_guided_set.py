"""A guided set: the count equals what was simulated, live and from its end; getting into position counts nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from coach.analysis.errors import AnalysisError
from coach.analysis.guided_follow import Phase
from coach.analysis.guided_set import SetState, begin_set, done_of, follow_set
from devices.sim.motions import MOTIONS
from devices.types import Chunk, Gap

RATE_HZ, BLOCK_S = 60.0, 0.25
# motion, exercise of the library or of GUIDES, hold asked for in s, s of the motion until its first set is over
SETS = (
    ("squats", "hip_hinge", None, 68.0),
    ("seated-bends", "trunk_bend", 5.0, 97.0),
    ("curl-ups", "curl_up", 10.0, 110.0),
    ("side-bridges", "side_bridge", 10.0, 74.0),
)


def blocks(motion: str, seed: int, begin_s: float, end_s: float, block_s: float = BLOCK_S) -> list[Chunk]:
    first, per = round(begin_s * RATE_HZ), round(block_s * RATE_HZ)
    acc, gyr = MOTIONS[motion](seed).samples(first, round(end_s * RATE_HZ) - first, RATE_HZ)
    return [
        Chunk("d", "r", seq, begin_s + at / RATE_HZ, first + at, RATE_HZ, acc[at : at + per], gyr[at : at + per])
        for seq, at in enumerate(range(0, len(acc), per))
    ]


def run(state: SetState, chunks: list[Chunk]) -> list[SetState]:
    states = []
    for chunk in chunks:
        state = follow_set(state, chunk).state
        states.append(state)
    return states


@pytest.mark.proof
@pytest.mark.parametrize(("motion", "exercise", "hold_s", "end_s"), SETS)
def test_the_count_is_the_truth_live_and_at_the_end_and_never_goes_back(
    motion: str,
    exercise: str,
    hold_s: float | None,
    end_s: float,
    full_or_quick: Callable[[int, int], int],
) -> None:
    for seed in range(full_or_quick(20, 1)):
        begin_s = (20.0, 25.0)[seed % 2]  # before getting into position, or after
        truth = [each for each in MOTIONS[motion](seed).truth(end_s) if each.start_s >= begin_s]
        states = run(begin_set(exercise, hold_s), blocks(motion, seed, begin_s, end_s))
        counts = [state.count for state in states]
        assert counts == sorted(counts)
        assert len(truth) == counts[-1] == len(done_of(states[-1])), f"seed {seed}"
        # No repetition is counted before its far pose is left, nor long after its end.
        rises = [at for at, (one, other) in enumerate(zip([0, *counts], counts, strict=False)) if other > one]
        for at, each in zip(rises, truth, strict=True):
            told_s = begin_s + (at + 1) * BLOCK_S
            assert each.peak_s < told_s < each.end_s + 2.0


def test_a_hold_is_timed_while_it_goes_on_and_what_was_held_is_what_was_simulated() -> None:
    states = run(begin_set("side_bridge", 10.0), blocks("side-bridges", 1, 25.0, 74.0))
    holds = MOTIONS["side-bridges"](1).holds(74.0)
    for hold, done in zip(holds, states[-1].done, strict=True):
        assert done.held_s == pytest.approx(hold.end_s - hold.start_s, abs=1.2)
        middle = states[round(((hold.start_s + hold.end_s) / 2 - 25.0) / BLOCK_S)].follow
        assert middle.phase is Phase.HOLDING
        assert middle.holding_s == pytest.approx((hold.end_s - hold.start_s) / 2, abs=1.0)


def test_a_long_hold_counts_by_its_pose() -> None:
    """A stillness of 15 s parts what the detectors look at as one, so the pose tells."""
    n = round(60 * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    up, down = np.clip((t - 5) / 2, 0, 1), np.clip((t - 47) / 2, 0, 1)
    share = up**3 * (10 - 15 * up + 6 * up**2) - down**3 * (10 - 15 * down + 6 * down**2)
    angle = np.radians(40 * share)
    acc = 9.80665 * np.stack((np.sin(angle), np.zeros(n), np.cos(angle)), axis=1)
    gyr = np.stack((np.zeros(n), -np.gradient(angle, 1 / RATE_HZ), np.zeros(n)), axis=1)
    states = run(
        begin_set("hamstring_strap", 40.0),
        [
            Chunk("d", "r", k, 0.0, at, RATE_HZ, acc[at : at + 15], gyr[at : at + 15])
            for k, at in enumerate(range(0, n, 15))
        ],
    )
    assert states[-1].count == 1
    assert states[-1].done[0].held_s == pytest.approx(40.0, abs=1.5)
    assert states[round(40 / BLOCK_S)].count == 0


def test_standing_still_and_getting_into_position_count_nothing() -> None:
    for motion, exercise, hold_s, _ in SETS:
        assert run(begin_set(exercise, hold_s), blocks(motion, 3, 0.0, 25.5))[-1].count == 0


def test_a_lost_second_costs_no_repetition_that_was_seen() -> None:
    whole = blocks("squats", 2, 22.0, 68.0)
    lost = [each for each in whole if not 48.0 <= each.start_utc_s < 49.0]
    truth = [each for each in MOTIONS["squats"](2).truth(68.0) if each.start_s >= 22.0]
    count = run(begin_set("hip_hinge", None), lost)[-1].count
    assert len(truth) - 1 <= count <= len(truth)


def test_cutting_the_stream_elsewhere_ends_with_the_same() -> None:
    for motion, exercise, hold_s, end_s in SETS[:1] + SETS[3:]:
        ends = {
            tuple(
                (round(each.end_s, 2), round(each.rom_deg, 1))
                for each in done_of(run(begin_set(exercise, hold_s), chunks)[-1])
            )
            for chunks in (blocks(motion, 1, 22.0, end_s, block_s) for block_s in (0.25, 1.7, 5.0))
        }
        assert len(ends) == 1


def test_what_does_not_follow_is_refused() -> None:
    one, other, *_ = blocks("squats", 1, 20.0, 21.0)
    state = follow_set(begin_set("hip_hinge", None), other).state
    with pytest.raises(AnalysisError, match="does not follow"):
        follow_set(state, one)


def test_a_chunk_with_a_gap_in_it_is_a_gap_in_what_is_shown() -> None:
    chunk = blocks("squats", 1, 20.0, 25.0, 5.0)[0]
    acc, gyr = chunk.acc_mps2.copy(), chunk.gyr_radps.copy()
    acc[120:180], gyr[120:180] = np.nan, np.nan
    seen = follow_set(begin_set("hip_hinge", None), Chunk("d", "r", 0, 0.0, 0, RATE_HZ, acc, gyr, (Gap(120, 60),)))
    assert {None} == {deg for at_s, deg in seen.course if 2.05 < at_s < 2.95}
    assert all(deg is not None for at_s, deg in seen.course if 1.0 < at_s < 1.95)
