"""Velocity loss, and whether a set or a session shows signs of fatigue: at least two of four, no diagnosis.

Source: Pareja-Blanco 2017 (velocity loss of 20 % in strength work). The four signs, their limits and that two of them
make a flag are own heuristics (docs/algorithms.md); a flag suggests ending the set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from coach.analysis.motion_types import Repetition
from coach.analysis.types import NotComputable
from devices.types import FloatArray

# Own heuristic: the same exercise a second time is done within a third of its range.
LIKE_ROM_SHARE = 0.33


@dataclass(frozen=True, slots=True)
class FatigueParams:
    """velocity_loss_share: Pareja-Blanco 2017; the others are own heuristics.

    first: repetitions that a set is compared with. session_share: the ends of a session that are compared.
    """

    velocity_loss_share: float = 0.20
    rom_loss_share: float = 0.10
    sparc_loss: float = 0.3
    duration_cv_ratio: float = 1.5
    first: int = 5
    session_share: float = 0.2
    signs_needed: int = 2


class Sign(StrEnum):
    SLOWER = "slower"
    SMALLER = "smaller range of motion"
    JERKIER = "less smooth"
    IRREGULAR = "less even in time"


@dataclass(frozen=True, slots=True)
class Repeats:
    """Repetitions of one movement in order, (n,) each: peak or mean speed, ROM, SPARC (NaN where unknown), duration."""

    speed_radps: FloatArray
    rom_deg: FloatArray
    sparc: FloatArray
    duration_s: FloatArray


@dataclass(frozen=True, slots=True)
class Fatigue:
    """signs: those that were seen. flagged: enough of them. Values are None where a sign could not be looked for."""

    signs: tuple[Sign, ...]
    flagged: bool
    velocity_loss_share: float | None
    rom_loss_share: float | None
    sparc_loss: float | None
    duration_cv_ratio: float | None


def repeats_of(repetitions: Sequence[Repetition]) -> Repeats:
    """Return what the signs are looked for in: mean angular rate of the way there, ROM, SPARC, duration."""
    return Repeats(
        np.radians([each.mean_rate_degps if each.up_s > 0 else np.nan for each in repetitions]),
        np.array([each.rom_deg for each in repetitions], dtype=np.float64),
        np.array([np.nan if each.sparc is None else each.sparc for each in repetitions], dtype=np.float64),
        np.array([each.end_s - each.start_s for each in repetitions], dtype=np.float64),
    )


def alike(sets: Sequence[Sequence[Repetition]]) -> list[Repetition]:
    """Return the repetitions of the sets that look like one movement, in order: the largest such group of sets.

    Sets are alike when their median ROM differs by less than LIKE_ROM_SHARE (own heuristic; without the exercise's name
    a session can't be told better).
    """
    medians = [float(np.median([each.rom_deg for each in one])) if one else 0.0 for one in sets]
    groups = [
        [
            each
            for one, other in zip(sets, medians, strict=True)
            if abs(other - own) < LIKE_ROM_SHARE * own
            for each in one
        ]
        for own in medians
    ]
    return max(groups, key=len, default=[])


def velocity_loss_share(speeds: Sequence[float]) -> float | NotComputable:
    """Return (best - last) / best of a set's speeds, in order. Source: Pareja-Blanco 2017."""
    known = [speed for speed in speeds if np.isfinite(speed)]
    if len(known) < 2 or max(known) <= 0:
        return NotComputable("velocity loss", "two repetitions with a speed")
    return (max(known) - known[-1]) / max(known)


def assess_set(params: FatigueParams, repeats: Repeats) -> Fatigue | NotComputable:
    """Compare the newest repetitions of a set with its first ones.

    Not computable before there are `first` repetitions after the first `first`.
    """
    count = repeats.rom_deg.size
    if count < 2 * params.first:
        return NotComputable("signs of fatigue in a set", f"{2 * params.first} repetitions (so far {count})")
    loss = velocity_loss_share(repeats.speed_radps.tolist())
    return _assess(params, repeats, params.first, None if isinstance(loss, NotComputable) else loss)


def assess_session(params: FatigueParams, repeats: Repeats) -> Fatigue | NotComputable:
    """Compare the last fifth of a session's repetitions with the first fifth, by their medians."""
    part = int(repeats.rom_deg.size * params.session_share)
    if part < params.first:
        needed = int(np.ceil(params.first / params.session_share))
        return NotComputable(
            "signs of fatigue in a session", f"{needed} repetitions of one movement (so far {repeats.rom_deg.size})"
        )
    return _assess(params, repeats, part, _loss_share(repeats.speed_radps, part))


def _assess(params: FatigueParams, repeats: Repeats, part: int, slower: float | None) -> Fatigue:
    smaller = _loss_share(repeats.rom_deg, part)
    jerkier = _fall(repeats.sparc, part)
    irregular = _cv_ratio(repeats.duration_s, part)
    limits = (
        (Sign.SLOWER, slower, params.velocity_loss_share),
        (Sign.SMALLER, smaller, params.rom_loss_share),
        (Sign.JERKIER, jerkier, params.sparc_loss),
        (Sign.IRREGULAR, irregular, params.duration_cv_ratio),
    )
    # A hair of tolerance, so that a loss of exactly the limit counts whatever the rounding.
    signs = tuple(sign for sign, value, limit in limits if value is not None and value >= limit - 1e-9)
    return Fatigue(signs, len(signs) >= params.signs_needed, slower, smaller, jerkier, irregular)


def _ends(values: FloatArray, part: int) -> tuple[FloatArray, FloatArray] | None:
    first, last = values[:part], values[-part:]
    return (first, last) if np.isfinite(first).all() and np.isfinite(last).all() else None


def _fall(values: FloatArray, part: int) -> float | None:
    ends = _ends(values, part)
    return None if ends is None else float(np.median(ends[0]) - np.median(ends[1]))


def _loss_share(values: FloatArray, part: int) -> float | None:
    ends = _ends(values, part)
    if ends is None or np.median(ends[0]) <= 0:
        return None
    return float(1 - np.median(ends[1]) / np.median(ends[0]))


def _cv_ratio(values: FloatArray, part: int) -> float | None:
    ends = _ends(values, part)
    if ends is None or min(np.mean(end) for end in ends) <= 0:
        return None
    first, last = (float(np.std(end, ddof=1) / np.mean(end)) for end in ends)
    return last / first if first > 0 else None
