"""Athletes and who coaches them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from coach.service.ground import Ground
from coach.service.types import AthleteView, Identity, RosterRow
from programs.types import Availability


class Athletes:
    """Create athletes, list a coach's, answer whether one may be seen. `get` is the door: a page calls it first."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create(
        self,
        name: str,
        time_zone: str,
        coach_id: str | None = None,
        *,
        sport: str = "",
        weekdays: Sequence[int] = (0, 1, 2, 3, 4, 5, 6),
        preferred: time = time(18, 30),
        wake: time = time(7, 0),
        simulated: bool = False,
    ) -> str:
        """Create an athlete, linked to a coach if one is named, and return the id.

        Raises InvalidInput: empty name, unknown time zone, no or wrong weekdays.
        """
        raise NotImplementedError

    def get(self, by: Identity, athlete_id: str) -> AthleteView:
        """Return an athlete that `by` may see: a coach the linked ones, an athlete only the own. Raises NoSuch."""
        raise NotImplementedError

    def roster(self, coach: Identity) -> list[RosterRow]:
        """Return the coach's athletes, who needs the coach first on top. Raises NotAllowed for an athlete."""
        raise NotImplementedError

    def link_coach(self, coach_id: str, athlete_id: str) -> None:
        """Let a coach see and decide for an athlete; again is no error. Raises NoSuch, InvalidInput."""
        raise NotImplementedError

    def availability(self, athlete_id: str) -> Availability:
        """Return when the athlete can train. Raises NoSuch."""
        raise NotImplementedError

    def set_availability(self, by: Identity, athlete_id: str, availability: Availability) -> None:
        """Change when (and in which time zone) the athlete can train; sessions still planned move at the next plan tick.

        Raises NoSuch, InvalidInput.
        """
        raise NotImplementedError
