"""The device's clock against a simulated truth: arrivals late by chance, drift, wrap, restarts, damaged time stamps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from devices.clock import ClockParams, DeviceClock, Timed
from devices.types import FloatArray, IntArray
from tests.devices.clocked_link import START_UTC_S, WRAP, Link


class Wearable:
    """Truth: samples at a steady rate, a clock of drift_ppm, arrivals late by 3 ms and an exponential 10 ms."""

    def __init__(self, first_tick: int = 1_000_000, drift_ppm: float = 0.0, speed: float = 1.0, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.first_tick, self.drift_ppm, self.speed = first_tick, drift_ppm, speed

    def samples(self, start: int, count: int, rate_hz: float = 60.0) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return ticks as sent, true UTC and arrivals of samples start .. start + count - 1."""
        device_s = np.arange(start, start + count) / rate_hz
        true_utc_s = START_UTC_S + device_s / (1 + self.drift_ppm * 1e-6)
        late_s = (0.003 + self.rng.exponential(0.010, count)) * self.speed
        ticks = (self.first_tick + np.rint(device_s * 1e6)).astype(np.int64) % WRAP
        # A later sample never arrives before an earlier one.
        return ticks, true_utc_s, np.maximum.accumulate(true_utc_s + late_s)


def clock(**changes: float) -> DeviceClock:
    return DeviceClock(ClockParams(ticks_per_s=1_000_000, tick_wrap=WRAP, **changes))


def feed(device: DeviceClock, ticks: IntArray, arrivals: FloatArray, batch: int = 12) -> list[Timed]:
    return [device.take(ticks[at : at + batch], arrivals[at : at + batch]) for at in range(0, len(ticks), batch)]


def test_time_and_drift_are_found_from_late_arrivals() -> None:
    device = clock()
    ticks, true_utc_s, arrivals = Wearable(drift_ppm=80.0).samples(0, 60 * 900)
    timed = feed(device, ticks, arrivals)
    told_s = np.array([device.utc_s(int(part.ticks[-1])) for part in timed[-100:]])
    assert np.abs(told_s - true_utc_s[11::12][-100:]).max() < 0.010
    assert device.drift_ppm == pytest.approx(80.0, abs=10.0)


def test_drift_is_not_told_before_it_can_be() -> None:
    device = clock()
    wearable = Wearable(drift_ppm=80.0)
    ticks, _, arrivals = wearable.samples(0, 60 * 40)
    feed(device, ticks, arrivals)
    assert device.drift_ppm is None
    # Delays of seconds, as a fast replay has them, say nothing about millionths, however long they are watched.
    device = clock(tolerance_s=5.0 * 45)
    ticks, _, arrivals = Wearable(drift_ppm=80.0, speed=200.0).samples(0, 60 * 300)
    feed(device, ticks, arrivals)
    assert device.drift_ppm is None


def test_told_time_never_goes_backwards_though_the_first_arrivals_were_late() -> None:
    device = clock()
    ticks, true_utc_s, arrivals = Wearable(drift_ppm=-200.0).samples(0, 60 * 300)
    arrivals[:600] += np.linspace(0.8, 0.0, 600)
    told = [device.utc_s(int(part.ticks[-1])) for part in feed(device, ticks, arrivals)]
    assert (np.diff(told) > 0).all()
    assert abs(told[-1] - true_utc_s[-1]) < 0.010
    # What was told stays told: a chunk and a live block of the same sample agree.
    assert device.utc_s(int(ticks[11]) + 60_000_000) == pytest.approx(told[300], abs=1e-6)


def test_a_replay_45_times_faster_stays_in_order_and_near() -> None:
    device = clock(tolerance_s=5.0 * 45)
    ticks, true_utc_s, arrivals = Wearable(speed=45.0).samples(0, 60 * 900)
    told = [device.utc_s(int(part.ticks[-1])) for part in feed(device, ticks, arrivals, batch=54)]
    assert (np.diff(told) > 0).all()
    # The absolute time is as good as the shortest delay, which a fast replay multiplies.
    least_late_s = (arrivals - true_utc_s)[-60 * 600 :].min()
    assert told[-1] - true_utc_s[-1] == pytest.approx(least_late_s, abs=0.1)


def test_wrap_within_a_stream() -> None:
    device = clock()
    wearable = Wearable(first_tick=WRAP - 2_000_000)
    ticks, _, arrivals = wearable.samples(0, 600)
    assert (np.diff(ticks) < 0).any()
    unwrapped = np.concatenate([part.ticks for part in feed(device, ticks, arrivals, batch=7)])
    np.testing.assert_array_equal(unwrapped - unwrapped[0], np.rint(np.arange(600) / 60.0 * 1e6))


