"""The page of when to train: what is typed is kept, what is wrong is said, and what it changes is shown before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from programs.types import Availability, Stay

PATH = "/athletes/{}/availability"
FORM = {
    "weekday": ["1", "3", "6"],
    "own0": "09:00",  # of a day that is not ticked: of no meaning
    "own3": "12:15",
    "preferred": "19:00",
    "wake": "06:30",
    "time_zone": "Europe/Berlin",
    "trip_first": ["2026-12-05", ""],
    "trip_last": ["2026-12-13", ""],
    "trip_zone": ["America/New_York", ""],
}
WANTED = Availability(
    "Europe/Berlin", (1, 3, 6), time(19), time(6, 30), times=((3, time(12, 15)),),
    travel=(Stay(date(2026, 12, 5), date(2026, 12, 13), "America/New_York"),),
)  # fmt: skip


@pytest.fixture
def path(accepted) -> str:
    return PATH.format(accepted.ada.athlete_id)


def browser(world, who, csrf_of):
    client = world.client(who)
    client.environ_base["HTTP_X_CSRFTOKEN"] = csrf_of(client)
    return client


def kept(world) -> Availability:
    return world.services.athletes.availability(world.ada.athlete_id)


def moments(world) -> dict[str, object]:
    today = world.clock.now.date()
    weeks = (world.services.plans.week(world.ada.athlete_id, today + timedelta(days=at)) for at in range(0, 35, 7))
    return {each.session_id: each.due_at for found in weeks for each in found}


@pytest.mark.parametrize("who", ["ada", "kim"])
def test_a_look_shows_what_changes_and_keeps_nothing_then_it_is_kept(accepted, path, csrf_of, who: str) -> None:
    client, before, was = browser(accepted, getattr(accepted, who), csrf_of), moments(accepted), kept(accepted)
    looked = client.post(path, data={**FORM, "do": "look"})
    assert looked.status_code == 200
    assert "What it would change" in looked.text
    assert (moments(accepted), kept(accepted)) == (before, was)
    moved = len(re.findall("→ <strong>", looked.text))
    new = looked.text.count("New: <strong>")
    answer = client.post(path, data={**FORM, "do": "keep"})
    assert answer.status_code == 303
    assert kept(accepted) == replace(WANTED, quiet=was.quiet)
    after = moments(accepted)
    assert moved == len([key for key in after if key in before and after[key] != before[key]]) > 0
    assert new == len(after.keys() - before.keys())
    page = client.get(answer.headers["Location"]).text
    assert f"{moved} moved" in page
    for field in ('name="own3" aria-label="Thursday, a time of its own" value="12:15"', 'value="America/New_York"'):
        assert field in page
    assert len(re.findall(r'name="weekday" value="\d" checked', page)) == 3
    again = client.post(path, data={**FORM, "do": "look"}).text
    assert "Every planned session stays as it is." in again


def test_a_journey_that_is_ticked_goes_and_another_is_added(accepted, path, csrf_of) -> None:
    client = browser(accepted, accepted.ada, csrf_of)
    client.post(path, data={**FORM, "do": "keep"})
    other = ("2027-01-02", "2027-01-09", "Asia/Tokyo")
    lines = {
        name: [FORM[name][0], text] for name, text in zip(("trip_first", "trip_last", "trip_zone"), other, strict=True)
    }
    client.post(path, data={**FORM, **lines, "do": "keep"})
    assert [each.time_zone for each in kept(accepted).travel] == ["America/New_York", "Asia/Tokyo"]
    client.post(path, data={**FORM, **lines, "trip_gone": "0", "do": "keep"})
    assert kept(accepted).travel == (Stay(date(2027, 1, 2), date(2027, 1, 9), "Asia/Tokyo"),)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekday": []}, "at least one weekday"),
        ({"preferred": "noon"}, "The usual time: give a time of day"),
        ({"wake": ""}, "The time of waking"),
        ({"own3": "25:00"}, "Thursday: give a time of day"),
        ({"time_zone": "Mars/Olympus"}, "is not known"),
        ({"time_zone": ""}, "is not known"),
        ({"trip_last": ["", ""]}, "fill in all three"),
        ({"trip_first": ["soon", ""]}, "is no date"),
        ({"trip_last": ["2026-12-01", ""]}, "cannot be"),
        ({"trip_zone": ["Atlantis", ""]}, "is not known"),
    ],
)
@pytest.mark.parametrize("do", ["look", "keep"])
def test_what_is_wrong_is_said_and_what_was_typed_stays(accepted, path, csrf_of, wrong, said: str, do: str) -> None:
    client, before = browser(accepted, accepted.ada, csrf_of), kept(accepted)
    answer = client.post(path, data={**FORM, **wrong, "do": do})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="19:00"' in answer.text or "preferred" in wrong
    assert kept(accepted) == before


def test_week_and_desk_lead_to_the_page(accepted, path) -> None:
    assert "/availability" in accepted.client(accepted.ada).get("/week").text
    assert path in accepted.client(accepted.kim).get(f"/athletes/{accepted.ada.athlete_id}").text
    page = accepted.client(accepted.ada).get("/availability").text
    assert "You wake at about" in page
    assert 'value="Europe/Berlin"' in page
