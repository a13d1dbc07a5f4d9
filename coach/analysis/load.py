"""Training load as the athlete's own habit: a description, never a statement about injury.

Source: Foster 1998 and 2001 (session load, monotony, strain); Williams and others 2017, BJSM 51:209 (EWMA).
Impellizzeri 2020 (Sports Med, doi 10.1007/s40279-020-01378-6) found no basis for steering by the ratio of acute to
chronic load; it is told as "this week against your usual", after four weeks, and nothing hangs on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable
from devices.types import FloatArray

# Williams 2017: spans of the acute and the chronic average, in days.
ACUTE_DAYS, CHRONIC_DAYS = 7, 28
# Foster 1998: weeks above this were monotonous.
MONOTONY_LIMIT = 2.0


def session_load(effort: float, duration_min: float) -> float:
    """Return effort (0..10, asked about 30 min after the session) times minutes, in arbitrary units.

    Raises AnalysisError outside these ranges. Source: Foster 2001, J Strength Cond Res 15:109.
    """
    if not (0 <= effort <= 10 and 0 <= duration_min <= 1440):
        raise AnalysisError(f"An effort of {effort:g} over {duration_min:g} min cannot be: 0 to 10, and 0 to 1440 min.")
    return effort * duration_min


@dataclass(frozen=True, slots=True)
class HabitState:
    """Averages after `days` days; the first day begins both. recent: the newest 29 loads, None where unknown."""

    days: int = 0
    acute: float = 0.0
    chronic: float = 0.0
    recent: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Habit:
    """The newest day in the light of the days before; each part may be what it needs instead of a number.

    acute, chronic: exponentially weighted means of the daily load. week_on_week_share: sum of 7 days over that of the
    7 before, less 1. week_against_usual: acute over chronic. largest_jump_share: today over the largest of the 28 days
    before, less 1. missing_days: of the newest 28, days for which nothing is known (a rest day is a known 0).
    """

    acute: float | NotComputable
    chronic: float | NotComputable
    week_on_week_share: float | NotComputable
    week_against_usual: float | NotComputable
    largest_jump_share: float | NotComputable
    missing_days: int


def add_day(state: HabitState, load: float | None) -> HabitState:
    """Take the next day's load; None is a day of which nothing is known: the averages stay. Raises AnalysisError."""
    recent = (*state.recent, load)[-(CHRONIC_DAYS + 1) :]
    if load is None:
        return HabitState(state.days, state.acute, state.chronic, recent)
    if not (math.isfinite(load) and load >= 0):
        raise AnalysisError(f"A daily load of {load:g} cannot be: give a number from 0 up, or nothing for unknown.")
    if state.days == 0:
        return HabitState(1, load, load, recent)
    acute, chronic = (
        share * load + (1 - share) * before
        for share, before in ((2 / (ACUTE_DAYS + 1), state.acute), (2 / (CHRONIC_DAYS + 1), state.chronic))
    )
    return HabitState(state.days + 1, acute, chronic, recent)


def habit(state: HabitState) -> Habit:
    """Say what the days so far tell."""
    known = [load for load in state.recent[-CHRONIC_DAYS:] if load is not None]
    usual = f"{CHRONIC_DAYS} days with a known load (so far {state.days})"
    return Habit(
        acute=state.acute if state.days else NotComputable("acute load", "one day with a known load"),
        chronic=state.chronic if state.days else NotComputable("chronic load", "one day with a known load"),
        week_on_week_share=_week_on_week(state.recent),
        week_against_usual=(
            state.acute / state.chronic
            if state.days >= CHRONIC_DAYS and state.chronic > 0
            else NotComputable("this week against your usual", usual if state.days < CHRONIC_DAYS else "a load above 0")
        ),
        largest_jump_share=_largest_jump(state.recent),
        missing_days=min(len(state.recent), CHRONIC_DAYS) - len(known),
    )


