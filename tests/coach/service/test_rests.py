"""Pauses that the wearable saw, from chunks of known motion to the words of the page."""

from __future__ import annotations

import numpy as np
import pytest

from coach.live import LiveFeed
from coach.worker import Worker
from devices.types import Chunk
from tests.coach.club import ADDRESS, RATE_HZ, Club
from tests.coach.service.test_plans import accepted


def wear(club: Club, plan: str) -> None:
    """Let the athlete bend six times a minute (w) or stand (r), a letter a minute, from the next full minute on."""
    begin_s = (club.clock.utc_s() // 60) * 60 + 60
    n = round(60 * len(plan) * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    works = np.array([letter == "w" for letter in plan])[(t_s // 60).astype(int)]
    angle = np.where(works, np.radians(25.0) * (1 - np.cos(2 * np.pi * t_s / 10.0)), 0.0)
    acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(n), np.sin(angle)])
    gyr = np.column_stack([np.zeros(n), np.gradient(angle, t_s), np.zeros(n)])
    per = round(5 * RATE_HZ)
    starts = range(0, n, per)
    club.services.log.append(
        [
            Chunk(ADDRESS, "worn", seq, begin_s + i / RATE_HZ, i, RATE_HZ, acc[i : i + per], gyr[i : i + per], ())
            for seq, i in enumerate(starts)
        ]
    )
    Worker(club.services, LiveFeed()).drain()
    club.clock.forward(minutes=len(plan) + 1)


def test_without_a_program_that_asks_for_pauses_nothing_is_said(club: Club) -> None:
    assert club.services.rests.pauses_today(club.athlete, club.athlete_id) is None


def test_without_a_minute_that_was_seen_it_says_what_it_needs(club: Club) -> None:
    accepted(club)
    club.clock.forward(days=1)
    found = club.services.rests.pauses_today(club.athlete, club.athlete_id)
    assert found is not None
    assert found.needs == "not enough data: needs a wearable on the trunk"


@pytest.mark.parametrize(
    ("plan", "asked", "seen"),
    [
        # The newest three minutes are not settled yet while a recording goes on.
        ("r" + "w" * 12 + "rrrrr", 1, 1),
        ("r" + "w" * 15, 1, 0),
        ("r" + ("w" * 12 + "rrr") * 2 + "w" * 15, 3, 2),
        ("r" + "w" * 3 + "r" * 12, 0, 0),
    ],
)
def test_pauses_of_a_known_day_are_seen(club: Club, plan: str, asked: int, seen: int) -> None:
    accepted(club)
    club.clock.forward(days=1)
    wear(club, plan)
    found = club.services.rests.pauses_today(club.athlete, club.athlete_id)
    assert found is not None
    assert (found.needs, found.asked, found.seen) == (None, asked, seen)
    # The next day begins with nothing.
    club.clock.forward(days=1)
    later = club.services.rests.pauses_today(club.athlete, club.athlete_id)
    assert later is not None
    assert later.needs is not None
