"""Whatever a phone, or somebody else, posts: a message or BadPacket, and bounded readings."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import BadPacket, UnknownFormat
from devices.phone import Gathered, pack_readings, read_message, unpack_readings

NAMES = ("totalacceleration", "Accelerometer Uncalibrated", "accelerometer", "gravity", "gyroscope", "wrist motion", "")
numbers = st.one_of(st.floats(), st.integers(), st.text(max_size=6), st.none(), st.just("1.5"))
readings = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES)},
    optional={
        "time": st.one_of(numbers, st.integers(0, 2**63)),
        "values": st.one_of(st.none(), st.fixed_dictionaries({"x": numbers, "y": numbers, "z": numbers})),
        "x": numbers,
        "y": numbers,
        "z": numbers,
    },
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"payload": st.one_of(anything, st.lists(st.one_of(readings, anything), max_size=30))},
    optional={"messageId": anything, "sessionId": anything, "deviceId": anything},
)


def check(body: bytes) -> None:
    try:
        message = read_message(body)
    except BadPacket:
        return
    assert np.isfinite(message.readings).all()
    assert np.abs(message.readings[:, 2:]).max(initial=0.0) <= 1e5
    assert len(message.session_key) <= 200
    assert 0 < len(message.message_key) <= 64
    np.testing.assert_array_equal(unpack_readings(pack_readings(message.readings)), message.readings)
    assert f"{message.session_key}{message.message_key}".encode()
    with contextlib.suppress(UnknownFormat):
        Gathered(message.readings).settle()


@settings(max_examples=300, deadline=None)
@given(messages)
def test_any_message(told: dict[str, Any]) -> None:
    check(json.dumps(told).encode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    check(body)


def test_a_message_cut_anywhere() -> None:
    reading = {"name": "gravity", "time": 1764144000000000000, "values": {"x": 0.1, "y": 9.8, "z": -0.5}}
    body = json.dumps({"messageId": 7, "sessionId": "s", "deviceId": "d", "payload": [reading, reading]}).encode()
    for end in range(len(body)):
        check(body[:end])
    assert len(read_message(body).readings) == 2
    # Values beside the name, as some versions send them, mean the same.
    flat = {**{key: value for key, value in reading.items() if key != "values"}, "x": 0.1, "y": 9.8, "z": -0.5}
    body = json.dumps({"messageId": 7, "sessionId": "s", "deviceId": "d", "payload": [flat, flat]}).encode()
    np.testing.assert_array_equal(read_message(body).readings[0], [3, 1764144000, 0.1, 9.8, -0.5])


def test_half_a_sign_in_an_id() -> None:
    check(rb'{"messageId": "\ud800", "sessionId": "\udfff", "payload": []}')
