"""A day's heart rate against days whose figures are known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coach.analysis.heart_day import Beats, HeartDay, Rmssd, summarise_heart
from coach.analysis.types import NotComputable
from devices.types import FloatArray

START = 1_800_000_000.0
NOTHING = np.empty(0)


def beats(bpm: list[int], start_s: float = 0.0, step_s: float = 1.0, **other: object) -> Beats:
    n = len(bpm)
    made = Beats(
        START + start_s + step_s * np.arange(n),
        np.array(bpm),
        np.ones(n, int),
        np.zeros(n, int),
        NOTHING,
        False,
        "strap",
    )
    return replace(made, **other)  # type: ignore[arg-type]


def day(*recordings: Beats) -> HeartDay:
    found = summarise_heart(recordings, NOTHING, NOTHING)
    assert isinstance(found, HeartDay)
    return found


def with_intervals(rr_s: FloatArray, **other: object) -> Beats:
    """Return what a chest strap tells of a heart with these intervals: each second the beats that fell in it."""
    at_s = np.cumsum(rr_s)
    seconds = np.arange(1, int(at_s[-1]) + 1)
    counts = np.diff(np.searchsorted(at_s, seconds, side="right"), prepend=0)
    made = beats([70] * len(seconds), 1.0, rr_count=counts, rr_s=rr_s[: counts.sum()], chest=True)
    return replace(made, **other)  # type: ignore[arg-type]


def trunk(duration_s: float, swing_deg: float = 0.5) -> tuple[FloatArray, FloatArray]:
    t_s = np.arange(0, duration_s, 0.2)
    return START + t_s, 10 + swing_deg * np.sin(t_s)


# 0.8 s and 0.84 s in turn: every difference is 40 ms, so RMSSD is 40 ms.
EVEN = np.tile([0.8, 0.84], 600)


def rmssd_of(found: Beats, swing_deg: float = 0.5, seen_s: float = 2000.0) -> Rmssd | NotComputable:
    summary = summarise_heart((found,), *trunk(seen_s, swing_deg))
    assert isinstance(summary, HeartDay)
    return summary.rmssd


def test_the_figures_of_a_day_that_is_known() -> None:
    bpm = [58, *[80] * 100, *[88] * 300, *[120] * 100, 142]
    found = day(beats(bpm))
    assert (found.lowest_bpm, found.highest_bpm, found.median_bpm) == (58, 142, 88)
    assert found.recorded_s == pytest.approx(len(bpm) - 1)


def test_a_gap_and_another_recording_are_not_recorded_time() -> None:
    found = day(beats([80] * 100), beats([90] * 50, 1000), beats([90] * 50, 1049 + 7))
    assert found.recorded_s == pytest.approx(99 + 49 + 49)
    held = beats([80] * 100)
    held.arrival_utc_s[50:] += 100
    assert day(held).recorded_s == pytest.approx(98)


def test_off_the_skin_and_no_beat_found_are_no_heart_rate() -> None:
    contact = np.array([1] * 100 + [0] * 80 + [-1] * 100)
    found = day(beats([70] * 100 + [220] * 80 + [0] * 20 + [72] * 80, contact=contact))
    assert (found.lowest_bpm, found.highest_bpm) == (70, 72)
    assert found.off_skin_s == pytest.approx(80)
    assert found.recorded_s == pytest.approx(100 + 79)


def test_two_wearables_are_one_heart() -> None:
    strap, watch = beats([80] * 600), beats([150] * 60, 0, 5.0, wearable="watch")
    found = day(strap, watch)
    assert (found.highest_bpm, found.recorded_s) == (80, pytest.approx(599))
    later = day(strap, replace(watch, arrival_utc_s=watch.arrival_utc_s + 700))
    assert later.highest_bpm == 150
    assert later.recorded_s == pytest.approx(599 + 295)


@pytest.mark.parametrize("count", [0, 1, 59])
def test_too_little_is_said_and_no_number(count: int) -> None:
    found = summarise_heart((beats([80] * count),) if count else (), NOTHING, NOTHING)
    assert isinstance(found, NotComputable)
    assert found.what == "heart rate"


def test_rmssd_of_intervals_that_are_known() -> None:
    found = rmssd_of(with_intervals(EVEN))
    assert isinstance(found, Rmssd)
    assert found.rmssd_s == pytest.approx(0.040)
    assert found.start_utc_s == START + 1 + 600  # 984 s of beats: the third five minutes, from 601 s on
    assert found.duration_s == 300


def lost(found: Beats) -> Beats:
    """Two notifications of every stretch did not come, with their beats."""
    keep = ~np.isin(np.arange(len(found.rr_count)) % 300, (100, 101, 102, 103, 104))
    return replace(
        found,
        arrival_utc_s=found.arrival_utc_s[keep],
        heart_rate_bpm=found.heart_rate_bpm[keep],
        contact=found.contact[keep],
        rr_count=found.rr_count[keep],
        rr_s=found.rr_s[np.repeat(keep, found.rr_count)],
    )


def extra_beat() -> FloatArray:
    rr_s = EVEN.copy()
    rr_s[100::200], rr_s[101::200] = 0.5, 1.14
    return rr_s


@pytest.mark.parametrize(
    ("found", "needs"),
    [
        (with_intervals(EVEN, chest=False), "a chest strap with beat-to-beat intervals"),
        (beats([70] * 900, chest=True), "a chest strap with beat-to-beat intervals"),
        (with_intervals(EVEN[:300]), "5 minutes with the trunk still"),
        (lost(with_intervals(EVEN)), "every beat told"),
        (with_intervals(extra_beat()), "every beat told"),
        (with_intervals(EVEN, contact=-(np.arange(983) % 2)), "every beat told"),
    ],
)
def test_no_rmssd_where_the_intervals_do_not_carry_it(found: Beats, needs: str) -> None:
    told = rmssd_of(found)
    assert isinstance(told, NotComputable)
    assert needs in told.needs


def test_no_rmssd_while_the_trunk_moves_or_is_not_seen() -> None:
    assert isinstance(rmssd_of(with_intervals(EVEN), swing_deg=2.0), NotComputable)
    assert isinstance(rmssd_of(with_intervals(EVEN), seen_s=250.0), NotComputable)
    only_first = rmssd_of(with_intervals(EVEN), seen_s=320.0)
    assert isinstance(only_first, Rmssd)
    assert only_first.start_utc_s == START + 1
