"""The wall: who is offered, what is kept, what its one stream tells, who leaves it."""

from __future__ import annotations

import json

import pytest

from coach.service.types import Level, Purpose
from coach.web import live
from tests.coach.web.test_live_stream import events_of, signal
from tests.coach.web.test_pages import text_of


def every(first: int, degrees: list[float | None]) -> dict[str, object]:
    """A signal event of samples first … of a recording at 50 Hz, with all of them."""
    thin = signal(100.0 + first / 50, degrees[::4])
    whole = {"recording_id": "rec", "first": first, "start_utc_s": 100.0 + first / 50, "rate_hz": 50.0, "deg": degrees}
    return thin | {"every": whole, "repetitions": 3, "placement": "chest", "wearable_id": "w", "since_utc_s": 100.0}


def choose(world, csrf_of, *athlete_ids: str, person=None):  # type: ignore[no-untyped-def]
    client = world.client(person or world.kim)
    return client.post("/wall", data={"athlete_id": list(athlete_ids), "csrf_token": csrf_of(client)})


def test_the_choice_is_offered_kept_and_put_in_order(world, csrf_of) -> None:
    zoe = world.services.athletes.create("Zoe", "Europe/Berlin", world.kim.identity.user_id)
    page = text_of(world.client(world.kim).get("/wall").text)
    assert "Ada" in page
    assert "Zoe" in page
    assert "Bo" not in page.split()  # Lou's
    assert choose(world, csrf_of, zoe, world.ada.athlete_id).status_code == 303
    again = world.client(world.kim).get("/wall").text  # another browser of the same coach
    tiles = [again.index(f'data-tile="{each}"') for each in (zoe, world.ada.athlete_id)]
    assert tiles == sorted(tiles)
    assert choose(world, csrf_of).status_code == 303
    assert "data-tile" not in world.client(world.kim).get("/wall").text


@pytest.mark.parametrize("ended", [Purpose.SENSING, Purpose.SHARING])
def test_who_takes_a_consent_back_is_neither_offered_nor_shown(world, csrf_of, ended: Purpose) -> None:
    ada = world.ada.athlete_id
    choose(world, csrf_of, ada)
    world.services.consents.withdraw(world.ada.identity, ada, ended)
    page = world.client(world.kim).get("/wall").text
    assert f'data-tile="{ada}"' not in page
    assert f'value="{ada}"' not in page
    assert choose(world, csrf_of, ada).status_code == 404
    # Agreed to anew, the tile is where it was.
    world.services.consents.agree(world.ada.identity, ada, ended)
    if ended is Purpose.SHARING:
        world.services.athletes.link_coach(world.kim.identity.user_id, ada)
    assert f'data-tile="{ada}"' in world.client(world.kim).get("/wall").text


def test_nobody_puts_a_strangers_athlete_or_too_many_on_the_wall(world, csrf_of) -> None:
    assert choose(world, csrf_of, world.bo.athlete_id).status_code == 404
    many = [world.services.athletes.create(f"A{n}", "UTC", world.kim.identity.user_id) for n in range(13)]
    refused = choose(world, csrf_of, *many)
    assert refused.status_code == 422
    assert "12 tiles" in text_of(refused.text)
    assert world.services.walls.chosen(world.kim.identity) == ()
    assert choose(world, csrf_of, *many[:12]).status_code == 303


def test_one_stream_brings_every_sample_of_all_tiles(world, csrf_of) -> None:
    ada = world.ada.athlete_id
    zoe = world.services.athletes.create("Zoe", "Europe/Berlin", world.kim.identity.user_id)
    choose(world, csrf_of, ada, zoe)
    answer = world.client(world.kim).get("/wall/stream", buffered=False)
    assert world.feed.readers == 1
    assert world.feed.wants_every_sample(ada)
    assert not world.feed.wants_every_sample(world.bo.athlete_id)
    for number in range(3):
        world.feed.publish(ada, every(12 * number, [float(number)] * 11 + [None]))
    world.feed.publish(zoe, every(0, [40.0] * 12))
    world.feed.publish(world.bo.athlete_id, every(0, [80.0] * 12))
    state, news = events_of(answer, 2)
    assert set(state["status"]) == {ada, zoe}
    assert state["status"][ada]["sentence"] == "Chest strap: not connected"
    assert set(news["tiles"]) == {ada, zoe}
    runs = news["tiles"][ada]["runs"]
    assert [run["first"] for run in runs] == [0, 12, 24]
    assert [value for run in runs for value in run["deg"]] == [0.0] * 11 + [None] + [1.0] * 11 + [None] + [2.0] * 11 + [
        None
    ]
    assert news["tiles"][ada]["bends"] == 7
    assert news["tiles"][ada]["repetitions"] == 3
    assert not world.feed.wants_every_sample(ada)


def test_a_slow_page_misses_no_sample_for_a_quarter_of_a_minute(world, csrf_of) -> None:
    ada = world.ada.athlete_id
    choose(world, csrf_of, ada)
    answer = world.client(world.kim).get("/wall/stream", buffered=False)
    for number in range(60):
        world.feed.publish(ada, every(12 * number, [1.0] * 12))
    _, news = events_of(answer, 2)
    assert [run["first"] for run in news["tiles"][ada]["runs"]] == list(range(0, 720, 12))


def test_who_stops_sharing_leaves_the_wall_of_an_open_page(world, csrf_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALLOWED_S", 0.1)
    monkeypatch.setattr(live, "BATCH_S", 0.05)
    ada = world.ada.athlete_id
    zoe = world.services.athletes.create("Zoe", "Europe/Berlin", world.kim.identity.user_id)
    choose(world, csrf_of, ada, zoe)
    answer = world.client(world.kim).get("/wall/stream", buffered=False)
    told: list[dict[str, object]] = []
    for part in answer.response:
        lines = [line for line in part.decode().splitlines() if line.startswith("data: ")]
        told += [json.loads(line.removeprefix("data: ")) for line in lines]
        if told and "status" in told[0] and len(told) == 1:
            world.services.consents.withdraw(world.ada.identity, ada, Purpose.SHARING)
        if any("gone" in news for news in told):
            break
    assert told[-1]["gone"] == [ada]
    assert not world.feed.wants_every_sample(ada)
    assert world.feed.wants_every_sample(zoe)
    answer.close()


def test_the_wall_is_one_of_the_bounded_streams(world, csrf_of) -> None:
    choose(world, csrf_of, world.ada.athlete_id)
    client = world.client(world.kim)
    opened = [client.get("/wall/stream", buffered=False) for _ in range(3)]
    refused = client.get("/wall/stream")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    for answer in opened:
        answer.close()
    assert world.feed.readers == 0


def test_a_coach_who_may_only_look_has_a_wall_and_the_athlete_reads_who_looked(world, csrf_of) -> None:
    world.services.sharing.set_level(world.ada.identity, world.ada.athlete_id, world.kim.identity.user_id, Level.VIEW)
    assert choose(world, csrf_of, world.ada.athlete_id).status_code == 303
    world.client(world.kim).get("/wall/stream", buffered=False).close()
    read = world.services.ledger.of_athlete(world.ada.identity, world.ada.athlete_id)
    assert any(entry.subject == "signal" and entry.name == "Kim" for entry in read)
    assert world.client(world.ada).get("/wall").status_code == 403
