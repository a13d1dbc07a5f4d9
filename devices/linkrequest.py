"""What a link is asked for, and who is told what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from devices.hostclock import HostClock, SystemClock
from devices.profiles.types import Profile, Wish
from devices.radio import SYSTEM_RADIO, Radio
from devices.rawlog import Tap
from devices.types import Chunk, HeartRateSample, LinkStatus

ChunkSink = Callable[[Chunk], None]
StatusSink = Callable[[LinkStatus], None]
HeartSink = Callable[[HeartRateSample, float], None]


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What to link to, and how.

    rate_hz: one that the family offers. acc_range_g, gyr_range_degps: full scale, None for the profile's choice.
    clock: for arrivals and UTC; the waits below are real time, in s. silence_s without a notification drops the link.
    backoff_*: wait after a failed connect, doubling up to the longest. device_id: what the chunks carry, the address
    if None. seed: of the jitter of the waits. profile: instead of the family's own, e.g. a DOT in another payload mode.
    tap: told each step between profile and wearable, to record it raw.
    """

    address: str
    family: str
    rate_hz: float
    recording_id: str
    clock: HostClock = field(default_factory=SystemClock)
    radio: Radio = SYSTEM_RADIO
    chunk_duration_s: float = 5.0
    live_s: float = 0.25
    silence_s: float = 2.0
    connect_timeout_s: float = 20.0
    scan_s: float = 10.0
    backoff_first_s: float = 0.5
    backoff_max_s: float = 30.0
    seed: int = 0
    device_id: str | None = None
    acc_range_g: float | None = None
    gyr_range_degps: float | None = None
    profile: Profile | None = None
    tap: Tap | None = None

    @property
    def wish(self) -> Wish:
        """Return what is asked of the profile."""
        return Wish(self.rate_hz, self.acc_range_g, self.gyr_range_degps)
