"""The pages of jobs: describe, read, remove; what is wrong is said and nothing is lost."""

from __future__ import annotations

import re

import pytest

FORM = {"model": "lifft", "tasks": "1", "name": "Unloading the van", "0.load_kg": "10", "0.reach_m": "0,5"}


@pytest.fixture
def coach(world):
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world.client(world.kim)


def test_a_job_is_described_read_and_removed(world, coach) -> None:
    jobs = f"/athletes/{world.ada.athlete_id}/jobs"
    assert "No job was described yet" in coach.get(jobs).text
    form = coach.get(f"{jobs}/new?model=lifft&tasks=2").text
    assert form.count('name="1.reach_m"') == 1
    assert 'name="0.repetitions.by"' in form
    assert 'name="0.load_kg.by"' not in form
    answer = coach.post(jobs, data=FORM | {"0.repetitions": "500"})
    assert answer.status_code == 303
    page = coach.get(answer.headers["Location"]).text
    assert "27 %" in page
    assert "Gallagher" in page
    assert "not about a person" in page
    assert "B: its constants are recalled" in page
    assert "of it from task 1" not in page
    listed = coach.get(jobs).text
    assert "Unloading the van" in listed
    assert "</strong> damage a workday, by the model" in listed
    assert world.client(world.ada).get(answer.headers["Location"]).status_code == 200
    assert coach.post(f"{answer.headers['Location']}/remove").status_code == 303
    assert coach.get(answer.headers["Location"]).status_code == 404


def test_a_job_with_everything_left_open_says_so(world, coach) -> None:
    jobs = f"/athletes/{world.ada.athlete_id}/jobs"
    where = coach.post(jobs, data={"model": "niosh", "tasks": "1", "name": "Boxes"}).headers["Location"]
    page = coach.get(where).text
    assert "Not enough data: needs load" in page
    assert "Everything was left open." in page
    assert "not enough data" in coach.get(jobs).text


def test_counted_repetitions_say_what_was_worn(world, coach) -> None:
    jobs = f"/athletes/{world.ada.athlete_id}/jobs"
    where = coach.post(jobs, data=FORM | {"0.repetitions.by": "counted:bends"}).headers["Location"]
    page = coach.get(where).text
    assert re.search(r"\d+ bends in \d+ min worn; what was not worn is not in it", page)
    empty = coach.get(f"{where}?day=2026-01-01").text
    assert "Not enough data: needs number of repetitions" in empty
    assert "needs a trunk sensor worn on that day" in empty


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"0.load_kg": "ten"}, "Load: &#39;ten&#39; is no number"),
        ({"name": ""}, "needs a name"),
        ({"0.load_kg.by": "counted:bends"}, "cannot come from a wearable"),
        ({"0.repetitions.by": "counted:stars"}, "a wearable counts"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(world, coach, change: dict[str, str], says: str) -> None:
    answer = coach.post(f"/athletes/{world.ada.athlete_id}/jobs", data=FORM | change)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="0,5"' in answer.text


def test_wrong_addresses_are_one_sentence(world, coach) -> None:
    jobs = f"/athletes/{world.ada.athlete_id}/jobs"
    for end in ("/new?model=lift", "/new?model=lifft&tasks=99", "?day=soon", "?day=1800-01-01"):
        assert coach.get(jobs + end).status_code == 422
    assert coach.post(jobs, data={"model": "lift"}).status_code == 422
