"""Progress one variable at a time, within a tenth; back without asking; lighter weeks for two signs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.dose import session_duration_min
from programs.errors import ProgramError
from programs.exercises import EQUIPMENT, exercise, library
from programs.prescribe import prescribe
from programs.progress import (
    Strain,
    Variable,
    after_break,
    all_back,
    deload,
    deload_reasons,
    propose_step,
    step_back,
    with_step,
    without,
    work_s,
)
from programs.types import Category, Dose, History, Need, Phase, PrescribedExercise, Prescription

BENDING = Need("repeated_bending", 1.0, "You bent forward often.")
EVERYTHING = History(equipment=frozenset(EQUIPMENT))


def item(name: str, level: int = 0) -> PrescribedExercise:
    return PrescribedExercise(name, level, exercise(name).dose_by_level[level], "because")


def program(*items: PrescribedExercise) -> Prescription:
    return Prescription("A program", items, 3, 4, 18, (), "because")


items = st.sampled_from([one for one in library().values() if one.category is not Category.RECOVERY]).flatmap(
    lambda one: st.integers(0, len(one.levels) - 1).map(lambda level: item(one.id, level))
)


def test_one_repetition_comes_before_a_set_a_set_before_a_level_a_level_before_a_harder_exercise() -> None:
    others = (item("side_bridge"), item("curl_up"), item("hip_hinge"), item("glute_bridge"))
    waits = [one.exercise_id for one in others]
    first = propose_step(program(item("bird_dog"), *others), EVERYTHING, waits)
    assert first is not None
    assert first.variable is Variable.REPETITIONS
    assert first.after.dose.repetitions == (7, 4, 2)
    assert first.after.level == 0
    assert "one repetition more of bird-dog" in first.because
    grown = replace(item("bird_dog"), dose=replace(item("bird_dog").dose, repetitions=(8, 6, 3)))
    last = propose_step(program(grown, *others), EVERYTHING, waits)
    assert last is not None
    assert (last.after.dose.repetitions, last.after.level) == ((8, 6, 4), 1)
    lever = propose_step(program(item("bird_dog", 1), *others), EVERYTHING, waits)
    assert lever is not None
    assert lever.variable is Variable.LEVEL
    assert exercise("bird_dog").levels[lever.after.level] == "one leg and the opposite arm"
    harder = propose_step(program(item("bird_dog", 4), *others), EVERYTHING, waits)
    assert harder is not None
    assert (harder.variable, harder.after.exercise_id) == (Variable.EXERCISE, "back_extension_hold")


def test_a_program_that_was_shortened_gets_its_last_set_back_first() -> None:
    short = replace(item("bird_dog"), dose=replace(item("bird_dog").dose, repetitions=(6, 4)))
    others = (item("side_bridge"), item("curl_up"), item("hip_hinge"), item("glute_bridge"))
    step = propose_step(program(short, *others), EVERYTHING, [one.exercise_id for one in others])
    assert step is not None
    assert step.variable is Variable.SETS
    assert step.after.dose.repetitions == (6, 4, 2)


def test_who_waits_longest_is_next_and_a_harder_exercise_needs_its_tool_and_phase() -> None:
    two = program(item("bird_dog"), item("curl_up"))
    assert propose_step(two, EVERYTHING, ["bird_dog"]).before.exercise_id == "curl_up"  # type: ignore[union-attr]
    assert propose_step(two, EVERYTHING, ["curl_up", "bird_dog"]).before.exercise_id == "curl_up"  # type: ignore[union-attr]
    top = program(item("bird_dog", 4))
    assert propose_step(top, History(equipment=frozenset())) is None
    assert propose_step(top, replace(EVERYTHING, phase=Phase.REBUILD)) is None
    assert propose_step(top, replace(EVERYTHING, declined=frozenset({"back_extension_hold"}))) is None
    assert propose_step(top, replace(EVERYTHING, contraindications=("uncontrolled_blood_pressure",))) is None


@given(st.lists(items, min_size=1, max_size=6, unique_by=lambda one: one.exercise_id))
def test_a_step_changes_one_thing_and_the_week_by_a_tenth_or_one_repetition(chosen: list[PrescribedExercise]) -> None:
    before = program(*chosen)
    step = propose_step(before, EVERYTHING)
    if step is None:
        return
    total_s = sum(work_s(one.dose) for one in before.exercises)
    rise_s = work_s(step.after.dose) - work_s(step.before.dose)
    one_repetition = sum(step.after.dose.repetitions) - sum(step.before.dose.repetitions) == 1
    assert rise_s <= 0.1 * total_s + 1e-9 or one_repetition
    old, new = step.before, step.after
    if step.variable in (Variable.REPETITIONS, Variable.SETS):
        assert new.exercise_id == old.exercise_id
        assert (new.dose.hold_s, new.dose.rest_s) == (old.dose.hold_s, old.dose.rest_s)
        assert sum(new.dose.repetitions) > sum(old.dose.repetitions)
        if new.level != old.level:  # the level that is reached is the same movement with more repetitions
            assert "more" in exercise(new.exercise_id).levels[new.level]
    else:
        # A harder lever or exercise is never met with more work as well.
        assert work_s(new.dose) <= work_s(old.dose)


@given(items)
def test_a_step_back_never_asks_for_more_of_the_same(one: PrescribedExercise) -> None:
    back = step_back(one)
    assert back != one or sum(one.dose.repetitions) == 1
    if back.exercise_id == one.exercise_id:
        assert back.level <= one.level
        assert work_s(back.dose) <= work_s(one.dose)
    else:
        assert back.exercise_id == exercise(one.exercise_id).easier


@pytest.mark.parametrize(("days", "level"), [(0, 3), (6, 3), (7, 2), (20, 2), (21, 0), (200, 0)])
def test_a_week_missed_goes_one_level_back_three_weeks_begin_again(days: int, level: int) -> None:
    assert after_break(program(item("bird_dog", 3)), days).exercises[0].level == level


def test_missed_days_are_counted_from_nought() -> None:
    with pytest.raises(ProgramError, match="-1 missed days"):
        after_break(program(item("bird_dog")), -1)


@given(st.lists(items, min_size=1, max_size=6, unique_by=lambda one: one.exercise_id), st.integers(0, 60))
def test_no_break_makes_a_program_heavier(chosen: list[PrescribedExercise], days: int) -> None:
    after = after_break(program(*chosen), days)
    for old, new in zip(chosen, after.exercises, strict=True):
        assert new.level <= old.level
        assert work_s(new.dose) <= work_s(old.dose)


@pytest.mark.parametrize(
    ("strain", "signs"),
    [
        (Strain(), 0),
        (Strain(monotony=2.1), 0),
        (Strain(monotony=2.1, sleep_h=5.5), 2),
        (Strain(monotony=2.0, sleep_h=6.0, load_rise_share=0.29, low_hrv_days=2, ambers=1), 0),
        (Strain(load_rise_share=0.30, low_hrv_days=3), 2),
        (Strain(ambers=2, load_rise_share=0.34), 2),
        (Strain(3.0, 0.5, 4, 4.0, 3), 5),
    ],
)
def test_two_signs_ask_for_a_lighter_week_at_once(strain: Strain, signs: int) -> None:
    assert len(deload_reasons(strain)) == signs


def test_a_lighter_week_keeps_half_to_three_fifths() -> None:
    whole = prescribe([BENDING], EVERYTHING, 3, 4)
    light = deload(whole)
    share = sum(sum(one.dose.repetitions) for one in light.exercises) / sum(
        sum(one.dose.repetitions) for one in whole.exercises
    )
    assert 0.5 <= share <= 0.6


def test_the_weaker_side_begins_and_does_one_set_more() -> None:
    given_ = prescribe([BENDING], replace(EVERYTHING, weaker_side={"side trunk": "left"}), 3, 4)
    bridge = next(one for one in given_.exercises if one.exercise_id == "side_bridge")
    assert (bridge.first_side, bridge.extra_set) == ("left", True)
    assert "Your left side was weaker in the test" in bridge.because
    assert all(one.first_side is None for one in given_.exercises if one is not bridge)
    with pytest.raises(ProgramError, match="'up'"):
        prescribe([BENDING], replace(EVERYTHING, weaker_side={"side trunk": "up"}), 3, 4)


def test_an_exercise_that_has_left_the_library_is_kept_and_never_raised() -> None:
    gone = PrescribedExercise("gone", 1, Dose((5, 5), None, 30, False), "because")
    assert propose_step(program(gone), EVERYTHING) is None
    assert work_s(step_back(gone).dose) < work_s(gone.dose)
    assert after_break(program(gone), 30).exercises == (gone,)


def test_after_a_red_session_everything_is_one_step_easier_and_nothing_comes_twice_or_is_not_allowed() -> None:
    whole = program(item("bird_dog", 2), item("side_bridge"), item("dead_bug"), item("heel_tap"))
    back = {one.exercise_id: one for one in all_back(whole, EVERYTHING).exercises}
    assert back["bird_dog"].level == 1
    # The easier exercise than the dead bug is there already, so its dose is lighter.
    assert work_s(back["dead_bug"].dose) < work_s(item("dead_bug").dose)
    assert len(back) == 4
    for one, before in zip(all_back(whole, EVERYTHING).exercises, whole.exercises, strict=True):
        assert one != before
    no_way = all_back(program(item("bird_dog")), replace(EVERYTHING, declined=frozenset({"rock_back"})))
    assert [one.exercise_id for one in no_way.exercises] == ["bird_dog"]
    assert all_back(program(item("bird_dog")), EVERYTHING).exercises[0].exercise_id == "rock_back"


@given(st.lists(items, min_size=1, max_size=6, unique_by=lambda one: one.exercise_id))
def test_going_back_never_doubles_an_exercise_or_asks_for_more_of_the_same(chosen: list[PrescribedExercise]) -> None:
    whole = program(*chosen)
    back = all_back(whole, EVERYTHING)
    assert len({one.exercise_id for one in back.exercises}) == len(chosen)
    for old, new in zip(chosen, back.exercises, strict=True):
        assert new.exercise_id in (old.exercise_id, exercise(old.exercise_id).easier)
        assert work_s(new.dose) <= work_s(old.dose)


def test_a_step_is_passed_over_when_the_session_would_get_longer_than_there_is_time_for() -> None:
    whole = prescribe([BENDING], EVERYTHING, 3, 4)
    assert propose_step(whole, EVERYTHING) is not None
    in_time, grown, steps = replace(EVERYTHING, session_max_min=whole.session_duration_min + 2), whole, 0
    while (step := propose_step(grown, in_time)) is not None and steps < 300:
        grown, steps = with_step(grown, step), steps + 1
    assert 1 < steps < 300
    assert grown.session_duration_min <= whole.session_duration_min + 2
    short = prescribe([BENDING], replace(EVERYTHING, session_max_min=10), 3, 4)
    assert short.session_duration_min <= 10 < whole.session_duration_min


def test_a_step_is_put_into_the_program_that_it_was_thought_of_for() -> None:
    whole = program(item("bird_dog"), item("curl_up"))
    step = propose_step(whole, EVERYTHING)
    assert step is not None
    after = with_step(whole, step)
    assert after.exercises == (step.after, item("curl_up"))
    assert after.session_duration_min == session_duration_min(one.dose for one in after.exercises)
    with pytest.raises(ProgramError, match="propose anew"):
        with_step(after, step)


def test_a_harder_exercise_comes_no_second_time_and_says_what_it_aims_at() -> None:
    top = item("wall_side_bridge", len(exercise("wall_side_bridge").levels) - 1)
    easy, hard = exercise("wall_side_bridge"), exercise("side_bridge")
    top = replace(top, because=f"You bent often. {easy.name} aims at {easy.target}.")
    others = (item("bird_dog"), item("curl_up"), item("hip_hinge"), item("glute_bridge"))
    step = propose_step(program(top, *others), EVERYTHING, [one.exercise_id for one in others])
    assert step is not None
    assert (step.variable, step.after.exercise_id) == (Variable.EXERCISE, "side_bridge")
    assert step.after.because == f"You bent often. {hard.name} aims at {hard.target}."
    # Where it is in the program already, nothing of this line is left to propose.
    strong = item("side_bridge", len(hard.levels) - 1)
    assert propose_step(program(top, strong), EVERYTHING) is None


def test_without_what_was_declined_the_rest_stays() -> None:
    whole = program(item("bird_dog"), item("curl_up"))
    assert [one.exercise_id for one in without(whole, "bird_dog").exercises] == ["curl_up"]
    assert without(program(item("bird_dog")), "bird_dog").session_duration_min == 0
