"""The library: its strict reader, and what every shipped entry must hold."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from programs.dose import lighter
from programs.errors import ProgramError
from programs.exercises import (
    ALWAYS_AGAINST,
    CONTRAINDICATIONS,
    EQUIPMENT,
    NEED_KINDS,
    exercise,
    harder_than,
    library,
    load_exercises,
)
from programs.prescribe import GROUPS_BY_KIND, TITLES
from programs.rest import REST_KINDS
from programs.types import Category, Dose, Exercise, Phase, Plane, SeenAs

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
category = "core"
equipment = ["none"]
sides = "each"
easier = ""
phase = "early"
seen = { placement = "wrist", as = "repetition" }
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
    assert (one.category, one.phase, one.each_side, one.easier) == (Category.CORE, Phase.EARLY, True, None)
    assert (one.placement, one.seen_as, one.equipment) == ("wrist", SeenAs.REPETITION, ("none",))
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
        ('cues = ["Wave."]', "cues = []", "'answers', 'cues' and 'equipment'"),
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
        ('"core"', '"legs"', "unknown category 'legs'"),
        ('"early"', '"later"', "unknown phase 'later'"),
        ('["none"]', '["piano"]', "unknown equipment 'piano'"),
        ('["none"]', "[]", "'answers', 'cues' and 'equipment'"),
        ('["low_endurance"]', "[]", "'answers', 'cues' and 'equipment'"),
        ('"each"', '"left"', "'sides' should be"),
        ('easier = ""', "easier = 3", "'easier' should be the id"),
        ('easier = ""', 'easier = "nod"', "names 'nod' as easier"),
        ('easier = ""', 'easier = "wave"', "lead back to 'wave'"),
        ('"wrist"', '"nose"', "unknown placement 'nose'"),
        ('"wrist"', '""', "'seen' needs a placement"),
        ('as = "repetition"', 'as = "colour"', "unknown way to be seen"),
        ('{ placement = "wrist", as = "repetition" }', "7", "'seen' should be a table"),
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


def test_the_library_covers_core_hip_thoracic_shoulder_and_recovery() -> None:
    assert len(library()) >= 45
    counts = Counter(one.category for one in library().values())
    assert set(counts) == set(Category)
    assert min(counts.values()) >= 5
    assert exercise("curl_up") is library()["curl_up"]
    with pytest.raises(ProgramError, match="sit_up"):
        exercise("sit_up")


def test_lines_lead_from_easy_to_hard() -> None:
    assert [one.id for one in harder_than("hip_hinge")] == ["light_deadlift"]
    assert {one.id for one in harder_than("half_kneeling_press")} == {"band_chop", "band_lift"}
    phases = list(Phase)
    for one in library().values():
        if one.easier is not None:
            easier = library()[one.easier]
            assert phases.index(easier.phase) <= phases.index(one.phase), one.id
    linked = {one.easier for one in library().values()} | {one.id for one in library().values() if one.easier}
    assert len(linked) >= 30


def test_every_phase_and_every_home_has_something_to_do() -> None:
    for phase in Phase:
        assert sum(one.phase is phase and one.equipment == ("none",) for one in library().values()) >= 3
    assert {item for one in library().values() for item in one.equipment} == set(EQUIPMENT)
    assert all(one.category is Category.RECOVERY or one.answers for one in library().values())


def test_what_is_early_loads_no_deep_bend_and_the_first_days_know_no_strength() -> None:
    for one in library().values():
        if one.phase is Phase.ACUTE:
            assert one.category in {Category.RECOVERY, Category.THORACIC, Category.HIP, Category.CORE}
            assert "weight" not in one.equipment
            assert "band" not in one.equipment


@pytest.mark.parametrize("one", load_exercises().values(), ids=lambda one: one.id)
def test_every_entry_is_whole(one: Exercise) -> None:
    assert len(one.levels) == len(one.dose_by_level) >= 2
    assert len(set(one.levels)) == len(one.levels)
    assert set(one.contraindications) >= ALWAYS_AGAINST
    assert one.regression.startswith("If it hurts, ")
    assert "own heuristic" in one.source or any(year in one.source for year in ("1997", "1998", "2011", "2016"))
    assert not one.flexion_loaded, "the core set loads no spine in flexion"
    longest_s = 10 if one.seen_as is SeenAs.HOLD and one.muscle_group != "hips and upper back" else 20
    for dose in one.dose_by_level:
        assert dose.per_side == one.each_side or any(other.per_side for other in one.dose_by_level)
        if one.category is Category.RECOVERY:
            continue  # rest is no load: nothing to make lighter, and it may last
        # McGill, press interview: holds of 10 s at most; a carry is a walk and a stretch is no effort.
        assert dose.hold_s is None or dose.hold_s <= longest_s
        assert 0.5 <= sum(lighter(dose).repetitions) / sum(dose.repetitions) <= 0.6


def test_each_step_up_changes_repetitions_or_lever_but_never_hold_time_or_rest() -> None:
    for one in (each for each in library().values() if each.category is not Category.RECOVERY):
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
        "assert len(library()) >= 45\n"
        "assert library() is library()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
