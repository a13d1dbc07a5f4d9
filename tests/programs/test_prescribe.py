"""Needs become exercises, levels, doses and rest, with their because; what is forbidden stays out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from programs.dose import duration_s, session_duration_min
from programs.errors import NoAnswer, ProgramError
from programs.exercises import ALWAYS_AGAINST, AT_HOME, CONTRAINDICATIONS, NEED_KINDS, exercise, library
from programs.prescribe import prescribe
from programs.progress import all_back
from programs.rest import (
    MAX_DAYS_IN_A_ROW,
    MICRO_BREAK_AFTER_MIN,
    MICRO_BREAK_MIN,
    REST_KINDS,
    is_deload_week,
    rest,
)
from programs.types import Exercise, History, Need, Phase, Prescription


def ids(program: Prescription) -> list[str]:
    return [item.exercise_id for item in program.exercises]


def test_repeated_bending_gets_the_three_core_exercises_and_the_hinge(bending: Need) -> None:
    program = prescribe([bending], History(), 3, 4)
    assert ids(program) == ["bird_dog", "side_bridge", "curl_up", "hip_hinge"]
    assert [item.level for item in program.exercises] == [0, 0, 0, 0]
    assert [item.dose for item in program.exercises] == [exercise(name).dose_by_level[0] for name in ids(program)]
    # 328 + 328 + 184 + 94 s of work and rest, three changes of 20 s: 16 min 34 s.
    assert program.session_duration_min == 17
    assert (program.sessions_per_week, program.weeks) == (3, 4)
    assert program.because == bending.because
    for item in program.exercises:
        assert item.because.startswith(bending.because)
        assert exercise(item.exercise_id).target in item.because
    assert [rule.kind for rule in program.rest] == ["micro_break", "lighter_day", "deload_week"]


def test_the_level_comes_from_history_and_is_never_raised(bending: Need) -> None:
    program = prescribe([bending], History({"bird_dog": 2, "side_bridge": 99}), 3, 4)
    levels = {item.exercise_id: item.level for item in program.exercises}
    assert levels == {"bird_dog": 2, "side_bridge": 4, "curl_up": 0, "hip_hinge": 0}


def test_a_new_program_goes_on_at_the_dose_that_runs_and_at_the_length_it_has_grown_to(bending: Need) -> None:
    doses = {each: exercise(each).dose_by_level[0] for each in ("bird_dog", "side_bridge", "curl_up", "hip_hinge")}
    doses["bird_dog"] = replace(doses["bird_dog"], repetitions=(8, 5, 4))  # steps up
    doses["curl_up"] = replace(doses["curl_up"], repetitions=(4,))  # a step back after a red session
    program = prescribe([bending], History(dict.fromkeys(doses, 0), dose_by_exercise=doses), 3, 4)
    assert {item.exercise_id: item.dose for item in program.exercises} == doses
    doses["curl_up"] = replace(doses["curl_up"], repetitions=(8, 6, 6))
    grown = prescribe([bending], History(dict.fromkeys(doses, 0), dose_by_exercise=doses), 3, 4)
    assert grown.session_duration_min > 18
    assert {item.exercise_id: item.dose for item in grown.exercises} == doses
    short = prescribe([bending], History(dict.fromkeys(doses, 0), dose_by_exercise=doses, session_max_min=15), 3, 4)
    assert short.session_duration_min <= 15


def test_a_new_program_keeps_the_easier_exercise_that_the_one_that_runs_has_come_down_to(bending: Need) -> None:
    first = prescribe([bending], History(), 3, 4)
    back = all_back(all_back(first, History()), History())
    assert set(ids(back)) != set(ids(first))
    levels, doses = ({i.exercise_id: getattr(i, name) for i in back.exercises} for name in ("level", "dose"))
    again = prescribe([bending], History(levels, dose_by_exercise=doses), 3, 4)
    assert {i.exercise_id: (i.level, i.dose) for i in again.exercises} == {
        i.exercise_id: (i.level, i.dose) for i in back.exercises
    }
    for item in again.exercises:
        assert f"{exercise(item.exercise_id).name} aims at" in item.because
    # What may not be given any more is no way down.
    gone = prescribe([bending], History(levels, declined=frozenset(ids(back)), dose_by_exercise=doses), 3, 4)
    assert not set(ids(gone)) & set(ids(back))


def test_a_long_session_loses_last_sets_and_nothing_else(bending: Need) -> None:
    program = prescribe([bending], History({"bird_dog": 1, "side_bridge": 1, "curl_up": 1}), 3, 4)
    assert [item.dose.repetitions for item in program.exercises] == [(8, 6), (8, 6), (8, 6), (8, 8)]
    assert program.session_duration_min <= 18


@pytest.mark.parametrize(
    ("against", "expected", "says"),
    [
        (
            "knee_pain",
            ["glute_bridge", "side_bridge", "curl_up", "hip_hinge"],
            "place of bird-dog because of pain when",
        ),
        ("neck_pain", ["bird_dog", "side_bridge", "dead_bug", "hip_hinge"], "place of curl-up because of neck pain"),
        (
            "osteoporosis",
            ["bird_dog", "side_bridge", "dead_bug", "hip_hinge"],
            "place of curl-up because of osteoporosis",
        ),
        (
            "shoulder_pain",
            ["bird_dog", "suitcase_carry", "curl_up", "hip_hinge"],
            "place of side bridge because of should",
        ),
    ],
)
def test_a_contraindication_is_answered_with_another_exercise(
    bending: Need, against: str, expected: list[str], says: str
) -> None:
    program = prescribe([bending], History(contraindications=(against,)), 3, 4)
    assert ids(program) == expected
    assert sum(says in item.because for item in program.exercises) == 1
    assert "left out" not in program.because


def test_what_nothing_can_replace_is_named(bending: Need) -> None:
    against = History(contraindications=("uncontrolled_blood_pressure", "third_trimester"))
    few = {name: exercise(name) for name in ("bird_dog", "side_bridge", "curl_up", "hip_hinge")}
    program = prescribe([bending], against, 3, 4, few)
    assert ids(program) == ["bird_dog", "hip_hinge"]
    assert "Side bridge is left out because of high blood pressure" in program.because
    assert "Curl-up is left out because of the last third of a pregnancy" in program.because


def test_what_needs_a_tool_a_later_phase_or_was_declined_is_not_given(bending: Need) -> None:
    for history in (
        History(equipment=frozenset()),
        History(equipment=frozenset({"wall"}), phase=Phase.EARLY),
        History(phase=Phase.ACUTE, equipment=frozenset({"wall", "chair"})),
        History(declined=frozenset({"bird_dog", "side_bridge"})),
    ):
        try:
            given = ids(prescribe([bending], history, 3, 4))
        except NoAnswer:
            given = []
        phases = list(Phase)
        for one in map(exercise, given):
            assert set(one.equipment) <= ({"none"} | (AT_HOME if history.equipment is None else history.equipment))
            assert phases.index(one.phase) <= phases.index(history.phase)
            assert one.id not in history.declined
    assert "hip_hinge" not in ids(prescribe([bending], History(equipment=frozenset()), 3, 4))
    assert "wall_side_bridge" in ids(prescribe([bending], History(phase=Phase.EARLY), 3, 4))


@pytest.mark.parametrize("against", sorted(ALWAYS_AGAINST))
def test_nothing_is_given_while_ill_or_after_an_operation(bending: Need, against: str) -> None:
    with pytest.raises(NoAnswer, match="ask a doctor first"):
        prescribe([bending], History(contraindications=(against,)), 3, 4)


def test_a_need_that_the_library_does_not_know_has_no_answer(bending: Need) -> None:
    with pytest.raises(NoAnswer, match="low_mood"):
        prescribe([replace(bending, kind="low_mood")], History(), 3, 4)
    with pytest.raises(NoAnswer, match="No need"):
        prescribe([], History(), 3, 4)
    only = {"pallof_press": exercise("pallof_press")}
    with pytest.raises(NoAnswer, match="low_endurance"):
        prescribe([replace(bending, kind="low_endurance")], History(), 3, 4, only)


def test_bending_never_gets_an_exercise_that_loads_the_spine_in_flexion(bending: Need) -> None:
    loaded = {name: replace(one, flexion_loaded=name != "side_bridge") for name, one in library().items()}
    assert ids(prescribe([bending], History(), 3, 4, loaded)) == ["side_bridge"]
    turning = replace(bending, kind="repeated_rotation")
    assert "bird_dog" in ids(prescribe([turning], History(), 3, 4, loaded))
    assert "bird_dog" not in ids(prescribe([turning, bending], History(), 3, 4, loaded))


def test_the_order_of_needs_and_histories_does_not_matter(bending: Need) -> None:
    needs = [bending, Need("repeated_rotation", 0.9, "You turned a lot."), Need("low_endurance", 0.9, "Short holds.")]
    programs = {
        prescribe(order, History({"curl_up": 1, "bird_dog": 1}), 3, 4) for order in itertools.permutations(needs)
    }
    assert len(programs) == 1
    (program,) = programs
    assert program == prescribe(needs, History({"bird_dog": 1, "curl_up": 1}), 3, 4)
    assert program.because == "Short holds. You turned a lot. You bent forward 84 times in 12 minutes."


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sessions_per_week": 0}, "0 sessions"),
        ({"sessions_per_week": 8}, "8 sessions"),
        ({"weeks": 0}, "0 weeks"),
        ({"history": History({"curl_up": -1})}, "curl_up"),
        ({"history": History(contraindications=("flu",))}, "flu"),
        ({"needs": [Need("low_endurance", 1.5, "x")]}, "1.5"),
    ],
)
def test_what_makes_no_sense_is_named(bending: Need, change: dict[str, object], says: str) -> None:
    given_values: dict[str, object] = {"needs": [bending], "history": History(), "sessions_per_week": 3, "weeks": 4}
    with pytest.raises(ProgramError, match=says):
        prescribe(**(given_values | change))  # type: ignore[arg-type]


needs_lists = st.lists(
    st.builds(Need, st.sampled_from(sorted(NEED_KINDS)), st.floats(0, 1), st.sampled_from(["One.", "Two."])),
    min_size=1,
    max_size=5,
)
histories = st.builds(
    History,
    st.dictionaries(st.sampled_from(sorted(library())), st.integers(0, 8)),
    st.sets(st.sampled_from(sorted(CONTRAINDICATIONS))).map(tuple),
)


def came_down_to(one: Exercise) -> set[str]:
    """The exercise, and those that it can be made easier to, step by step."""
    ids = {one.id}
    while one.easier and one.easier not in ids:
        one = exercise(one.easier)
        ids.add(one.id)
    return ids


@given(needs_lists, histories)
@example([Need("low_endurance", 1.0, "One.")], History({"rock_back": 1}))
def test_whatever_is_needed_the_red_lines_hold(needs: list[Need], history: History) -> None:
    try:
        program = prescribe(needs, history, 3, 4)
    except NoAnswer:
        return
    assert 1 <= len(program.exercises) == len(set(ids(program)))
    for item in program.exercises:
        one = exercise(item.exercise_id)
        assert not set(one.contraindications) & set(history.contraindications)
        assert not one.flexion_loaded
        assert item.level <= history.level_by_exercise.get(one.id, 0)
        given_dose = one.dose_by_level[item.level]
        assert item.dose.repetitions == given_dose.repetitions[: len(item.dose.repetitions)]
        assert duration_s(item.dose) <= duration_s(given_dose)
        # What an exercise has come down to answers what that one does.
        answers = {kind for each in library().values() if one.id in came_down_to(each) for kind in each.answers}
        assert any(item.because.startswith(need.because) for need in needs if need.kind in answers)
    assert program.session_duration_min == session_duration_min(item.dose for item in program.exercises)
    shortest = all(len(item.dose.repetitions) == 1 for item in program.exercises)
    assert program.session_duration_min <= 18 or shortest


def test_rest_belongs_to_the_need_and_the_length(bending: Need) -> None:
    assert rest([], 4) == ()
    assert [rule.kind for rule in rest([bending], 3)] == ["micro_break", "lighter_day"]
    assert [rule.kind for rule in rest([replace(bending, kind="low_endurance")], 4)] == ["deload_week"]
    pause, day, _ = rest([bending], 4)
    assert pause.because.startswith(bending.because)
    assert f"{MICRO_BREAK_AFTER_MIN} minutes" in pause.text
    assert f"{MICRO_BREAK_MIN} minutes" in pause.text
    assert f"{MAX_DAYS_IN_A_ROW} days in a row" in day.text
    assert "Andersen 2017" in day.source
    assert [week for week in range(13) if is_deload_week(week)] == [4, 8, 12]


@pytest.mark.parametrize("kind", sorted(REST_KINDS))
def test_what_only_rest_answers_gets_rest_and_no_exercise(kind: str) -> None:
    # An illness forbids every exercise; it forbids no rest.
    for against in ((), ("acute_illness",)):
        program = prescribe([Need(kind, 0.5, "This was seen.")], History(contraindications=against), 3, 4)
        assert (program.exercises, program.session_duration_min) == ((), 0)
        (rule,) = program.rest
        assert rule.because.startswith("This was seen.")


def test_rest_rules_join_a_program_of_exercises_each_once(bending: Need) -> None:
    needs = [bending, Need("heavy_back_days", 1.0, "Three heavy days."), Need("low_hrv", 0.5, "Low mornings.")]
    program = prescribe(needs, History(), 3, 4)
    assert ids(program) == ids(prescribe([bending], History(), 3, 4))
    assert program.title == "Trunk endurance and hinging, for a lot of bending"
    assert [rule.kind for rule in program.rest] == ["micro_break", "lighter_day", "easy_day", "deload_week"]
    assert program.because == "Three heavy days. You bent forward 84 times in 12 minutes. Low mornings."


def test_a_side_of_strokes_is_answered_like_turning() -> None:
    turning, sided = (
        prescribe([Need(kind, 0.5, "x")], History(), 3, 4) for kind in ("repeated_rotation", "one_sided_strokes")
    )
    assert ids(turning) == ids(sided)


def test_the_side_that_does_less_begins_where_no_test_says_which_is_weaker() -> None:
    needs = [Need("one_sided_strokes", 0.5, "You turned to one side.")]
    plain = prescribe(needs, History(), 3, 4)
    sided = prescribe(needs, History(used_side="right"), 3, 4)
    each = [item for item in sided.exercises if library()[item.exercise_id].each_side]
    assert each
    assert {(item.first_side, item.extra_set) for item in each} == {("left", False)}
    assert all("so the left one begins" in item.because for item in each)
    # Nothing else of it is another program: the same exercises, as much of them.
    assert [(item.exercise_id, item.dose) for item in sided.exercises] == [
        (item.exercise_id, item.dose) for item in plain.exercises
    ]
    tested = prescribe(needs, History(used_side="right", weaker_side={"side trunk": "right"}), 3, 4)
    (bridge,) = [item for item in tested.exercises if library()[item.exercise_id].muscle_group == "side trunk"]
    assert (bridge.first_side, bridge.extra_set) == ("right", True)


def test_a_used_side_that_is_none_is_refused() -> None:
    with pytest.raises(ProgramError, match="used side"):
        prescribe([Need("low_endurance", 0.5, "A test.")], History(used_side="both"), 3, 4)
