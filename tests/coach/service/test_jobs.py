"""Jobs: entered inputs, counted repetitions, and what the models say; load and reach never come from a wearable."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from coach.analysis.types import NotComputable
from coach.errors import InvalidInput, NoSuch, NotAllowed
from coach.live import LiveFeed
from coach.service.jobs import Count
from coach.worker import Worker
from tests.coach.club import START, Club, bending_chunks

VAN = [{"load_kg": "10", "reach_m": "0.5", "repetitions": "500"}]
TODAY = date(2026, 11, 24)


def add(
    club: Club, tasks: list[dict[str, str]], counted: list[dict[str, str]] | None = None, model: str = "lifft"
) -> str:
    return club.services.jobs.add(
        club.coach, club.athlete_id, "Unloading", model, tasks, counted or [{} for _ in tasks]
    )


def wear(club: Club) -> None:
    """Let the chest bend six times a minute for ten minutes, after ten still seconds."""
    club.services.log.append(bending_chunks(10.2, 6.0, START.timestamp()))
    Worker(club.services, LiveFeed()).drain()
    club.clock.forward(hours=1)
    club.services.motion.close_stale(club.clock.now)


def test_an_entered_job_gives_the_published_example(club: Club) -> None:
    found = club.services.jobs.get(club.athlete, add(club, VAN), TODAY)
    assert not isinstance(found.answer, NotComputable)
    # Facts, T3: D .0023341, P .2707.
    assert found.answer.values["damage"] == pytest.approx(0.0023341, rel=1e-4)
    assert found.answer.values["high_incidence_job_probability"] == pytest.approx(0.2707, abs=1e-4)
    assert set(found.answer.inputs.values()) == {"entered"}
    assert found.counts == ()


def test_what_is_left_open_is_asked_for(club: Club) -> None:
    found = club.services.jobs.get(club.coach, add(club, [{"load_kg": "10", "repetitions": "500"}]), TODAY)
    assert isinstance(found.answer, NotComputable)
    assert found.answer.needs == "reach"


def test_repetitions_come_from_the_wearable_and_only_where_it_was_worn(club: Club) -> None:
    job_id = add(club, [{"load_kg": "10", "reach_m": "0.5"}], [{"repetitions": "bends"}])
    nothing = club.services.jobs.get(club.coach, job_id, TODAY)
    assert isinstance(nothing.answer, NotComputable)
    assert nothing.answer.needs == "number of repetitions"
    assert nothing.counts[0].count is None
    wear(club)
    found = club.services.jobs.get(club.coach, job_id, TODAY)
    assert not isinstance(found.answer, NotComputable)
    (counted,) = found.counts
    assert counted.what is Count.BENDS
    assert counted.count == pytest.approx(60, abs=1)
    assert counted.covered_s == pytest.approx(612, abs=5)
    assert found.answer.inputs["number of repetitions"] == "measured"
    per_lift = club.services.jobs.get(club.coach, add(club, VAN), TODAY).answer
    assert not isinstance(per_lift, NotComputable)
    assert found.answer.values["damage"] == pytest.approx(per_lift.values["damage"] * counted.count / 500)
    yesterday = club.services.jobs.get(club.coach, job_id, TODAY - timedelta(days=1))
    assert isinstance(yesterday.answer, NotComputable)


def test_what_two_recordings_or_two_places_saw_at_once_counts_once(club: Club) -> None:
    """A file imported beside what came live, and a second wearable."""
    job_id = add(club, [{"load_kg": "10", "reach_m": "0.5"}], [{"repetitions": "bends"}])
    wear(club)
    (before,) = club.services.jobs.get(club.coach, job_id, TODAY).counts
    low = "C0:FF:EE:00:00:02"
    club.services.wearables.add(club.athlete, club.athlete_id, low, "movella-dot", "Belt", "lower_back")
    club.services.log.append(bending_chunks(10.2, 6.0, START.timestamp(), "file"))
    club.services.log.append(bending_chunks(10.2, 6.0, START.timestamp(), "belt", low))
    Worker(club.services, LiveFeed()).drain()
    club.clock.forward(hours=1)
    club.services.motion.close_stale(club.clock.now)
    (after,) = club.services.jobs.get(club.coach, job_id, TODAY).counts
    # Of a minute that neither has seen whole nobody knows whether they saw the same part.
    assert (after.count, after.covered_s) == (
        pytest.approx(before.count, abs=1),
        pytest.approx(before.covered_s, abs=20),
    )


def test_a_pace_is_counted_per_worn_minute(club: Club) -> None:
    lift = {"load": "10", "horizontal": "25", "vertical": "75", "distance": "25", "asymmetry_deg": "0",
            "duration_h": "1", "recovery_h": "1", "coupling": "good"}  # fmt: skip
    job_id = add(club, [lift], [{"per_min": "bends"}], "niosh")
    wear(club)
    counted = club.services.jobs.get(club.coach, job_id, TODAY).answer
    entered = club.services.jobs.get(club.coach, add(club, [lift | {"per_min": "5.88"}], model="niosh"), TODAY).answer
    assert not isinstance(counted, NotComputable)
    assert not isinstance(entered, NotComputable)
    assert counted.values["lifting_index"] == pytest.approx(entered.values["lifting_index"], rel=0.02)


@pytest.mark.parametrize("field", ["load_kg", "reach_m"])
def test_load_and_reach_never_come_from_a_wearable(club: Club, field: str) -> None:
    with pytest.raises(InvalidInput, match="cannot come from a wearable"):
        add(club, VAN, [{field: "bends"}])


@pytest.mark.parametrize(
    ("tasks", "model", "says"),
    [
        ([{"load_kg": "ten"}], "lifft", "'ten' is no number"),
        ([{**VAN[0], "load_kg": "900"}], "lifft", "impossible"),
        ([{"colour": "1"}], "lifft", "no input of lifft"),
        (VAN, "lift", "No model is called 'lift'"),
        ([], "lifft", "1 to 12 tasks"),
        ([{"load_kg": "1" * 41}], "lifft", "at most 40 characters"),
        ([{}, {}], "hal", "exactly one task"),
    ],
)
def test_wrong_input_is_one_sentence(club: Club, tasks: list[dict[str, str]], model: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        add(club, tasks, model=model)
    assert club.services.jobs.of_athlete(club.coach, club.athlete_id, TODAY) == ()


def test_only_the_coach_describes_and_removes_and_strangers_find_nothing(club: Club) -> None:
    job_id = add(club, VAN)
    with pytest.raises(NotAllowed):
        club.services.jobs.add(club.athlete, club.athlete_id, "Mine", "lifft", VAN, [{}])
    with pytest.raises(NotAllowed):
        club.services.jobs.remove(club.athlete, job_id)
    assert [each.job_id for each in club.services.jobs.of_athlete(club.athlete, club.athlete_id, TODAY)] == [job_id]
    club.services.jobs.remove(club.coach, job_id)
    with pytest.raises(NoSuch):
        club.services.jobs.get(club.coach, job_id, TODAY)
    assert club.services.jobs.of_athlete(club.coach, club.athlete_id, TODAY) == ()


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ("niosh", {"load": "20", "horizontal": "40", "vertical": "30", "distance": "60", "asymmetry_deg": "30",
                   "per_min": "3", "duration_h": "1", "recovery_h": "1", "coupling": "fair"}),
        ("hal", {"frequency_hz": "0.5", "duty_percent": "50"}),
        ("strain-index", {"effort_share": "0.2", "efforts_per_min": "10", "effort_duration_s": "1", "wrist_deg": "0",
                          "hours_per_day": "8"}),
        ("duet", {"effort": "4", "repetitions": "1350"}),
    ],
)  # fmt: skip
def test_each_model_can_be_asked(club: Club, model: str, task: dict[str, str]) -> None:
    answer = club.services.jobs.get(club.coach, add(club, [task], model=model), TODAY).answer
    assert not isinstance(answer, NotComputable)
    assert all(value == value for value in answer.values.values())
