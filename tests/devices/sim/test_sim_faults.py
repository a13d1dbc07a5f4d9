"""What is injected and what the truth says of it, for every product: read by its own profile, held to the motion."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from devices.profiles import recognise
from devices.profiles.types import Decoded, Profile
from devices.sim.motions import lifting
from devices.sim.products import PRODUCTS
from devices.sim.wearable import SimWearable
from tests.contracts.test_wearable_contract import ACC_STEP_MPS2, NOT_TRUSTED, OWN_RATE_HZ
from tests.devices.sim.model_client import ModelClient
from tests.devices.sim.stepped import SteppedClock

MOVING = sorted(set(PRODUCTS) - {"heart-rate", "running-speed"})
# s of streaming, in which every product sends some dozens of frames.
LONG_S = 24.0
# No product puts more samples into a frame.
FRAME_MAX = 100


@dataclass
class Run:
    """One wearable on the bench, its profile, and what was read of it."""

    product: str
    clock: SteppedClock = field(default_factory=SteppedClock)
    frames: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        rate_hz = OWN_RATE_HZ.get(self.product)
        self.wearable = SimWearable(motion=lifting(7), clock=self.clock, product=self.product, rate_hz=rate_hz)
        seen = self.wearable.advertisement()
        assert seen is not None
        found = recognise(seen)
        assert found is not None
        self.profile: Profile = found
        self.client = ModelClient(self.wearable)
        self.started = asyncio.run(self.client.start(self.profile, self.frames.append))
        self.frames.clear()
        # What was sent until here is not of this run.
        self.before = self.wearable.truth

    def go(self, seconds: float = LONG_S) -> Decoded:
        """Stream, and return what the profile reads of it."""
        self.client.run(self.clock, seconds)
        return self.started.decoder.decode_many(self.frames)

    def sent(self) -> np.ndarray:
        """Return the numbers of the samples of acc that were sent intact in this run."""
        return self.wearable.truth.numbers_sent[len(self.before.numbers_sent) :]


def acc_of(read: Decoded) -> np.ndarray:
    rows = read.block.acc_mps2
    return rows[np.isfinite(rows[:, 0])]


def made(run: Run, numbers: np.ndarray) -> np.ndarray:
    acc, _ = lifting(7).samples(int(numbers.min()), int(np.ptp(numbers)) + 1, run.wearable.rate_hz)
    return acc[numbers - numbers.min()]


SPOIL: dict[str, Callable[[SimWearable], None]] = {
    "intact": lambda one: None,
    "truncate": lambda one: one.truncate_every(5),
    "corrupt": lambda one: one.corrupt_every(5),
    "foreign": lambda one: one.foreign_every(5),
    "reorder": lambda one: one.reorder_every(5),
    "delay": lambda one: one.delay_frames(0.25),
}


@pytest.mark.parametrize("product", MOVING)
@pytest.mark.parametrize("fault", SPOIL)
def test_what_is_read_is_what_the_truth_says_was_sent(product: str, fault: str) -> None:
    run = Run(product)
    SPOIL[fault](run.wearable)
    read = run.go()
    truth, before, numbers = run.wearable.truth, run.before, run.sent()
    told = acc_of(read)
    numbers = numbers[NOT_TRUSTED.get(product, 0) :]
    assert told.shape == (len(numbers), 3)
    assert np.abs(told - made(run, numbers)).max() <= ACC_STEP_MPS2
    wrong = truth.frames_damaged + truth.frames_foreign - before.frames_damaged - before.frames_foreign
    assert len(read.bad) == wrong
    assert (wrong > 0) == (fault in ("truncate", "corrupt", "foreign"))
    assert (truth.frames_reordered > 0) == (fault == "reorder")
    counts = truth.sensors["acc"]
    waiting = counts.produced - counts.sent - counts.damaged - counts.unsent
    # All that was made was sent or spoilt, but for what a delay or a swap holds back: a long frame at most.
    assert 0 <= waiting <= {"delay": FRAME_MAX, "reorder": FRAME_MAX}.get(fault, 0)


@pytest.mark.parametrize("product", MOVING)
def test_copies_are_counted_and_told_twice(product: str) -> None:
    run = Run(product)
    # Not a multiple of two, since some products send acc and gyr in turn.
    run.wearable.duplicate_every(5)
    told = acc_of(run.go())
    truth = run.wearable.truth
    copies = truth.sensors["acc"].duplicated
    assert copies > 0
    assert truth.frames_duplicated >= truth.sensors["acc"].duplicated / 100
    assert len(told) == len(run.sent()) + copies - NOT_TRUSTED.get(product, 0)


@pytest.mark.parametrize("product", MOVING)
def test_delayed_frames_arrive_late_and_all(product: str) -> None:
    run = Run(product)
    run.wearable.delay_frames(30.0)
    run.client.run(run.clock, 29.0)
    assert run.frames == []
    run.wearable.delay_frames(0.0)
    run.client.run(run.clock, 31.0)
    # A frame may be half full.
    assert len(run.sent()) > 60 * run.wearable.rate_hz - FRAME_MAX
    assert set(np.diff(run.sent())) == {1}


@pytest.mark.parametrize("product", MOVING)
def test_knocks_are_clipped_at_the_full_scale(product: str) -> None:
    run = Run(product)
    run.wearable.knock_every(3.0)
    told = acc_of(run.go(30.0))
    limit = run.wearable.firmware.ranges[0]
    truth = run.wearable.truth.sensors
    at_limit = int((np.abs(told) >= limit * 0.999).any(axis=1).sum())
    assert 0 <= truth["acc"].clipped - at_limit <= NOT_TRUSTED.get(product, 0)
    assert 9 <= at_limit <= 11 * np.ceil(0.05 * run.wearable.rate_hz + 1)
    assert (truth["gyr"].clipped > 0) == ("gyr" in run.profile.sensors)


@pytest.mark.parametrize("product", MOVING)
def test_a_loose_sensor_tells_nothing_of_the_body(product: str) -> None:
    run = Run(product)
    run.go(20.0)
    run.wearable.loosen(True)
    begun = len(run.sent())
    run.go(40.0)
    ended = len(run.sent())
    run.wearable.loosen(False)
    told, numbers = acc_of(run.go(10.0)), run.sent()
    off = NOT_TRUSTED.get(run.product, 0)
    told, body = told[-(len(numbers) - off) :], made(run, numbers)[off:]
    # Frames that were half full when the strap came off hold both.
    slack = FRAME_MAX
    np.testing.assert_allclose(told[: begun - off], body[: begun - off], atol=ACC_STEP_MPS2)
    np.testing.assert_allclose(told[ended - off + slack :], body[ended - off + slack :], atol=ACC_STEP_MPS2)
    loose, worn = told[begun - off + slack : ended - off], body[begun - off + slack : ended - off]
    assert np.abs(loose - worn).max() > 5.0
    assert np.isfinite(loose).all()
    assert np.linalg.norm(loose, axis=1).max() < 40.0
    ((start_s, end_s),) = run.wearable.truth.loose_utc_s
    assert end_s is not None
    assert end_s - start_s == pytest.approx(40.0)


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_silence_loses_what_falls_due_and_says_so(product: str) -> None:
    run = Run(product)
    run.go(10.0)
    heard, before = len(run.frames), run.wearable.truth.sensors
    run.wearable.go_silent(True)
    run.client.run(run.clock, 20.0)
    assert len(run.frames) == heard
    run.wearable.go_silent(False)
    run.client.run(run.clock, 10.0)
    assert len(run.frames) > heard
    kind = "acc" if "acc" in run.profile.sensors else "heart"
    after = run.wearable.truth.sensors[kind]
    assert after.unsent - before[kind].unsent == pytest.approx(20 * run.wearable.rate_hz, abs=FRAME_MAX)
    assert after.produced == after.sent + after.unsent


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_drift_restart_wrap_and_an_empty_battery(product: str) -> None:
    run = Run(product)
    run.wearable.drift(200.0)
    assert run.wearable.truth.drift_ppm == pytest.approx(200.0)
    began_us = run.wearable.time.now_us()
    run.clock.now_s += 100.0
    assert run.wearable.time.now_us() - began_us == pytest.approx(100.02e6, abs=2)
    run.wearable.near_wrap(5.0)
    wraps_s = run.wearable.firmware.clock_wraps_after_s
    assert run.client.losses == 1
    assert run.wearable.truth.restarts == 1
    assert run.wearable.time.now_us() == pytest.approx(0 if wraps_s is None else (wraps_s - 5.0) * 1e6, abs=1)
    assert run.wearable.advertisement() is not None
    again = ModelClient(run.wearable)
    run.wearable.set_battery(0.0)
    assert again.losses == 1
    assert run.wearable.advertisement() is None
    run.wearable.set_battery(0.5)
    assert run.wearable.advertisement() is not None
