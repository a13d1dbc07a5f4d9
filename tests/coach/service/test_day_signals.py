"""What is read from a day's stored signal: turns against the pelvis, bouts of exercise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from coach.analysis.detectors.types import Day
from coach.live import LiveFeed
from coach.service.day_rows import assembled, read_day, values_of
from coach.service.day_signals import read_signals
from coach.store import athletes, days
from coach.worker import Worker
from devices.heartblock import BEATS, RR, HeartBlock
from devices.types import Chunk
from tests.coach.club import ADDRESS, RATE_HZ, Club, bending_chunks
from tests.coach.service.test_days import MONDAY, analysed, at

HIP = "C0:FF:EE:00:00:02"
MINUTES = 8
TURNS_PER_MIN = 6


def turning(device_id: str, degrees: float) -> list[Chunk]:
    """An upright sensor, x up, that turns so far to the left and back again within 2 s, six times a minute."""
    n, per = round(MINUTES * 60 * RATE_HZ), round(30 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    phase_s = t_s % (60 / TURNS_PER_MIN)
    moving = (t_s > 20) & (phase_s < 2.0)
    yaw = np.where(moving, np.radians(degrees) * 0.5 * (1 - np.cos(np.pi * phase_s)), 0.0)
    # A hair of motion, so that no sensor seems to lie on a table.
    tilt = np.radians(1.5 * np.sin(2 * np.pi * t_s / 5.0))
    acc = 9.81 * np.column_stack([np.cos(tilt), np.zeros(n), np.sin(tilt)])
    gyr = np.column_stack([np.gradient(yaw, t_s), np.gradient(tilt, t_s), np.zeros(n)])
    return [
        Chunk(
            device_id, f"turning-{device_id}", seq, at(MONDAY, 9) + first / RATE_HZ, first, RATE_HZ,
            acc[first : first + per], gyr[first : first + per],
        )
        for seq, first in enumerate(range(0, n, per))
    ]  # fmt: skip


def day_of(club: Club) -> Day:
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
        assert athlete is not None
        rows = read_day(tx, athlete, MONDAY)
        params = club.services.athletes.analysis_params(club.athlete_id).turn
        signal = read_signals(tx, club.athlete_id, rows.start_utc_s, rows.end_utc_s, rows.by_place, params)
    return assembled(rows, signal, over=True, counts_strokes=False)


@pytest.mark.parametrize(("hip_degrees", "relative"), [(0.0, True), (60.0, False), (None, None)])
def test_turns_are_those_of_the_trunk_against_the_pelvis_where_both_were_worn(
    club: Club, hip_degrees: float | None, relative: bool | None
) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    recordings = [turning(ADDRESS, 60.0)]
    if hip_degrees is not None:
        club.services.wearables.add(club.athlete, club.athlete_id, HIP, "movella-dot", "Belt", "hip")
        recordings.append(turning(HIP, hip_degrees))
    analysed(club, *recordings)
    day = day_of(club)
    assert day.turns_from_two is (hip_degrees is not None)
    assert day.trunk is not None
    # There and back is one turn, to the side it went to.
    expected = 0 if relative is False else round(TURNS_PER_MIN * (MINUTES - 20 / 60))
    assert int(day.trunk.turns_left.sum()) == pytest.approx(expected, abs=2)
    assert int(day.trunk.turns_right.sum()) == 0


def test_turns_at_midnight_are_those_of_the_day_they_are_in(club: Club) -> None:
    """The line is told behind its time, in parts that begin on one day and end on the next: none is lost or doubled."""
    tuesday = MONDAY + timedelta(days=1)
    club.clock.now = datetime.fromtimestamp(at(tuesday, 12), UTC)
    club.services.wearables.add(club.athlete, club.athlete_id, HIP, "movella-dot", "Belt", "hip")
    # The club's day ends at 23 h of UTC: in the middle of a part of the line, and of a chunk.
    moved_s = at(MONDAY, 23) - at(MONDAY, 9) - 4 * 60 - 17.0
    analysed(club, *([moved(part, moved_s) for part in turning(*which)] for which in ((ADDRESS, 60.0), (HIP, 0.0))))
    params = club.services.athletes.analysis_params(club.athlete_id).turn
    counts = []
    with club.store.read() as tx:
        athlete = athletes.get(tx, club.athlete_id)
        assert athlete is not None
        for day in (MONDAY, tuesday):
            rows = read_day(tx, athlete, day)
            bounds = rows.start_utc_s, rows.end_utc_s
            turns = read_signals(tx, club.athlete_id, *bounds, rows.by_place, params).turns
            assert turns is not None
            assert bounds[0] <= turns.start_utc_s.min() <= turns.start_utc_s.max() < bounds[1]
            counts.append((turns.seen_s.sum(), turns.left.sum()))
    (monday_s, monday), (tuesday_s, after) = counts
    assert (monday_s, tuesday_s) == pytest.approx((4 * 60 + 17, MINUTES * 60 - 4 * 60 - 17), abs=0.5)
    assert (monday, after) == pytest.approx((TURNS_PER_MIN * (4 * 60 + 17 - 20) / 60, TURNS_PER_MIN * 223 / 60), abs=1)


def moved(part: Chunk, by_s: float) -> Chunk:
    return replace(part, start_utc_s=part.start_utc_s + by_s)


def test_bouts_of_exercise_come_from_the_stored_repetitions(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    club.services.log.append(bending_chunks(8, 6, at(MONDAY, 9)))
    Worker(club.services, LiveFeed()).drain()
    analysed(club)
    (bout,) = day_of(club).bouts
    assert bout.movement == "repetitions"
    assert bout.count == pytest.approx(6 * 8 - 1, abs=2)
    assert bout.start_utc_s == pytest.approx(at(MONDAY, 9) + 10, abs=2)
    assert bout.end_utc_s == pytest.approx(at(MONDAY, 9) + 8 * 60, abs=12)
    assert bout.signs == ()


def still(minutes: int) -> list[Chunk]:
    per = round(60 * RATE_HZ)
    acc, gyr = np.tile([9.81, 0.0, 0.0], (per, 1)), np.zeros((per, 3))
    return [
        Chunk(ADDRESS, "still", seq, at(MONDAY, 9) + 60.0 * seq, seq * per, RATE_HZ, acc, gyr) for seq in range(minutes)
    ]


def test_heart_rate_that_comes_a_day_late_has_its_day_judged_anew(club: Club) -> None:
    club.clock.now = datetime.fromtimestamp(at(MONDAY, 12), UTC)
    analysed(club, still(10))
    club.clock.now = datetime.fromtimestamp(at(MONDAY + timedelta(days=1), 12), UTC)
    club.services.days.judge_due()

    def ln_rmssd() -> float | None:
        with club.store.read() as tx:
            (row,) = days.newest_values(tx, club.athlete_id, MONDAY, MONDAY + timedelta(days=1))
        return values_of(row["values"]).ln_rmssd

    assert ln_rmssd() is None
    beats = np.zeros(600, BEATS)
    beats["arrival_utc_s"], beats["heart_rate_bpm"] = at(MONDAY, 9) + np.arange(600), 60
    beats["contact"] = beats["rr_count"] = 1
    # 40 ms more and less in turn: so all differences are 40 ms, and their root mean square is.
    rr_s = np.tile(np.array([0.98, 1.02], RR), 300)
    blocks = [
        HeartBlock(ADDRESS, "heart", seq, beats[first : first + 5], rr_s[first : first + 5])
        for seq, first in enumerate(range(0, 600, 5))
    ]
    assert len(club.services.heart_log.append(blocks)) == len(blocks)
    club.clock.forward(minutes=2)
    club.services.days.judge_due()
    assert ln_rmssd() == pytest.approx(np.log(40.0), abs=1e-3)
    # What is known already changes nothing, and asks for nothing.
    assert len(club.services.heart_log.append(blocks)) == len(blocks)
    with club.store.read() as tx:
        assert days.due_of(tx, club.athlete_id, MONDAY) is None
