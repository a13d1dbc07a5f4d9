"""The simulated DOT: the vendor's bytes, fused orientation against the motion, a common time, heading, power off."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from devices.profiles import movella_dot_uuids as dot
from devices.sim.gatt import AttError
from devices.sim.motions import bows, lifting
from devices.sim.movella_dot_frames import MODES, write_frames
from devices.sim.wearable import SimWearable
from tests.devices.profiles.vectors import VECTORS
from tests.devices.sim.stepped import SteppedClock, frames_of

SIZES = {dot.SHORT_PAYLOAD: 20, dot.MEDIUM_PAYLOAD: 40, dot.LONG_PAYLOAD: 63}
ROOT, OTHER = "C0:FF:EE:00:00:01", "C0:FF:EE:00:00:02"


def start(wearable: SimWearable, mode: int) -> None:
    wearable.open_link(lambda: None)
    for uuid in SIZES:
        wearable.subscribe(uuid, True)
    wearable.write(dot.MEASUREMENT_CONTROL, bytes((1, 1, mode)))


def streamed(mode: int, seconds: float, motion: object = None) -> list[bytes]:
    clock = SteppedClock()
    wearable = SimWearable(motion=motion or lifting(3), clock=clock)  # type: ignore[arg-type]
    start(wearable, mode)
    frames: list[bytes] = []
    for _ in range(round(seconds * 10)):
        clock.now_s += 0.1
        frames += frames_of(wearable.take(1000))
    return frames


@pytest.mark.parametrize("number", [53, 54])
def test_the_captured_notifications_are_reproduced(number: int) -> None:
    vector = VECTORS[number]
    free = np.array([vector.expected["free_acceleration_m_per_s2"]])
    told = write_frames(6, np.array([vector.expected["timestamp_us"]]), {"free": free})
    assert told.tobytes() == vector.data


def test_the_sync_messages_are_the_vendors() -> None:
    clock = SteppedClock()
    pair = [SimWearable(motion=bows(1), clock=clock, address=address) for address in (ROOT, OTHER)]
    pair[0].meet(pair)
    root = pair[0]
    root.open_link(lambda: None)
    root.subscribe(dot.MESSAGE_NOTIFICATION, True)
    root.write(dot.MESSAGE_CONTROL, VECTORS[59].data)
    assert frames_of(root.take(9)) == [VECTORS[61].data], "not synchronised"
    root.write(dot.MESSAGE_CONTROL, bytes.fromhex("0207 01 010000eeffc0 48".replace(" ", "")))
    root.close_link()
    clock.now_s += 14.1
    root.open_link(lambda: None)
    root.subscribe(dot.MESSAGE_NOTIFICATION, True)
    assert root.read(dot.MESSAGE_ACKNOWLEDGE) == VECTORS[56].data, "done"
    assert root.read(dot.MEASUREMENT_CONTROL)[1] == 1, "after it the sensor measures"
    root.write(dot.MESSAGE_CONTROL, VECTORS[59].data)
    root.write(dot.MESSAGE_CONTROL, VECTORS[57].data)
    assert frames_of(root.take(9)) == [VECTORS[60].data, VECTORS[58].data], "synchronised, then stopped"
    with pytest.raises(AttError, match="sum"):
        root.write(dot.MESSAGE_CONTROL, b"\x02\x01\x08\xf6")
    with pytest.raises(AttError, match="bytes"):
        root.write(dot.MESSAGE_CONTROL, b"\x02\x05\x08")
    with pytest.raises(AttError, match="no message"):
        root.write(dot.MESSAGE_CONTROL, VECTORS[62].data)


def synchronised(alone_s: float, both_in_reach: bool = True) -> tuple[SteppedClock, list[SimWearable], list[int]]:
    clock = SteppedClock()
    root = SimWearable(motion=bows(1), clock=clock, address=ROOT, drift_ppm=80.0, uptime_s=100.0)
    clock.now_s += 3.7
    other = SimWearable(motion=bows(1), clock=clock, address=OTHER, drift_ppm=-120.0)
    pair = [root, other]
    for one in pair:
        one.meet(pair if both_in_reach else [one])
        one.open_link(lambda: None)
    body = bytes((2, 7, 1)) + bytes.fromhex(ROOT.replace(":", ""))[::-1]
    for one in pair:
        one.write(dot.MESSAGE_CONTROL, body + bytes((-sum(body) % 256,)))
        one.close_link()
    clock.now_s += alone_s
    results = []
    for one in pair:
        one.open_link(lambda: None)
        results.append(one.read(dot.MESSAGE_ACKNOWLEDGE)[3])
        one.close_link()
    return clock, pair, results


def test_synchronised_sensors_tell_one_time() -> None:
    clock, pair, results = synchronised(14.1)
    assert results == [0, 0]
    for one in pair:
        start(one, dot.MODE_RATE_QUANTITIES)
    clock.now_s += 600.0
    last = []
    for one in pair:
        frames = frames_of(one.take(100_000))
        last.append(struct.unpack_from("<I", frames[-1])[0])
        steps = np.diff([struct.unpack_from("<I", frame)[0] for frame in frames])
        assert set(steps) <= set(range(16660, 16672)), "no jump"
    # Each at its own sample, and both within one interval of now.
    assert abs(last[0] - last[1]) < 16_700
    truth_us = (100.0 + (clock.now_s - 1.8e9) * (1 + 80e-6)) * 1e6
    assert abs(last[0] - truth_us) < 16_700
    pair[1].power_cycle()
    start(pair[1], dot.MODE_RATE_QUANTITIES)
    clock.now_s += 1.0
    assert struct.unpack_from("<I", frames_of(pair[1].take(100))[-1])[0] < 1e6 + 1, "its own time again"


def test_a_synchronisation_needs_time_and_the_root() -> None:
    assert synchronised(13.0)[2] == [5, 5]
    assert synchronised(20.0, both_in_reach=False)[2] == [0, 5]
    alone = SimWearable(motion=bows(1), clock=SteppedClock())
    assert alone.read(dot.MESSAGE_ACKNOWLEDGE)[3] == 9, "never asked for"


@pytest.mark.parametrize("mode", sorted(MODES))
def test_each_mode_goes_where_it_belongs_padded(mode: int) -> None:
    clock = SteppedClock()
    wearable = SimWearable(motion=lifting(3), clock=clock)
    start(wearable, mode)
    clock.now_s += 1.0
    parts = wearable.take(100)
    assert {part.size for part in parts} == {SIZES[part.uuid] for part in parts}
    frames = frames_of(parts)
    assert len(frames) == 60
    assert [struct.unpack_from("<I", frame)[0] for frame in frames[:2]] == [16667, 33333]


def test_the_fused_tilt_is_the_motions() -> None:
    motion = lifting(3)
    rows = np.array([struct.unpack_from("<I4f3f", frame) for frame in streamed(3, 90.0)])
    t_s, pose, free = rows[:, 0] / 1e6 - rows[0, 0] / 1e6, rows[:, 1:5], rows[:, 5:]
    np.testing.assert_allclose(np.linalg.norm(pose, axis=1), 1.0, atol=1e-6)
    # The trunk's long axis in earth axes, of the quaternion alone.
    w, v = pose[:, :1], pose[:, 1:]
    axis = motion.upright_in_sensor()[None, :].repeat(len(pose), axis=0)
    axis = axis + 2 * np.cross(v, np.cross(v, axis) + w * axis)
    told_deg = np.degrees(np.arccos(np.clip(axis[:, 2], -1, 1)))
    truth_deg = motion.inclination_deg(t_s)
    assert truth_deg.max() > 45
    assert np.abs(told_deg - truth_deg).max() < 4.0
    # What gravity leaves is small at the start, where the body stands.
    assert np.abs(free[: 20 * 60]).max() < 1.0


def test_euler_angles_and_quaternions_tell_the_same() -> None:
    poses = np.array([struct.unpack_from("<I4f", frame)[1:] for frame in streamed(5, 30.0)])
    angles = np.radians([struct.unpack_from("<I3f", frame)[1:] for frame in streamed(4, 30.0)])
    cos, sin = np.cos(angles / 2), np.sin(angles / 2)
    (cr, cp, cy), (sr, sp, sy) = cos.T, sin.T
    same = np.stack(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ],
        axis=1,
    )
    np.testing.assert_allclose(np.abs((same * poses).sum(axis=1)), 1.0, atol=1e-5)


def test_delta_quantities_add_up_to_the_rates() -> None:
    delta = np.array([struct.unpack_from("<I4f3f", frame)[1:] for frame in streamed(19, 10.0)])
    rates = np.array([struct.unpack_from("<I3f3f", frame)[1:] for frame in streamed(21, 10.0)])
    np.testing.assert_allclose(delta[:, 4:] * 60, rates[:, :3], atol=1e-4)
    np.testing.assert_allclose(2 * delta[:, 1:4] * 60, np.radians(rates[:, 3:]), atol=1e-3)


def test_the_heading_is_reset_once_while_measuring() -> None:
    clock = SteppedClock()
    wearable = SimWearable(motion=lifting(3), clock=clock)
    with pytest.raises(AttError, match="while measuring"):
        wearable.write(dot.HEADING_CONTROL, dot.HEADING_RESET)
    start(wearable, 4)
    clock.now_s += 20.0
    before = struct.unpack_from("<I3f", frames_of(wearable.take(10_000))[-1])[3]
    assert abs(before) > 1.0
    wearable.write(dot.HEADING_CONTROL, dot.HEADING_RESET)
    clock.now_s += 0.02
    assert abs(struct.unpack_from("<I3f", frames_of(wearable.take(10))[-1])[3]) < 0.5
    with pytest.raises(AttError, match="once"):
        wearable.write(dot.HEADING_CONTROL, dot.HEADING_RESET)
    wearable.write(dot.HEADING_CONTROL, dot.HEADING_REVERT)
    clock.now_s += 0.02
    assert struct.unpack_from("<I3f", frames_of(wearable.take(10))[-1])[3] == pytest.approx(before, abs=0.5)


def test_a_power_off_is_reported_and_ends_the_link() -> None:
    lost: list[bool] = []
    wearable = SimWearable(motion=bows(1), clock=SteppedClock())
    wearable.open_link(lambda: lost.append(True))
    wearable.subscribe(dot.DEVICE_REPORT, True)
    control = bytearray(wearable.read(dot.DEVICE_CONTROL))
    control[0], control[2] = 0x02, 0x01
    wearable.write(dot.DEVICE_CONTROL, bytes(control))
    (report,) = frames_of(wearable.take(10))
    assert (report[0], len(report)) == (1, 36)
    wearable.take(10)
    assert lost == [True]
    assert wearable.advertisement() is None
