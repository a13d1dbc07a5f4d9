"""The service is killed with -9 while a phone pushes: what was answered with 200 is stored, once, as one recording."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coach.instance import database_path
from coach.store.engine import open_store
from coach.store.rows import many
from coach.store.tables import chunk, phone_message, stream
from devices.codec import decode_chunk
from tests.scenarios.house import a_house, wait_for
from tests.scenarios.processes import Server

RATE_HZ = 50


def message(number: int, begun_s: float) -> bytes:
    """Return a second of a phone that nods about its x axis."""
    payload = []
    for at_s in number + np.arange(RATE_HZ) / RATE_HZ:
        time_ns, angle = round((begun_s + at_s) * 1e6) * 1000, 0.5 * np.sin(at_s)
        acc = {"x": 0.0, "y": 9.81 * np.sin(angle), "z": 9.81 * np.cos(angle)}
        payload.append({"name": "totalacceleration", "time": time_ns, "values": acc})
        payload.append({"name": "gyroscope", "time": time_ns, "values": {"x": 0.5 * np.cos(at_s), "y": 0.0, "z": 0.0}})
    return json.dumps({"messageId": number, "sessionId": "s", "deviceId": "d", "payload": payload}).encode()


@pytest.mark.proof
def test_what_a_phone_was_answered_is_stored_once(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    kills = full_or_quick(6, 1)
    seconds = 14 * (kills + 1)
    with a_house(tmp_path / "house") as house:
        _, token = house.services.phones.add(house.athlete, house.athlete_id, "My phone", "lower_back")
    server = Server(tmp_path / "house")
    server.start()
    begun_s = time.time() - seconds
    try:
        for number in range(seconds):
            if number and number % 14 == 0:
                server.kill()
                server.start()
            request = urllib.request.Request(
                f"{server.url}/api/v1/phone", message(number, begun_s), {"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 200
        with open_store(database_path(tmp_path / "house")) as store:

            def all_cut() -> bool:
                with store.read() as tx:
                    return not many(tx, phone_message.select())

            wait_for(all_cut, 60, "the phone's last chunk")
            with store.read() as tx:
                joined = chunk.join(stream, stream.c.id == chunk.c.stream_id).select().order_by(chunk.c.seq)
                chunks = [decode_chunk(bytes(row["blob"])) for row in many(tx, joined)]
    finally:
        server.stop()
    assert len({each.recording_id for each in chunks}) == 1
    assert [each.seq for each in chunks] == list(range(len(chunks)))
    index = np.concatenate([np.arange(each.start_index, each.start_index + len(each)) for each in chunks])
    np.testing.assert_array_equal(index, np.arange(seconds * RATE_HZ))
    acc = np.concatenate([each.acc_mps2 for each in chunks])
    angle = np.degrees(np.arctan2(acc[:, 1], acc[:, 2]))
    np.testing.assert_allclose(angle, np.degrees(0.5 * np.sin(index / RATE_HZ)), atol=0.05)
    figure("kills while a phone pushed", kills, "")
    figure("acknowledged samples stored once", len(index), "")
