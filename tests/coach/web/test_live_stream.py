"""The event stream: what is in it, how many there may be, that it ends."""

from __future__ import annotations

import json

import pytest

from coach.web import live, streams
from coach.web.house import house_of
from coach.web.news import DayCount


def signal(start_utc_s: float, values: list[float | None], notified_utc_s: float = 1.0) -> dict[str, object]:
    return {
        "kind": "signal",
        "start_utc_s": start_utc_s,
        "rate_hz": 15.0,
        "inclination_deg": values,
        "notified_utc_s": notified_utc_s,
        "bends": 7,
    }


def events_of(answer, count: int) -> list[dict]:
    """Read until `count` data events came; the stream is closed afterwards."""
    found: list[dict] = []
    for part in answer.response:
        lines = part.decode().splitlines()
        found += [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        if len(found) >= count:
            break
    answer.close()
    return found


def test_what_happens_within_a_fifth_of_a_second_is_one_event(world) -> None:
    answer = world.client(world.kim).get(f"/live/{world.ada.athlete_id}", buffered=False)
    assert answer.content_type.startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    world.feed.publish(world.ada.athlete_id, signal(100.0, [1.04, None, 2.0], 5.0))
    world.feed.publish(world.ada.athlete_id, signal(100.2, [3.0], 6.0))
    world.feed.publish(world.ada.athlete_id, {"kind": "finding"})
    world.feed.publish(world.ada.athlete_id, {"kind": "plan"})
    world.feed.publish(world.bo.athlete_id, signal(1.0, [90.0]))
    state, event = events_of(answer, 2)
    assert [run["deg"] for run in event["signal"]] == [[1.0, None, 2.0], [3.0]]
    assert event["signal"][0]["step_s"] == pytest.approx(1 / 15)
    assert event["notified_utc_s"] == 6.0
    assert "history" not in event
    # Twelve minutes of the day are stored; the line's seven bends are taken for some of theirs.
    assert event["counts"] == {"bends": state["totals"]["bends"]}
    assert abs(int(state["totals"]["bends"]) - 71) <= 1
    assert event["changed"] == ["finding", "plan"]
    assert state["status"]["sentence"] == "Chest strap: not connected"
    assert world.feed.readers == 0


def test_beyond_the_places_the_answer_is_503_until_one_is_free(world) -> None:
    client = world.client(world.kim)
    path = f"/live/{world.ada.athlete_id}"
    open_ones = [client.get(path, buffered=False) for _ in range(3)]
    assert [answer.status_code for answer in open_ones] == [200] * 3
    refused = client.get(path)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert "what" in refused.get_json()["error"]
    open_ones[0].close()
    again = client.get(path, buffered=False)
    assert again.status_code == 200
    for answer in [*open_ones[1:], again]:
        answer.close()


def test_silence_is_kept_alive_and_stopping_ends_the_stream(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 0.3)
    monkeypatch.setattr(live, "BATCH_S", 0.05)
    answer = world.client(world.kim).get(f"/live/{world.ada.athlete_id}", buffered=False)
    seen: list[str] = []
    for part in answer.response:
        seen.append(part.decode())
        if seen[-1].startswith(": keep-alive"):
            house_of(world.app).stopping.set()
    assert seen[0].startswith("retry:")
    answer.close()
    assert world.feed.readers == 0


def test_a_stream_is_not_for_strangers(world) -> None:
    assert world.client().get(f"/live/{world.ada.athlete_id}").status_code == 401
    assert world.client(world.bo).get(f"/live/{world.ada.athlete_id}").status_code == 404
    assert world.feed.readers == 0


def test_a_page_that_opens_later_gets_the_two_minutes_before_marked_as_history(world) -> None:
    for number in range(1200):  # five minutes in quarters of a second
        world.feed.publish(world.ada.athlete_id, signal(1000.0 + number / 4, [1.0] * 4) | {"rate_hz": 16.0})
    answer = world.client(world.kim).get(f"/live/{world.ada.athlete_id}", buffered=False)
    world.feed.publish(world.ada.athlete_id, signal(1300.0, [2.0] * 4, 9.0) | {"rate_hz": 16.0})
    first, second = events_of(answer, 2)
    assert first["history"] is True
    assert "notified_utc_s" not in first
    assert [(run["start_utc_s"], len(run["deg"])) for run in first["signal"]] == [(1180.0, 120 * 16)]
    assert "history" not in second
    assert second["notified_utc_s"] == 9.0
    assert [run["start_utc_s"] for run in second["signal"]] == [1300.0]


def test_of_two_wearables_the_one_on_the_trunk_is_drawn(world) -> None:
    answer = world.client(world.kim).get(f"/live/{world.ada.athlete_id}", buffered=False)
    wrist = {"wearable_id": "w", "placement": "left_wrist"}
    chest = {"wearable_id": "c", "placement": "chest"}
    world.feed.publish(world.ada.athlete_id, signal(10.0, [80.0]) | wrist)
    world.feed.publish(world.ada.athlete_id, signal(10.0, [5.0]) | chest)
    world.feed.publish(world.ada.athlete_id, signal(11.0, [81.0]) | wrist)
    assert [run["deg"] for run in events_of(answer, 2)[1]["signal"]] == [[5.0]]


def test_who_sets_a_new_password_ends_the_streams_of_the_old_one(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALLOWED_S", 0.1)
    monkeypatch.setattr(live, "BATCH_S", 0.05)
    answer = world.client(world.ada).get(f"/live/{world.ada.athlete_id}", buffered=False)
    for number, _ in enumerate(answer.response):
        if number == 1:
            world.services.accounts.set_password(world.ada.identity.user_id, "a new password of words")
    answer.close()
    assert world.feed.readers == 0


def test_one_person_cannot_take_every_place(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAMS_PER_PERSON", 1)
    ada, path = world.client(world.ada), f"/live/{world.ada.athlete_id}"
    first = ada.get(path, buffered=False)
    second = ada.get(path, buffered=False)
    assert [first.status_code, second.status_code] == [200, 200]
    # The older one is told that it has to give way, and ends; the newer one goes on.
    assert events_of(first, 100)[-1] == {"elsewhere": True}
    assert world.feed.readers == 1
    world.feed.publish(world.ada.athlete_id, {"kind": "plan"})
    assert events_of(second, 2)[-1]["changed"] == ["plan"]
    assert world.feed.readers == 0


def test_more_tabs_than_a_person_needs_leave_places_to_others(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAMS_PER_PERSON", 2)
    ada, path = world.client(world.ada), f"/live/{world.ada.athlete_id}"
    mine = [ada.get(path, buffered=False) for _ in range(3)]
    assert world.feed.readers == 3  # until the first one has ended: a place is free when nobody sits in it
    assert events_of(mine[0], 100)[-1] == {"elsewhere": True}
    other = world.client(world.kim).get(path, buffered=False)
    assert other.status_code == 200
    for answer in [*mine[1:], other]:
        answer.close()
    assert world.feed.readers == 0


def test_asking_for_a_streams_headers_takes_no_place(world) -> None:
    assert world.client(world.kim).head(f"/live/{world.ada.athlete_id}").status_code == 200
    assert world.feed.readers == 0


def test_the_days_bends_are_those_stored_and_those_counted_live() -> None:
    count = DayCount()
    assert count.with_stored(40) == 40  # of recordings before this one
    assert count.with_live(2, True) == 40
    assert count.with_stored(41) == 41  # one of the two has been stored
    assert count.with_live(4, True) == 43
    assert count.with_stored(44) == 44  # it has caught up
    assert [count.with_live(5, True), count.with_live(9, True)] == [45, 49]
    assert count.with_stored(47) == 49  # behind again: the count does not go back
    # Another recording begins at nothing; what was stored remains.
    assert count.with_live(0, True) == 47
    assert count.with_stored(49) == 49
    assert count.with_live(2, True) == 51


def test_after_midnight_the_bends_before_it_are_of_another_day() -> None:
    count = DayCount()
    count.with_live(100, False)
    assert count.with_stored(0) == 0
    assert count.with_live(103, False) == 3
    # And a replay's live line, far ahead of the worker, is not taken for bends of yesterday.
    count = DayCount()
    count.with_live(33, True)
    assert count.with_stored(10) == 33
