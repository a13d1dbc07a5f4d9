"""What the live wall is told: every sample of its athletes, their counts, how their wearables' links do."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from coach.errors import StoreUnavailable
from coach.service.types import AthleteView
from coach.web.house import House
from coach.web.live import STATUS_S, Asker
from coach.web.news import OneWearable, status_of
from coach.web.streams import Stream

# s of the line of before that a tile begins with. Own choice; the same figure as in wall.js.
TILE_S = 15.0


class WallNews:
    """Several athletes over one stream. Who ends the sharing or the measuring leaves the wall within seconds."""

    def __init__(self, house_: House, asker: Asker, athletes: Sequence[AthleteView], stream: Stream) -> None:
        self._house, self._asker, self._reader = house_, asker, stream.reader
        self._drawn = {each.athlete_id: OneWearable() for each in athletes}
        self._said: dict[str, str] = {}
        self._asked_at = -STATUS_S
        self._left: list[str] = []

    def opening(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the links' states and the end of each line of before."""
        tiles = {}
        for athlete_id in self._drawn:
            mine = self._drawn[athlete_id].of([each for each in history if each["athlete_id"] == athlete_id])
            if mine and (runs := _ends([_thin_run(each) for each in mine])):
                tiles[athlete_id] = _counts(mine[-1]) | {"runs": runs, "history": True}
        return ({"tiles": tiles} if tiles else {}) | self._states(tuple(self._drawn))

    def after(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what arrived by athlete; states of links when they changed; who is not on the wall any more."""
        out: dict[str, Any] = {}
        signals: dict[str, list[dict[str, Any]]] = {}
        for event in batch:
            if event["kind"] == "signal" and event["athlete_id"] in self._drawn:
                signals.setdefault(event["athlete_id"], []).append(event)
        tiles = {whose: tile for whose, events in signals.items() if (tile := self._tile(whose, events))}
        if tiles:
            out["tiles"] = tiles
        if self._left:
            out["gone"], self._left = self._left, []
        now = time.monotonic()
        if now - self._asked_at > STATUS_S:
            self._asked_at = now
            return out | self._states(tuple(self._drawn))
        changed = {event["athlete_id"] for event in batch if event["kind"] == "link"}
        return out | self._states(tuple(changed & self._drawn.keys()))

    def still_allowed(self) -> bool:
        """Tell whether somebody is left whom who asked may see; the others leave the wall."""
        try:
            present = self._asker()
            if present is None:
                return False
            offered = {each.athlete.athlete_id for each in self._house.services.walls.offered(present)}
        except StoreUnavailable:
            return True  # asked again soon
        gone = self._drawn.keys() - offered
        self._reader.leave_out(gone)
        for athlete_id in gone:
            del self._drawn[athlete_id]
            self._left.append(athlete_id)
        return True

    def _tile(self, athlete_id: str, signals: list[dict[str, Any]]) -> dict[str, Any]:
        mine = self._drawn[athlete_id].of(signals)
        if not mine:
            return {}
        runs = [_whole_run(each["every"]) if "every" in each else _thin_run(each) for each in mine]
        return _counts(mine[-1]) | {"runs": runs, "notified_utc_s": max(each["notified_utc_s"] for each in mine)}

    def _states(self, athlete_ids: Sequence[str]) -> dict[str, Any]:
        """Return what the tiles say of their links, those that say something else than before."""
        changed = {}
        try:
            for each in athlete_ids:
                status = status_of(self._house, each)
                if (text := json.dumps(status)) != self._said.get(each):
                    self._said[each] = text
                    changed[each] = status
        except StoreUnavailable:
            pass  # the lines need no database; these words wait until there is one again
        return {"status": changed} if changed else {}


def _counts(event: dict[str, Any]) -> dict[str, Any]:
    """Return the recording's counts and since when they count. None: not counted at this place of the body."""
    return {name: event.get(name) for name in ("bends", "repetitions", "since_utc_s")}


def _whole_run(every: dict[str, Any]) -> dict[str, Any]:
    """Return every sample, with the number of the first on the recording's grid."""
    return {
        "recording": every["recording_id"],
        "first": every["first"],
        "start_utc_s": every["start_utc_s"],
        "step_s": 1.0 / every["rate_hz"],
        "deg": every["deg"],
    }


def _thin_run(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "start_utc_s": event["start_utc_s"],
        "step_s": 1.0 / event["rate_hz"],
        "deg": event["inclination_deg"],
    }


def _ends(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest seconds of these runs."""
    from_utc_s = max(run["start_utc_s"] + len(run["deg"]) * run["step_s"] for run in runs) - TILE_S
    kept = []
    for run in runs:
        old = max(0, round((from_utc_s - run["start_utc_s"]) / run["step_s"]))
        if old < len(run["deg"]):
            kept.append(run | {"start_utc_s": run["start_utc_s"] + old * run["step_s"], "deg": run["deg"][old:]})
    return kept
