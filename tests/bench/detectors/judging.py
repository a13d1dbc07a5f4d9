"""Hand simulated days to the product's detectors, and hold what they say against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coach.analysis.bends import Counted
from coach.analysis.detectors.assemble import bending_stretch
from coach.analysis.detectors.episodes import Judged as Folded
from coach.analysis.detectors.episodes import fold
from coach.analysis.detectors.judge import day_values, judge_day
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
    PainEntry,
    Profile,
)
from coach.analysis.fatigue import Sign
from coach.analysis.strain import BendingState, detect_bending, finish_bending
from coach.analysis.types import BendingParams
from tests.bench.detectors import limits
from tests.bench.detectors.athletes import Told
from tests.bench.detectors.exposures import THRESHOLDS_DEG, Seen, morning, see
from tests.bench.detectors.scoring import Judged, Verdict
from tests.bench.detectors.truth import HRV, TrueDay, levels
from tests.bench.detectors.truth import Bout as TrueBout

DAY_S, BEGINS_S = 86400.0, 8 * 3600.0
LOOK_BACK_DAYS = 90
# Own assumption: medians of some repetitions are off by this share of a sign's limit.
SIGN_SPREAD = 0.02


def judge_athlete(
    profile: Profile, number: int, told: Sequence[Told], days: Sequence[Day], condition: str
) -> list[Judged]:
    """Return the verdicts on the scored days of one athlete, each kind of the profile apart."""
    history: list[DayValues] = []
    folded: list[Folded] = []
    answers: list[tuple[Answer, ...]] = []
    for day in days:
        said = judge_day(profile, day, history[-LOOK_BACK_DAYS:])
        history.append(day_values(profile, day, said))
        answers.append(said)
        folded += [Folded(day.ordinal, day.end_utc_s, True, answer) for answer in said]
    opened = {(episode.kind, ordinal): episode for episode in fold(folded) for ordinal in episode.found}
    judged = []
    for place, (one, day, said) in enumerate(zip(told, days, answers, strict=True)):
        if not one.scored:
            continue
        for answer in said:
            level = one.levels.get(answer.kind)
            unsound = level is not None and level > 1
            yesterday = told[place - 1].levels.get(answer.kind, 0.0) > 1 if place else False
            verdict = _verdict(answer, unsound)
            episode = opened.get((answer.kind, day.ordinal))
            if verdict is Verdict.HIT and not yesterday and episode is not None:
                # The pattern began today: its finding has to be opened within a day of that.
                late = episode.opened_utc_s - day.start_utc_s > DAY_S
                verdict = Verdict.MISSED if late else verdict
            if level is None and verdict is not Verdict.FALSE:
                continue
            judged.append(
                Judged(profile.id, answer.kind, condition, number, day.ordinal, unsound, level or 0.0, verdict)
            )
    return judged


def _verdict(answer: Answer, unsound: bool) -> Verdict:
    if answer.outcome is Outcome.FOUND:
        return Verdict.HIT if unsound else Verdict.FALSE
    if answer.outcome is Outcome.NONE:
        return Verdict.MISSED if unsound else Verdict.QUIET
    # Where the truth knows enough own days, one who still learns abstains.
    return Verdict.ABSTAINED


def with_mornings(told: Sequence[Told], days: Sequence[Day]) -> list[Told]:
    """Return the truth with the mornings that were measured: the published rule is about valid mornings only.

    Where too few are left for the rule, the truth stays, and an answer to it is held against that.
    """
    true, result = list[TrueDay](), list[Told]()
    for one, day in zip(told, days, strict=True):
        rmssd_s = None if day.rmssd_s is None else one.day.rmssd_s
        known = replace(one.day, rmssd_s=rmssd_s)
        result.append(replace(one, levels=one.levels | levels((HRV,), known, true, True)))
        true.append(replace(known, course=None))
    return result


def exposure_day(
    profile: Profile, true: TrueDay, lost_share: float, drift_ppm: float, draw: np.random.Generator
) -> Day:
    """Return the day as its wearables would tell it, at the level of exposures."""
    start = true.ordinal * DAY_S
    trunk = arm = None
    bending: tuple[BendingStretch, ...] = ()
    if true.course is not None:
        seen = see(true.course, lost_share, draw)
        trunk = minutes_of(seen, start + BEGINS_S, f"trunk-{true.ordinal}", strokes=False)
        bending = stretches_of(profile, seen, start + BEGINS_S, drift_ppm)
        if profile.stroke is not None:
            arm = minutes_of(see(true.course, lost_share, draw), start + BEGINS_S, f"arm-{true.ordinal}", strokes=True)
    return Day(
        true.ordinal,
        start,
        start + DAY_S,
        True,
        trunk,
        None if trunk is None else "chest",
        turns_from_two=True,
        strokes=arm,
        strokes_place=None if arm is None else "wrist_right",
        bending=bending,
        bouts=tuple(bout_of(bout, f"trunk-{true.ordinal}", start + BEGINS_S, draw) for bout in true.bouts),
        entered=entered_of(true),
        rmssd_s=morning(true.rmssd_s, lost_share, draw),
    )


def entered_of(true: TrueDay) -> Entered:
    """Return what was entered for the day."""
    at = true.ordinal * DAY_S
    pain = () if true.pain is None else (PainEntry(at + DAY_S + 7 * 3600.0, true.pain, None, next_morning=True),)
    return Entered(true.load, true.pitches, true.age_years, pain)


def minutes_of(seen: Seen, start_utc_s: float, stream_id: str, strokes: bool) -> Minutes:
    """Return the minutes of one place."""
    n = seen.minutes
    zeros, none = np.zeros(n), np.zeros(n, dtype=np.int64)
    left, right, unknown = (
        seen.per_minute(seen.strokes[seen.strokes[:, 1] == side, 0]) if strokes else none for side in (1.0, -1.0, 0.0)
    )
    return Minutes(
        (stream_id,) * n,
        start_utc_s + 60.0 * np.arange(n),
        seen.expected_s,
        seen.covered_s,
        zeros,
        dict(zip(THRESHOLDS_DEG, seen.above_s, strict=True)),
        seen.per_minute(seen.bends),
        seen.per_minute(seen.turns[seen.turns[:, 1] > 0, 0]),
        seen.per_minute(seen.turns[seen.turns[:, 1] < 0, 0]),
        seen.dose,
        left,
        right,
        unknown,
        none,
        zeros,
        zeros,
    )


def stretches_of(profile: Profile, seen: Seen, start_utc_s: float, drift_ppm: float) -> tuple[BendingStretch, ...]:
    """Return the stretches of repeated bending that the product's rule makes of the bends that were seen."""
    bending = profile.detectors[Kind.REPEATED_BENDING]
    params = BendingParams(
        bending["rate_per_min"].value,
        bending["duration_min"].value * 60.0,
        bending["range_deg"].value,
        profile.least["coverage_share"].value,
    )
    # One sample a second, by a clock that runs fast or slow.
    at = np.minimum((seen.bends * (1 + drift_ppm * 1e-6)).astype(np.int64), seen.lost.size - 1)
    counted = [Counted(int(index), 40.0) for index in at.tolist()]
    state, _ = detect_bending(params, BendingState(), 1.0, ~seen.lost, counted)
    state, _ = finish_bending(params, state, 1.0)
    return tuple(bending_stretch("trunk", start_utc_s, 1.0, run) for run in state.closed)


def bout_of(bout: TrueBout, stream_id: str, start_utc_s: float, draw: np.random.Generator) -> Bout:
    """Return a bout as it was measured."""
    limit = (limits.VELOCITY_LOSS, limits.ROM_LOSS, limits.SPARC_LOSS, limits.CV_RATIO)
    losses = [
        loss + float(draw.normal(scale=SIGN_SPREAD * size)) for loss, size in zip(bout.losses, limit, strict=True)
    ]
    signs = tuple(sign.value for sign, loss, size in zip(Sign, losses, limit, strict=True) if loss >= size)
    return Bout(
        stream_id, start_utc_s + bout.start_s, start_utc_s + bout.end_s, "repetitions", bout.count, signs, 4, *losses
    )
