"""Run athletes through both levels of the benchmark, each athlete a piece of work of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from coach.analysis.detectors.types import Profile
from coach.service.profile_files import SHIPPED, profile_from
from tests.bench.detectors.athletes import Told, live
from tests.bench.detectors.judging import exposure_day, judge_athlete, with_mornings
from tests.bench.detectors.raw import ARM, CONDITIONS, PELVIS, TRUNK, raw_day, signals_of
from tests.bench.detectors.scoring import Judged
from tests.bench.detectors.sports import BY_ID, SPORTS, Sport

SEED = 20261126
# Share of the samples lost, by the name of the condition.
EXPOSURES = {"0 %": 0.0, "2 %": 0.02, "10 %": 0.10, "30 %": 0.30}
DRIFT_PPM = 200.0
# The same detectors with every demand on the data taken off: what abstaining brings.
NO_ABSTENTION = "never abstains"


@dataclass(frozen=True, slots=True)
class Work:
    """One athlete. raw: at the level of raw motion. conditions: names of those to run; weeks: that are scored."""

    sport_id: str
    athlete: int
    weeks: int
    raw: bool
    conditions: tuple[str, ...]


@lru_cache(maxsize=16)
def profile_of(sport_id: str) -> Profile:
    return profile_from(SHIPPED / f"{sport_id}.toml", [SHIPPED / "caps"])


def run(work: Work) -> list[Judged]:
    """Return the verdicts on one athlete in each condition."""
    sport = BY_ID[work.sport_id]
    seed = [SEED, SPORTS.index(sport), work.athlete, int(work.raw)]
    told = live(sport, work.athlete, work.weeks, work.raw, np.random.default_rng(seed))
    return _raw(work, sport, told, seed) if work.raw else _exposures(work, told, seed)


def _exposures(work: Work, told: list[Told], seed: list[int]) -> list[Judged]:
    profile, judged = profile_of(work.sport_id), list[Judged]()
    drift_ppm = float(np.random.default_rng(seed).uniform(-DRIFT_PPM, DRIFT_PPM))
    for name, loss in EXPOSURES.items():
        if name not in work.conditions:
            continue
        draw = np.random.default_rng([*seed, round(loss * 100)])
        days = [exposure_day(profile, one.day, loss, drift_ppm, draw) for one in told]
        judged += judge_athlete(profile, work.athlete, with_mornings(told, days), days, name)
        unwary = f"{name}, {NO_ABSTENTION}"
        if unwary in work.conditions:
            free = {key: replace(limit, value=0.0) for key, limit in profile.least.items() if key != "baseline_days"}
            bold = replace(profile, least={**profile.least, **free})
            judged += judge_athlete(bold, work.athlete, with_mornings(told, days), days, unwary)
    return judged


def _raw(work: Work, sport: Sport, told: list[Told], seed: list[int]) -> list[Judged]:
    profile, judged = profile_of(work.sport_id), list[Judged]()
    places = (
        TRUNK,
        *((PELVIS,) if sport.pelvis else ()),
        *((ARM,) if profile.stroke is not None else ()),
    )
    drift_ppm = float(np.random.default_rng(seed).uniform(-DRIFT_PPM, DRIFT_PPM))
    signals = [signals_of(one.day, places, drift_ppm, [*seed, one.day.ordinal]) if one.scored else [] for one in told]
    for number, condition in enumerate(CONDITIONS):
        if condition.name not in work.conditions:
            continue
        draw = np.random.default_rng([*seed, number])
        days = [
            raw_day(profile, one.day, made, condition, drift_ppm, draw)
            if one.scored
            else exposure_day(profile, one.day, condition.lost_share, drift_ppm, draw)
            for one, made in zip(told, signals, strict=True)
        ]
        judged += judge_athlete(profile, work.athlete, with_mornings(told, days), days, condition.name)
    return judged
