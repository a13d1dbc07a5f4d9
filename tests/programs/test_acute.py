"""What follows from an answer after a spasm, and what a program becomes: never more than it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.acute import EASIER_WORDS, Feels, Follows, come_back_to, follows, within
from programs.errors import ProgramError
from programs.exercises import library
from programs.phases import FALLBACK
from programs.progress import work_s
from programs.types import History, Phase, PrescribedExercise, Prescription

PHASES = list(Phase)


@pytest.mark.parametrize(
    ("feels", "pain", "before", "after_h", "ask", "doctor"),
    [
        (Feels.BETTER, 3, 6, 24, False, False),
        (Feels.SAME, 5, 5, 24, False, False),
        (Feels.WORSE, 3, 5, 24, True, False),  # what somebody says counts, whatever the number
        (Feels.BETTER, 6, 9, 24, True, False),  # 6 or more always asks
        (Feels.BETTER, 5, 3, 24, True, False),  # risen by 2
        (Feels.SAME, 4, 3, 71.9, False, False),
        (Feels.SAME, 4, 3, 72, False, True),
        (Feels.WORSE, 4, 3, 72, True, True),
        (Feels.BETTER, 5, 3, 72, True, True),  # "better" with more pain is not better
        (Feels.BETTER, 2, 4, 72, False, False),
        (Feels.BETTER, 2, None, 80, False, False),
    ],
)
def test_what_follows(feels: Feels, pain: int, before: int | None, after_h: float, ask: bool, doctor: bool) -> None:
    assert follows(feels, pain, before, after_h) == Follows(ask, doctor)


def test_a_pain_that_cannot_be_is_refused() -> None:
    with pytest.raises(ProgramError, match="outside 0 to 10"):
        follows(Feels.SAME, 11, None, 24)
    with pytest.raises(ProgramError, match="outside 0 to 10"):
        follows(Feels.SAME, 1, -1, 24)


@st.composite
def items(draw: st.DrawFn) -> PrescribedExercise:
    one = draw(st.sampled_from(sorted(library().values(), key=lambda each: each.id)))
    level = draw(st.integers(0, len(one.levels) - 1))
    return PrescribedExercise(one.id, level, one.dose_by_level[level], "because")


programs = st.lists(items(), min_size=1, max_size=6, unique_by=lambda item: item.exercise_id).map(
    lambda found: Prescription("A title", tuple(found), 3, 4, 18, (), "You bent a lot.")
)


def lines_of(exercise_id: str) -> set[str]:
    """Return an exercise and everything easier in its line."""
    found: set[str] = set()
    at: str | None = exercise_id
    while at is not None:
        found.add(at)
        at = library()[at].easier
    return found


@given(programs, st.sampled_from(PHASES), st.sampled_from(((), ("knee_pain",), ("third_trimester", "wrist_pain"))))
def test_a_phase_has_nothing_that_comes_later_or_is_ruled_out_and_never_more(
    program: Prescription, phase: Phase, against: tuple[str, ...]
) -> None:
    back = come_back_to(program, History(contraindications=against))
    now = within(back, History(contraindications=against, phase=phase))
    ids = [item.exercise_id for item in now.exercises]
    assert len(set(ids)) == len(ids) >= 1
    if tuple(ids) == FALLBACK:
        return
    assert phase is not Phase.ACUTE
    for item in now.exercises:
        one = library()[item.exercise_id]
        assert PHASES.index(one.phase) <= PHASES.index(phase)
        assert not set(one.contraindications) & set(against)
        came_from = [each for each in program.exercises if item.exercise_id in lines_of(each.exercise_id)]
        assert work_s(item.dose) <= max(work_s(each.dose) for each in came_from)
        assert all(item.level <= each.level for each in came_from if each.exercise_id == item.exercise_id)


@given(programs)
def test_what_a_program_comes_back_to_is_less_and_says_so_once(program: Prescription) -> None:
    once = come_back_to(program, History())
    again = come_back_to(once, History())
    works = [sum(work_s(item.dose) for item in each.exercises) for each in (program, once, again)]
    assert works[0] >= works[1] >= works[2]
    levels = zip(program.exercises, once.exercises, strict=True)
    # What is at its very first step has nothing below it.
    assert all(
        after.level < before.level
        or after.exercise_id != before.exercise_id
        or work_s(after.dose) <= work_s(before.dose)
        for before, after in levels
    )
    assert again.because.count(EASIER_WORDS) == 1
    assert again.because.endswith("You bent a lot.")


def test_the_phases_of_a_program_by_hand() -> None:
    bird_dog, bridge = library()["bird_dog"], library()["side_bridge"]
    program = Prescription(
        "A title",
        (
            PrescribedExercise(bird_dog.id, 2, bird_dog.dose_by_level[2], ""),
            PrescribedExercise(bridge.id, 1, bridge.dose_by_level[1], ""),
        ),
        3, 4, 12, (), "",
    )  # fmt: skip
    named = {phase: [item.exercise_id for item in within(program, History(phase=phase)).exercises] for phase in Phase}
    assert named == {
        Phase.ACUTE: list(FALLBACK),
        Phase.EARLY: ["bird_dog", "wall_side_bridge"],
        Phase.REBUILD: ["bird_dog", "side_bridge"],
        Phase.STRENGTH: ["bird_dog", "side_bridge"],
    }
    early = within(program, History(phase=Phase.EARLY)).exercises[0]
    assert work_s(early.dose) <= 0.6 * work_s(bird_dog.dose_by_level[2])
