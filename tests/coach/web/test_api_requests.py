"""How programs ask: parts of a list, the same request twice, bodies that are none, methods, and the raw signal."""

from __future__ import annotations

from itertools import pairwise

import pytest

from coach.log import unpack
from coach.service.diary import CheckIn
from coach.service.personal_tokens import TokenScope
from coach.web.described import JSON_BYTES_MAX
from devices.codec import decode_chunk
from tests.coach.web.conftest import standing_then_bending
from tests.coach.web.told import stream_of


@pytest.fixture
def ask(world):
    """A program with every scope of Ada's: method, path, and what else is sent."""
    secret = world.services.personal_tokens.make(world.ada.identity, "program", list(TokenScope)).secret
    client = world.client()

    def send(path: str, method: str = "GET", headers: dict[str, str] | None = None, **sent):
        sent["headers"] = {"Authorization": f"Bearer {secret}"} | (headers or {})
        return client.open(f"/api/v1{path}", method=method, **sent)

    return send


def checkins(world, count: int) -> list[str]:
    made = []
    for number in range(count):
        told = world.services.diary.check_in(world.ada.identity, world.ada.athlete_id, CheckIn(number), f"k{number}")
        made.append(told.checkin_id)
        world.clock.forward(minutes=1)
    return made[::-1]


def test_a_list_is_read_part_by_part_whatever_comes_in_front(world, ask) -> None:
    made, path = checkins(world, 5), f"/athletes/{world.ada.athlete_id}/checkins"
    seen, cursor = [], None
    while True:
        part = ask(path, query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).get_json()
        seen += [each["checkin_id"] for each in part["items"]]
        cursor = part["next"]
        if cursor is None:
            break
        assert len(part["items"]) == 2
        checkins_before = world.services.diary.check_in(
            world.ada.identity, world.ada.athlete_id, CheckIn(1), f"in front {len(seen)}"
        )
        assert checkins_before.checkin_id not in seen
    assert seen == made


def test_a_cursor_of_what_has_gone_is_said_to_be_none(world, ask) -> None:
    made, path = checkins(world, 3), f"/athletes/{world.ada.athlete_id}/checkins"
    cursor = ask(path, query_string={"limit": 1}).get_json()["next"]
    assert cursor == made[0]
    assert ask(f"/checkins/{cursor}", "DELETE").status_code == 204
    answer = ask(path, query_string={"cursor": cursor})
    assert (answer.status_code, "without a cursor" in answer.get_json()["error"]["what"]) == (404, True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1_0", "limit=1&limit=2", "what=1", "cursor=%00"]
)
def test_a_question_that_is_none_is_422(world, ask, query: str) -> None:
    answer = ask(f"/athletes/{world.ada.athlete_id}/checkins?{query}")
    assert answer.status_code == 422
    assert isinstance(answer.get_json()["error"]["what"], str)


def test_recordings_are_read_part_by_part_from_the_database(world, ask) -> None:
    path = f"/athletes/{world.ada.athlete_id}/recordings"
    part = ask(path, query_string={"limit": 1}).get_json()
    assert ([each["stream_id"] for each in part["items"]], part["next"]) == ([stream_of(world)], None)
    after = ask(path, query_string={"cursor": stream_of(world)}).get_json()
    assert (after["items"], after["next"]) == ([], None)
    assert ask(path, query_string={"cursor": "nobodys"}).status_code == 404


def test_the_raw_signal_comes_back_chunk_by_chunk_as_it_was_sent(world, ask) -> None:
    sent, got, seq = standing_then_bending(), [], "0"
    while seq is not None:
        answer = ask(f"/recordings/{stream_of(world)}/chunks", query_string={"seq": seq, "limit": 60})
        assert answer.content_type == "application/octet-stream"
        got += [decode_chunk(blob) for blob in unpack(answer.data)]
        seq = answer.headers.get("Backstop-Next-Seq")
    assert [each.seq for each in got] == [each.seq for each in sent]
    for one, other in zip(got, sent, strict=True):
        # Kept as 16 bit; half a step of 4 g and 2,000 deg/s.
        assert abs(one.acc_mps2 - other.acc_mps2).max() < 0.005
        assert abs(one.gyr_radps - other.gyr_radps).max() < 0.005
    assert all(after.start_utc_s > before.start_utc_s for before, after in pairwise(got))


