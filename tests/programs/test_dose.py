"""How long a dose takes, how it reads, how it becomes lighter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.dose import duration_s, lighter, session_duration_min, text, without_last_set
from programs.types import Dose

CORE = Dose((6, 4, 2), 10.0, 20.0, True)
doses = st.builds(
    Dose,
    st.lists(st.integers(1, 30), min_size=1, max_size=6).map(tuple),
    st.none() | st.floats(1, 60),
    st.floats(0, 120),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("dose", "seconds"),
    [
        (Dose((6, 4, 2), 10.0, 20.0, False), 184),  # 12 holds of 10 + 2 s, two rests
        (CORE, 328),  # 24 holds, the rests once
        (Dose((8, 8), None, 30.0, False), 94),  # 16 repetitions of 4 s, one rest
        (Dose((1,), 10.0, 20.0, False), 12),
    ],
)
def test_a_dose_takes_its_time(dose: Dose, seconds: float) -> None:
    assert duration_s(dose) == pytest.approx(seconds)


def test_a_session_adds_the_changes_and_rounds_up() -> None:
    assert session_duration_min([]) == 0
    assert session_duration_min([Dose((1,), 10.0, 0.0, False)]) == 1
    # 328 + 94 + 20 s = 7 min 22 s
    assert session_duration_min([CORE, Dose((8, 8), None, 30.0, False)]) == 8


@pytest.mark.parametrize(
    ("dose", "words"),
    [
        (CORE, "3 sets of 6, 4, 2 holds of 10 s, each side, 20 s rest"),
        (Dose((8, 8), None, 30.0, False), "2 sets of 8, 30 s rest"),
        (Dose((6,), 10.0, 20.0, True), "1 set of 6 holds of 10 s, each side"),
        (Dose((1, 1), 7.5, 0.0, False), "2 sets of 1 hold of 7.5 s"),
        (Dose((1,), 300.0, 0.0, False), "5 min"),
        (Dose((1,), 60.0, 0.0, True), "60 s, each side"),
        (Dose((2,), 150.0, 0.0, False), "1 set of 2 holds of 150 s"),
        (Dose((2,), 180.0, 0.0, False), "1 set of 2 holds of 3 min"),
    ],
)
def test_a_dose_reads_as_people_say_it(dose: Dose, words: str) -> None:
    assert text(dose) == words


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((6, 4, 2), (6,)),
        ((8, 6, 4), (5, 5)),
        ((8, 8, 8), (7, 7)),
        ((10, 10), (10,)),
        ((5,), (3,)),
        ((1,), (1,)),
        ((3, 3), (3,)),
    ],
)
def test_a_lighter_dose_drops_sets_first(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert lighter(Dose(before, None, 30.0, False)).repetitions == after


@given(doses)
def test_a_lighter_dose_is_about_half_and_never_more_of_anything(dose: Dose) -> None:
    less = lighter(dose)
    volume, kept = sum(dose.repetitions), sum(less.repetitions)
    assert 1 <= kept <= max(1, 0.6 * volume) or set(less.repetitions) == {1}
    assert kept >= 0.5 * volume - 1
    assert len(less.repetitions) <= len(dose.repetitions)
    assert all(a <= b for a, b in zip(less.repetitions, dose.repetitions, strict=False))
    assert (less.hold_s, less.rest_s, less.per_side) == (dose.hold_s, dose.rest_s, dose.per_side)
    assert duration_s(less) <= duration_s(dose)


def test_the_last_set_goes_but_never_the_only_one() -> None:
    assert without_last_set(CORE).repetitions == (6, 4)
    assert without_last_set(Dose((5,), None, 0.0, False)).repetitions == (5,)
