"""Who is in the made club, and what each of their days held: told by a seed, so that every run has the same people."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator, default_rng

from coach.analysis.detectors.types import BendingStretch, Entered, IntArray, Minutes, PainEntry

WEEKS = 12
DAYS = 7 * WEEKS
# Somebody who is looked at closely wears the sensor longer.
LONG_MIN, SHORT_MIN = 180, 40
_FIRST = (
    "Mara", "Jon", "Ada", "Lea", "Finn", "Noor", "Emil", "Ida", "Kofi", "Ruth", "Omar", "Tess", "Ivo", "Alma",
    "Ben", "Yuki", "Sara", "Nils", "Zoe", "Luis", "Eva", "Amir", "Greta", "Paul", "Mia", "Chen", "Nora", "Tom",
    "Priya", "Max", "Lina", "Otto", "Ines", "Kai", "Rosa", "Leo", "Hana", "Jan", "Vera", "Sam",
)  # fmt: skip
_LAST = (
    "Keller", "Brandt", "Okafor", "Lindqvist", "Moreau", "Santos", "Weiss", "Novak", "Haddad", "Sato",
)  # fmt: skip
_SPORTS = (
    ("golf", "golf"), ("weightlifting", "heavy_lifting"), ("tennis", "tennis"), ("desk work", "desk"),
    ("running", "general"), ("baseball", "baseball"), ("gardening", "shovelling"), ("yoga", "general"),
)  # fmt: skip
_ZONES = ("Europe/Berlin", "Europe/Berlin", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo")


class Story(StrEnum):
    """Why an athlete is on the roster as they are."""

    NEW_FINDING = "a new finding and a proposal"
    IN_PAIN = "pain, and all is locked"
    AWAY = "nothing worn for a week"
    TRAINING = "a program that runs"
    LOCKED = "a medical review is advised"
    UNASKED = "has not answered the safety questions"
    BEGINNER = "a few days only"


@dataclass(frozen=True)
class Life:
    """One athlete. bends_per_h, sides: the usual, and the share of turns and strokes to the left."""

    number: int
    name: str
    sport: str
    profile_id: str
    zone: str
    story: Story
    bends_per_h: float
    left_share: float
    born_on: date

    @property
    def seed(self) -> int:
        return zlib.crc32(self.name.encode())

    @property
    def worn_min(self) -> int:
        """Return how long the sensor is worn a day: somewhat more than the profile asks of a day that counts."""
        least = {"desk": 125, "general": 65}.get(self.profile_id, SHORT_MIN)
        return LONG_MIN if self.number < 3 else least

    @property
    def strokes(self) -> bool:
        return self.profile_id in {"golf", "tennis", "baseball"}


@dataclass(frozen=True)
class LivedDay:
    """A day as it was: trunk is None where nothing was worn. pain_at_rest: of the evening, None where nobody told."""

    on: date
    start_utc_s: float
    end_utc_s: float
    trunk: Minutes | None
    bending: tuple[BendingStretch, ...]
    pain_at_rest: int | None
    pain_in_motion: int | None
    morning: int | None
    training_min: int | None
    effort: int


def lives(count: int = 40) -> Iterator[Life]:
    """Yield the people of the club: first those whom the pages' pictures show."""
    first = [Story.NEW_FINDING, Story.IN_PAIN, Story.AWAY]
    for number in range(count):
        rng = default_rng(4711 + number)
        other = {7: Story.LOCKED, 11: Story.UNASKED, 13: Story.BEGINNER, 17: Story.AWAY}.get(
            number % 20, Story.TRAINING
        )
        story = first[number] if number < len(first) else Story.NEW_FINDING if number % 9 == 4 else other
        sport, profile = _SPORTS[number % len(_SPORTS)]
        yield Life(
            number=number,
            name=f"{_FIRST[number % len(_FIRST)]} {_LAST[(number * 3) % len(_LAST)]}",
            sport=sport,
            profile_id=profile,
            zone=_ZONES[number % len(_ZONES)],
            story=story,
            bends_per_h=float(rng.uniform(8, 34)),
            left_share=0.86 if number == 0 else float(rng.uniform(0.4, 0.6)),
            born_on=date(int(rng.integers(1966, 2006)), int(rng.integers(1, 13)), int(rng.integers(1, 28))),
        )