def _week_on_week(recent: Sequence[float | None]) -> float | NotComputable:
    week, before = recent[-7:], recent[-14:-7]
    now, then = ([load for load in part if load is not None] for part in (week, before))
    if len(now) < 7 or len(then) < 7 or sum(then) == 0:
        return NotComputable("week on week", "14 days in a row with a known load, and one above 0 in the first 7")
    return sum(now) / sum(then) - 1


def _largest_jump(recent: Sequence[float | None]) -> float | NotComputable:
    earlier = [load for load in recent[:-1] if load is not None]
    if len(recent) <= CHRONIC_DAYS or recent[-1] is None or not any(earlier):
        return NotComputable("largest jump", f"today's load and {CHRONIC_DAYS} days before, one of them above 0")
    return recent[-1] / max(earlier) - 1


@dataclass(frozen=True, slots=True)
class Week:
    """total: sum of the daily loads. monotony: mean over sample deviation (n - 1). strain: total x monotony."""

    total: float
    monotony: float
    strain: float

    @property
    def monotonous(self) -> bool:
        """Tell whether Foster's limit is passed."""
        return self.monotony > MONOTONY_LIMIT


def estimate_week(loads: Sequence[float | None]) -> Week | NotComputable:
    """Return total, monotony and strain of 7 daily loads, rest days as 0. Source: Foster 1998, MSSE 30:1164.

    Not computable when a day is unknown, or when all are alike (monotony has no value then).
    """
    if len(loads) != 7 or any(load is None for load in loads):
        return NotComputable("monotony and strain", "seven days in a row with a known load; a rest day counts as 0")
    days = np.asarray(loads, dtype=np.float64)
    spread = float(np.std(days, ddof=1))
    if spread == 0:
        return NotComputable("monotony and strain", "seven days that are not all alike")
    total, monotony = float(days.sum()), float(days.mean()) / spread
    return Week(total, monotony, total * monotony)


# The load sums differences of neighbouring samples, so it depends on the rate: it is told at this one only.
ACCEL_LOAD_RATE_HZ = 100.0
# "Divided by 100" stands inside the root here; published variants differ by a factor of 10 (Bredt 2020, PMC7052708).
_ACCEL_LOAD_DIVISOR = 100.0
_STANDARD_GRAVITY_MPS2 = 9.80665


@dataclass(frozen=True, slots=True)
class AccelLoadState:
    """last: the newest sample in g, empty at the start and after a gap. load: so far. samples: that took part."""

    last: tuple[float, ...] = ()
    load: float = 0.0
    samples: int = 0


def add_accel_load(state: AccelLoadState, rate_hz: float, acc_mps2: FloatArray) -> AccelLoadState | NotComputable:
    """Add consecutive samples (n, 3) of a trunk sensor; rows of NaN are a gap, across which nothing is added.

    Source: sum of sqrt((dx^2 + dy^2 + dz^2) / 100) over samples in g at 100 Hz (Boyd 2011's form; see above).
    """
    if rate_hz != ACCEL_LOAD_RATE_HZ:
        return NotComputable(
            "accelerometer load", f"samples at {ACCEL_LOAD_RATE_HZ:g} Hz; these come at {rate_hz:g} Hz"
        )
    if not len(acc_mps2):
        return state
    acc_g = acc_mps2 / _STANDARD_GRAVITY_MPS2
    first = np.asarray([state.last]) if state.last else np.full((1, 3), np.nan)
    steps = np.diff(np.concatenate((first, acc_g)), axis=0)
    added = np.sqrt(np.sum(steps * steps, axis=1) / _ACCEL_LOAD_DIVISOR)
    ends_known = bool(np.isfinite(acc_g[-1]).all())
    return AccelLoadState(
        tuple(acc_g[-1].tolist()) if ends_known else (),
        state.load + math.fsum(added[np.isfinite(added)].tolist()),
        state.samples + int(np.count_nonzero(np.isfinite(acc_g).all(axis=1))),
    )
