"""Days that make every detector say all that it can say, judged by the detectors, stored as the worker stores them.

Each shipped profile gets four days: a busy one, a quiet one, one of somebody new, and one with nothing on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from coach.analysis.detectors.judge import judge_day
from coach.analysis.detectors.types import (
    Answer,
    BendingStretch,
    Bout,
    Day,
    DayValues,
    Entered,
    Kind,
    Minutes,
    Outcome,
)
from coach.config import Config
from coach.service.editions import edition_of, ensure_edition
from coach.service.evidence import because_of
from coach.service.folding import refold
from coach.service.local_days import bounds_of
from coach.service.profiles import Profiles, analysis_params
from coach.store import findings
from coach.store.engine import Store

FIRST = date(2026, 6, 1)
ZONE = "Europe/Berlin"
BUSY, QUIET, NEW, EMPTY = range(4)
MINUTES = 180


def trunk(start_utc_s: float, stream_id: str, **columns: Any) -> Minutes:
    """Return three hours from nine o'clock on, worn throughout; columns: scalars or one value per minute."""
    floats = ("lying_s", "dose", "loose_s", "displaced_s")
    counts = ("bends", "turns_left", "turns_right", "strokes_left", "strokes_right", "strokes_unknown", "repetitions")
    deep_s = np.full(MINUTES, columns.pop("deep_s", 0.0))
    return Minutes(
        stream_id=(stream_id,) * MINUTES,
        start_utc_s=start_utc_s + 9 * 3600 + 60.0 * np.arange(MINUTES),
        expected_s=np.full(MINUTES, 60.0),
        covered_s=np.full(MINUTES, 60.0),
        above_s=dict.fromkeys((20, 30, 45, 60, 90), deep_s),
        **{name: np.full(MINUTES, 0.0) + columns.get(name, 0.0) for name in floats},
        **{name: np.zeros(MINUTES, dtype=np.int64) + np.asarray(columns.get(name, 0)) for name in counts},
    )


def placed(first: int, last: int, each: int) -> np.ndarray:
    """Return one value per minute: `each` from one minute to another, else none."""
    values = np.zeros(MINUTES, dtype=np.int64)
    values[first:last] = each
    return values


def busy(ordinal: int, start: float, end: float, stream_id: str) -> Day:
    """Two stretches of bending with a short pause, turns to the left, held bent, a bout that degrades, much thrown."""
    nine = start + 9 * 3600
    bends = placed(0, 30, 7) + placed(36, 60, 7)
    worn = trunk(
        start, stream_id, bends=bends, turns_left=placed(90, 120, 7), dose=placed(60, 64, 1), deep_s=12.0,
        strokes_left=placed(120, 150, 5), strokes_right=placed(120, 130, 1),
    )  # fmt: skip
    stretches = tuple(
        BendingStretch(stream_id, nine + 60 * a, nine + 60 * b, 7 * (b - a), 7.0, 7.2, 55.0, 1.0)
        for a, b in ((0, 30), (36, 60))
    )
    bout = Bout(stream_id, nine + 9000, nine + 9600, "repetitions", 40, (), 4, 0.26, 0.15, 0.1, 1.1)
    entered = Entered(load=900.0, pitches=110, age_years=12)
    return Day(
        ordinal, start, end, True, worn, "chest", strokes=worn, strokes_place="chest", bending=stretches,
        bouts=(bout,), entered=entered, rmssd_s=0.030,
    )  # fmt: skip


def quiet(ordinal: int, start: float, end: float, stream_id: str) -> Day:
    """As many strokes as usual, to both sides; little else."""
    worn = trunk(
        start, stream_id, bends=placed(0, 30, 1), strokes_left=placed(0, 30, 1), strokes_right=placed(0, 30, 1),
        turns_left=placed(0, 20, 1), turns_right=placed(0, 20, 1),
    )  # fmt: skip
    bout = Bout(stream_id, start + 32400, start + 33000, "strokes", 40, (), 2, 0.02, None, None, 1.0)
    entered = Entered(load=300.0, pitches=20, age_years=12)
    return Day(
        ordinal, start, end, True, worn, "chest", strokes=worn, strokes_place="chest", bouts=(bout,), entered=entered,
        rmssd_s=0.055,
    )  # fmt: skip


