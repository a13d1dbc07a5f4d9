"""The simulated athlete and their coach, for a first look. Seeds people and a wearable; never a finding."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coach.config import Config
from coach.errors import CoachError
from coach.service import Services
from coach.service.types import Identity, Role
from programs.types import Answer

COACH_NAME = "Sam Coach"
ATHLETE_NAME = "Robin (simulated)"
# The address that the simulated wearable advertises.
ADDRESS = "C0:FF:EE:00:00:01"
_AGE_YEARS = 34


@dataclass(frozen=True, slots=True)
class Demo:
    """Ids of what was made, now or at an earlier start."""

    coach_user_id: str
    athlete_user_id: str
    athlete_id: str
    wearable_id: str


def ensure_demo(services: Services, config: Config, time_zone: str | None = None) -> Demo:
    """Make the coach, the simulated athlete and the simulated wearable unless they are there.

    The athlete is at home in `time_zone`, by default this machine's, and answers the safety questions as somebody with
    nothing to tell: the answers are those of the simulated athlete and carry its name.

    Raises CoachError when a real person has one of the names.
    """
    coach = _user(services, COACH_NAME) or _made_coach(services)
    athlete = _user(services, ATHLETE_NAME) or _made_athlete(services, coach, time_zone or local_time_zone())
    if coach.role is not Role.COACH or athlete.athlete_id is None:
        raise CoachError(f"The names {COACH_NAME} and {ATHLETE_NAME} are taken: set simulate.athlete to false.")
    athlete_id = athlete.athlete_id
    if services.triage.view_for(athlete, athlete_id).result is None:
        answers = {question.id: Answer.NO for question in services.triage.questions()}
        services.triage.answer(athlete, athlete_id, answers, _AGE_YEARS)
    worn = [each for each in services.wearables.for_athlete(athlete_id) if each.address == ADDRESS]
    if worn:
        wearable_id = worn[0].wearable_id
    else:
        wearable_id = services.wearables.add(
            athlete, athlete_id, ADDRESS, config.simulate.product, "Simulated wearable", "chest", simulated=True
        )
    return Demo(coach.user_id, athlete.user_id, athlete_id, wearable_id)


def local_time_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """Return the machine's IANA time zone, UTC when it does not tell."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        name = os.path.realpath(localtime).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _user(services: Services, name: str) -> Identity | None:
    return next((user for user in services.accounts.users() if user.name == name), None)


def _made_coach(services: Services) -> Identity:
    return _identity(services, services.accounts.create_user(COACH_NAME, Role.COACH))


def _made_athlete(services: Services, coach: Identity, time_zone: str) -> Identity:
    athlete_id = services.athletes.create(
        ATHLETE_NAME,
        time_zone,
        coach.user_id,
        sport="lifting",
        weekdays=(0, 1, 2, 3, 4, 5),
        preferred=time(18, 30),
        wake=time(7, 0),
        simulated=True,
    )
    user_id = services.accounts.create_user(ATHLETE_NAME, Role.ATHLETE, athlete_id=athlete_id)
    return _identity(services, user_id)


def _identity(services: Services, user_id: str) -> Identity:
    found = services.accounts.identity(user_id)
    if found is None:
        raise CoachError(f"The user {user_id} is gone.")
    return found
