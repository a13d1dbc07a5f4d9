"""Fixtures of the services' tests; see tests/coach/club.py."""

from __future__ import annotations

import pytest

from tests.coach.club import Club
from tests.coach.held import nothing_to_tell


@pytest.fixture
def fit(club: Club) -> Club:
    """The club with safety questions answered; the wearable is at the lower back, calibrated."""
    nothing_to_tell(club.services, club.athlete, club.athlete_id)
    return club
