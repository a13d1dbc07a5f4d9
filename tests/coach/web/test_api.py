"""The interface for programs: chunks in, JSON out, errors in one form."""

from __future__ import annotations

import numpy as np
import pytest

from coach.errors import StoreUnavailable
from devices.codec import encode_chunk
from devices.types import Chunk

ADDRESS = "C0:FF:EE:00:00:01"


def chunk(seq: int, device_id: str = ADDRESS) -> Chunk:
    n = 125
    acc = np.tile([9.81, 0.0, 0.0], (n, 1))
    return Chunk(device_id, "api", seq, 1_795_000_000.0 + 5 * seq, seq * n, 25.0, acc, np.zeros((n, 3)))


def body_of(*chunks: Chunk) -> bytes:
    blobs = [encode_chunk(each) for each in chunks]
    return b"".join(len(blob).to_bytes(4, "big") + blob for blob in blobs)


@pytest.fixture
def gateway(world):
    """A program with Ada's token: posts a body, returns status and JSON."""
    token = world.services.tokens.issue(world.ada.identity, world.ada.athlete_id, "laptop")
    client = world.client()

    def post(body: bytes, token: str = token):
        answer = client.post("/api/v1/chunks", data=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_json()

    return post


def test_chunks_are_acknowledged_by_key_again_too(gateway) -> None:
    expected = [chunk(0).key, chunk(1).key]
    assert gateway(body_of(chunk(0), chunk(1))) == (200, {"stored": expected})
    assert gateway(body_of(chunk(0), chunk(1))) == (200, {"stored": expected})


def test_another_athletes_wearable_is_not_stored(world, gateway) -> None:
    token = world.services.tokens.issue(world.bo.identity, world.bo.athlete_id, "laptop")
    assert gateway(body_of(chunk(0)), token) == (200, {"stored": []})


def test_nothing_is_acknowledged_that_was_not_stored(world, gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    for way in ("receive", "receive_together"):
        monkeypatch.setattr(type(world.services.ingest), way, full)
    status, answer = gateway(body_of(chunk(0)))
    assert status == 503
    assert "stored" not in answer


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x00\x00\x09garbage!!", b"{}" * 40])
def test_a_body_that_is_none_is_422_or_stores_nothing(gateway, body: bytes) -> None:
    status, answer = gateway(body)
    assert status == 422 or answer == {"stored": []}
    if status == 422:
        assert isinstance(answer["error"]["what"], str)


def test_tokens(world, gateway) -> None:
    status, answer = gateway(body_of(chunk(0)), "not a token")
    assert (status, list(answer)) == (401, ["error"])
    bare = world.client().post("/api/v1/chunks", data=b"")
    assert bare.status_code == 401
    assert bare.headers["WWW-Authenticate"] == "Bearer"
    # A browser's session is no token, so no other site's page can post chunks.
    assert world.client(world.ada).post("/api/v1/chunks", data=b"").status_code == 401


def test_a_body_beyond_the_bound_is_413(gateway) -> None:
    status, answer = gateway(b"\x00" * 8_000_001)
    assert status == 413
    assert "more than" in answer["error"]["what"]


def test_what_a_coach_sees_as_json(accepted) -> None:
    client, ada = accepted.client(accepted.kim), accepted.ada.athlete_id
    rows = client.get("/api/v1/athletes").get_json()["items"]
    assert [row["athlete"]["name"] for row in rows] == ["Ada"]
    finding = client.get(f"/api/v1/athletes/{ada}/findings").get_json()["items"][0]
    assert finding["kind"] == "repeated_bending"
    assert finding["because"]["threshold"]["rate_per_min"] == 4.0
    plans = client.get(f"/api/v1/athletes/{ada}/plans").get_json()
    assert plans["active"]["state"] == "accepted"
    assert plans["proposal"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/athletes", 401), ("/api/v1/nothing", 404), ("/api/v1/chunks", 405), ("/findings/x/signal.json", 401)],
)
def test_errors_are_json_for_programs(world, path: str, status: int) -> None:
    answer = world.client().get(path)
    assert answer.status_code == status
    assert isinstance(answer.get_json()["error"]["what"], str)


def test_whoever_prefers_json_gets_it(world) -> None:
    answer = world.client(world.kim).get("/athletes/x", headers={"Accept": "application/json"})
    assert (answer.status_code, list(answer.get_json())) == (404, ["error"])


def test_health(world) -> None:
    assert world.client().get("/healthz").get_json() == {"status": "alive"}
    assert world.client().get("/readyz").get_json() == {"status": "ready"}
