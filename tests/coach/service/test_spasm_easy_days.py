"""After a spasm without a program: two days that were told of as easy lead on, as two green sessions do with one."""

from __future__ import annotations

import pytest

from coach.service.diary import CheckIn
from programs.acute import Feels
from programs.types import Phase
from tests.coach.club import Club
from tests.coach.service.test_spasms import answers, press, seen, tell


@pytest.fixture
def going(club: Club) -> Club:
    """An athlete without a program, a day after a spasm, getting going."""
    answers(club)
    club.clock.forward(minutes=10)
    press(club)
    answers(club)
    club.clock.forward(hours=24)
    tell(club, 4, walked_10_min=True)
    club.clock.forward(minutes=1)
    club.services.spasms.go_on(club.athlete, club.athlete_id)
    return club


def test_without_a_program_two_easy_days_lead_on(going: Club) -> None:
    going.clock.forward(hours=1)
    tell(going, 3)
    tell(going, 3)
    assert seen(going).next_title is None  # one day, however often it is told of
    going.clock.forward(days=1)
    going.services.diary.check_in(going.athlete, going.athlete_id, CheckIn(2, 3), "told on Today")
    assert seen(going).next_title == "Building up"
    going.services.spasms.go_on(going.athlete, going.athlete_id)
    assert seen(going).phase is Phase.REBUILD
    assert not seen(going).now.next_when[0].startswith("you tell of")


def test_a_day_that_was_not_easy_begins_the_count_of_days_anew(going: Club) -> None:
    going.clock.forward(days=1)
    tell(going, 3)
    going.clock.forward(days=1)
    tell(going, 4)
    going.clock.forward(minutes=1)
    tell(going, 3)
    assert seen(going).now.next_when == ("you tell of 2 days in a row that your pain is 3 or less",)
    going.clock.forward(days=2)  # a day without a word ends nothing
    tell(going, 3)
    assert seen(going).next_title is None
    going.clock.forward(days=1)
    tell(going, 3)
    assert seen(going).next_title == "Building up"


def test_worse_leads_back_to_the_first_days_whatever_the_days_before_were(going: Club) -> None:
    for _ in range(2):
        going.clock.forward(days=1)
        tell(going, 3)
    assert seen(going).next_title == "Building up"
    going.clock.forward(minutes=1)
    tell(going, 3, Feels.WORSE)
    assert (seen(going).phase, seen(going).next_title) == (Phase.ACUTE, None)
