"""A change of the time zone cuts no day anew that was lived; every moment belongs to one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.live import LiveFeed
from coach.service.local_days import bounds_of, day_of, zones_until
from coach.store import athletes, findings
from coach.store.rows import Row
from coach.worker import Worker
from tests.coach.club import Club, bending_chunks
from tests.coach.service.test_days import MONDAY, THURSDAY_NOON, TUESDAY, analysed, bent, judged, upright

WEDNESDAY = date(2026, 11, 25)
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")


def moved(club: Club, zone: str) -> None:
    free = club.services.athletes.availability(club.athlete_id)
    club.services.athletes.set_availability(club.athlete, club.athlete_id, replace(free, time_zone=zone))


def lived(club: Club) -> str:
    """Return every byte of the answers of days that were over on Thursday noon, and of the findings."""
    with club.store.read() as tx:
        said = [
            row for day in (MONDAY, TUESDAY, WEDNESDAY) for row in findings.answers_of_day(tx, club.athlete_id, day)
        ]
        rows = findings.of_athlete(tx, club.athlete_id, 100)
    return repr([{name: each for name, each in row.items() if name != "updated_at"} for row in (*said, *rows)])


def row_of(club: Club) -> Row:
    with club.store.read() as tx:
        found = athletes.get(tx, club.athlete_id)
    assert found is not None
    return found


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_days_judged_before_a_move_are_judged_the_same_after_it(club: Club, zone: str) -> None:
    club.clock.now = THURSDAY_NOON
    # Bending across midnight in Berlin: cut anywhere else, both days would say something else.
    late = bending_chunks(28, 6, datetime(2026, 11, 23, 22, 46, tzinfo=UTC).timestamp(), recording_id="late")
    analysed(club, bent(MONDAY), late, bent(WEDNESDAY))
    before = lived(club)
    assert before.count("repeated_bending") > 2
    moved(club, zone)
    club.services.days.judge_again(club.athlete_id)
    judged(club)
    assert lived(club) == before


def test_what_comes_late_for_a_day_before_a_move_belongs_to_that_day(club: Club) -> None:
    club.clock.now = THURSDAY_NOON
    analysed(club, bent(MONDAY), upright(TUESDAY))
    moved(club, "Pacific/Auckland")
    # 13:00 in Berlin is the next day in Auckland.
    club.services.log.append(bending_chunks(14, 6, datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp(), "late"))
    Worker(club.services, LiveFeed()).drain()
    judged(club)
    found = {
        each.local_date: each.outcome
        for day in (TUESDAY, WEDNESDAY)
        for each in club.services.findings.answers(club.coach, club.athlete_id, day)
        if each.kind == "repeated_bending"
    }
    assert found[TUESDAY] == "found"
    assert found.get(WEDNESDAY) != "found"


@given(moves=st.lists(st.tuples(st.integers(0, 24 * 12), st.sampled_from(ZONES)), max_size=6))
def test_every_moment_belongs_to_one_day_and_past_days_stay(moves: list[tuple[int, str]]) -> None:
    athlete: dict[str, Any] = {"time_zone": "Europe/Berlin", "past_zones": []}
    first = datetime(2026, 10, 20, tzinfo=UTC)
    for hours, zone in sorted(moves):
        now = first + timedelta(hours=hours)
        today = day_of(athlete, now.timestamp())
        over = {day: bounds_of(athlete, day) for day in (today - timedelta(days=back) for back in range(1, 15))}
        begun = bounds_of(athlete, today)[0]
        athlete = {"time_zone": zone, "past_zones": zones_until(athlete, now)}
        assert {day: bounds_of(athlete, day) for day in over} == over
        assert bounds_of(athlete, today)[0] == begun
    end = first.timestamp()
    for number in range(20):
        day = date(2026, 10, 20) + timedelta(days=number - 2)
        start, after = bounds_of(athlete, day)
        assert start <= after
        assert bounds_of(athlete, day + timedelta(days=1))[0] == after
        for moment in (start, (start + after) / 2):
            assert day_of(athlete, moment) == day or start == after
        end = after
    assert day_of(athlete, end) == date(2026, 10, 20) + timedelta(days=18)


def test_a_move_makes_the_day_longer_or_shorter_and_the_next_ones_are_the_new_zones(club: Club) -> None:
    club.clock.now = THURSDAY_NOON
    moved(club, "America/New_York")
    start, end = bounds_of(row_of(club), THURSDAY_NOON.date())
    assert (end - start) / 3600 == 30
    start, end = bounds_of(row_of(club), date(2026, 11, 27))
    assert (start, (end - start) / 3600) == (datetime(2026, 11, 27, 5, tzinfo=UTC).timestamp(), 24)
