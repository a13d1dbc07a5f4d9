"""The coach's list as a page, groups by forms, and the time line as JSON and as tables."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from coach.service.types import Level


@pytest.fixture
def three(world):
    """Kim's list has Bea and Zoe on it beside Ada, who has a finding and a proposal."""
    create, kim = world.services.athletes.create, world.kim.identity.user_id
    return world, create("Bea", "UTC", kim, sport="golf"), create("Zoe <b>", "UTC", kim, sport="golf")


def listed(page: str) -> list[str]:
    return re.findall(r'class="roster-who breakable"><strong>(.*?)</strong>', page)


def test_the_list_tells_who_needs_the_coach_and_why_and_hides_no_sign(three) -> None:
    world, *_ = three
    page = world.client(world.kim).get("/athletes").text
    assert listed(page) == ["Ada", "Bea", "Zoe &lt;b&gt;"]
    ada = page[page.index("Ada") : page.index("Bea")]
    assert "a proposal waits for you" in ada
    assert "new finding" in ada
    assert "1 athlete needs you" in page
    assert "Nothing new: 2 athletes" in page
    assert "Nobody is ranked by risk" in page


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("?q=be", ["Bea"]),
        ("?q=GOLF", ["Bea", "Zoe &lt;b&gt;"]),
        ("?sport=lifting", ["Ada"]),
        ("?reason=proposal", ["Ada"]),
        ("?reason=quiet", []),
        ("?reason=no%20such", []),
        ("?q=" + "x" * 500, []),
    ],
)
def test_the_list_is_narrowed_by_its_address_alone(three, asked: str, expected: list[str]) -> None:
    world, *_ = three
    answer = world.client(world.kim).get(f"/athletes{asked}")
    assert (answer.status_code, listed(answer.text)) == (200, expected)
    assert ("Nobody on your list fits this." in answer.text) is (expected == [])


def test_a_group_is_made_filled_and_shown_by_forms_alone(three, csrf_of) -> None:
    world, bea, zoe = three
    client = world.client(world.kim)
    token = {"csrf_token": csrf_of(client)}
    made = client.post("/groups", data={**token, "name": "Golfers"})
    assert made.status_code == 303
    edit = made.headers["Location"]
    assert client.get(edit).text.count('name="athlete"') == 3
    kept = client.post(edit, data={**token, "name": "Golfers", "athlete": [bea, zoe]})
    assert kept.status_code == 303
    assert listed(client.get(kept.headers["Location"]).text) == ["Bea", "Zoe &lt;b&gt;"]
    assert "Bea, Zoe &lt;b&gt;" in client.get("/groups").text
    again = client.post("/groups", data={**token, "name": "golfers"})
    assert (again.status_code, "already" in again.text) == (422, True)
    strange = client.post(edit, data={**token, "name": "Golfers", "athlete": [world.bo.athlete_id]})
    assert strange.status_code == 404
    assert client.post(f"{edit}/remove", data=token).status_code == 303
    assert client.get(edit).status_code == 404
    assert len(listed(client.get("/athletes").text)) == 3


def time_line(world, who, **asked: str):
    return world.client(who).get(f"/athletes/{world.ada.athlete_id}/time-line.json", query_string=asked)


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_from_a_finding_on_the_line_one_step_leads_to_its_signal(world) -> None:
    start, end = world.clock.now - timedelta(hours=1), world.clock.now
    told = time_line(world, world.kim, start=moment(start), end=moment(end)).json
    (found,) = told["findings"]
    assert found["href"].endswith(f"/findings/{world.finding_id}?window=0#signal")
    assert found["says"].startswith("Repeated bending, look here: Ada bent forward")
    ((begun, over),) = found["windows"]
    assert start.timestamp() <= begun < over <= end.timestamp()
    client = world.client(world.kim)
    page = client.get(found["href"].partition("#")[0]).text
    signal = re.search(r'data-window="([^"]+)"', page)
    assert signal, page
    line = client.get(signal[1].replace("&amp;", "&")).json
    assert line["t_utc_s"][0] <= begun + 30
    assert max(each for each in line["inclination_deg"] if each is not None) > 40


def test_the_page_holds_the_same_in_tables_before_any_script_ran(world) -> None:
    page = world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}").text
    numbers = page[page.index('id="time-line-numbers"') :]
    assert f"/findings/{world.finding_id}?window=0#signal" in numbers
    assert numbers.count('<tr><th scope="row">') == 84
    assert "not worn" in numbers
    near = (
        world.client(world.kim)
        .get(
            f"/athletes/{world.ada.athlete_id}/time-line",
            query_string={"start": moment(world.clock.now - timedelta(minutes=20)), "end": moment(world.clock.now)},
        )
        .text
    )
    angles = [int(each) for each in re.findall(r"<td>(\d+)°</td>", near)]
    assert max(angles) == pytest.approx(50, abs=3)


def test_what_is_read_of_the_line_stands_in_the_ledger_and_what_is_not_shown_does_not(world) -> None:
    world.services.sharing.set_level(world.ada.identity, world.ada.athlete_id, world.kim.identity.user_id, Level.VIEW)
    told = time_line(world, world.kim).json
    assert (told["tests"], told["treatments"]) == (None, None)
    assert len(told["not_shown"]) == 2
    assert "level “full”, and you have “view”" in told["not_shown"][0]
    lines = world.services.ledger.of_athlete(world.ada.identity, world.ada.athlete_id)
    assert {each.subject.value for each in lines} == {"overview", "signal", "findings", "diary", "program"}


@pytest.mark.parametrize(
    "asked",
    [
        {"start": "2026-11-24T14:00:00Z"},
        {"start": "yesterday", "end": "2026-11-24T14:00:00Z"},
        {"start": "2026-11-24T14:00:00", "end": "2026-11-24T15:00:00"},
        {"start": "2026-11-24T15:00:00Z", "end": "2026-11-24T14:00:00Z"},
        {"start": "2020-11-24T15:00:00Z", "end": "2026-11-24T14:00:00Z"},
        {"points": "2001"},
        {"points": "4٤"},
        {"more": "1"},
    ],
)
def test_a_range_that_cannot_be_is_refused_with_a_sentence(world, asked: dict[str, str]) -> None:
    answer = time_line(world, world.kim, **asked)
    assert answer.status_code == 422
    assert answer.json["error"]["what"].endswith(".")


def test_a_page_with_a_range_that_cannot_be_read_says_so(world) -> None:
    answer = world.client(world.kim).get(f"/athletes/{world.ada.athlete_id}?start=now&end=then")
    assert (answer.status_code, "cannot be read" in answer.text) == (422, True)
