"""What changed after what: phases, and intervals that hold the truth of simulated people as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest

from coach.analysis.response import (
    DISABILITY,
    FEWEST,
    FUNCTION,
    PAIN,
    Comparison,
    Entry,
    Measure,
    Phase,
    Seen,
    Span,
    compare_phases,
    entries_in,
    phases_of,
    weekly,
)


def days_of(values: list[float], first: int = 0) -> list[Entry]:
    return [Entry(first + day, value) for day, value in enumerate(values)]


def compared(before: list[float], during: list[float], measure: Measure = PAIN) -> Comparison:
    entries = days_of(before + during)
    cut = len(before)
    return compare_phases(measure, entries, Phase((), None, cut - 1), Phase(("heat",), cut, None))


def person(rng: np.random.Generator, days: int, likeness: float, level: float = 5.0) -> np.ndarray:
    """Return daily pain of a person whose days resemble their neighbours, as it is told: whole numbers, 0 to 10."""
    drawn = rng.normal(size=days) * np.sqrt(1 - likeness**2)
    drawn[0] /= np.sqrt(1 - likeness**2)
    for day in range(1, days):
        drawn[day] += likeness * drawn[day - 1]
    return np.clip(np.round(level + 1.2 * drawn), 0, 10)


def test_every_begin_and_end_begins_a_phase() -> None:
    phases = phases_of([Span("rest", 10, 19), Span("heat", 15), Span("walks", 30, 30)])
    assert [(each.ids, each.first, each.last) for each in phases] == [
        ((), None, 9),
        (("rest",), 10, 14),
        (("rest", "heat"), 15, 19),
        (("heat",), 20, 29),
        (("heat", "walks"), 30, 30),
        (("heat",), 31, None),
    ]


def test_without_a_treatment_all_is_baseline() -> None:
    assert phases_of([]) == (Phase((), None, None),)


def test_what_begins_on_one_day_is_one_phase_and_said_to_be_together() -> None:
    baseline, both = phases_of([Span("rest", 10), Span("heat", 10)])
    found = compare_phases(PAIN, days_of([6.0] * 10 + [2.0] * 10), baseline, both)
    assert both.ids == ("rest", "heat")
    assert found.together == 2


def test_one_entry_a_day_and_only_the_last_days_of_the_phase_before_count() -> None:
    entries = [Entry(0, 9), Entry(5, 1), Entry(5, 3), Entry(5, 8), Entry(6, 4)]
    assert entries_in(entries, Phase((), None, 6)) == [Entry(0, 9), Entry(5, 3), Entry(6, 4)]
    assert entries_in(entries, Phase((), None, 6), reach=2) == [Entry(5, 3), Entry(6, 4)]


@pytest.mark.parametrize(
    ("before", "during", "needs"),
    [
        (5, 3, "2 more days with an entry since"),
        (4, 9, "1 more day with an entry from before"),
        (0, 0, "5 more days with an entry from before and 5 more days with an entry since"),
    ],
)
def test_few_entries_are_no_number(before: int, during: int, needs: str) -> None:
    found = compared([6.0] * before, [2.0] * during)
    assert found.seen is Seen.NOT_ENOUGH
    assert found.needs == needs
    assert found.change is found.low is found.median_before is None


def test_equal_answers_are_not_known_beyond_their_own_step() -> None:
    found = compared([6.0] * FEWEST, [3.0] * FEWEST)
    assert found.seen is Seen.BETTER
    assert found.change == -3.0
    assert found.low is not None
    assert found.high is not None
    assert found.low < -3.3 < -2.7 < found.high < 0
    assert found.overlap == 1.0


def test_less_than_what_matters_is_called_slight() -> None:
    found = compared([8.0, 9.0] * 14, [7.0, 8.0] * 14)
    assert found.seen is Seen.SLIGHTLY_BETTER
    assert compared([7.0, 8.0] * 14, [8.0, 9.0] * 14).seen is Seen.SLIGHTLY_WORSE


def test_thirty_per_cent_matter_also_where_two_points_are_not_reached() -> None:
    assert compared([3.0, 4.0] * 14, [2.0, 3.0] * 14).seen is Seen.SLIGHTLY_BETTER  # 29 %
    assert compared([3.0] * 14, [2.0] * 14).seen is Seen.BETTER  # 33 %


def test_more_is_better_for_activities_and_less_for_statements() -> None:
    assert compared([3.0] * 6, [7.0] * 6, FUNCTION).seen is Seen.BETTER
    assert compared([7.0] * 6, [3.0] * 6, FUNCTION).seen is Seen.WORSE
    assert compared([15.0, 16.0] * 4, [6.0, 7.0] * 4, DISABILITY).seen is Seen.BETTER
    assert compared([3.0] * 6, [7.0] * 6, FUNCTION).overlap == 1.0


def test_what_was_on_its_way_before_is_said() -> None:
    falling = [9.0, 8.0, 8.0, 7.0, 7.0, 6.0, 6.0, 5.0]
    assert compared(falling, [3.0] * 8).trend_before
    assert not compared(falling[::-1], [3.0] * 8).trend_before
    assert not compared([6.0, 7.0, 6.0, 5.0, 6.0, 7.0, 6.0, 6.0], [3.0] * 8).trend_before


def test_overlap_counts_pairs_and_halves_ties() -> None:
    found = compared([4.0, 4.0, 4.0, 4.0, 6.0], [4.0, 4.0, 4.0, 4.0, 2.0])
    # 25 pairs: of 2.0, five are better; of the four 4.0, one each is better and four are ties.
    assert found.overlap == pytest.approx((5 + 4 * 1 + 4 * 4 * 0.5) / 25)


@pytest.mark.parametrize("likeness", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("days", [5, 7, 14, 28])
def test_the_interval_holds_the_truth_as_often_as_it_promises(days: int, likeness: float) -> None:
    """Two phases of one and the same person: no difference may be told in more than about one of twenty."""
    rng, people = np.random.default_rng(20261124), 300
    told = 0
    for _ in range(people):
        pain = person(rng, 2 * days, likeness)
        told += compared(list(pain[:days]), list(pain[days:])).seen is not Seen.NOTHING
    # 0.95 promised; below 0.9 would be broken, and 300 people tell 0.93 from 0.9.
    assert told / people < 0.10


def test_three_points_less_are_seen_after_two_weeks() -> None:
    rng, people = np.random.default_rng(20261125), 200
    seen = 0
    for _ in range(people):
        before, during = person(rng, 14, 0.3, 6.0), person(rng, 14, 0.3, 3.0)
        found = compared(list(before), list(during))
        seen += found.seen is Seen.BETTER
    assert seen / people > 0.75


def test_weeks_without_an_entry_stay_empty() -> None:
    assert weekly([Entry(0, 4), Entry(0, 6), Entry(3, 9), Entry(14, 2)], 0, 3) == (7.0, None, 2.0)
