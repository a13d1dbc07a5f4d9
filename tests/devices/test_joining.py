"""Two sensors in frames of their own become one row each; any cut gives the same rows; lost partners are counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.joining import Joiner, JoinerParams
from devices.rows import Rows
from devices.types import FloatArray, IntArray

TICKS_PER_S = 1_000_000
PARAMS = JoinerParams.of(52.0, TICKS_PER_S)
PERIOD = TICKS_PER_S / 52.0


def rate_at(ticks: IntArray | FloatArray) -> FloatArray:
    """Truth: an angular rate that is a straight line in time, which interpolation must hit exactly."""
    t_s = np.asarray(ticks, dtype=float) / TICKS_PER_S
    return np.column_stack([t_s, 3.0 - 2.0 * t_s, 0.5 * t_s])


def frame(sensor: str, first: int, count: int, offset: float = 0.0) -> Rows:
    ticks = np.rint((np.arange(first, first + count) + offset) * PERIOD).astype(np.int64) + 10_000_000
    nothing = np.full((count, 3), np.nan)
    values = np.column_stack([np.arange(first, first + count)] * 3).astype(float)
    return Rows(ticks, values, nothing) if sensor == "acc" else Rows(ticks, nothing, rate_at(ticks))


def stream(frames_count: int, per_frame: int, offset: float = 0.37) -> list[Rows]:
    """Frames of both sensors in turn, as they arrive; the gyroscope's samples lie between the accelerometer's."""
    starts = range(0, frames_count * per_frame, per_frame)
    return [frame(sensor, at, per_frame, offset * (sensor == "gyr")) for at in starts for sensor in ("acc", "gyr")]


def run(frames: list[Rows], cuts: list[int]) -> tuple[Rows, Joiner]:
    joiner, rows = Joiner(PARAMS), Rows.joined(frames)
    bounds = [0, *sorted(cuts), len(rows)]
    parts = [joiner.push(rows.part(slice(start, end))) for start, end in pairwise(bounds)]
    return Rows.joined([*parts, joiner.flush()]), joiner


def partner_exists(ticks: IntArray, gyr_ticks: IntArray) -> list[bool]:
    """Tell, one by one and without the joiner, whether two gyroscope samples enclose a time closely enough."""
    found = []
    for tick in ticks.tolist():
        before = [each for each in gyr_ticks.tolist() if each <= tick]
        after = [each for each in gyr_ticks.tolist() if each >= tick]
        found.append(bool(before and after) and min(after) - max(before) <= PARAMS.reach)
    return found


def test_every_row_gets_the_rate_at_its_own_time() -> None:
    frames = stream(8, 72)
    joined, joiner = run(frames, [])
    assert joined.acc_mps2[:, 0].tolist() == list(range(8 * 72))
    # The first sample has no neighbour before it, and that is said.
    assert np.flatnonzero(np.isnan(joined.gyr_radps[:, 0])).tolist() == [0]
    np.testing.assert_allclose(joined.gyr_radps[1:], rate_at(joined.ticks[1:]), atol=1e-9)
    assert (joiner.unjoined, joiner.overtaken) == (1, 0)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_losses_duplicates_and_overtaking_change_only_their_own_rows(data: st.DataObject) -> None:
    per_frame = data.draw(st.sampled_from([1, 3, 8, 36]))
    sent = stream(data.draw(st.integers(2, 24)), per_frame)
    lost = data.draw(st.sets(st.integers(0, len(sent) - 1), max_size=len(sent) // 2))
    frames = [each for at, each in enumerate(sent) if at not in lost]
    for at in data.draw(st.lists(st.integers(0, max(len(frames) - 2, 0)), max_size=3)):
        # Short frames only: a frame longer than the slack that comes after its successor is too late.
        if per_frame <= 3 and len(frames) > 1:
            frames[at], frames[at + 1] = frames[at + 1], frames[at]
    again = data.draw(st.sets(st.integers(0, max(len(frames) - 1, 0)), max_size=3))
    frames = [each for at, one in enumerate(frames) for each in ([one, one] if at in again else [one])]
    if not frames:
        return
    rows = Rows.joined(frames)
    joined, joiner = run(frames, data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    whole, _ = run(frames, [])
    # However it is cut: the same rows in the same order.
    np.testing.assert_array_equal(joined.ticks, whole.ticks)
    np.testing.assert_array_equal(joined.gyr_radps, whole.gyr_radps)
    # No accelerometer row is lost, made up or changed, duplicates included (the chunker counts those).
    is_acc = ~np.isnan(rows.acc_mps2[:, 0])
    assert sorted(joined.acc_mps2[:, 0].tolist()) == sorted(rows.acc_mps2[is_acc, 0].tolist())
    has_rate = ~np.isnan(joined.gyr_radps[:, 0])
    np.testing.assert_allclose(joined.gyr_radps[has_rate], rate_at(joined.ticks[has_rate]), atol=1e-9)
    assert has_rate.tolist() == partner_exists(joined.ticks, rows.ticks[~is_acc])
    assert joiner.unjoined == int(np.count_nonzero(~has_rate))


def test_a_row_waits_for_its_partner_but_not_for_ever() -> None:
    joiner = Joiner(PARAMS)
    silent = frame("acc", 0, 52 * 6)
    out = joiner.push(silent)
    # Six seconds without a gyroscope: what is older than four is let go, without a rate.
    assert out.ticks.max() <= silent.ticks[-1] - PARAMS.wait
    assert len(out.ticks) == 2 * 52
    assert np.isnan(out.gyr_radps).all()
    rest = joiner.flush()
    assert len(out.ticks) + len(rest.ticks) == 52 * 6
    assert joiner.unjoined == 52 * 6


def test_a_frame_overtaken_by_more_than_the_slack_is_counted() -> None:
    frames = stream(4, 36)
    frames[1], frames[3] = frames[3], frames[1]  # 36 samples are 0.7 s
    joined, joiner = run(frames, [])
    assert joiner.overtaken > 0
    assert len(joined.ticks) == 4 * 36
    assert joiner.unjoined >= joiner.overtaken - 2


def test_what_a_restarted_clock_says_is_not_joined_with_what_came_before() -> None:
    joiner = Joiner(PARAMS)
    joiner.push(Rows.joined([frame("acc", 0, 10), frame("gyr", 0, 9, 0.5)]))
    before = joiner.begin_again()
    after = joiner.push(Rows.joined([frame("acc", 10, 10), frame("gyr", 10, 20, 0.5)]))
    assert before.acc_mps2[:, 0].max() == 9
    # Sample 9 lies between gyroscope samples of two clocks.
    assert np.isnan(before.gyr_radps[-1]).all()
    assert after.acc_mps2[0, 0] == 10
    assert np.isnan(after.gyr_radps[0]).all()
