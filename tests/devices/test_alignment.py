"""Two wearables of different clocks, starts and radios on one time line; the samples' values tell the true time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from devices.alignment import align
from devices.types import Chunk, FloatArray
from tests.devices.clocked_link import START_UTC_S, Link
from tests.devices.plain_product import PlainProduct, Receiver, frame
from tests.devices.test_arrival import Radio

Figure = Callable[[str, object, str], None]


def of_link(link: Link, later_s: float = 0.0) -> list[Chunk]:
    """Return the chunks of a wearable with a clock that was switched on `later_s` after the start."""
    receiver = Receiver(PlainProduct())
    values = np.column_stack([link.true_s + later_s] * 3)
    receiver.feed(
        (link.arrival_s[at] + later_s, frame(link.ticks[at : at + 1], values[at : at + 1], values[at : at + 1]))
        for at in range(len(link.ticks))
    )
    return receiver.finish()


def of_radio(radio: Radio) -> list[Chunk]:
    """Return the chunks of a wearable without a clock."""
    receiver = Receiver(PlainProduct(radio.promised_hz, None))
    values = np.column_stack([radio.taken_s[radio.index]] * 3)
    receiver.feed(
        (radio.arrival_s[at], frame(radio.index[at : at + 1], values[at : at + 1], values[at : at + 1]))
        for at in range(len(radio.index))
    )
    return receiver.finish()


def error_s(aligned_values: FloatArray, start_utc_s: float, rate_hz: float, after_s: float) -> FloatArray:
    """Return how far each point of a track is off: the time its sample was taken against the time of the grid."""
    grid_s = start_utc_s - START_UTC_S + np.arange(len(aligned_values)) / rate_hz
    errors = aligned_values[:, 0] - grid_s
    return errors[(grid_s > after_s) & np.isfinite(errors)]


@pytest.mark.parametrize(("one_ppm", "other_ppm"), [(200.0, -200.0), (-30.0, 45.0)])
def test_two_wearables_are_aligned_within_10_ms(one_ppm: float, other_ppm: float, figure: Figure) -> None:
    held = [(40.0, 1.5), (130.0, 0.7)]
    one = Link(one_ppm, 300.0, interval_s=0.015, jitter_s=0.002, held=held, lost=[(90.0, 12.0)], seed=3)
    other = Link(other_ppm, 290.0, interval_s=0.0075, jitter_s=0.006, held=[(70.0, 2.0)], seed=8)
    aligned = align({"left": of_link(one), "right": of_link(other, later_s=4.321)})
    left, right = aligned.tracks["left"], aligned.tracks["right"]
    apart = left.acc_mps2[:, 0] - right.acc_mps2[:, 0]
    known = apart[np.isfinite(apart)]
    worst_ms = 1e3 * float(np.abs(known).max())
    figure(f"two wearables at {one_ppm:+g} and {other_ppm:+g} ppm, furthest apart", round(worst_ms, 2), "ms")
    assert worst_ms < 10.0
    # The loss of 12 s stays a gap, and almost all else is there.
    assert len(known) == pytest.approx(len(aligned) - 12 * 60, abs=30)
    assert aligned.uncertainty_s("left", "right") == left.uncertainty_s + right.uncertainty_s
    # After the first minute the statement holds, but for what nobody can see: the two shortest delays.
    least_s = [float((link.arrival_s - link.true_s).min()) for link in (one, other)]
    errors = [error_s(track.acc_mps2, aligned.start_utc_s, aligned.rate_hz, 60.0) for track in (left, right)]
    for error, least, track in zip(errors, least_s, (left, right), strict=True):
        assert np.mean(np.abs(error + least) <= track.uncertainty_s) > 0.95


def test_a_wearable_without_a_clock_is_aligned_with_one_that_has_one() -> None:
    link = Link(120.0, 120.0, seed=4)
    radio = Radio(100.0, 0.02, 120.0, interval_s=0.015, jitter_s=0.002, seed=5)
    aligned = align({"dot": of_link(link), "plain": of_radio(radio)})
    assert aligned.rate_hz == 60.0
    apart = aligned.tracks["dot"].acc_mps2[:, 0] - aligned.tracks["plain"].acc_mps2[:, 0]
    # A sensor's own rate wanders and shows only through arrivals: 20 ms in the first seconds, 10 ms behind them.
    assert np.nanmax(np.abs(apart[60 * 20 :])) < 0.010
    assert np.nanmax(np.abs(apart)) < 0.020


def test_no_common_time_and_no_samples_are_an_empty_grid() -> None:
    early, late = of_link(Link(0.0, 10.0)), of_link(Link(0.0, 10.0), later_s=100.0)
    assert len(align({"a": early, "b": late})) == 0
    assert len(align({})) == 0
    assert len(align({"a": early, "b": []})) > 0
