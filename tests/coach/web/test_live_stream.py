"""The event stream: what is in it, how many there may be, that it ends."""

from __future__ import annotations

import json

import pytest

from coach.web import live
from coach.web.house import house_of


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
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Accel-Buffering"] == "no"
    world.feed.publish(world.ada.athlete_id, signal(100.0, [1.04, None, 2.0], 5.0))
    world.feed.publish(world.ada.athlete_id, signal(100.2, [3.0], 6.0))
    world.feed.publish(world.ada.athlete_id, {"kind": "finding"})
    world.feed.publish(world.ada.athlete_id, {"kind": "plan"})
    world.feed.publish(world.bo.athlete_id, signal(1.0, [90.0]))
    event = events_of(answer, 1)[0]
    assert [run["deg"] for run in event["signal"]] == [[1.0, None, 2.0], [3.0]]
    assert event["signal"][0]["step_s"] == pytest.approx(1 / 15)
    assert event["notified_utc_s"] == 6.0
    assert event["counts"] == {"bends": "7"}
    assert event["changed"] == ["finding", "plan"]
    assert event["status"]["sentence"] == "Chest strap: not connected"
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
    seen = []
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
