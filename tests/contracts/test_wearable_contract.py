"""Every simulated product over both ways: found, known, started by its profile, read, stopped, linked again.

Only bleak's public interface and the profiles are used; what is compared with is the motion.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import numpy as np
import pytest

from devices.profiles import recognise
from devices.profiles.sig_uuids import DEVICE_INFORMATION_SERVICE
from devices.profiles.types import Decoded, Decoder, Profile, Wish
from devices.sim.heart import heart_rate_bpm
from devices.sim.motions import lifting
from devices.sim.products import PRODUCTS
from devices.types import Advertisement
from tests.contracts.ways import ADDRESS, Open, Way, quick_wearable, run, until

SPEED = 60.0
# Samples of each sensor, and beats or strides, that are compared.
ENOUGH, ENOUGH_SLOW = 80, 6
# Families that stream as soon as anybody listens to their one characteristic, to an answer for example.
SEND_UNASKED = {"witmotion"}
# Families that do not tell their charge.
NO_CHARGE = {"microbit", "nordic-uart"}
# Products whose rate nobody can set: they send at their own.
OWN_RATE_HZ = {"nordic-uart": 50.0}
# The first line of a text stream may be the end of one that was cut: it is not used.
NOT_TRUSTED = {"nordic-uart": 1}
# Half a step of the coarsest product, 1 mG, and of 2000 deg/s in 16 bit; both with a tenth on top.
ACC_STEP_MPS2 = 1.1 * 0.5 * 9.80665e-3
GYR_STEP_RADPS = 1.1 * 0.5 * float(np.radians(2000 / 32768 * 1.05))


class Reading:
    """What a profile's decoder made of a stream."""

    def __init__(self) -> None:
        self.decoder: Decoder | None = None
        self.early: list[bytes] = []
        self.parts: list[Decoded] = []
        self.sent: Counter[str] = Counter()

    def take(self, data: bytes) -> None:
        if self.decoder is None:
            self.early.append(data)
        else:
            self.parts.append(self.decoder.decode_many([data]))

    def begin(self, decoder: Decoder) -> None:
        self.decoder = decoder
        for data in self.early:
            self.take(data)

    def column(self, name: str) -> np.ndarray:
        rows = np.concatenate([np.empty((0, 3)), *(getattr(part.block, name) for part in self.parts)])
        return rows[np.isfinite(rows[:, 0])]

    def slow(self) -> int:
        return sum(len(part.heart) + len(part.running) for part in self.parts)

    def bad(self) -> int:
        return sum(len(part.bad) for part in self.parts)


def profile_for(advertised: Any) -> Profile:
    seen = Advertisement(
        ADDRESS,
        advertised.local_name or "",
        tuple(advertised.service_uuids),
        dict(advertised.manufacturer_data),
        advertised.rssi,
    )
    found = recognise(seen)
    assert found is not None, f"no profile knows {seen}"
    return found


def sent_by(there: Way) -> Counter[str]:
    return Counter({name: counts.sent for name, counts in there.wearable.truth.sensors.items()})


async def read(there: Way, profile: Profile, device: Any) -> Reading:
    """Link, look at the wearable, stream enough, stop, and see that it stopped."""
    reading = Reading()
    linked_at = sent_by(there)
    both = set(profile.rates_offered_hz) & set(there.wearable.firmware.rates_hz)
    rate_hz = min(both, key=lambda offered: abs(offered - 50.0))
    fast = "acc" in profile.sensors
    async with there.client(device) as client:
        charge = await profile.read_battery_share(client)
        assert charge == (None if profile.family in NO_CHARGE else pytest.approx(0.4, abs=0.01))
        info = dict(await profile.read_device_info(client))
        assert all(info.values())
        tells = any(service.uuid == DEVICE_INFORMATION_SERVICE for service in there.wearable.table)
        assert bool(info) == tells
        before = there.wearable.truth.connects
        started = await profile.start(client, Wish(rate_hz), reading.take)
        reading.begin(started.decoder)
        assert started.rate_hz == rate_hz == there.wearable.rate_hz

        def enough() -> bool:
            if not fast:
                return reading.slow() >= ENOUGH_SLOW
            wanted = [f"{name}_{unit}" for name, unit in (("acc", "mps2"), ("gyr", "radps")) if name in profile.sensors]
            return all(len(reading.column(name)) >= ENOUGH for name in wanted)

        await until(enough, 20.0)
        assert there.wearable.truth.connects == before
        await profile.stop(client)
        await asyncio.sleep(0.05)
        heard = len(reading.parts)
        await asyncio.sleep(0.05)
        assert len(reading.parts) == heard, "sent after the stop"
        reading.sent = sent_by(there) - linked_at
    return reading


def fits(sensor: str, told: np.ndarray, numbers: np.ndarray, rate_hz: float) -> bool:
    """Tell whether what was read (m, 3) are m samples in a row of those (n,) that were sent, within half a step."""
    first, last = int(numbers[0]), int(numbers[-1])
    acc, gyr = lifting(7).samples(first, last - first + 1, rate_hz)
    made, step = (acc, ACC_STEP_MPS2) if sensor == "acc" else (gyr, GYR_STEP_RADPS)
    made = made[numbers - first]
    starts = range(len(made) - len(told) + 1)
    return any(np.abs(told - made[at : at + len(told)]).max() <= step for at in starts)


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_a_product_is_found_known_read_and_found_again(way: Open, product: str) -> None:
    there = way(quick_wearable(SPEED, product=product, battery_share=0.4, rate_hz=OWN_RATE_HZ.get(product)))
    readings: list[Reading] = []
    profiles: list[Profile] = []

    async def work() -> None:
        for _ in range(2):
            device, advertised = await there.hear()
            profiles.append(profile_for(advertised))
            readings.append(await read(there, profiles[-1], device))

    run(work())
    truth, profile = there.wearable.truth, profiles[0]
    assert profiles[1] is profile
    assert truth.connects == 2
    assert [one.bad() for one in readings] == [0, 0]
    for name in {"acc", "gyr"} & set(profile.sensors):
        numbers = truth.numbers_sent if name == "acc" else truth.gyr_numbers_sent
        for reading, sent in zip(readings, np.split(numbers, [readings[0].sent[name]]), strict=True):
            told = reading.column("acc_mps2" if name == "acc" else "gyr_radps")
            assert fits(name, told, sent, there.wearable.rate_hz)
            # One that sends unasked also does while nobody listens yet, or any more.
            if profile.family not in SEND_UNASKED:
                assert len(told) == len(sent) - NOT_TRUSTED.get(product, 0), "every sample that was sent is read"
    beats = [beat for one in readings for part in one.parts for _, beat in part.heart]
    assert all(abs(beat.heart_rate_bpm - heart_rate_bpm(30.0)) < 30 for beat in beats)
    if "acc" not in profile.sensors:
        assert sum(one.slow() for one in readings) == truth.sensors["heart"].sent >= 2 * ENOUGH_SLOW
