"""Precision and recall with their intervals, abstentions apart. Unit: athlete-day and kind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """HIT, MISSED, FALSE, QUIET: truth and answer agree or not. ABSTAINED: "not enough data". LEARNING: no baseline."""

    HIT = "hit"
    MISSED = "missed"
    FALSE = "false"
    QUIET = "quiet"
    ABSTAINED = "abstained"
    LEARNING = "learning"


@dataclass(frozen=True, slots=True)
class Judged:
    """One athlete-day and kind. condition: what was done to the signal. level: quantity / limit, as it truly was."""

    profile: str
    kind: str
    condition: str
    athlete: int
    ordinal: int
    unsound: bool
    level: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one detector in one condition."""

    hits: int
    missed: int
    false: int
    quiet: int
    abstained: int
    learning: int

    @property
    def judged(self) -> int:
        return self.hits + self.missed + self.false + self.quiet

    @property
    def recall(self) -> tuple[int, int]:
        """Return hits of all unsound days that were judged."""
        return self.hits, self.hits + self.missed

    @property
    def precision(self) -> tuple[int, int]:
        """Return hits of all findings."""
        return self.hits, self.hits + self.false

    @property
    def abstentions(self) -> tuple[int, int]:
        """Return days that were not judged of all after the baseline was learnt."""
        return self.abstained, self.judged + self.abstained


def score(judged: Iterable[Judged]) -> Score:
    """Count the verdicts."""
    counts = Counter(one.verdict for one in judged)
    return Score(*(counts[verdict] for verdict in Verdict))


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. Source: Wilson 1927, JASA 22:209; 0 to 1 where there is nothing."""
    if not whole:
        return 0.0, 1.0
    z = 1.959964
    share, spread = part / whole, z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return max(0.0, middle - half), min(1.0, middle + half)


def told(part: int, whole: int) -> str:
    """Return a share with its interval and its counts, as the report shows it."""
    if not whole:
        return "–"
    low, high = wilson(part, whole)
    return f"{part / whole:.3f} ({low:.3f}–{high:.3f}), {part}/{whole}"