@pytest.mark.parametrize("pause_s", [3.0, 600.0, 4000.0, 4300.0, 20_000.0])
def test_a_pause_is_told_by_the_device_also_over_wraps(pause_s: float) -> None:
    device = clock()
    wearable = Wearable(first_tick=WRAP // 2, drift_ppm=100.0)
    before, after = wearable.samples(0, 6000), wearable.samples(6000 + round(pause_s * 60), 600)
    feed(device, before[0], before[2])
    timed = feed(device, after[0], after[2])
    assert all(part.restarts == () and part.damaged == 0 for part in timed)
    elapsed = int(timed[0].ticks[0]) - WRAP // 2
    assert elapsed == round((6000 + round(pause_s * 60)) / 60 * 1e6)


@pytest.mark.parametrize("uptime_s", [1.0, 300.0])
@pytest.mark.parametrize("pause_s", [2.0, 30.0, 2000.0])
def test_a_restart_goes_on_in_utc(uptime_s: float, pause_s: float) -> None:
    device = clock()
    before = Wearable(first_tick=1_500_000_000).samples(0, 6000)
    first = np.concatenate([part.ticks for part in feed(device, before[0], before[2])])
    start = 6000 + round(pause_s * 60)
    again = Wearable(first_tick=0).samples(start, 600)
    ticks = again[0] - again[0][0] + round(uptime_s * 1e6)
    timed = feed(device, ticks, again[2])
    assert timed[0].restarts == (0,)
    assert all(part.restarts == () for part in timed[1:])
    passed_s = (int(timed[0].ticks[0]) - int(first[-1])) / 1e6
    assert passed_s == pytest.approx(pause_s, abs=0.1)
    assert device.utc_s(int(timed[-1].ticks[-1])) == pytest.approx(again[1][-1], abs=0.03)


@pytest.mark.parametrize("frame", [2, 36, 150])
def test_samples_that_came_together_do_not_lengthen_the_gap_of_a_restart(frame: int) -> None:
    """A notification arrives when its last sample was taken; the gap ends at its first one."""
    device, pause_s, period = clock(), 20.0, 20_000
    taken_s = np.arange(6 * frame) / 50.0
    arrivals = START_UTC_S + np.repeat(taken_s[frame - 1 :: frame], frame) + 0.004
    before = feed(device, 1_500_000_000 + np.arange(6 * frame) * period, arrivals, frame)
    arrivals += taken_s[-1] + pause_s
    after = feed(device, 300_000_000 + np.arange(6 * frame) * period, arrivals, frame)
    assert after[0].restarts == (0,)
    gap_s = (int(after[0].ticks[0]) - int(before[-1].ticks[-1])) / 1e6
    assert gap_s == pytest.approx(pause_s, abs=0.01)
    assert device.utc_s(int(after[0].ticks[-1])) == pytest.approx(float(arrivals[frame - 1]), abs=0.01)


@pytest.mark.parametrize("batch", [1, 2, 5, 400])
def test_a_damaged_time_stamp_is_dropped_and_the_others_stay(batch: int) -> None:
    ticks, _, arrivals = Wearable().samples(0, 400)
    wrong = [57, 200, 201, 330]
    sent = ticks.copy()
    sent[wrong] ^= np.array([1 << 31, 1 << 25, 1 << 29, 1 << 22])
    device = clock()
    taken: list[int] = []
    damaged = 0
    waiting = np.empty(0, dtype=np.int64)
    for at in range(0, 400, batch):
        positions = np.concatenate([waiting, np.arange(at, min(at + batch, 400))])
        timed = device.take(sent[positions], arrivals[positions])
        assert timed.restarts == ()
        taken += positions[timed.kept].tolist()
        damaged += timed.damaged
        waiting = positions[-1:] if timed.undecided else np.empty(0, dtype=np.int64)
    assert taken == [i for i in range(400) if i not in wrong]
    assert damaged == len(wrong)


def test_samples_out_of_order_keep_their_ticks() -> None:
    ticks, _, arrivals = Wearable().samples(0, 60)
    order = np.arange(60)
    order[[20, 21]] = [21, 20]
    timed = clock().take(ticks[order], arrivals)
    assert timed.ticks.tolist() == ticks[order].tolist()


@pytest.mark.proof
@pytest.mark.parametrize("drift_ppm", [-200.0, 200.0])
def test_time_is_within_5_ms_after_the_first_minute_at_200_ppm(
    drift_ppm: float, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    minutes = full_or_quick(60, 15)
    held = [(at, 0.3 + at % 7 / 3) for at in np.arange(20.0, minutes * 60, 31.0)]
    lost = [(at, 5.0 + at % 40) for at in np.arange(170.0, minutes * 60, 240.0)]
    device = clock()
    taken_s, error_s, unsure_s = Link(drift_ppm, minutes * 60.0, held=held, lost=lost).told(device)
    after = taken_s > 60.0
    worst_ms = 1e3 * float(np.abs(error_s[after]).max())
    figure(f"time error at {drift_ppm:+g} ppm over {minutes} min, worst after the first", round(worst_ms, 2), "ms")
    assert worst_ms < 5.0
    assert device.drift_ppm == pytest.approx(drift_ppm, abs=2.0)
    assert np.mean(np.abs(error_s[after]) <= unsure_s[after]) > 0.9


@pytest.mark.parametrize(
    ("interval_s", "least_s", "most_s"),
    # 60 samples a second keep step with 1/60 s, wait up to a third of 20 ms alike, and fall anywhere within 15 ms.
    [(1 / 60, 0.015, 0.025), (0.02, 0.0, 0.010), (0.015, 0.0, 0.003)],
)
def test_a_wait_that_all_packets_share_is_in_the_told_uncertainty(
    interval_s: float, least_s: float, most_s: float
) -> None:
    # After the slip by one interval, 83 s on, the line knows for a while what the uncertainty does not.
    taken_s, error_s, unsure_s = Link(200.0, 80.0, interval_s=interval_s).told(clock())
    after = taken_s > 20.0
    assert np.mean(np.abs(error_s[after]) <= unsure_s[after]) > 0.95
    assert least_s <= np.median(unsure_s[after]) <= most_s


# Five simulated minutes are read faster than it is shrunk.
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_whatever_the_radio_does_time_stays_within_5_ms(data: st.DataObject) -> None:
    lost = data.draw(st.lists(st.tuples(st.floats(90.0, 280.0), st.floats(0.1, 30.0)), max_size=3))
    restart_s = data.draw(st.none() | st.floats(90.0, 250.0))
    link = Link(
        data.draw(st.floats(-200.0, 200.0)),
        interval_s=data.draw(st.sampled_from([0.0075, 0.01125, 0.015])),
        jitter_s=data.draw(st.floats(0.0005, 0.01)),
        held=data.draw(st.lists(st.tuples(st.floats(10.0, 290.0), st.floats(0.1, 4.0)), max_size=4)),
        lost=lost,
        restart_s=restart_s,
        first_tick=data.draw(st.integers(0, WRAP - 1)),
        seed=data.draw(st.integers(0, 999)),
    )
    taken_s, error_s, _ = link.told(clock(), data.draw(st.sampled_from([0.02, 0.1, 0.5])))
    settled = taken_s > 60.0
    if restart_s is not None:
        # The new axis begins at an arrival, which may be late; a few seconds show how much.
        seen_s = taken_s[np.argmax(taken_s >= restart_s)]
        settled &= ~((taken_s >= seen_s) & (taken_s < seen_s + 10.0))
    assert np.abs(error_s[settled]).max() < 0.005


@pytest.mark.parametrize("back_s", [0.5, 1.5, 4.0])
def test_a_frame_that_was_overtaken_is_no_restart(back_s: float) -> None:
    ticks, _, arrivals = Wearable(first_tick=90_000_000).samples(0, 1200)
    overtaken = 600 - round(back_s * 60)
    order = np.array([*range(overtaken), *range(overtaken + 2, 600), overtaken, overtaken + 1, *range(600, 1200)])
    device = clock()
    timed = feed(device, ticks[order], arrivals)
    assert all(part.restarts == () and part.damaged == 0 for part in timed)
    np.testing.assert_array_equal(np.concatenate([part.ticks for part in timed]), ticks[order])


def test_a_host_clock_that_was_set_is_followed() -> None:
    for step_s in (-2.0, 2.0):
        device, link = clock(), Link(50.0, duration_s=400.0)
        link.arrival_s = link.arrival_s + np.where(link.true_s > 150.0, step_s, 0.0)
        # The error is against the clock as it was before, and without the shortest delay of before.
        link.true_s = link.true_s + np.where(link.true_s > 150.0, step_s, 0.0)
        bounds = np.arange(0, len(link.ticks), 12)
        told_s = []
        for part in np.split(np.arange(len(link.ticks)), bounds[1:]):
            timed = device.take(link.ticks[part], START_UTC_S + link.arrival_s[part])
            told_s.append(device.utc_s(int(timed.ticks[-1])) - START_UTC_S)
        assert (np.diff(told_s) > 0).all()
        assert told_s[-1] == pytest.approx(link.true_s[-1], abs=0.01)
