"""Rest that the wearable has seen: which of the pauses that today's work asked for were taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coach.service import planning
from coach.service.charts import TRUNK
from coach.service.ground import Ground
from coach.service.local_days import bounds_of, day_of
from coach.service.permission import require_athlete
from coach.service.plain import prescription_from_plain
from coach.service.types import Identity
from coach.store import exposures
from coach.store.rows import Row
from programs.rest import SeenMinute, credit_rest
from programs.types import RestRule

_MINUTE_S = 60.0
# s of a minute from which it was seen. Own heuristic: three quarters.
_SEEN_S = 45.0
# Bends, turns and strokes of a minute that are "again and again": 4 a minute (RULA, REBA), as the bending finding.
_REPEATED_PER_MIN = 4
# s of a still minute that may be bent by this many degrees or more. Own heuristic: no pause is taken bent over.
_BENT_DEG, _BENT_S = 20, 15.0


@dataclass(frozen=True, slots=True)
class PausesView:
    """asked: pauses that today's work asked for. seen: taken, of them. needs: what is missing to say so, or None."""

    rule: RestRule
    asked: int
    seen: int
    needs: str | None


class Rests:
    """Say what was seen of the rest that a program asks for."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def pauses_today(self, by: Identity, athlete_id: str) -> PausesView | None:
        """Return today's pauses; None while no running program asks for pauses. Raises NoSuch."""
        now = self._ground.now()
        with self._ground.store.read() as tx:
            athlete = require_athlete(tx, by, athlete_id)
            plan = planning.has_running(tx, athlete, now)
            rules = prescription_from_plain(plan["prescription"]).rest if plan is not None else ()
            rule = next((rule for rule in rules if rule.rest_min is not None and rule.after_min is not None), None)
            if rule is None:
                return None
            start_s, end_s = bounds_of(athlete, day_of(athlete, now.timestamp()))
            minutes = seen_minutes(exposures.minutes_between(tx, athlete_id, start_s, end_s))
        if not minutes:
            return PausesView(rule, 0, 0, "not enough data: needs a wearable on the trunk")
        credit = credit_rest(rule, minutes)
        return PausesView(rule, credit.asked, credit.seen, None)


def seen_minutes(rows: Iterable[Row]) -> list[SeenMinute]:
    """Return the minutes that the trunk's wearable saw, in order; of two placements those of the one that saw more."""
    trunk = [row for row in rows if row["placement"] in TRUNK]
    covered_s = dict.fromkeys((row["placement"] for row in trunk), 0.0)
    for row in trunk:
        covered_s[row["placement"]] += row["covered_s"]
    chosen = max(covered_s, key=lambda place: (covered_s[place], place), default=None)
    by_minute: dict[int, Row] = {}
    for row in trunk:
        minute = int(row["start_utc_s"] // _MINUTE_S)
        if row["placement"] != chosen or row["covered_s"] < _SEEN_S:
            continue
        if minute not in by_minute or row["covered_s"] > by_minute[minute]["covered_s"]:
            by_minute[minute] = row
    return [_seen(minute, by_minute[minute]) for minute in sorted(by_minute)]


def _seen(minute: int, row: Row) -> SeenMinute:
    counts = ("bends", "turns_left", "turns_right", "strokes_left", "strokes_right", "strokes_unknown")
    done = sum(row[name] for name in counts)
    bent_s = row["above_s"].get(str(_BENT_DEG), 0.0)
    return SeenMinute(minute, repeated=done >= _REPEATED_PER_MIN, still=done == 0 and bent_s <= _BENT_S)
