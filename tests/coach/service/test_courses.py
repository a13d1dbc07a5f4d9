"""The course of pain: episodes, where one stands now, and that silence is no relief."""

from __future__ import annotations

from datetime import date, timedelta

from coach.service.courses import course_of
from programs.phases import REVIEW, review

TODAY = date(2026, 11, 24)


def told(**days_ago: int) -> dict[date, int]:
    """Return pains by day; keywords like d30=6: thirty days ago, 6."""
    return {TODAY - timedelta(days=int(name[1:])): pain for name, pain in days_ago.items()}


def test_nothing_told_is_no_course() -> None:
    assert course_of({}, TODAY) is None
    assert course_of(told(d3=0, d1=0), TODAY) is None


def test_start_and_present_are_a_weeks_entries_and_never_flatter() -> None:
    found = course_of(told(d50=8, d48=6, d46=7, d45=5, d20=9, d6=4, d2=3, d1=2, d0=3), TODAY)
    assert found is not None
    assert found.began_on == TODAY - timedelta(days=50)
    assert found.pain_at_start == 6  # of 8, 6, 7, 5 the lower middle
    assert found.pain_now == 3  # of 4, 3, 2, 3
    assert (found.earlier, found.recurred) == (0, False)


def test_what_was_told_long_ago_is_not_the_present() -> None:
    found = course_of(told(d60=6, d15=2), TODAY)
    assert found is not None
    assert found.pain_now is None


def test_silence_is_no_relief_and_a_month_without_pain_is() -> None:
    silent = course_of(told(d100=6, d2=5), TODAY)
    assert silent is not None
    assert silent.began_on == TODAY - timedelta(days=100)
    back = course_of(told(d100=6, d60=0, d2=5), TODAY)
    assert back is not None
    assert back.began_on == TODAY - timedelta(days=2)
    assert (back.earlier, back.recurred) == (1, True)


def test_an_episode_that_ended_is_no_course_and_half_a_year_later_is_no_recurrence() -> None:
    assert course_of(told(d60=6, d40=0, d5=0), TODAY) is None
    later = course_of(told(d300=6, d290=6, d200=0, d2=5), TODAY)
    assert later is not None
    assert (later.earlier, later.recurred) == (1, False)


def test_the_rules_take_it() -> None:
    six_weeks = course_of(told(d42=6, d41=6, d1=5, d0=5), TODAY)
    assert six_weeks is not None
    assert review(six_weeks.as_of(TODAY, clear=True)) == REVIEW
    better = course_of(told(d42=6, d41=6, d1=3, d0=4), TODAY)
    assert better is not None
    assert review(better.as_of(TODAY, clear=True)) is None
