"""docs/wearables.md says what the code says: its table and its lists are what this module makes of the profiles."""

from __future__ import annotations

import math

import pytest

from devices.profiles import PROFILES
from devices.profiles.types import Profile, Wish
from devices.sim.products import make_firmware
from tests.conftest import ROOT
from tests.devices.profiles.test_fuzz_frames import products_of
from tests.devices.profiles.test_vectors import read_by_tests
from tests.devices.profiles.vectors import NOT_READ, VECTORS
from tests.devices.sim.firmware_client import ADDRESS, FirmwareClient

# Below this many vectors with samples nobody knows whether the decoder fits the hardware.
PROVEN_FROM = 3
G_MPS2 = 9.80665
WORDS = {"acc": "acceleration", "gyr": "angular rate", "heart": "heart rate", "running": "speed and cadence"}


def vectors_with_samples(family: str) -> int:
    """Count the family's vectors with samples that a test of a decoder reads."""
    read = {vector.number for vector, _ in read_by_tests()}
    return sum(vector.family == family and vector.stream and vector.number in read for vector in VECTORS.values())


def full_scale(profile: Profile) -> str:
    """Say what a start at the product's own rate, with the ranges left to the profile, reads back."""
    firmware = make_firmware(products_of(profile.family)[0], ADDRESS)
    started = FirmwareClient(firmware).start(profile, Wish(firmware.rate_hz))
    parts = []
    if started.acc_limit_mps2 is not None:
        parts.append(f"{started.acc_limit_mps2 / G_MPS2:.3g} g")
    if started.gyr_limit_radps is not None:
        parts.append(f"{math.degrees(started.gyr_limit_radps):.4g} deg/s")
    return ", ".join(parts) or "not told"


def row(profile: Profile) -> str:
    gives = ", ".join(WORDS[one] for one in profile.sensors)
    rates = ", ".join(f"{rate:g}" for rate in profile.rates_offered_hz)
    clock = "by arrival" if profile.ticks_per_s is None else "by its clock"
    proof = "yes" if profile.proven else "unproven on hardware"
    count = vectors_with_samples(profile.family)
    return f"| {profile.title} | {gives} | {rates} | {full_scale(profile)} | {clock} | {count} | {proof} |"


def table() -> list[str]:
    """Make the table of families."""
    return [
        "| wearable | gives | rates in Hz | full scale by default | timed | vectors with samples | proven |",
        "|---|---|---|---|---|---|---|",
        *(row(profile) for profile in PROFILES.values()),
    ]


def limits() -> list[str]:
    """Make the list of what each family cannot do."""
    return [f"- **{profile.title}**: {' '.join(profile.cannot)}" for profile in PROFILES.values()]


def test_the_page_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "wearables.md").read_text(encoding="utf-8")
    for made in (table(), limits()):
        assert "\n".join(made) in page, "docs/wearables.md must hold:\n" + "\n".join(made)


def test_the_page_counts_the_vectors_that_nobody_reads() -> None:
    page = (ROOT / "docs" / "wearables.md").read_text(encoding="utf-8")
    assert f"Of the {len(VECTORS)} known vectors {len(VECTORS) - len(NOT_READ)} are decoded" in page


@pytest.mark.parametrize("family", PROFILES)
def test_proven_is_what_the_vectors_prove(family: str) -> None:
    assert PROFILES[family].proven == (vectors_with_samples(family) >= PROVEN_FROM)


@pytest.mark.parametrize("family", PROFILES)
def test_what_a_family_cannot_do_is_said_in_sentences(family: str) -> None:
    cannot = PROFILES[family].cannot
    assert cannot
    for sentence in cannot:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) <= 120
