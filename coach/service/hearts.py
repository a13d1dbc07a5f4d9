"""A local day's heart rate out of what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby

import numpy as np

from coach.analysis.heart_day import Beats, HeartDay, Rmssd, summarise_heart
from coach.analysis.types import NotComputable
from coach.errors import NoSuch
from coach.service import charts, due
from coach.service.ground import Ground
from coach.service.local_days import bounds_of
from coach.store import athletes, hearts
from coach.store.engine import Tx
from coach.store.rows import Row
from devices.heartblock import BEATS, RR
from devices.types import Placement


class Hearts:
    """Answer what a page says of the heart."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def day(self, athlete_id: str, day: date) -> HeartDay | NotComputable:
        """Return the figures of the athlete's local day; a block counts for the day it begins in. Raises NoSuch."""
        with self._ground.store.read() as tx:
            athlete = athletes.get(tx, athlete_id)
            if athlete is None:
                raise NoSuch(f"There is no athlete {athlete_id}.")
            recordings, lines = _read(tx, athlete_id, *bounds_of(athlete, day))
        return summarise_heart(recordings, *charts.points_of(lines))

    def mark(self, tx: Tx, athlete_id: str, begun_utc_s: set[float]) -> None:
        """Have the days judged of blocks that came, however late: heart-rate variability is among what is judged."""
        athlete = athletes.get(tx, athlete_id)
        if athlete is not None:
            due.mark_times(tx, athlete, begun_utc_s, self._ground.now())


def rmssd_s_of(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> float | None:
    """Return RMSSD of the newest stretch between two times that allows one, None where there is none."""
    recordings, lines = _read(tx, athlete_id, start_utc_s, end_utc_s)
    if not lines:
        return None
    told = summarise_heart(recordings, *charts.points_of(lines))
    return told.rmssd.rmssd_s if isinstance(told, HeartDay) and isinstance(told.rmssd, Rmssd) else None


def _read(tx: Tx, athlete_id: str, start_utc_s: float, end_utc_s: float) -> tuple[tuple[Beats, ...], list[Row]]:
    """Return heart rate, and where RMSSD may come from it the trunk's lines."""
    recordings = _recordings(hearts.between(tx, athlete_id, start_utc_s, end_utc_s))
    # Without intervals of a chest strap nobody asks whether the trunk was still.
    wanted = any(each.chest and each.rr_s.size for each in recordings)
    return recordings, charts.trunk_lines(tx, athlete_id, start_utc_s, end_utc_s) if wanted else []


def _recordings(blocks: Iterable[Row]) -> tuple[Beats, ...]:
    """Return blocks, each recording's in order, as recordings."""
    found = []
    for (wearable_id, _), rows in groupby(blocks, key=lambda row: (row["wearable_id"], row["recording_id"])):
        told, rr, placement = bytearray(), bytearray(), ""
        for row in rows:
            told += row["beats"]
            rr += row["rr_s"]
            placement = placement or row["placement"]
        beats = np.frombuffer(told, BEATS)
        found.append(
            Beats(
                beats["arrival_utc_s"].astype(np.float64),
                beats["heart_rate_bpm"].astype(np.int64),
                beats["contact"].astype(np.int64),
                beats["rr_count"].astype(np.int64),
                np.frombuffer(rr, RR).astype(np.float64),
                placement == Placement.CHEST.value,
                wearable_id,
            )
        )
    return tuple(found)
