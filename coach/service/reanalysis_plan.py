"""Which athlete-days of one athlete a run is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from coach.analysis.stream import AnalysisState
from coach.analysis.types import ALGORITHM_VERSION
from coach.errors import ConfigError
from coach.service.editions import edition_of, limits_of
from coach.service.ground import Ground
from coach.service.local_days import day_of
from coach.service.motion import SETTLED_AFTER
from coach.service.profiles import analysis_params
from coach.service.reanalysis_types import DayState, Part
from coach.store import reanalysis as rows
from coach.store.engine import Tx
from coach.store.rows import Row

# What is no digest.
_NO_LIMITS = ""
# Recordings of one transaction. Own choice: their states have some kB each.
_AT_ONCE = 100


@dataclass(slots=True)
class Planned:
    """What is to be done of an athlete. days: recordings by the local day on which they began.

    since: the first day that is judged. trouble: why nothing can be done.
    """

    athlete_id: str
    edition: str
    since: date
    days: dict[date, list[str]] = field(default_factory=dict)
    trouble: str | None = None

    def rows(self, run_id: str, now: datetime) -> Iterator[dict[str, Any]]:
        """Yield the rows of a run, the judging last."""
        of_all = {
            "run_id": run_id, "athlete_id": self.athlete_id, "planned_at": now, "tries": 0, "taken_until": None,
            "recordings": 0, "gone": 0, "chunks": 0, "days": 0, "took_s": None, "reason": None, "ended_at": None,
        }  # fmt: skip
        for day, stream_ids in sorted(self.days.items()):
            about = {"part": Part.SIGNAL, "local_date": day, "makes": ALGORITHM_VERSION, "stream_ids": stream_ids}
            yield {**of_all, **about, "state": DayState.WAITING}
        state = DayState.HELD if self.days else DayState.WAITING
        ended = (
            {"state": DayState.FAILED, "reason": self.trouble, "ended_at": now} if self.trouble else {"state": state}
        )
        about = {"part": Part.JUDGING, "local_date": self.since, "makes": self.edition, "stream_ids": None}
        yield {**of_all, **about, **ended}


def planned(
    ground: Ground,
    tx: Tx,
    athlete: Row,
    since: date | None,
    received_since: datetime | None,
    now: datetime,
    only_older: bool,
) -> Planned | None:
    """Return what is to be done of an athlete, None for nothing.

    since: the first day that is judged, None for all. received_since: only recordings that got a chunk since.
    only_older: only what another version or other limits have made.
    """
    first = since or date.min
    try:
        profile = ground.profiles.of_athlete(athlete)
        params = analysis_params(ground.config, profile)
    except ConfigError as error:
        return Planned(athlete["id"], "", first, trouble=str(error))
    plan = Planned(athlete["id"], edition_of(profile, params).id, first)
    stale_before = now - SETTLED_AFTER
    wanted = None
    if only_older:
        wanted = rows.older_recordings(tx, athlete["id"], ALGORITHM_VERSION, limits_of(params), stale_before)
    plan.days = _by_day(tx, athlete, received_since, wanted)
    if only_older:
        dates = _judged_by_others(tx, athlete, plan.edition)
        if not plan.days and not dates:
            return None
        plan.since = min([*plan.days, *dates])
    return plan


def _by_day(tx: Tx, athlete: Row, received_since: datetime | None, wanted: set[str] | None) -> dict[date, list[str]]:
    """Return recordings by the local day on which they began; without chunks, on which they were made."""
    if wanted is not None and not wanted:
        return {}
    by_day: dict[date, list[str]] = defaultdict(list)
    for row in rows.recordings_begun(tx, athlete["id"], received_since):
        if wanted is None or row["id"] in wanted:
            begun_utc_s = row["begun_utc_s"]
            at_utc_s = row["created_at"].timestamp() if begun_utc_s is None else begun_utc_s
            by_day[day_of(athlete, at_utc_s)].append(row["id"])
    return dict(by_day)


def note_limits(ground: Ground) -> None:
    """Keep by which limits recordings were settled that were settled before this was kept, some at a time."""
    while True:
        with ground.store.read() as tx:
            some = rows.settled_without_limits(tx, ALGORITHM_VERSION, _AT_ONCE)
        known = [(row["stream_id"], row["version"], _limits_of_stored(row["state"])) for row in some]
        with ground.store.begin_derived() as tx:
            for each in known:
                rows.note_limits(tx, *each)
        if len(some) < _AT_ONCE:
            return


def _limits_of_stored(state: bytes | None) -> str:
    try:
        return limits_of(AnalysisState.from_bytes(bytes(state)).params) if state else _NO_LIMITS
    except ValueError:
        return _NO_LIMITS  # it is analysed anew


def _judged_by_others(tx: Tx, athlete: Row, edition: str) -> list[date]:
    """Return the days that other editions have judged and this one has not, nor has a run of it looked at them."""
    dates = rows.dates_not_by(tx, athlete["id"], edition)
    looked = [
        (row["local_date"], day_of(athlete, row["ended_at"].timestamp()))
        for row in (rows.judged_before(tx, athlete["id"], edition) if dates else [])
    ]
    return [each for each in dates if not _within(each, looked)]


def _within(day: date, spans: Collection[tuple[date, date]]) -> bool:
    return any(first <= day <= last for first, last in spans)
