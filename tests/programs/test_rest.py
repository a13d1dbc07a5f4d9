"""Rest as an item of its own, with its amount, and rest that was seen counting as taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import ProgramError
from programs.rest import Credit, SeenMinute, credit_rest, rest
from programs.types import Need, RestRule

RULE = next(rule for rule in rest((Need("repeated_bending", 1.0, "because"),), 4) if rule.kind == "micro_break")


def day(letters: str) -> list[SeenMinute]:
    """w: work again and again; r: still; l: some light movement; -: not seen."""
    return [SeenMinute(at, letter == "w", letter == "r") for at, letter in enumerate(letters) if letter != "-"]


@pytest.mark.parametrize(
    ("letters", "asked", "seen"),
    [
        ("", 0, 0),
        ("r" * 60, 0, 0),  # nothing to rest from
        ("w" * 9 + "rr" + "w" * 9, 0, 0),  # rested in time, twice
        ("w" * 10, 1, 0),
        ("w" * 10 + "r", 1, 0),  # a minute is not the rest that was asked for
        ("w" * 10 + "rr", 1, 1),
        ("w" * 10 + "rlr", 1, 0),  # not in a row
        ("w" * 10 + "wwwrr", 1, 1),  # late is taken
        ("w" * 30 + "rr", 3, 1),  # one rest does not make up for three
        (("w" * 10 + "rr") * 3, 3, 3),
        ("w" * 5 + "l" * 20 + "w" * 5, 1, 0),  # light movement is neither
        ("w" * 10 + "r-r", 1, 0),  # nobody knows of the minute between
        ("w" * 10 + "-----rr", 1, 0),  # what was not seen is not counted as taken, then or later
        ("w" * 6 + "--" + "w" * 6, 0, 0),  # may have been a rest
        ("w" * 6 + "-" + "w" * 6, 1, 0),
        ("w" * 10 + "rrrrrr", 1, 1),  # a long rest is one
    ],
)
def test_rest_that_was_seen_counts_as_taken(letters: str, asked: int, seen: int) -> None:
    assert credit_rest(RULE, day(letters)) == Credit(asked, seen)


@given(st.text("wrl-", max_size=200))
def test_never_more_seen_than_asked_and_never_without_a_rest(letters: str) -> None:
    found = credit_rest(RULE, day(letters))
    assert 0 <= found.seen <= found.asked <= letters.count("w") // 10
    assert found.seen <= letters.count("rr")
    assert credit_rest(RULE, day(letters.replace("r", "l"))).seen == 0


def test_rest_has_its_amount_and_when() -> None:
    rules = {rule.kind: rule for rule in rest((Need("repeated_bending", 1.0, "because"),), 4)}
    assert (rules["micro_break"].rest_min, rules["micro_break"].after_min) == (2, 10)
    assert rules["lighter_day"].after_days == 3
    for rule in rules.values():
        for number in (rule.rest_min, rule.after_min, rule.after_days):
            assert number is None or str(number) in rule.text


def test_what_cannot_be_counted_is_named() -> None:
    with pytest.raises(ProgramError, match="lighter_day"):
        credit_rest(RestRule("lighter_day", "text", "because", "source", after_days=3), [])
    with pytest.raises(ProgramError, match="order"):
        credit_rest(RULE, [replace(day("ww")[1]), day("w")[0]])
