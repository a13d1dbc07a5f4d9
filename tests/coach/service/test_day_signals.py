"""What is read from a day's stored signal: turns against the pelvis, bouts of exercise."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from coach.analysis.detectors.types import Day
from coach.live import LiveFeed
from coach.service.day_rows import assembled, read_day
from coach.service.day_signals import read_signals
from coach.store import athletes
from coach.worker import Worker
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
