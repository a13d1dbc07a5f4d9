"""How well the detectors did in the benchmark: its stored result, with the date and the version it was measured with.

`detector_benchmark.json` is written by `make bench`, together with docs/benchmarks.md; nothing here measures anything.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "detector_benchmark.json"
# 95 % of a normal distribution lie within so many of its standard deviations.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """part of whole, and the 95 % interval of the share; share is None where there was nothing to count."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return low and high. Source: Wilson 1927, JASA 22:209, equation for the score interval."""
        if not self.whole:
            return 0.0, 1.0
        share, spread = self.part / self.whole, _Z * _Z / self.whole
        middle = (share + spread / 2) / (1 + spread)
        half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / self.whole + spread / (4 * self.whole))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Result:
    """One kind in one condition, counted in athlete-days. lost_share: of the samples.

    level: "raw" (motion at 50 Hz through the whole analysis) or "exposures" (its output, with the errors it has).
    recall: of the days on which there was something. precision: of the findings. abstained: of the days that were asked
    about those without enough data, which count in neither.
    """

    kind: str
    level: str
    lost_share: float
    recall: Share
    precision: Share
    abstained: Share


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All results of one run. algorithm_version: what was measured."""

    measured_on: date
    algorithm_name: str
    algorithm_version: str
    profiles: int
    exposure_weeks: int
    raw_weeks: int
    results: tuple[Result, ...]

    def of(self, kind: str) -> tuple[Result, ...]:
        """Return a kind's results; empty where no benchmark knows the kind."""
        return tuple(each for each in self.results if each.kind == kind)

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that were measured, in order."""
        return tuple(dict.fromkeys(each.kind for each in self.results))


@lru_cache(maxsize=1)
def benchmark() -> Benchmark:
    """Return the stored result."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    return Benchmark(
        measured_on=date.fromisoformat(told["measured_on"]),
        algorithm_name=told["algorithm"]["name"],
        algorithm_version=told["algorithm"]["version"],
        profiles=told["profiles"],
        exposure_weeks=told["athlete_weeks"]["exposures"],
        raw_weeks=told["athlete_weeks"]["raw"],
        results=tuple(
            Result(
                each["kind"],
                each["level"],
                each["lost_percent"] / 100,
                Share(each["hits"], each["hits"] + each["missed"]),
                Share(each["hits"], each["hits"] + each["false"]),
                Share(each["abstained"], each["asked"]),
            )
            for each in told["results"]
        ),
    )
