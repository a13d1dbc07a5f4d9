"""Pauses between bouts of repeated work, against the recovery pattern of NIOSH 94-110."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.detectors.recovery import THRESHOLDS, detect
from coach.analysis.detectors.types import Answer, Bout, Day, Kind, Minutes, Outcome
from coach.analysis.types import Grade
from tests.coach.analysis.detectors.posture_days import OWN, START, day, limits, minutes, placed, stretch

LIMITS = limits(Kind.SHORT_RECOVERY)
RATE = 6.0


def working(*parts: tuple[int, int], count: int = 480, **columns: object) -> Day:
    """Bend in these minutes; the stretches reach further, as windows of ten minutes with more than 40 bends do."""
    bends = placed(count, *((first, last, RATE) for first, last in parts))
    found = [stretch(max(first - 3, 0), last + 3, RATE) for first, last in parts]
    return day(minutes(count, bends=bends, **columns), bending=tuple(found))


def judged(today: Day) -> Answer:
    return detect(LIMITS, today, [])


def test_its_limits_are_those_it_declares() -> None:
    assert set(THRESHOLDS) == set(OWN[Kind.SHORT_RECOVERY])


@pytest.mark.parametrize(
    ("work", "pause", "found"),
    [
        (30, 24, True),  # 0.8 times what half an hour asks for
        (30, 36, False),  # 1.2 times
        (30, 30, False),
        (15, 12, True),
        (15, 18, False),
        (50, 40, True),
        (50, 60, False),
        (90, 21, True),  # longer work: 0.3 times 90 is 27
        (90, 33, False),
        (119, 29, True),
        (119, 43, False),
        (150, 36, True),  # beyond two hours 0.3 is kept
        (150, 54, False),
    ],
)
def test_near_misses(work: int, pause: int, found: bool) -> None:
    answer = judged(working((30, 30 + work), (30 + work + pause, 30 + work + pause + 20)))
    assert answer.outcome is (Outcome.FOUND if found else Outcome.NONE)
    if found:
        assert (answer.values["work_min"], answer.values["pause_min"]) == (work, pause)


@pytest.mark.parametrize(
    ("edges", "work_min", "pause_min"),
    [
        ({}, 30.0, 28.0),
        ({30: 2, 59: 4, 88: 3}, 29.0, 28.8),  # of about 6 a minute 2, 4 and 3: a third, two thirds and a half of it
        ({29: 2, 60: 1, 87: 2}, 30.5, 27.5),  # a third of the minute before, a sixth after, a third before the second
    ],
)
def test_an_edge_of_work_is_known_to_part_of_a_minute(edges: dict[int, int], work_min: float, pause_min: float) -> None:
    plain = working((30, 60), (88, 110))
    assert plain.trunk is not None
    bends = plain.trunk.bends.copy()
    for minute, count in edges.items():
        bends[minute] = count
    answer = judged(day(minutes(480, bends=bends), bending=plain.bending))
    assert answer.outcome is Outcome.FOUND
    assert (answer.values["work_min"], answer.values["pause_min"]) == pytest.approx((work_min, pause_min), abs=0.06)


def test_it_is_found_with_its_evidence() -> None:
    answer = judged(working((30, 70), (82, 112), (240, 260)))
    assert answer.statement == (
        "You paused for 12 min after 40 min of repeated work; by the recovery pattern of NIOSH 94-110 40 min go "
        "with it."
    )
    assert answer.values == {"bouts": 3, "short_pauses": 1, "work_min": 40.0, "pause_min": 12.0, "needs_min": 40.0}
    (window,) = answer.windows
    assert ((window.start_utc_s - START) / 60, (window.end_utc_s - START) / 60) == (30.0, 82.0)
    assert (answer.grade, answer.flags[0].value) == (Grade.AMBER, 0.3)
    assert answer.flags[0].threshold == LIMITS["short_recovery_ratio"]
    assert answer.would_change == (
        "Pauses as long as the work before them, or 0.3 times it after more than 1 h, would change this."
    )
    assert any("heuristic" in each for each in answer.limits)


def test_a_bend_now_and_then_is_no_work() -> None:
    """Around the work a bend a minute falls into its stretch; the work is from 30 to 60 and from 90 on all the same."""
    now_and_then = working((30, 60), (90, 110))
    assert now_and_then.trunk is not None
    bends = np.maximum(now_and_then.trunk.bends, 1)
    answer = judged(day(minutes(480, bends=bends), bending=now_and_then.bending))
    assert (answer.outcome, answer.values["bouts"]) == (Outcome.NONE, 2)


def test_beyond_two_hours_the_limit_is_said_to_be_ours() -> None:
    cited = judged(working((10, 100), (110, 130))).flags[0].threshold
    assert cited == LIMITS["long_recovery_ratio"]
    ours = judged(working((10, 200), (210, 230))).flags[0].threshold
    assert (ours.value, ours.heuristic) == (0.3, True)
    assert "beyond 2 h" in ours.source


def test_a_pause_of_less_than_five_minutes_parts_nothing() -> None:
    joined = judged(working((30, 50), (54, 74), (200, 220)))
    assert (joined.outcome, joined.values["bouts"]) == (Outcome.NONE, 2)
    parted = judged(working((30, 50), (55, 75), (200, 220)))
    assert (parted.outcome, parted.values["bouts"]) == (Outcome.FOUND, 3)


@pytest.mark.parametrize(
    ("parts", "said"), [((), "No bout of repeated work."), (((30, 90),), "1 bout of repeated work.")]
)
def test_without_two_bouts_there_is_no_pause(parts: tuple[tuple[int, int], ...], said: str) -> None:
    answer = judged(working(*parts))
    assert (answer.outcome, answer.statement) == (Outcome.NONE, said)


def test_near_an_hour_of_work_only_what_both_ratios_say_is_said() -> None:
    """An hour asks for 60 minutes, a little more for 18: edges of a bout are known to a minute each."""
    assert judged(working((30, 90), (105, 125))).outcome is Outcome.FOUND
    between = judged(working((30, 90), (130, 150)))
    assert (between.outcome, between.needs) == (
        Outcome.NOT_ENOUGH,
        "data of the pause of 40 min after 1 h of work; 40 min were seen",
    )
    assert judged(working((30, 90), (155, 175))).outcome is Outcome.NONE


def without(trunk: Minutes, first: int, last: int, rows: bool) -> Minutes:
    """Lose minutes: their rows where the sensor was off, else their data."""
    kept = [number for number in range(480) if not first <= number < last]
    if rows:
        return minutes(len(kept), kept, bends=trunk.bends[kept])
    covered = np.where((np.arange(480) >= first) & (np.arange(480) < last), 0.0, 60.0)
    return minutes(480, bends=trunk.bends, covered_s=covered)


@pytest.mark.parametrize("rows", [True, False])
def test_only_rest_that_was_seen_counts(rows: bool) -> None:
    long_enough = working((30, 60), (130, 160))
    assert long_enough.trunk is not None
    half = day(without(long_enough.trunk, 80, 110, rows), bending=long_enough.bending)
    assert judged(half).outcome is Outcome.NONE  # 40 of the 70 minutes were seen, 30 are asked for
    little = day(without(long_enough.trunk, 70, 120, rows), bending=long_enough.bending)
    assert judged(little).needs == "data of the pause of 1 h 10 min after 30 min of work; 20 min were seen"
    short = working((30, 60), (80, 110))
    assert short.trunk is not None
    unseen = day(without(short.trunk, 62, 78, rows), bending=short.bending)
    assert judged(unseen).outcome is Outcome.FOUND  # 20 minutes are too few even if all of them was rest


def test_turning_and_strokes_are_work_too() -> None:
    turns = placed(480, (30, 60, 5.0))
    bends = placed(480, (70, 100, RATE))
    both = day(minutes(480, bends=bends, turns_right=turns), bending=(stretch(68, 102, RATE),))
    assert judged(both).values["work_min"] == 30.0
    strokes = tuple(
        Bout("w", START + 60.0 * first, START + 60.0 * last, "strokes", 90, (), 0, None, None, None, None)
        for first, last in ((30, 60), (70, 100))
    )
    answer = judged(day(minutes(480), strokes=minutes(480), strokes_place="wrist_left", bouts=strokes))
    assert (answer.values["work_min"], answer.values["pause_min"]) == (30.0, 10.0)
    repetitions = tuple(
        Bout("s", each.start_utc_s, each.end_utc_s, "repetitions", 90, (), 4, None, None, None, None)
        for each in strokes
    )
    assert judged(day(minutes(480), bouts=repetitions)).outcome is Outcome.NONE


def test_rest_between_bouts_of_two_sensors_has_to_be_seen_by_both() -> None:
    strokes = Bout("w", START + 100 * 60.0, START + 120 * 60.0, "strokes", 90, (), 0, None, None, None, None)
    bent = working((30, 60))
    wrist = minutes(380, range(100, 480))  # put on when the strokes began
    answer = judged(day(bent.trunk, bending=bent.bending, strokes=wrist, strokes_place="wrist_left", bouts=(strokes,)))
    assert answer.needs == "data of the pause of 40 min after 30 min of work; 0 s were seen"


@pytest.mark.parametrize(
    ("today", "needs"),
    [
        (day(None), "a trunk sensor (chest, upper back or lower back)"),
        (day(minutes(480, covered_s=42.0)), "80 % of the time with data; it has 70 %"),
        (day(minutes(480), strokes=minutes(480, covered_s=30.0)), "80 % of the time with data; it has 50 %"),
        (
            day(minutes(480, covered_s=42.0, loose_s=18.0)),
            "a sensor that sits firmly; it moved on its own for 2 h 24 min of 8 h",
        ),
    ],
)
def test_what_a_day_lacks_is_said(today: Day, needs: str) -> None:
    answer = judged(today)
    assert (answer.outcome, answer.needs) == (Outcome.NOT_ENOUGH, needs)


def test_bending_that_cannot_be_told_leaves_the_pauses_open() -> None:
    lost = np.where(np.arange(480) < 30, 20.0, 0.0)
    answer = judged(day(minutes(480, covered_s=60.0 - lost), bending=(stretch(5, 25, RATE),)))
    assert (answer.outcome, answer.needs) == (Outcome.NOT_ENOUGH, "80 % of the time with data; it has 66 %")


def test_turning_that_cannot_be_told_leaves_the_pauses_open() -> None:
    """A covered minute has 4.5 turns, but 38 of ten minutes with an 85 % cover are not more than 40."""
    part = (np.arange(480) >= 30) & (np.arange(480) < 60)
    today = minutes(480, covered_s=np.where(part, 51.0, 60.0), turns_left=placed(480, (30, 60, 3.825)))
    answer = judged(day(today))
    assert answer.outcome is Outcome.NOT_ENOUGH
    assert answer.needs is not None
    assert answer.needs.endswith("that carry no data; the limit lies within what they may hold")
