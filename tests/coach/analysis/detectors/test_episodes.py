"""Findings out of days: when one opens, goes on and closes, and that the order of folding does not matter.

A day is a letter: F found, N none and over, n none so far, ? not enough, L learning, . nobody judged it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from coach.analysis.detectors.episodes import Episode, Judged, fold
from coach.analysis.detectors.types import Answer, Kind, Outcome, Window
from coach.analysis.types import Grade

OUTCOMES = {
    "F": Outcome.FOUND,
    "N": Outcome.NONE,
    "n": Outcome.NONE,
    "?": Outcome.NOT_ENOUGH,
    "L": Outcome.LEARNING,
}
DAY_S = 86400.0
BENDING, DEEP = Kind.REPEATED_BENDING, Kind.DEEP_FLEXION


def end_of(ordinal: int) -> float:
    return ordinal * DAY_S + 100.0


def judged(days: str, first: int = 0, kind: Kind = BENDING) -> Iterator[Judged]:
    for ordinal, letter in enumerate(days, start=first):
        if letter != ".":
            grade = Grade.AMBER if letter == "F" else Grade.GREEN
            answer = Answer(kind, OUTCOMES[letter], f"day {ordinal}", grade)
            yield Judged(ordinal, end_of(ordinal), letter not in "nF", answer)


def spans(days: str) -> list[tuple[tuple[int, ...], str | None]]:
    return [(each.found, each.closed_because) for each in fold(judged(days))]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("", []),
        ("NN?L", []),
        ("F", [((0,), None)]),
        ("FN", [((0,), "looked for and not found")]),
        ("Fn", [((0,), None)]),  # a day that goes on closes nothing
        ("FnF", [((0, 2), None)]),
        ("F??LF", [((0, 4), None)]),
        ("FFNFN", [((0, 1), "looked for and not found"), ((3,), "looked for and not found")]),
        ("F???????", [((0,), None)]),  # seven days without an answer
        ("F????????", [((0,), "not seen for 7 days")]),
        ("F......F", [((0, 7), None)]),
        ("F.......F", [((0,), "not seen for 7 days"), ((8,), None)]),
        ("F.......N", [((0,), "not seen for 7 days")]),
        ("F......N", [((0,), "looked for and not found")]),
        ("F.......nF", [((0,), "not seen for 7 days"), ((9,), None)]),
    ],
)
def test_days_of_one_finding(days: str, expected: list[tuple[tuple[int, ...], str | None]]) -> None:
    assert spans(days) == expected


def test_times_are_those_of_the_data() -> None:
    window = Window(50.0, 60.0), Window(20.0, 30.0)
    found = Answer(BENDING, Outcome.FOUND, "first", Grade.RED, windows=window)
    again = Answer(BENDING, Outcome.FOUND, "second", Grade.AMBER, windows=(Window(DAY_S + 5.0, DAY_S + 6.0),))
    none = Answer(BENDING, Outcome.NONE, "none")
    days = [Judged(0, 100.0, True, found), Judged(1, DAY_S + 9.0, True, again), Judged(2, 3 * DAY_S, True, none)]
    (open_one,) = fold(days[:1])
    assert (open_one.opened_utc_s, open_one.changed_utc_s, open_one.closed_utc_s) == (20.0, 100.0, None)
    (episode,) = fold(days)
    assert (episode.kind, episode.opened_ordinal, episode.found) == (BENDING, 0, (0, 1))
    assert (episode.opened_utc_s, episode.changed_utc_s, episode.closed_utc_s) == (20.0, DAY_S + 9.0, 3 * DAY_S)
    assert episode.answer is again  # the newest found day speaks, and gives the grade
    assert not episode.is_open


def test_a_finding_without_windows_opens_where_its_day_speaks() -> None:
    (episode,) = fold(judged("..F"))
    assert (episode.opened_ordinal, episode.opened_utc_s) == (2, end_of(2))


def test_what_is_not_seen_any_more_closes_a_week_after_it_was() -> None:
    (episode,) = fold(judged("FF??????????"))
    assert episode.closed_utc_s == end_of(1) + 7 * DAY_S


def test_kinds_do_not_touch_each_other() -> None:
    mixed = sorted([*judged("FFN"), *judged("NFF", kind=DEEP)], key=lambda each: each.ordinal)
    assert [(each.kind, each.found, each.is_open) for each in fold(mixed)] == [
        (BENDING, (0, 1), False),
        (DEEP, (1, 2), True),
    ]


def test_days_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in order"):
        fold([*judged("FF"), *judged("F")])
    with pytest.raises(ValueError, match="in order"):
        fold(judged("F"), fold(judged("FF")))
    with pytest.raises(ValueError, match="in order"):  # nor the same day twice
        fold([*judged("FF"), *judged("F", first=1)])


DAYS = st.text(st.sampled_from("FNn?L."), max_size=40)


@drawn(DAYS, st.integers(0, 40))
def test_day_by_day_is_as_all_at_once(days: str, cut: int) -> None:
    whole = fold(judged(days))
    assert fold(judged(days[cut:], first=min(cut, len(days))), fold(judged(days[:cut]))) == whole
    episodes: tuple[Episode, ...] = ()
    for each in judged(days):
        episodes = fold([each], episodes)
    assert episodes == whole


@drawn(DAYS)
def test_found_days_are_parted_by_a_day_without_or_by_a_week(days: str) -> None:
    """By brute force over the letters: which found days belong together, and whether something came after the last."""
    found = [place for place, letter in enumerate(days) if letter == "F"]
    groups: list[list[int]] = [[place] for place in found[:1]]
    for before, place in pairwise(found):
        parted = "N" in days[before:place] or place - before > 7
        if parted:
            groups.append([place])
        else:
            groups[-1].append(place)
    episodes = fold(judged(days))
    assert [list(each.found) for each in episodes] == groups
    for episode, group in zip(episodes, groups, strict=True):
        last = group[-1]
        within, beyond = days[last + 1 : last + 8], days[last + 8 :].replace(".", "")
        if "N" in within:
            assert episode.closed_utc_s == end_of(last + 1 + within.index("N"))
        else:
            assert episode.closed_utc_s == (end_of(last) + 7 * DAY_S if beyond else None)
