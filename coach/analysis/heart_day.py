"""A day's heart rate: lowest, highest, median, how long; and RMSSD where the intervals and a still trunk allow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.analysis.heart import estimate_rmssd_s
from coach.analysis.types import NotComputable
from devices.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class HeartDayParams:
    """Own heuristics but for still_s.

    gap_s: a longer pause between notifications is a gap. enough_s: less tells nothing of a day. turn_s: of several
    wearables at a time the one that told most in so long counts. still_s: of a stretch for RMSSD, the short-term
    recording of Task Force 1996. still_deg: between the lowest and the highest inclination of a still trunk.
    seen_share: of the stretch in which the trunk is seen. told_s: by how much the intervals' sum may miss the time that
    passed. jump_share: a next interval that differs by more is an extra or a missed beat (Malik's filter, 20 %).
    """

    gap_s: float = 6.0
    enough_s: float = 60.0
    turn_s: float = 60.0
    still_s: float = 300.0
    still_deg: float = 3.0
    seen_share: float = 0.95
    told_s: float = 3.0
    jump_share: float = 0.2


DEFAULT_PARAMS = HeartDayParams()


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Heart rate of one recording in order. All (n,) but rr_s (m,), whose parts are counted in rr_count.

    contact: 1 on the skin, 0 off it, -1 not told. chest: whether it was worn there. wearable: which one, any name.
    """

    arrival_utc_s: FloatArray
    heart_rate_bpm: IntArray
    contact: IntArray
    rr_count: IntArray
    rr_s: FloatArray
    chest: bool
    wearable: str


@dataclass(frozen=True, slots=True)
class Rmssd:
    """rmssd_s of the stretch that begins at start_utc_s."""

    rmssd_s: float
    start_utc_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class HeartDay:
    """recorded_s: with a value, gaps and time without contact left out. off_skin_s: told to be off the skin."""

    lowest_bpm: int
    highest_bpm: int
    median_bpm: int
    recorded_s: float
    off_skin_s: float
    rmssd: Rmssd | NotComputable


def summarise_heart(
    recordings: tuple[Beats, ...],
    trunk_utc_s: FloatArray,
    trunk_deg: FloatArray,
    params: HeartDayParams = DEFAULT_PARAMS,
) -> HeartDay | NotComputable:
    """Return the day's figures. trunk_utc_s, trunk_deg: (k,) inclination in order of time, NaN in gaps."""
    if not recordings:
        return NotComputable("heart rate", "a wearable that measures it, worn today")
    arrival_utc_s = np.concatenate([each.arrival_utc_s for each in recordings])
    bpm = np.concatenate([each.heart_rate_bpm for each in recordings])
    off = np.concatenate([each.contact for each in recordings]) == 0
    # A rate of 0 is how the service says that there is none.
    lasts_s = np.concatenate([_lasts_s(each.arrival_utc_s, params) for each in recordings])
    _, wearable = np.unique([each.wearable for each in recordings], return_inverse=True)
    source = np.repeat(wearable, [len(each.arrival_utc_s) for each in recordings])
    told = (bpm > 0) & ~off
    told &= _foremost(np.floor(arrival_utc_s / params.turn_s).astype(np.int64), source, told)
    recorded_s = float(lasts_s[told].sum())
    if recorded_s < params.enough_s:
        needs = f"{params.enough_s:.0f} s of heart rate; there are {recorded_s:.0f} s so far"
        return NotComputable("heart rate", needs)
    values = bpm[told]
    return HeartDay(
        int(values.min()),
        int(values.max()),
        round(float(np.median(values))),
        recorded_s,
        float(lasts_s[off].sum()),
        _rmssd(recordings, trunk_utc_s, trunk_deg, params),
    )


def _lasts_s(arrival_utc_s: FloatArray, params: HeartDayParams) -> FloatArray:
    """Return how long each value stands: until the next one, and not into a gap."""
    until_next_s = np.diff(arrival_utc_s, append=arrival_utc_s[-1:])
    return np.where((until_next_s > 0) & (until_next_s <= params.gap_s), until_next_s, 0.0)


def _foremost(turn: IntArray, source: IntArray, told: np.ndarray) -> np.ndarray:
    """Return (n,) whether a value is of the wearable that told most in its turn: two straps are one heart."""
    _, place = np.unique(turn, return_inverse=True)
    counts = np.zeros((int(place.max()) + 1, int(source.max()) + 1), dtype=np.int64)
    np.add.at(counts, (place[told], source[told]), 1)
    return np.asarray(counts.argmax(axis=1)[place] == source)


def _rmssd(
    recordings: tuple[Beats, ...], trunk_utc_s: FloatArray, trunk_deg: FloatArray, params: HeartDayParams
) -> Rmssd | NotComputable:
    """Return the newest stretch's RMSSD."""
    chest = [each for each in recordings if each.chest and len(each.rr_s)]
    if not chest:
        return NotComputable("RMSSD", "a chest strap with beat-to-beat intervals")
    found = [one for each in chest for one in _stretches(each, trunk_utc_s, trunk_deg, params)]
    if not found:
        needs = f"{params.still_s / 60:.0f} minutes with the trunk still, seen by a sensor on it, and every beat told"
        return NotComputable("RMSSD", needs)
    return max(found, key=lambda each: each.start_utc_s)


def _stretches(beats: Beats, trunk_utc_s: FloatArray, trunk_deg: FloatArray, params: HeartDayParams) -> list[Rmssd]:
    """Return the RMSSD of each whole stretch that allows one, counted from the recording's first notification."""
    at_s, ends = beats.arrival_utc_s, np.cumsum(beats.rr_count)
    edges = np.arange(at_s[0], at_s[-1] + 1e-9, params.still_s)
    cuts, seen = np.searchsorted(at_s, edges), np.searchsorted(trunk_utc_s, edges)
    found: list[Rmssd] = []
    for k in range(len(edges) - 1):
        first, last = int(cuts[k]), int(cuts[k + 1])
        if last - first < 2 or not _still(trunk_deg[seen[k] : seen[k + 1]], trunk_utc_s[seen[k] : seen[k + 1]], params):
            continue
        # The first notification's intervals ended before the stretch began.
        rr_s = beats.rr_s[ends[first] : ends[last - 1]]
        whole = abs(float(rr_s.sum()) - float(at_s[last - 1] - at_s[first])) <= params.told_s
        whole = whole and bool((beats.contact[first:last] != 0).all()) and at_s[last - 1] >= edges[k + 1] - params.gap_s
        if not whole or (np.abs(np.diff(rr_s)) > params.jump_share * rr_s[:-1]).any():
            continue
        rmssd_s = estimate_rmssd_s(rr_s.tolist())
        if isinstance(rmssd_s, float):
            found.append(Rmssd(rmssd_s, float(edges[k]), params.still_s))
    return found


def _still(deg: FloatArray, utc_s: FloatArray, params: HeartDayParams) -> bool:
    """Tell whether the trunk was seen through a stretch and kept its inclination."""
    there = np.isfinite(deg)
    if there.sum() < 2 or float(np.ptp(deg[there])) > params.still_deg:
        return False
    steps_s = np.diff(utc_s[there])
    return float(steps_s[steps_s <= 1.0].sum()) >= params.seen_share * params.still_s
