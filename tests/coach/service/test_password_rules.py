"""Which passwords are taken, and which everybody tries first."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.errors import InvalidInput
from coach.service.password_rules import PASSWORD_MAX, _common, check_password, is_easy

EASY = [
    "passwordpassword",
    "password12345678",
    "P@ssw0rdP@ssw0rd!",
    "pass-word pass-word",
    "qwertyuiop123456",
    "1qaz2wsx3edc4rfv",
    "aaaaaaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabc",
    "0123456789012345",
    "9876543210987654",
    "iloveyouiloveyou",
    "iloveyoumichael1",
    "liverpoolfootball",
    "Liverpool-Football-1",
    "summer2025summer2026",
    "backstop-backstop",
    "Backstop2026!!!!",
    "backstoppassword",
    "ada lovelace 1815",
    "adalovelace123456",
    "Lovelace!Lovelace!",
    "letmein12345678901",
    "fußballfußball",
]
GOOD = [
    "kettle violin marsh",
    "correct horse battery",
    "the lamp over the mill",
    "vX9#mQ2$zL7!pR4w",
    "jüngst im Mai gelaufen",
    "三つの青い傘と古い駅の時計と猫",
    "ada likes brass kettles",
]


@pytest.mark.parametrize("password", [each for each in EASY if len(each) >= 15])
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput, match="tries first"):
        check_password(password, "Ada Lovelace")


@pytest.mark.parametrize("password", GOOD)
def test_words_that_have_nothing_to_do_with_each_other_are_taken(password: str) -> None:
    check_password(password, "Ada Lovelace")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 15"),
        ("kettle violin", "at least 15"),
        ("x y " * 65, "at most 256"),
        ("\ud800kettle violin m", "no text"),
    ],
)
def test_lengths_and_what_is_no_text(password: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        check_password(password, "Ada")


def test_length_counts_signs_not_bytes_nor_parts_of_signs() -> None:
    check_password("é" + "kettle violin m", "Ada")
    with pytest.raises(InvalidInput, match="14 characters"):
        check_password("e\u0301" + "kettle violin", "Ada")  # one sign, composed of two


def test_the_list_is_some_thousand_words_in_lower_case() -> None:
    words = _common()
    assert 2000 < len(words) < 10_000
    assert all(word == word.casefold() and 3 <= len(word) <= 24 for word in words)
    for word in ("password", "123456", "qwerty", "iloveyou", "letmein", "dragon", "passwort", "motdepasse"):
        assert word in words or is_easy(word, "")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=PASSWORD_MAX), st.text(max_size=200))
def test_any_text_is_judged(password: str, name: str) -> None:
    assert is_easy(password, name) in (True, False)


@pytest.mark.parametrize("password", ["qwerty" * 43, "ab1" * 86, "love" * 3 + "x" * 200 + "qwerty" * 8, "123" * 86])
def test_the_longest_are_judged_quickly(password: str) -> None:
    begun = time.process_time()
    is_easy(password[:PASSWORD_MAX], "Ada")
    assert time.process_time() - begun < 3