def days_of(life: Life, today: date, stream_of: dict[date, str]) -> Iterator[LivedDay]:
    """Yield the twelve weeks before today. stream_of: the recording of each day that something was worn on."""
    zone, rng = ZoneInfo(life.zone), default_rng(life.seed)
    first = 9 if life.story is Story.BEGINNER else DAYS
    trend = 1.0
    for back in range(DAYS, 0, -1):
        on = today - timedelta(days=back)
        start = datetime.combine(on, time.min, zone).timestamp()
        end = datetime.combine(on + timedelta(days=1), time.min, zone).timestamp()
        worn = rng.random() < (0.9 if on.weekday() < 5 else 0.35) and back <= first
        if life.story is Story.AWAY and back <= 7:
            worn = False
        busy = (life.story is Story.NEW_FINDING and back in (1, 2, 9, 23, 40)) or rng.random() < 0.02
        trend = float(np.clip(trend + rng.normal(0, 0.03), 0.7, 1.4))
        trunk, bending = None, ()
        if worn:
            stream_of.setdefault(on, f"{life.seed:08x}{on.toordinal():08x}".ljust(32, "0"))
            trunk = _worn(life, rng, start + 9 * 3600, stream_of[on], trend, busy)
            bending = _stretches(trunk, stream_of[on]) if busy else ()
        hurts = life.story is Story.IN_PAIN and back <= 10
        tells = rng.random() < 0.8 and back <= first
        pain = (
            int(np.clip(round(rng.normal(4.2 if hurts else 1.3 + (life.number % 4) * 0.5, 0.9)), 0, 5))
            if tells
            else None
        )
        trained = on.weekday() in (1, 3, 5) and rng.random() < 0.7 and back <= first
        yield LivedDay(
            on, start, end, trunk, bending, pain, None if pain is None else min(pain + 1, 5),
            None if pain is None else max(0, pain - 1), 45 + int(rng.integers(0, 46)) if trained else None,
            int(rng.integers(3, 8)),
        )  # fmt: skip


def entered_of(life: Life, day: LivedDay) -> Entered:
    """Return what the day's entries tell the detectors."""
    noon = day.start_utc_s + 20 * 3600
    pain = (
        () if day.pain_at_rest is None else (PainEntry(noon, day.pain_at_rest, day.pain_in_motion, next_morning=False),)
    )
    load = float(day.effort * day.training_min) if day.training_min is not None else 0.0
    return Entered(load=load, age_years=day.on.year - life.born_on.year, pain=pain)


def _worn(life: Life, rng: Generator, start_utc_s: float, stream_id: str, trend: float, busy: bool) -> Minutes:
    n = life.worn_min
    rate = life.bends_per_h / 60 * trend
    bends = rng.poisson(rate, n)
    if busy:
        bends[8:33] = rng.poisson(9, 25)
    covered = np.where(rng.random(n) < 0.03, rng.uniform(0, 40, n), 60.0).round(1)
    bent = np.minimum(covered * 0.9, bends * rng.uniform(1.5, 3.0, n)).round(1)
    turns = rng.poisson(0.35, n)
    left = rng.binomial(turns, life.left_share)
    strokes = np.where(rng.random(n) < 0.45, rng.poisson(1.3, n), 0) if life.strokes else np.zeros(n, dtype=np.int64)
    strokes_left = rng.binomial(strokes, life.left_share)
    shares = {20: 1.0, 30: 0.55, 45: 0.28, 60: 0.1, 90: 0.01}
    none = np.zeros(n)
    return Minutes(
        stream_id=(stream_id,) * n,
        start_utc_s=start_utc_s + 60.0 * np.arange(n),
        expected_s=np.full(n, 60.0),
        covered_s=covered,
        lying_s=none,
        above_s={limit: (bent * share).round(1) for limit, share in shares.items()},
        bends=_counts(bends),
        turns_left=_counts(left),
        turns_right=_counts(turns - left),
        dose=np.where(rng.random(n) < 0.02, rng.uniform(0.1, 0.6, n), 0.0).round(2),
        strokes_left=_counts(strokes_left),
        strokes_right=_counts(strokes - strokes_left),
        strokes_unknown=_counts(none),
        repetitions=_counts(none),
        loose_s=none,
        displaced_s=none,
    )


def _counts(values: np.ndarray) -> IntArray:
    return values.astype(np.int64)


def _stretches(trunk: Minutes, stream_id: str) -> tuple[BendingStretch, ...]:
    start, end, bends = float(trunk.start_utc_s[8]), float(trunk.start_utc_s[33]), int(trunk.bends[8:33].sum())
    return (BendingStretch(stream_id, start, end, bends, bends / 25, bends / 25 + 2.5, 48.0, 1.0),)
