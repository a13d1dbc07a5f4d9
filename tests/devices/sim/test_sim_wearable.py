"""The wearable's model by itself, on a clock that is stepped by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import Refused
from devices.profiles import movella_dot_uuids as dot
from devices.sim.gatt import Notifications
from devices.sim.motions import bows, lifting
from devices.sim.movella_dot_frames import write_frames as encode_mode
from devices.sim.wearable import SimWearable
from tests.devices.sim.stepped import SteppedClock, frames_of

START = bytes((1, 1, 21))


def encode_frames(ticks: np.ndarray, acc: np.ndarray, gyr: np.ndarray) -> np.ndarray:
    return encode_mode(21, ticks, {"acc": acc, "gyr": np.degrees(gyr)})


def streaming(clock: SteppedClock, **other: object) -> SimWearable:
    wearable = SimWearable(motion=bows(1), clock=clock, **other)  # type: ignore[arg-type]
    link(wearable)
    return wearable


def link(wearable: SimWearable) -> None:
    wearable.open_link(lambda: None)
    wearable.subscribe(dot.MEDIUM_PAYLOAD, True)
    wearable.write(dot.MEASUREMENT_CONTROL, START)


def ticks_of(parts: list[Notifications]) -> list[int]:
    return [struct.unpack_from("<I", frame)[0] for frame in frames_of(parts)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"rate_hz": 25}, "1, 4, 10, 12, 15, 20, 30, 60"),
        ({"rate_hz": float("nan")}, "1, 4, 10, 12, 15, 20, 30, 60"),
        ({"product": "toaster"}, "movella-dot"),
        ({"address": "00:11:22:33:44:55"}, "static-random"),
        ({"address": "C0:FF"}, "static-random"),
        ({"battery_share": 87}, "share"),
    ],
)
def test_what_does_not_exist_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(Refused, match=told):
        SimWearable(motion=bows(1), clock=SteppedClock(), **wrong)  # type: ignore[arg-type]


def test_frames_match_the_vendors_example_layout() -> None:
    # Time stamp of a captured frame (1143080408 us); values that float32 holds exactly.
    frame = encode_frames(np.array([1143080408]), np.array([[1.0, -2.0, 9.5]]), np.radians([[90.0, -0.5, 0.0]]))
    expected = "d8052244" + "0000803f" + "000000c0" + "00001841" + "0000b442" + "000000bf" + "00000000" + "00" * 12
    assert frame.tobytes().hex() == expected


@given(
    steps_s=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=20),
    rooms=st.lists(st.integers(0, 40), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_rhythm_of_asking_no_frame_is_lost_or_doubled(steps_s: list[float], rooms: list[int]) -> None:
    clock = SteppedClock()
    wearable = streaming(clock)
    ticks: list[int] = []
    for number, step_s in enumerate(steps_s):
        clock.now_s += step_s
        ticks += ticks_of(wearable.take(rooms[number % len(rooms)]))
    while more := ticks_of(wearable.take(1000)):
        ticks += more
    due = int((clock.now_s - 1.8e9) * 60)
    assert ticks == [round(index * 1e6 / 60) for index in range(1, due + 1)]
    assert wearable.truth.sensors["acc"].produced == wearable.truth.sensors["gyr"].sent == due
    np.testing.assert_array_equal(wearable.truth.ticks_sent, ticks)


def test_what_falls_due_without_a_listener_is_never_sent() -> None:
    clock = SteppedClock()
    wearable = streaming(clock)
    clock.now_s += 1.0
    first = ticks_of(wearable.take(1000))
    wearable.drop_link()
    clock.now_s += 2.0
    assert wearable.take(1000) == []
    link(wearable)
    assert wearable.take(1000) == []
    clock.now_s += 1.0
    second = ticks_of(wearable.take(1000))
    assert len(first) == 60
    assert second[0] - first[-1] == pytest.approx(2e6 + 1e6 / 60, abs=1.5e6 / 60)
    assert wearable.truth.connects == 2


def test_drift_makes_the_device_clock_run_faster() -> None:
    clock = SteppedClock()
    wearable = streaming(clock, drift_ppm=100.0)
    clock.now_s += 10_000.0
    assert wearable.take(0) == []
    wearable.go_silent(True)
    assert wearable.truth.sensors["acc"].produced == 600_060
    assert wearable.truth.motion_start_utc_s == pytest.approx(1.8e9 + 1 / 60, abs=1e-4)


def test_power_cycle_restarts_the_ticks_but_not_the_person() -> None:
    clock = SteppedClock()
    wearable = streaming(clock)
    clock.now_s += 100.0
    wearable.take(100_000)
    wearable.power_cycle()
    assert not wearable.connected
    clock.now_s += 1.0
    link(wearable)
    clock.now_s += 1.0
    parts = wearable.take(1000)
    ticks = ticks_of(parts)
    assert ticks[0] == pytest.approx(1e6, abs=2e4)
    # 101 s into the motion, whose period is 5 s.
    number = wearable.truth.numbers_sent[-len(ticks) :]
    assert number[0] == pytest.approx(101 * 60, abs=2)
    acc, gyr = bows(1).samples(int(number[0]), len(ticks), 60.0)
    assert b"".join(frames_of(parts)) == encode_frames(np.array(ticks), acc, gyr).tobytes()


def test_a_lower_rate_thins_the_grid() -> None:
    clock = SteppedClock()
    wearable = SimWearable(motion=lifting(2), clock=clock)
    clock.now_s += 50.0
    control = bytearray(wearable.read(dot.DEVICE_CONTROL))
    control[0], control[24:26] = 0x10, struct.pack("<H", 12)
    wearable.write(dot.DEVICE_CONTROL, bytes(control))
    link(wearable)
    clock.now_s += 10.0
    ticks = ticks_of(wearable.take(1000))
    assert len(ticks) == 120
    assert ticks[0] == pytest.approx(50e6 + 1e6 / 12, abs=2)
    acc, _ = lifting(2).samples(0, 120, 12.0)
    assert wearable.truth.numbers_sent[-len(ticks) :][0] == 0
    assert acc.shape == (120, 3)


def test_a_tag_changes_the_name_and_unmarked_fields_change_nothing() -> None:
    wearable = SimWearable(motion=bows(1), clock=SteppedClock())
    control = bytearray(wearable.read(dot.DEVICE_CONTROL))
    control[7:12] = bytes((4,)) + b"Back"
    control[0] = 0x00
    wearable.write(dot.DEVICE_CONTROL, bytes(control))
    assert wearable.name == "Movella DOT"
    control[0] = 0x08
    wearable.write(dot.DEVICE_CONTROL, bytes(control))
    assert wearable.name == "Back"


def test_battery_change_is_notified_to_who_asked() -> None:
    wearable = SimWearable(motion=bows(1), clock=SteppedClock(), battery_share=0.5)
    wearable.open_link(lambda: None)
    wearable.subscribe(dot.BATTERY_LEVEL, True)
    assert wearable.take(10) == []
    wearable.set_battery(0.07)
    assert frames_of(wearable.take(10)) == [b"\x07"]
    assert wearable.take(10) == []
