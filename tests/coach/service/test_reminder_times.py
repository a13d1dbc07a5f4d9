"""When one may be reminded: quiet hours, the night, both changes of the clock, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.service.reminder_times import MissedPolicy, Quiet, allowed_from, reminders_of

NIGHT = Quiet(time(22, 0), time(7, 0))
NEVER = Quiet(time(0, 0), time(0, 0))
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo")


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (berlin(2026, 11, 24, 21, 59), berlin(2026, 11, 24, 21, 59)),
        (berlin(2026, 11, 24, 22, 0), berlin(2026, 11, 25, 7, 0)),
        (berlin(2026, 11, 25, 6, 59), berlin(2026, 11, 25, 7, 0)),
        (berlin(2026, 11, 25, 7, 0), berlin(2026, 11, 25, 7, 0)),
        # Both nights of a change: the day has 23 or 25 hours, the end of the quiet hours is at the same time of day.
        (berlin(2026, 3, 28, 23, 0), berlin(2026, 3, 29, 7, 0)),
        (berlin(2026, 10, 24, 23, 0), berlin(2026, 10, 25, 7, 0)),
        (berlin(2026, 10, 25, 2, 30, fold=1), berlin(2026, 10, 25, 7, 0)),
    ],
)
def test_quiet_hours_move_a_reminder_to_their_end(moment: datetime, allowed: datetime) -> None:
    assert allowed_from(moment, BERLIN, NIGHT) == allowed


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        (berlin(2026, 3, 29, 0, 59), berlin(2026, 3, 29, 0, 59)),
        (berlin(2026, 3, 29, 1, 0), berlin(2026, 3, 29, 4, 0)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), berlin(2026, 3, 29, 4, 0)),  # the first moment after the gap
        (berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 25, 4, 0)),
        (berlin(2026, 10, 25, 2, 30, fold=1), berlin(2026, 10, 25, 4, 0)),
        (berlin(2026, 10, 25, 3, 30), berlin(2026, 10, 25, 4, 0)),
        (berlin(2026, 10, 25, 3, 31), berlin(2026, 10, 25, 3, 31)),
    ],
)
def test_from_one_to_half_past_three_nothing_comes_even_without_quiet_hours(
    moment: datetime, allowed: datetime
) -> None:
    assert allowed_from(moment, BERLIN, NEVER) == allowed


@given(
    st.integers(0, 365 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
    st.sampled_from(ZONES),
    st.times(),
    st.integers(0, 16 * 60),
)
def test_what_is_allowed_is_neither_quiet_nor_night_nor_before(
    moment: datetime, zone_name: str, first: time, quiet_min: int
) -> None:
    zone = ZoneInfo(zone_name)
    first = first.replace(second=0, microsecond=0)
    last = (datetime.combine(moment.date(), first) + timedelta(minutes=quiet_min)).time()
    quiet = Quiet(first, last)
    allowed = allowed_from(moment, zone, quiet)
    assert allowed is not None
    assert moment <= allowed <= moment + timedelta(hours=26)
    local = allowed.astimezone(zone).time().replace(second=0, microsecond=0, fold=0)
    assert not time(1, 0) <= local <= time(3, 30)
    assert not quiet.covers(local)
    assert allowed_from(allowed, zone, quiet) == allowed


def test_each_lead_time_reminds_once_and_quiet_hours_merge_them() -> None:
    evening = berlin(2026, 11, 24, 18, 30)
    assert reminders_of(evening, [60, 10], None, BERLIN, NIGHT) == {
        10: evening - timedelta(minutes=10),
        60: evening - timedelta(minutes=60),
    }
    morning = berlin(2026, 11, 25, 7, 30)
    assert reminders_of(morning, [60, 45, 10], None, BERLIN, NIGHT) == {
        10: morning - timedelta(minutes=10),
        45: berlin(2026, 11, 25, 7, 0),  # 06:45 and 06:30 come together at seven
    }
    assert reminders_of(berlin(2026, 11, 25, 6, 30), [30], None, BERLIN, NIGHT) == {30: None}


def test_lead_times_that_were_over_when_a_session_got_its_time_do_not_remind() -> None:
    due_at = berlin(2026, 11, 24, 18, 30)
    placed = due_at - timedelta(minutes=45)
    assert reminders_of(due_at, [60, 10], placed, BERLIN, NIGHT) == {10: due_at - timedelta(minutes=10)}
    assert reminders_of(due_at, [60], placed, BERLIN, NIGHT) == {60: due_at}
    assert reminders_of(due_at, [], placed, BERLIN, NIGHT) == {}


def test_both_policies_for_what_was_missed() -> None:
    remind_at = berlin(2026, 11, 24, 18, 0)
    start, late = remind_at + timedelta(minutes=30), timedelta(minutes=10)
    send, skip = MissedPolicy(True, late), MissedPolicy(False, late)
    for now, of_send, of_skip in (
        (remind_at + late, False, False),
        (remind_at + late + timedelta(seconds=1), False, True),
        (start, False, True),
        (start + timedelta(seconds=1), True, True),
    ):
        assert (send.too_late(now, remind_at, start), skip.too_late(now, remind_at, start)) == (of_send, of_skip)
    # A delivery that fails for a while was not missed.
    assert not skip.too_late(start, remind_at, start, tried=True)
