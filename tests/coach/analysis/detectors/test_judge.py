"""A day judged: heavy days in a row, what later days look back at, the order, and that nothing else comes in."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from coach.analysis.detectors import judge
from coach.analysis.detectors.heavy_days import THRESHOLDS
from coach.analysis.detectors.judge import DETECTORS, day_values, judge_day
from coach.analysis.detectors.types import Day, DayValues, Entered, Kind, Outcome, PainEntry
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.posture_days import (
    OWN,
    START,
    TODAY,
    day,
    limits,
    minutes,
    past,
    placed,
    profile,
    stretch,
)

POSTURE = (Kind.REPEATED_BENDING, Kind.SUSTAINED_FLEXION, Kind.DEEP_FLEXION)
HEAVY = profile(*POSTURE, Kind.HEAVY_BACK_DAYS)
BENT = day(minutes(120, bends=placed(120, (30, 60, 6.0))), bending=(stretch(28, 62, 6.0),))
LIGHT = day(minutes(120))
UNSEEN = day(minutes(120, covered_s=30.0))


def row_of(today: Day, *before: bool | None) -> tuple[Outcome, object]:
    """Judge today after days with these marks, the newest first."""
    history = [past(back, heavy_back=heavy) for back, heavy in enumerate(before, start=1)]
    answer = judge_day(HEAVY, today, history)[-1]
    assert answer.kind is Kind.HEAVY_BACK_DAYS
    return answer.outcome, answer.values.get("days")


@pytest.mark.parametrize(
    ("today", "before", "outcome", "days"),
    [
        (BENT, (True, True), Outcome.FOUND, 3),
        (BENT, (True, True, True, False), Outcome.FOUND, 4),
        (BENT, (True, True, None, True), Outcome.FOUND, 3),
        (BENT, (True, False, True), Outcome.NONE, 2),
        (BENT, (False,), Outcome.NONE, 1),
        (LIGHT, (True, True, True), Outcome.NONE, 0),
        (BENT, (True, None), Outcome.NOT_ENOUGH, None),
        (BENT, (None, False), Outcome.NONE, 2),  # whatever yesterday was
        (BENT, (), Outcome.NOT_ENOUGH, None),
        (UNSEEN, (True, True), Outcome.NOT_ENOUGH, None),
    ],
)
def test_three_heavy_days_in_a_row(today: Day, before: tuple, outcome: Outcome, days: int | None) -> None:
    assert row_of(today, *before) == (outcome, days)


def test_heavy_days_are_found_with_their_evidence() -> None:
    history = [
        past(1, heavy_back=True),
        past(2, heavy_back=True),
        past(0, heavy_back=False),
        past(-1, heavy_back=False),
    ]
    answer = judge_day(HEAVY, BENT, history)[-1]
    assert set(THRESHOLDS) == set(OWN[Kind.HEAVY_BACK_DAYS])
    assert answer.statement == "3 days in a row were heavy for your back. After 3, a lighter one is a good default."
    assert (answer.grade, answer.flags[0].value, answer.coverage_share) == (Grade.AMBER, 3.0, None)
    assert answer.windows[0].start_utc_s == START
    missing = judge_day(HEAVY, BENT, history[:1])[-1]
    assert missing.needs == "the trunk sensor on 3 days in a row; 1 day of them cannot be told"
    early = judge_day(HEAVY, replace(LIGHT, over=False), history)[-1]
    assert early.statement == "No 3 heavy days for the back in a row: this day was none so far."


def values_of(today: Day, *kinds: Kind) -> DayValues:
    asked = profile(*kinds)
    return day_values(asked, today, judge_day(asked, today, []))


def test_what_later_days_look_back_at() -> None:
    pain = (
        PainEntry(1.0, 3, 7, next_morning=False),
        PainEntry(2.0, 5, None, next_morning=False),
        PainEntry(3.0, None, 4, next_morning=True),
        PainEntry(4.0, 2, None, next_morning=True),
    )
    dose = np.zeros(120)
    dose[[10, 15, 60]] = (0.25, 0.125, 0.35)
    today = day(
        minutes(
            120,
            covered_s=54.0,
            lying_s=np.where(np.arange(120) < 20, 54.0, 0.0),
            bends=placed(120, (30, 60, 3.0)),
            turns_left=placed(120, (60, 80, 1.0)),
            turns_right=placed(120, (60, 80, 2.0)),
            dose=dose,
            above_s={60: np.where(np.arange(120) >= 100, 2.7, 0.0)},
        ),
        strokes=minutes(60, strokes_left=1, strokes_right=2, strokes_unknown=placed(60, (0, 10, 1.0))),
        turns_from_two=True,
        entered=Entered(load=360.0, pitches=20, pain=pain),
        rmssd_s=0.040,
    )
    values = values_of(today, *POSTURE)
    assert (values.ordinal, values.valid, values.worn_min, values.coverage_share) == (TODAY, True, 108.0, 0.9)
    # 100 minutes of 54 s upright are 1.5 h
    assert (values.bends_per_h, values.turns_per_h) == (60.0, 40.0)
    assert values.deep_share == pytest.approx(20 * 2.7 / (100 * 54.0))
    assert values.dose_max == 0.375
    assert (values.strokes, values.strokes_left, values.strokes_right) == (190, 60, 120)
    assert (values.pitches, values.load) == (20, 360.0)
    assert values.ln_rmssd == pytest.approx(math.log(40.0))
    assert values.heavy_back is False
    assert (values.pain_at_rest, values.pain_next_morning) == (5.0, 2.0)
    assert (values.trunk_place, values.turns_from_two) == ("chest", True)
    json.dumps(asdict(values), allow_nan=False)


@pytest.mark.parametrize(
    ("today", "valid", "worn_min", "coverage"),
    [
        (day(None), False, 0.0, None),
        (day(minutes(59)), False, 59.0, 1.0),
        (day(minutes(60)), True, 60.0, 1.0),
        (day(minutes(100, covered_s=45.0)), False, 75.0, 0.75),
        (day(minutes(480, lying_s=60.0)), False, 480.0, 1.0),
    ],
)
def test_which_days_are_valid(today: Day, valid: bool, worn_min: float, coverage: float | None) -> None:
    values = values_of(today, *POSTURE)
    assert (values.valid, values.worn_min, values.coverage_share) == (valid, worn_min, coverage)
    assert (values.bends_per_h is None) == (not valid)


def test_a_day_is_heavy_when_one_kind_is_found_and_light_when_all_have_looked() -> None:
    assert values_of(BENT, *POSTURE).heavy_back is True
    assert values_of(LIGHT, *POSTURE).heavy_back is False
    assert values_of(UNSEEN, *POSTURE).heavy_back is None
    assert values_of(LIGHT, Kind.REPEATED_ROTATION).heavy_back is None  # nothing of the back was looked for
    short = day(minutes(12, bends=7), bending=(stretch(0, 12, 7.0),))
    assert values_of(short, *POSTURE).heavy_back is True  # found, although the rest of the day is not known


def test_answers_come_in_the_order_of_the_kinds_with_all_limits() -> None:
    kinds = (Kind.HEAVY_BACK_DAYS, Kind.REPEATED_ROTATION, Kind.SHORT_RECOVERY, *reversed(POSTURE))
    asked = profile(*kinds)
    answers = judge_day(asked, BENT, [])
    assert [each.kind for each in answers] == [kind for kind in Kind if kind in kinds]
    for each in answers:
        assert set(each.thresholds) == {*asked.least, *OWN[each.kind]}
    assert judge_day(profile(), BENT, []) == ()


def test_every_kind_has_a_detector() -> None:
    assert list(DETECTORS) == list(Kind)
    assert set(judge.HEAVY_KINDS) == set(POSTURE)


def test_the_same_day_gives_the_same_answers_whatever_comes_later_or_in_which_order() -> None:
    asked = profile(*OWN)
    history = [past(back, bends_per_h=float(10 + back % 5), heavy_back=back % 2 == 0) for back in range(1, 20)]
    later = [past(-1, bends_per_h=500.0, heavy_back=True), past(0, bends_per_h=500.0, heavy_back=True)]
    once = judge_day(asked, BENT, history)
    assert judge_day(asked, BENT, [*reversed(history), *later]) == once
    assert once[0].baseline is not None


def test_abstentions_say_what_they_need_and_nothing_else_does() -> None:
    asked = profile(*OWN)
    for today in (BENT, LIGHT, UNSEEN, day(None)):
        for answer in judge_day(asked, today, []):
            assert (answer.needs is not None) == (answer.outcome is Outcome.NOT_ENOUGH)
            assert (answer.outcome is Outcome.FOUND) == bool(answer.flags) == (answer.grade is not Grade.GREEN)
            assert answer.statement.endswith(".")
            assert answer.would_change.endswith("would change this.")
            assert answer.limits


def test_thirty_percent_lost_leave_everything_open() -> None:
    lossy = day(minutes(480, covered_s=42.0, bends=9, turns_left=9, dose=1.0, above_s={60: 42.0}))
    assert {each.outcome for each in judge_day(profile(*OWN), lossy, [])} == {Outcome.NOT_ENOUGH}
    assert limits(Kind.REPEATED_BENDING)["coverage_share"].value == 0.8
