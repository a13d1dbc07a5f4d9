"""A small club for the tests of the service: people, a clock that stands still until it is told, chunks with truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from coach.config import Config
from coach.log import TableChunkLog
from coach.service import Services, build_services
from coach.service.types import Identity, Role
from coach.store.engine import Store
from devices.types import Chunk, Gap

# A Tuesday, three in the afternoon in Berlin.
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ADDRESS = "C0:FF:EE:00:00:01"
RATE_HZ = 25.0


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def utc_s(self) -> float:
        return self.now.timestamp()

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@dataclass(frozen=True)
class Club:
    """A coach, an athlete in Berlin with a chest wearable, and how to reach everything."""

    store: Store
    services: Services
    clock: FakeClock
    config: Config
    coach: Identity
    athlete: Identity
    athlete_id: str
    wearable_id: str


def found_club(
    store: Store,
    clock: FakeClock,
    time_zone: str = "Europe/Berlin",
    config: Config | None = None,
    log: TableChunkLog | None = None,
) -> Club:
    config = config or Config()
    services = build_services(store, config, clock, log)
    coach_id = services.accounts.create_user("Kim", Role.COACH)
    athlete_id = services.athletes.create("Ada", time_zone, coach_id)
    user_id = services.accounts.create_user("Ada", Role.ATHLETE, athlete_id=athlete_id)
    coach, athlete = services.accounts.identity(coach_id), services.accounts.identity(user_id)
    assert coach is not None
    assert athlete is not None
    wearable_id = services.wearables.add(athlete, athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
    return Club(store, services, clock, config, coach, athlete, athlete_id, wearable_id)


def bending_chunks(
    minutes: float,
    bends_per_min: float,
    start_utc_s: float,
    recording_id: str = "rec",
    device_id: str = ADDRESS,
    chunk_s: float = 5.0,
    lost: tuple[int, ...] = (),
) -> list[Chunk]:
    """A chest that stands for 10 s, then bends 50 degrees forward and back, `bends_per_min` times a minute.

    Sensor x points up; the bend turns about y. Numbers in `lost` are chunks whose middle three fifths never arrived.
    """
    n = round(minutes * 60 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    period_s = 60.0 / bends_per_min
    still_s = 10.0
    phase = np.where(t_s < still_s, 0.0, 2 * np.pi * (t_s - still_s) / period_s)
    angle = np.radians(25.0) * (1 - np.cos(phase))
    rate = np.gradient(angle, t_s)
    acc = 9.81 * np.column_stack([np.cos(angle), np.zeros(n), np.sin(angle)])
    gyr = np.column_stack([np.zeros(n), rate, np.zeros(n)])
    per = round(chunk_s * RATE_HZ)
    chunks = []
    for seq, first in enumerate(range(0, n, per)):
        a, g = acc[first : first + per].copy(), gyr[first : first + per].copy()
        gaps: tuple[Gap, ...] = ()
        if seq in lost:
            gaps = (Gap(per // 5, 3 * per // 5),)
            a[per // 5 : 4 * per // 5] = np.nan
            g[per // 5 : 4 * per // 5] = np.nan
        chunks.append(Chunk(device_id, recording_id, seq, start_utc_s + first / RATE_HZ, first, RATE_HZ, a, g, gaps))
    return chunks
