"""Whatever the radio brings, every family's decoder says what it is worth: samples, or a counted bad notification.

The frames come from each family's simulated product, started by the family's profile; they are damaged in every way
that a radio, a wrong characteristic or a stranger can think of.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devices.profiles import PROFILES, recognise
from devices.profiles.types import Decoded, Decoder, Profile, Started
from devices.sim.products import PRODUCTS, make_firmware
from devices.types import Advertisement
from tests.devices.sim.firmware_client import ADDRESS, streaming

# Frames are parts of a stream of bytes: what follows the last whole one waits for the next notification.
BYTE_STREAMS = frozenset({"witmotion", "nordic-uart"})
# Frames in one example; a batch as a busy program finds it waiting.
BATCH = 40
# Samples that a twin takes to show its frames: some of each kind.
SAMPLES = 600


def family_of(product: str) -> Profile | None:
    firmware = make_firmware(product, ADDRESS)
    data = {} if firmware.company_id is None else {firmware.company_id: firmware.company_data()}
    return recognise(Advertisement(ADDRESS, firmware.name, firmware.advertised_uuids, data, -60))


def products_of(family: str) -> list[str]:
    return [product for product in PRODUCTS if (found := family_of(product)) is not None and found.family == family]


@cache
def stream_of(product: str) -> tuple[Started, tuple[bytes, ...]]:
    """Return a started stream, not read yet, and frames that belong to it."""
    profile = family_of(product)
    assert profile is not None, f"nobody recognises the simulated {product}"
    client, started = streaming(product, profile.family)
    client.measure(max(SAMPLES, int(20 * client.firmware.rate_hz)))
    assert client.sent, f"the simulated {product} sends nothing"
    return started, tuple(client.sent)


def fresh(product: str) -> Decoder:
    return copy.deepcopy(stream_of(product)[0].decoder)


def test_every_family_has_a_simulated_product() -> None:
    assert [family for family in PROFILES if not products_of(family)] == []


@st.composite
def damaged(draw: st.DrawFn, frames: tuple[bytes, ...]) -> list[bytes]:
    """Draw one frame as it may arrive, or the two that it fell into."""
    frame = draw(st.sampled_from(frames))
    kind = draw(st.integers(0, 9))
    at = draw(st.integers(0, len(frame)))
    if kind == 0:
        return [draw(st.binary(max_size=64))]
    if kind == 1:
        return [frame[:at]]
    if kind == 2:
        return [frame + draw(st.binary(min_size=1, max_size=24))]
    if kind == 3:
        return [frame[:at], frame[at:]]
    if kind == 4:
        return [frame + draw(st.sampled_from(frames))]
    if kind == 5:
        return [frame, frame]
    if kind == 6:
        # A few bytes are others.
        spoilt = bytearray(frame)
        for byte in draw(st.lists(st.integers(0, max(0, len(frame) - 1)), min_size=1, max_size=4)):
            spoilt[byte : byte + 1] = draw(st.binary(min_size=1, max_size=1))
        return [bytes(spoilt)]
    if kind == 7:
        # The head is right, the rest is anything of the right length.
        rest = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).bytes(len(frame) - at)
        return [frame[:at] + rest]
    return [frame]


def check(profile: Profile, started: Started, decoded: Decoded, count: int) -> None:
    """Hold one result to what `Decoded` promises."""
    block, of = decoded.block, decoded.frame_of
    n = len(block.ticks)
    assert block.acc_mps2.shape == block.gyr_radps.shape == (n, 3)
    assert (len(of), of.dtype, block.ticks.dtype) == (n, np.int64, np.int64)
    assert n == 0 or (of[0] >= 0 and of[-1] < count and (np.diff(of) >= 0).all())
    assert list(decoded.bad) == sorted(decoded.bad)
    assert all(-1 <= position < count for position in decoded.bad)
    assert all(a != b or a == -1 for a, b in itertools.pairwise(decoded.bad))
    assert (decoded.reason is None) == (decoded.bad == ())
    told = [at for at, _ in (*decoded.heart, *decoded.running)]
    assert all(0 <= at < count for at in told)
    if profile.family not in BYTE_STREAMS:
        assert set(decoded.bad).isdisjoint({*of.tolist(), *told})
    assert not n or profile.ticks_per_s is None or (block.ticks.min() >= 0 and block.ticks.max() < profile.tick_wrap)
    for values, limit in ((block.acc_mps2, started.acc_limit_mps2), (block.gyr_radps, started.gyr_limit_radps)):
        finite = np.isfinite(values)
        # A row tells of a sensor wholly or not at all, and of nothing that the sensor cannot measure.
        assert (finite.all(axis=1) == finite.any(axis=1)).all()
        assert not np.isinf(values).any()
        assert limit is None or not finite.any() or np.abs(values[finite]).max() <= 1.2 * limit
    assert (np.isfinite(block.acc_mps2).any(axis=1) | np.isfinite(block.gyr_radps).any(axis=1)).all()
    if n:
        has_acc = np.isfinite(block.acc_mps2).any(axis=1)
        assert profile.separate or has_acc.all()


def fuzz(product: str, examples: int) -> int:
    """Decode damaged frames in batches, whole and cut into calls; return how many."""
    profile = family_of(product)
    assert profile is not None
    started, frames = stream_of(product)
    tried = 0

    # Shrinking forty frames takes minutes; what is wrong shows in the first example as well.
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )
    @given(st.lists(damaged(frames), min_size=BATCH, max_size=BATCH), st.integers(0, BATCH))
    def run(parts: list[list[bytes]], cut: int) -> None:
        nonlocal tried
        arrived = [frame for part in parts for frame in part]
        tried += len(arrived)
        whole = fresh(product).decode_many(arrived)
        check(profile, started, whole, len(arrived))
        decoder = fresh(product)
        before, after = decoder.decode_many(arrived[:cut]), decoder.decode_many(arrived[cut:])
        check(profile, started, before, cut)
        check(profile, started, after, len(arrived) - cut)
        for name in ("ticks", "acc_mps2", "gyr_radps"):
            parted = np.concatenate([getattr(before.block, name), getattr(after.block, name)])
            np.testing.assert_array_equal(getattr(whole.block, name), parted)
        assert len(whole.heart) == len(before.heart) + len(after.heart)
        if profile.family not in BYTE_STREAMS:
            assert len(whole.bad) == len(before.bad) + len(after.bad)

    run()
    return tried


@pytest.mark.proof
@pytest.mark.parametrize("product", PRODUCTS)
def test_damaged_frames(
    product: str, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    wanted = full_or_quick(100_000, 800)
    tried = fuzz(product, -(-wanted // BATCH))
    figure(f"fuzzed frames decoded, {product}", tried, "without another outcome than samples or bad")
    assert tried >= wanted


@pytest.mark.parametrize("product", PRODUCTS)
def test_intact_frames_are_all_read(product: str) -> None:
    """The control: what the fuzzing damages is good before."""
    profile = family_of(product)
    assert profile is not None
    started, frames = stream_of(product)
    decoded = fresh(product).decode_many(frames)
    check(profile, started, decoded, len(frames))
    assert decoded.bad == (), decoded.reason
    assert len(decoded.block.ticks) + len(decoded.heart) + len(decoded.running) >= len(frames) // 2


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_wrong_length_is_accepted(product: str) -> None:
    """A byte less, or one more, and nothing of the notification is used."""
    profile = family_of(product)
    assert profile is not None
    _, frames = stream_of(product)
    for frame in frames[:: max(1, len(frames) // 50)]:
        if profile.family in BYTE_STREAMS:
            # What is whole before the cut is used; the cut frame waits for its end.
            whole, cut = (fresh(product).decode_many([data]).block for data in (frame, frame[:-1]))
            assert len(cut.ticks) == max(0, len(whole.ticks) - 1)
            continue
        for data in (frame[:-1], frame + b"\0", frame + b"\x01"):
            decoded = fresh(product).decode_many([data])
            assert (len(decoded.block.ticks), decoded.heart, decoded.running) == (0, (), ()), data.hex(" ")
