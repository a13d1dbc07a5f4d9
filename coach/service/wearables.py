"""Wearables of an athlete: where each is worn, which pose is upright, how its link does."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coach.errors import Conflict, InvalidInput
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.permission import may_send, require_athlete, require_wearable
from coach.service.sources import Family, has_radio
from coach.service.types import Axis, Identity, Level, WearableView
from coach.store import events, tokens, wearables
from coach.store.rows import Row, fresh_id
from devices.profiles import PROFILES
from devices.types import Placement


class Wearables:
    """Keep the wearables. The gateway hears of every change through the link board and opens or closes links."""

    def __init__(self, ground: Ground, links: LinkBoard) -> None:
        self._ground = ground
        self._links = links

    def for_athlete(self, athlete_id: str) -> tuple[WearableView, ...]:
        """Return the athlete's wearables by name, each with its link's status when this process holds the link."""
        with self._ground.store.read() as tx:
            return tuple(self._view(row) for row in wearables.of_athlete(tx, athlete_id))

    def all(self) -> tuple[WearableView, ...]:
        """Return every wearable in use that a gateway can link to; of an athlete who does not agree to it none."""
        with self._ground.store.read() as tx:
            linked = [row for row in wearables.in_use(tx) if has_radio(row["family"])]
            agreed = {whose: may_send(tx, whose) for whose in {row["athlete_id"] for row in linked}}
        return tuple(self._view(row) for row in linked if agreed[row["athlete_id"]])

    def get(self, by: Identity, wearable_id: str) -> WearableView:
        """Return one wearable. Raises NoSuch (also for an athlete that is not yours)."""
        with self._ground.store.read() as tx:
            return self._view(require_wearable(tx, by, wearable_id))

    def add(
        self,
        by: Identity,
        athlete_id: str,
        address: str,
        family: str,
        name: str,
        placement: str,
        simulated: bool = False,
    ) -> str:
        """Pair a wearable and return its id. Raises NoSuch, InvalidInput (what was sent), Conflict (paired)."""
        address = address.strip()
        if family not in PROFILES:
            raise InvalidInput(f"No product family is called {family[:40]!r}: take it from the scan.")
        if not 1 <= len(address) <= 100:
            raise InvalidInput("A wearable's address has 1 to 100 characters: take it from the scan.")
        wearable_id, now = fresh_id(), self._ground.now()
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            if wearables.by_address(tx, address) is not None:
                raise Conflict(f"The wearable {address} is paired already: forget it there first.")
            values = {
                "id": wearable_id,
                "athlete_id": athlete_id,
                "address": address,
                "family": family,
                "name": name.strip()[:100] or family,
                "placement": checked_placement(placement),
                "simulated": simulated,
                "created_at": now,
            }
            wearables.add(tx, values)
            events.record(tx, now, by.user_id, "paired", "wearable", wearable_id, athlete_id)
        self._links.changed(wearable_id)
        return wearable_id

    def set_placement(self, by: Identity, wearable_id: str, placement: str) -> None:
        """Say where it is worn from now on; its link starts a new recording. Raises NoSuch, InvalidInput.

        The calibration goes: it held for the place before.
        """
        if self.get(by, wearable_id).placement == placement:
            return
        fresh = {"placement": checked_placement(placement), "upright": None, "forward": None, "calibrated_at": None}
        self._change(by, wearable_id, f"moved to {placement}", **fresh)

    def calibrate(
        self, by: Identity, wearable_id: str, upright: Sequence[float], forward: Sequence[float] | None = None
    ) -> None:
        """Store what points up and, if a bow told, what points forward; its link starts a new recording.

        upright, forward: 3 floats in sensor axes, any length but zero. Raises NoSuch, InvalidInput.
        """
        values = {"upright": _unit(upright, "upright pose"), "forward": forward and _unit(forward, "forward axis")}
        self._change(by, wearable_id, "calibrated", **values, calibrated_at=self._ground.now())

    def forget(self, by: Identity, wearable_id: str) -> None:
        """Unpair; recordings stay, and a phone's token ends. Raises NoSuch."""
        now, found = self._ground.now(), self.get(by, wearable_id)
        self._change(by, wearable_id, "forgotten", forgotten_at=now)
        if found.family == Family.PHONE:
            with self._ground.store.begin() as tx:
                tokens.revoke(tx, found.address.partition(":")[2], now)

    def _change(self, by: Identity, wearable_id: str, action: str, **values: object) -> None:
        with self._ground.store.begin() as tx:
            found = require_wearable(tx, by, wearable_id)
            wearables.change(tx, wearable_id, **values)
            events.record(tx, self._ground.now(), by.user_id, action, "wearable", wearable_id, found["athlete_id"])
        self._links.changed(wearable_id)

    def _view(self, row: Row) -> WearableView:
        return WearableView(
            wearable_id=row["id"],
            athlete_id=row["athlete_id"],
            name=row["name"],
            family=row["family"],
            address=row["address"],
            placement=row["placement"],
            simulated=row["simulated"],
            calibrated_at=row["calibrated_at"],
            status=self._links.status(row["id"]),
            upright=stored_axis(row["upright"]),
            forward=stored_axis(row["forward"]),
        )


def _unit(direction: Sequence[float], what: str) -> list[float]:
    length = math.hypot(*direction) if len(direction) == 3 else 0.0
    if not (math.isfinite(length) and length > 0):
        raise InvalidInput(f"The {what} is a direction of three numbers, not all zero.")
    return [float(value) / length for value in direction]


def stored_axis(stored: Sequence[float] | None) -> Axis | None:
    """Return a unit vector in sensor axes out of its column."""
    if stored is None:
        return None
    x, y, z = stored
    return (x, y, z)


def checked_placement(placement: str) -> str:
    """Return a placement that is one. Raises InvalidInput."""
    try:
        return Placement(placement).value
    except ValueError:
        known = ", ".join(each.value for each in Placement)
        raise InvalidInput(f"The placement {placement!r} is not known: choose one of {known}.") from None
