"""A phone pushes over HTTP to a server that runs: in any order, twice, in pieces, and what arrives is its motion."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from werkzeug.serving import make_server

from coach.live import LiveAnalysis
from coach.serving import LiveDoor
from coach.store.rows import many
from coach.store.tables import chunk, phone_message, stream
from coach.web import create_app
from devices.codec import decode_chunk
from devices.types import Chunk, FloatArray

RATE_HZ = 50.0
Post = Callable[..., tuple[int, str]]


def nod(t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return acc in m/s^2 and gyr in rad/s of a phone at any times (n,): still for 4 s, then it nods about x."""
    phase = 0.8 * np.maximum(t_s - 4.0, 0.0)
    angle, turning = 0.6 * (1 - np.cos(phase)), 0.48 * np.sin(phase)
    acc = 9.80665 * np.column_stack([0 * t_s, np.sin(angle), np.cos(angle)])
    return acc, np.column_stack([turning, 0 * t_s, 0 * t_s])


class Phone:
    """Encodes its motion as the app does; an encoder of its own, without a line of the decoder."""

    def __init__(self, world: Any, session: str = "s-1", seconds: int = 32) -> None:
        self.begun_s = world.clock.now.timestamp() - seconds
        self.session, self.seconds = session, seconds
        self.acc_name, self.scale = "totalacceleration", 1.0

    def _reading(self, name: str, at_s: float, values: FloatArray) -> dict[str, Any]:
        x, y, z = (float(value) for value in values)
        return {
            "name": name,
            "time": round((self.begun_s + at_s) * 1e6) * 1000,
            "values": {"z": z, "y": y, "x": x},
            "accuracy": 3,
        }

    def readings(self, second: int) -> list[dict[str, Any]]:
        """Return a second of readings: the gyroscope's times lie between the accelerometer's."""
        t_s = second + np.arange(round(RATE_HZ)) / RATE_HZ
        late_s = t_s + 0.007
        acc, gyr = nod(t_s)[0], nod(late_s)[1]
        found = [self._reading("gyroscope", at, row) for at, row in zip(late_s, gyr, strict=True)]
        if self.acc_name == "gravity":
            moving = np.column_stack([0.3 * np.sin(9 * t_s), 0 * t_s, 0 * t_s])
            found += [self._reading("gravity", at, row) for at, row in zip(t_s, acc - moving, strict=True)]
            found += [self._reading("accelerometer", at, row) for at, row in zip(t_s, moving, strict=True)]
        else:
            found += [self._reading(self.acc_name, at, row / self.scale) for at, row in zip(t_s, acc, strict=True)]
        found.append({"name": "battery", "time": found[0]["time"], "values": {"batteryLevel": 0.5}})
        return found

    def message(self, number: int, payload: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        payload = self.readings(number) if payload is None else payload
        return {"messageId": number, "sessionId": self.session, "deviceId": "phone-1", "payload": payload}

    def messages(self) -> list[dict[str, Any]]:
        return [self.message(number) for number in range(self.seconds)]


@pytest.fixture
def door(world) -> Iterator[LiveAnalysis]:
    return LiveAnalysis(world.feed, world.services.athletes.analysis_params)


@pytest.fixture
def post(world, door: LiveAnalysis) -> Iterator[Post]:
    """Post JSON to a server of this process, over a socket."""
    app = create_app(
        world.services, world.feed, world.services.motion._ground.config, "k" * 32,
        clock=world.clock, door=LiveDoor(world.services, door),
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def send(message: Any, token: str | None = None, path: str = "/api/v1/phone") -> tuple[int, str]:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    yield send
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token(world) -> str:
    return world.services.phones.add(world.ada.identity, world.ada.athlete_id, "My phone", "lower_back")[1]


def chunks_of(world, session: int = 0) -> list[Chunk]:
    """Return what is stored of the phone's recordings, by recording in order of their begin."""
    with world.services.log._store.read() as tx:
        joined = (
            chunk.join(stream, stream.c.id == chunk.c.stream_id)
            .select()
            .where(stream.c.device_id.like("phone:%"))
            .order_by(chunk.c.seq)
        )
        rows = many(tx, joined)
    by_recording: dict[str, list[Chunk]] = {}
    for row in rows:
        by_recording.setdefault(row["recording_id"], []).append(decode_chunk(bytes(row["blob"])))
    recordings = sorted(by_recording.values(), key=lambda each: each[0].start_utc_s)
    return recordings[session] if recordings else []


def waiting(world) -> int:
    with world.services.log._store.read() as tx:
        return len(many(tx, phone_message.select()))


def same_motion(found: list[Chunk], begun_s: float, seconds: int, *, acc_too: bool = True) -> None:
    """The chunks hold the phone's motion at their own times, whole and without holes."""
    assert [each.seq for each in found] == list(range(len(found)))
    assert {each.rate_hz for each in found} == {RATE_HZ}
    assert sum(len(each) for each in found) == seconds * RATE_HZ
    assert sum(each.missing for each in found) == 0
    at = 0
    for each in found:
        assert each.start_index == at
        at += len(each)
        t_s = each.start_utc_s - begun_s + np.arange(len(each)) / RATE_HZ
        acc, gyr = nod(t_s)
        if acc_too:
            np.testing.assert_allclose(each.acc_mps2, acc, atol=0.005)
        # The first sample lies before the gyroscope's first, the last one behind its last.
        there = np.isfinite(each.gyr_radps[:, 0])
        assert np.count_nonzero(~there) <= 1
        np.testing.assert_allclose(each.gyr_radps[there], gyr[there], atol=0.002)


def end(world) -> None:
    world.clock.forward(seconds=20)
    assert world.services.phones.close_quiet(world.clock.now) == 1
    assert waiting(world) == 0


def test_messages_in_order(world, post: Post, token: str, door: LiveAnalysis) -> None:
    phone = Phone(world)
    with world.feed.subscribe(world.ada.athlete_id) as reader:
        for message in phone.messages():
            status, told = post(message, token)
            assert (status, told) == (200, "Backstop has 100 readings of My phone.")
            assert waiting(world) <= 13  # what is in chunks does not wait any more
        assert len(chunks_of(world)) >= 5  # before the end, without anybody's doing
        door.work()
        line = [event for event in reader.get_batch(1.0) if event["kind"] == "signal"]
    assert {event["placement"] for event in line} == {"lower_back"}
    assert sum(len(event["t_utc_s"]) for event in line) > 200
    end(world)
    same_motion(chunks_of(world), phone.begun_s, phone.seconds)
    view = next(each for each in world.services.wearables.for_athlete(world.ada.athlete_id) if each.family == "phone")
    assert view.status is not None


@pytest.mark.parametrize("seed", range(3))
def test_messages_overtake_each_other_come_twice_and_in_pieces(world, post: Post, token: str, seed: int) -> None:
    chance = random.Random(seed)
    phone, sent = Phone(world), []
    for number, message in enumerate(phone.messages()):
        payload = message["payload"]
        chance.shuffle(payload)
        at = chance.randrange(len(payload))
        for piece, part in enumerate((payload[:at], payload[at:])):
            # A piece may be overtaken by all of the two seconds behind it.
            sent.append((number + chance.random() * 2.5, phone.message(2 * number + piece, part)))
            if chance.random() < 0.4:
                sent.append((number + chance.random() * 20, phone.message(2 * number + piece, part)))
    for _, message in sorted(sent, key=lambda each: each[0]):
        assert post(message, token)[0] == 200
    end(world)
    same_motion(chunks_of(world), phone.begun_s, phone.seconds)


@pytest.mark.parametrize(
    ("name", "scale"), [("gravity", 1.0), ("accelerometeruncalibrated", 9.80665), ("totalacceleration", 1.0)]
)
def test_each_way_to_tell_acceleration(world, post: Post, token: str, name: str, scale: float) -> None:
    phone = Phone(world)
    phone.acc_name, phone.scale = name, scale
    for message in phone.messages():
        assert post(message, token)[0] == 200
    end(world)
    same_motion(chunks_of(world), phone.begun_s, phone.seconds)


def test_sessions_and_a_pause(world, post: Post, token: str) -> None:
    one, other = Phone(world, "s-1"), Phone(world, "s-2")
    other.begun_s += 0.011
    for number in range(one.seconds):
        assert post(one.message(number), token, path="/api/v1/phone")[0] == 200
        if not 12 <= number < 20:
            assert post(other.message(number), path=f"/api/v1/phone/{token}")[0] == 200
    world.clock.forward(seconds=20)
    assert world.services.phones.close_quiet(world.clock.now) == 2
    same_motion(chunks_of(world, 0), one.begun_s, one.seconds)
    parts = chunks_of(world, 1)
    assert sum(len(each) - each.missing for each in parts) == (other.seconds - 8) * RATE_HZ
    whole = parts[-1].start_index + len(parts[-1])
    assert whole == other.seconds * RATE_HZ


def test_what_comes_too_late_is_counted_and_said(world, post: Post, token: str) -> None:
    phone = Phone(world)
    messages = phone.messages()
    for message in messages[:3] + messages[4:]:
        assert post(message, token)[0] == 200
    status, told = post(messages[3], token)
    assert (status, told) == (200, "Backstop has 100 readings of My phone. 50 came too late.")
    end(world)
    found = chunks_of(world)
    assert sum(each.missing for each in found) == RATE_HZ


def test_a_restart_between_two_messages_loses_nothing(world, post: Post, token: str) -> None:
    phone = Phone(world)
    for number, message in enumerate(phone.messages()):
        assert post(message, token)[0] == 200
        if number == 17:
            world.services.phones._live.clear()  # all that a process remembers
    end(world)
    same_motion(chunks_of(world), phone.begun_s, phone.seconds)


def test_worn_elsewhere_begins_another_recording(world, post: Post, token: str) -> None:
    phone = Phone(world)
    mine = next(each for each in world.services.wearables.for_athlete(world.ada.athlete_id) if each.family == "phone")
    for number, message in enumerate(phone.messages()):
        if number == 16:
            world.services.wearables.set_placement(world.ada.identity, mine.wearable_id, "chest")
        assert post(message, token)[0] == 200
    end(world)
    found = [
        each
        for each in world.services.recordings.for_athlete(world.ada.athlete_id)
        if each.wearable_id == mine.wearable_id
    ]
    assert sorted(each.placement for each in found) == ["chest", "lower_back"]
    assert sum(len(each) for each in chunks_of(world, 0) + chunks_of(world, 1)) == pytest.approx(1600, abs=2)


def test_the_test_message_and_wrong_tokens_are_answered_for_the_app(world, post: Post, token: str) -> None:
    test = {"messageId": 0, "sessionId": "test", "deviceId": "phone-1", "payload": []}
    assert post(test, token) == (200, "Connected to Backstop as My phone. In this message is no motion.")
    gateway = world.services.tokens.issue(world.ada.identity, world.ada.athlete_id, "laptop")
    for wrong in (None, "nonsense", token[:-1] + ("a" if token[-1] != "a" else "b"), gateway):
        status, told = post(test, wrong)
        assert status == 499
        assert "copy the address and the header anew" in told
    assert post({"chunks": 1}, token, path="/api/v1/chunks")[0] == 401  # good for nothing else
    mine = next(each for each in world.services.wearables.for_athlete(world.ada.athlete_id) if each.family == "phone")
    world.services.wearables.forget(world.ada.identity, mine.wearable_id)
    assert post(test, token)[0] == 499
    assert waiting(world) == 0


def test_gravity_switched_off_is_said(world, post: Post, token: str) -> None:
    phone = Phone(world)
    for number in range(30):
        only = [each for each in phone.readings(number) if each["name"] == "gyroscope"]
        linear = [{**each, "name": "accelerometer"} for each in only]
        status, told = post(phone.message(number, only + linear), token)
        if status == 499:
            break
    assert status == 499
    assert "switch on Accelerometer and Gravity" in told
    assert waiting(world) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'{"payload": 3}',
        b"[" * 100_000,
        b'{"payload": [{"name": "gyroscope", "time": 1e400, "values": {"x": 1, "y": 2, "z": 3}}]}',
        b'{"payload": [3, null, {"name": 5}, {"name": "gravity"}, {"name": "gravity", "time": "x", "values": []}]}',
        b'{"messageId": {}, "payload": [{"name":"gyroscope","time":1, "values":{"x":NaN,"y":1,"z":2}}]}',
        b'{"payload": [{"name":"gyroscope","time":1764144000000000000,"values":{"x":1,"y":1,"z":1}}]}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_answered_and_nothing_is_kept(world, post: Post, token: str, body: bytes) -> None:
    status, told = post(body, token)
    assert status in {200, 499}
    assert told
    assert waiting(world) == 0


def test_too_large_a_message(post: Post, token: str) -> None:
    status, told = post(b" " * 8_100_000, token)
    assert status == 499
    assert "shorter batch" in told


def test_old_clocks_are_refused(world, post: Post, token: str) -> None:
    phone = Phone(world)
    phone.begun_s -= timedelta(days=30).total_seconds()
    status, told = post(phone.message(0), token)
    assert status == 499
    assert "clock" in told
