"""The library: its strict reader, and what every shipped entry must hold."""

from __future__ import annotations

import subprocess
import sys

import pytest

from programs.dose import lighter
from programs.errors import ProgramError
from programs.exercises import ALWAYS_AGAINST, CONTRAINDICATIONS, NEED_KINDS, exercise, library, load_exercises
from programs.prescribe import GROUPS_BY_KIND, TITLES
from programs.rest import REST_KINDS
from programs.types import Dose, Exercise, Plane

ENTRY = """
[[exercise]]
id = "wave"
name = "Wave"
target = "waving"
plane = "frontal"
answers = ["low_endurance"]
muscle_group = "side trunk"
cues = ["Wave."]
regression = "If it hurts, wave less."
contraindications = ["acute_illness", "chest_symptoms", "recent_surgery"]
flexion_loaded = false
bends_forward = false
source = "own heuristic"
levels = [
  { name = "small", repetitions = [3, 2], rest_s = 20, per_side = true },
  { name = "still", repetitions = [3], hold_s = 10, rest_s = 20, per_side = false },
]
"""


def test_an_entry_is_read_as_written() -> None:
    one = load_exercises(ENTRY)["wave"]
    assert one.plane is Plane.FRONTAL
    assert one.levels == ("small", "still")
    assert one.dose_by_level == (Dose((3, 2), None, 20.0, True), Dose((3,), 10.0, 20.0, False))
    assert one.answers == ("low_endurance",)
    assert not one.flexion_loaded


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "Wave"', 'name = "Wave"\ncolour = "red"', "'wave': unknown key 'colour'"),
        ('target = "waving"\n', "", "'wave': the key 'target' is missing"),
        ('name = "Wave"', "name = 7", "'wave': 'name' should be a text"),
        ('name = "Wave"', 'name = " "', "'wave': 'name' should be a text"),
        ("flexion_loaded = false", 'flexion_loaded = "no"', "'wave': 'flexion_loaded' should be true or false"),
        ('cues = ["Wave."]', 'cues = "Wave."', "'wave': 'cues' should be a list of texts"),
        ('cues = ["Wave."]', "cues = []", "'answers' and 'cues'"),
        ('cues = ["Wave."]', 'cues = ["Wave.", "Wave."]', "'cues' names something twice"),
        ('"frontal"', '"sideways"', "unknown plane 'sideways'"),
        ('["low_endurance"]', '["low_mood"]', "unknown kind of need 'low_mood'"),
        ('"recent_surgery"]', '"recent_surgery", "flu"]', "unknown contraindication 'flu'"),
        (', "recent_surgery"]', "]", "must hold recent_surgery"),
        ("repetitions = [3, 2]", "repetitions = [3, 0]", "'wave': level 1: 'repetitions'"),
        ("repetitions = [3, 2]", "repetitions = []", "'wave': level 1: 'repetitions'"),
        ("repetitions = [3, 2]", "repetitions = [true]", "'wave': level 1: 'repetitions'"),
        ("repetitions = [3, 2]", "repetitions = [2.5]", "'wave': level 1: 'repetitions'"),
        ("hold_s = 10", "hold_s = 0", "'wave': level 2: 'hold_s'"),
        ("hold_s = 10", "hold_s = nan", "'wave': level 2: 'hold_s'"),
        ("hold_s = 10", "holds = 10", "'wave': level 2: unknown key 'holds'"),
        ("rest_s = 20, per_side = true", "per_side = true", "'wave': level 1: the key 'rest_s' is missing"),
        ("rest_s = 20, per_side = true", "rest_s = -1, per_side = true", "'wave': level 1: 'rest_s'"),
        ('id = "wave"', "id = wave", "not TOML"),
        ("[[exercise]]", "[[exercises]]", "unknown key 'exercises'"),
    ],
)
def test_a_wrong_entry_is_named(old: str, new: str, says: str) -> None:
    assert old in ENTRY
    with pytest.raises(ProgramError) as failure:
        load_exercises(ENTRY.replace(old, new, 1), "mine.toml")
    assert says in str(failure.value)
    assert str(failure.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no \\[\\[exercise\\]\\]"),
        ("exercise = 3", "no \\[\\[exercise\\]\\]"),
        ("exercise = [3]", "exercise 1: should be a table"),
        (ENTRY + ENTRY, "exercise 2: the id 'wave' stands twice"),
        (ENTRY.split("levels")[0] + "levels = []", "'levels'"),
        (ENTRY.split("levels")[0] + "levels = [1]", "level 1: should be a table"),
    ],
)
def test_a_wrong_document_is_named(text: str, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        load_exercises(text)


def test_the_ten_core_exercises_are_there() -> None:
    assert list(library()) == [
        "bird_dog",
        "side_bridge",
        "curl_up",
        "dead_bug",
        "short_plank",
        "hip_hinge",
        "glute_bridge",
        "suitcase_carry",
        "pallof_press",
        "hip_and_upper_back_turns",
    ]
    assert exercise("curl_up") is library()["curl_up"]
    with pytest.raises(ProgramError, match="sit_up"):
        exercise("sit_up")


@pytest.mark.parametrize("one", load_exercises().values(), ids=lambda one: one.id)
def test_every_entry_is_whole(one: Exercise) -> None:
    assert len(one.levels) == len(one.dose_by_level) >= 2
    assert len(set(one.levels)) == len(one.levels)
    assert set(one.contraindications) >= ALWAYS_AGAINST
    assert one.regression.startswith("If it hurts, ")
    assert "own heuristic" in one.source or any(year in one.source for year in ("1997", "1998", "2011"))
    assert not one.flexion_loaded, "the core set loads no spine in flexion"
    for dose in one.dose_by_level:
        # McGill, press interview: holds of 10 s at most; a carry is a walk, not a still hold.
        assert dose.hold_s is None or dose.hold_s <= (20 if one.id == "suitcase_carry" else 10)
        assert 0.5 <= sum(lighter(dose).repetitions) / sum(dose.repetitions) <= 0.6


def test_each_step_up_changes_repetitions_or_lever_but_never_hold_time_or_rest() -> None:
    for one in library().values():
        assert len({dose.hold_s for dose in one.dose_by_level}) == 1
        assert len({dose.rest_s for dose in one.dose_by_level}) == 1


def test_the_three_core_exercises_start_at_six_four_two_holds_of_ten_seconds() -> None:
    for name in ("curl_up", "side_bridge", "bird_dog"):
        first, second = exercise(name).dose_by_level[:2]
        assert (first.repetitions, first.hold_s, first.rest_s) == ((6, 4, 2), 10, 20)
        assert second.repetitions == (8, 6, 4)


def test_every_kind_of_need_has_groups_a_title_and_an_exercise() -> None:
    assert set(GROUPS_BY_KIND) == NEED_KINDS
    assert set(TITLES) == NEED_KINDS | REST_KINDS
    assert not NEED_KINDS & REST_KINDS
    groups = {one.muscle_group for one in library().values()}
    for kind, places in GROUPS_BY_KIND.items():
        assert {group for place in places for group in place} <= groups
        for place in places:
            assert any(kind in one.answers and one.muscle_group == place[0] for one in library().values())
    used = {item for one in library().values() for item in one.contraindications}
    assert used == set(CONTRAINDICATIONS)


def test_importing_reads_no_file() -> None:
    code = (
        "import programs.place, programs.prescribe, programs.triage, programs.pain\n"
        "from programs.exercises import library\n"
        "assert library.cache_info().currsize == 0\n"
        "assert len(library()) == 10\n"
        "assert library() is library()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