def test_the_same_key_is_the_same_entry(world, ask) -> None:
    path, key = f"/athletes/{world.ada.athlete_id}/trainings", {"Idempotency-Key": "monday-run"}
    body = {"what": "Run", "duration_min": 30, "effort": 4}
    first, again = (ask(path, "POST", key, json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert ask(path, "POST", json=body).get_json()["training_id"] != first.get_json()["training_id"]
    assert len(ask(path).get_json()["items"]) == 2
    for wrong in ("", "a b", "ä", "k" * 101):
        assert ask(path, "POST", {"Idempotency-Key": wrong}, json=body).status_code == 422, wrong
    assert len(ask(path).get_json()["items"]) == 2


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (415, {"data": b"{}"}),
        (415, {"data": {"pain_at_rest": "2"}}),
        (415, {"data": b'{"pain_at_rest": 2}', "content_type": "text/json"}),
        (415, {}),
        (422, {"data": b"", "content_type": "application/json"}),
        (422, {"data": b"[" * 20_000, "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest":' + b"[" * 500 + b"]" * 500 + b"}", "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest": NaN}', "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest": "2"}', "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest": true}', "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest": 11}', "content_type": "application/json"}),
        (422, {"data": b'{"pain_at_rest": 2, "more": 1}', "content_type": "application/json"}),
        (422, {"data": b'{"note": "a\\u0000b"}', "content_type": "application/json"}),
        (422, {"data": b'{"note": "\\ud800"}', "content_type": "application/json"}),
        (422, {"data": b'{"note": "\xff"}', "content_type": "application/json"}),
        (413, {"data": b" " * (JSON_BYTES_MAX + 1), "content_type": "application/json"}),
        (201, {"data": b'{"pain_at_rest": 2.0}', "content_type": "application/json; charset=utf-8"}),
    ],
)
def test_a_body_is_what_it_should_be_or_nothing_is_kept(world, ask, status: int, sent: dict) -> None:
    path = f"/athletes/{world.ada.athlete_id}/checkins"
    answer = ask(path, "POST", **sent)
    assert answer.status_code == status, answer.text[:200]
    if status >= 400:
        assert isinstance(answer.get_json()["error"]["what"], str)
    assert len(ask(path).get_json()["items"]) == (status == 201)


def test_what_was_sent_is_not_repeated_in_what_went_wrong(world, ask) -> None:
    """It may be health text, and what goes wrong is logged by whoever asked."""
    body = {"note": "sciatica since May", "pain_at_rest": "a secret pain", "sites": ["my secret place"]}
    answer = ask(f"/athletes/{world.ada.athlete_id}/checkins", "POST", json=body)
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert "sciatica" not in answer.text


def test_heads_options_and_other_methods(world, ask) -> None:
    path = f"/athletes/{world.ada.athlete_id}"
    head, got = ask(path, "HEAD"), ask(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert set(ask(path, "OPTIONS").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    wrong = ask(path, "DELETE")
    assert (wrong.status_code, "GET" in wrong.headers["Allow"]) == (405, True)
    assert isinstance(wrong.get_json()["error"]["what"], str)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "", "application/json;q=0"])
def test_programs_get_json_whatever_they_say_they_accept(world, ask, accept: str) -> None:
    for path in (f"/athletes/{world.ada.athlete_id}", "/athletes/nobody", "/no/such/address"):
        assert ask(path, headers={"Accept": accept}).content_type == "application/json"
