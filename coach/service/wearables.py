"""Wearables of an athlete: where each is worn, which pose is upright, how its link does."""

from __future__ import annotations

from collections.abc import Sequence

from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.types import Identity, WearableView


class Wearables:
    """Keep the wearables. The gateway hears of every change through the link board and opens or closes links."""

    def __init__(self, ground: Ground, links: LinkBoard) -> None:
        self._ground = ground
        self._links = links

    def for_athlete(self, athlete_id: str) -> tuple[WearableView, ...]:
        """Return the athlete's wearables by name, each with its link's status when this process holds the link."""
        raise NotImplementedError

    def all(self) -> tuple[WearableView, ...]:
        """Return every wearable in use, for the gateway."""
        raise NotImplementedError

    def get(self, by: Identity, wearable_id: str) -> WearableView:
        """Return one wearable. Raises NoSuch (also for an athlete that is not yours)."""
        raise NotImplementedError

    def upright(self, wearable_id: str) -> tuple[float, float, float] | None:
        """Return the calibrated unit vector of sensor axes that points up, None without a calibration."""
        raise NotImplementedError

    def add(
        self, by: Identity, athlete_id: str, address: str, family: str, name: str, placement: str, simulated: bool = False
    ) -> str:
        """Pair a wearable and return its id. Raises NoSuch, InvalidInput (placement, address), Conflict (already paired)."""
        raise NotImplementedError

    def set_placement(self, by: Identity, wearable_id: str, placement: str) -> None:
        """Say where it is worn from now on; the next recording carries it. Raises NoSuch, InvalidInput."""
        raise NotImplementedError

    def calibrate(self, by: Identity, wearable_id: str, upright: Sequence[float]) -> None:
        """Store the upright pose: 3 floats in sensor axes, any length but zero; the next recording uses it.

        Raises NoSuch, InvalidInput.
        """
        raise NotImplementedError

    def calibrate_now(self, by: Identity, wearable_id: str) -> None:
        """Take the pose of the newest still seconds as upright. Raises Conflict when there are none right now, NoSuch."""
        raise NotImplementedError

    def forget(self, by: Identity, wearable_id: str) -> None:
        """Unpair; recordings stay. Raises NoSuch."""
        raise NotImplementedError