def past(ordinal: int, back: int, pain: bool) -> DayValues:
    """Return a day before: some more busy than others; with pain: the mornings after those hurt more."""
    much = back % 3 == 0
    return DayValues(
        ordinal - back, valid=True, worn_min=180.0, coverage_share=1.0, bends_per_h=60.0 if much else 40.0 + back % 5,
        deep_share=0.02 + 0.001 * (back % 4), dose_max=0.5 + 0.01 * (back % 6), turns_per_h=10.0 + back % 4,
        strokes=60 + back % 7, strokes_left=31 + back % 3, strokes_right=29 + back % 4, pitches=30 if pain else 0,
        load=300.0 + back % 9, ln_rmssd=4.0 + 0.02 * (back % 5) if back > 6 or not pain else 3.4,
        heavy_back=pain, pain_next_morning=6.0 if much and pain else 2.0, trunk_place="chest",
    )  # fmt: skip


def days_of(first: int, stream_id: str) -> Iterator[tuple[Day, list[DayValues]]]:
    """Yield the four days and what is known of the days before each."""
    for which in (BUSY, QUIET, NEW, EMPTY):
        ordinal = first + which
        start, end = bounds_of({"time_zone": ZONE, "past_zones": []}, date.fromordinal(ordinal))
        if which == EMPTY:
            yield Day(ordinal, start, end, True, None, None), []
        else:
            day = (busy if which == BUSY else quiet)(ordinal, start, end, stream_id)
            backs = range(1, 4 if which == NEW else 70)
            yield day, [past(ordinal, back, pain=which == BUSY) for back in backs]


def store_every_answer(store: Store, config: Config, athlete_id: str, stream_id: str, now: datetime) -> list[Answer]:
    """Store the answers of four days for every shipped profile, newest profile last; return all answers."""
    said: list[Answer] = []
    with store.begin() as tx:
        for number, profile in enumerate(Profiles(config).all()):
            edition = edition_of(profile, analysis_params(config, profile))
            ensure_edition(tx, edition, now + timedelta(seconds=number))
            first = FIRST.toordinal() + 10 * number
            for day, history in days_of(first, stream_id):
                local = date.fromordinal(day.ordinal)
                answers = judge_day(profile, day, history)
                findings.put_answers(
                    tx,
                    [_row(athlete_id, local, day, answer, because_of(answer, edition, "chest")) for answer in answers],
                )
                said.extend(answers)
            for kind in profile.detectors:
                refold(tx, athlete_id, kind, edition.id, date.fromordinal(first), now)
    return said


def _row(athlete_id: str, local: date, day: Day, answer: Answer, because: dict[str, Any]) -> dict[str, Any]:
    return {
        "athlete_id": athlete_id,
        "local_date": local,
        "kind": answer.kind.value,
        "edition": because["edition"],
        "day_over": True,
        "start_utc_s": min((each.start_utc_s for each in answer.windows), default=None),
        "end_utc_s": day.end_utc_s,
        "outcome": answer.outcome.value,
        "grade": answer.grade.value,
        "statement": answer.statement,
        "needs": answer.needs,
        "coverage_share": answer.coverage_share,
        "because": because,
    }


# What a detector that rests on the athlete's own days alone says besides the other three.
LEARNS = {Kind.ONE_SIDED_STROKES, Kind.STROKE_COUNT}
EVERYTHING = {(kind, outcome) for kind in Kind for outcome in Outcome if outcome is not Outcome.LEARNING} | {
    (kind, Outcome.LEARNING) for kind in LEARNS
}
UTC_NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)
