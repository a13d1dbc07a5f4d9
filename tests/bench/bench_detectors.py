"""How well the detectors tell sound days from unsound ones, over weeks of simulated athletes with known truth.

Run: python -m tests.bench.bench_detectors [--quick]. The truth is made without any code of the analysis.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from coach.analysis.detectors.types import Kind
from coach.analysis.types import ALGORITHM_NAME, ALGORITHM_VERSION
from tests.bench.detectors.athletes import FIRST_ORDINAL
from tests.bench.detectors.raw import CONDITIONS, MISHAPS
from tests.bench.detectors.runs import EXPOSURES, NO_ABSTENTION, Work, run
from tests.bench.detectors.scoring import Judged, Score, Verdict, score, told
from tests.bench.detectors.sports import SPORTS

# Athletes and their scored weeks at the level of exposures; athletes of one week each as raw motion, some of them
# in every condition, all in the two that the mark is about.
ATHLETES, WEEKS = 10, 20
RAW_ATHLETES, RAW_EVERYWHERE = 10, 3
MARKED = ("0 %", "2 %")
BOLD = tuple(f"{name}, {NO_ABSTENTION}" for name in ("2 %", "30 %"))


def works(athletes: int, weeks: int, raw_athletes: int, raw_everywhere: int) -> list[Work]:
    """Return the pieces of work, those that take longest first."""
    names = tuple(condition.name for condition in CONDITIONS)
    raw = [
        Work(sport.id, athlete, 1, True, names if 1 <= athlete <= raw_everywhere else MARKED)
        for athlete in range(raw_athletes)
        for sport in SPORTS
    ]
    exposed = [
        Work(sport.id, athlete, weeks, False, (*EXPOSURES, *BOLD)) for athlete in range(athletes) for sport in SPORTS
    ]
    return [*raw, *exposed]


def run_all(pieces: Sequence[Work]) -> tuple[list[Judged], list[Judged]]:
    """Return the verdicts at the level of exposures and of raw motion, on all processors."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(run, pieces))
    exposed, raw = list[Judged](), list[Judged]()
    for piece, judged in zip(pieces, results, strict=True):
        (raw if piece.raw else exposed).extend(judged)
    return exposed, raw


def measure(quick: bool = False, keep: Path | None = None) -> list[str]:
    """Return the lines of the report. keep: where the counts are written for the product's own page."""
    pieces = works(2, 4, 1, 1) if quick else works(ATHLETES, WEEKS, RAW_ATHLETES, RAW_EVERYWHERE)
    exposed, raw = run_all(pieces)
    weeks = sum(piece.weeks for piece in pieces if not piece.raw) // len(SPORTS)
    raw_weeks = sum(piece.weeks for piece in pieces if piece.raw) // len(SPORTS)
    if keep is not None:
        keep.write_text(stored(exposed, raw, weeks, raw_weeks), encoding="utf-8")
    lines = [
        f"Simulated athletes of {len(SPORTS)} profiles: {weeks} athlete-weeks each at the level of exposures (features "
        f"with the errors measured of them), {raw_weeks} as raw 50 Hz motion through `analyse`; clocks up to 200 ppm "
        f"off. Sound weeks: {_sound(exposed):.0%} and {_sound(raw):.0%}. Near misses lie 0.8 to 0.95 and 1.05 to 1.2 "
        "times a limit. Unit: athlete-day and kind. Recall and precision are of the days that were judged, with their "
        '95 % interval (Wilson); days that got "not enough data" are counted apart.',
    ]
    for title, judged, conditions in (
        ("Exposures", exposed, EXPOSURES),
        ("Raw motion", raw, tuple(each.name for each in CONDITIONS if not each.mishap)),
    ):
        for condition in conditions:
            lines += ["", f"### {title}, {condition} of the samples lost", "", *table(judged, condition)]
    lines += ["", f"### The trunk sensor loose or mounted wrongly ({RAW_EVERYWHERE} athlete-weeks a profile)", ""]
    lines += mishap_table(raw)
    lines += ["", "### What abstaining brings: the same detectors, exposures, no demand on coverage and wear", ""]
    return [*lines, *bold_table(exposed)]


def stored(exposed: Iterable[Judged], raw: Iterable[Judged], weeks: int, raw_weeks: int) -> str:
    """Return the counts of every kind and condition as the product reads them (coach/service/benchmarks.py)."""
    head = {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "algorithm": {"name": ALGORITHM_NAME, "version": ALGORITHM_VERSION},
        "profiles": len(SPORTS),
        "athlete_weeks": {"exposures": weeks, "raw": raw_weeks},
    }
    unharmed = tuple(each.name for each in CONDITIONS if not each.mishap)
    rows = [
        {
            "level": level,
            "lost_percent": int(condition.removesuffix(" %")),
            "kind": name,
            "hits": part.hits,
            "missed": part.missed,
            "false": part.false,
            "abstained": part.abstained,
            "asked": part.abstentions[1],
        }
        for level, judged, conditions in (("exposures", list(exposed), EXPOSURES), ("raw", list(raw), unharmed))
        for condition in conditions
        for name, part in _by_kind(judged, condition)
    ]
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return json.dumps(head, indent=1)[:-2] + f',\n "results": [\n{lines}\n ]\n}}\n'


def table(judged: Iterable[Judged], condition: str) -> list[str]:
    """Return recall, precision and abstentions of each kind."""
    lines = [
        "| kind | recall | precision | false findings | not enough data |",
        "|---|---|---|---|---|",
    ]
    for name, part in _by_kind(judged, condition):
        lines.append(f"| `{name}` | {told(*part.recall)} | {told(*part.precision)} | {part.false} | {_share(part)} |")
    return lines


def mishap_table(judged: Iterable[Judged]) -> list[str]:
    """Return what was said with a trunk sensor that sat wrongly: right, not enough data, or wrong either way."""
    judged = list(judged)
    lines = [
        "| kind | strap: right | abstained | false | missed | mounting: right | abstained | false | missed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    parts = [dict(_by_kind(judged, condition)) for condition in MISHAPS]
    for name in parts[0]:
        cells = (
            str(count)
            for part in (both[name] for both in parts)
            for count in (part.hits + part.quiet, part.abstained, part.false, part.missed)
        )
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def bold_table(judged: Iterable[Judged]) -> list[str]:
    """Return false and missed findings with and without abstention."""
    judged = list(judged)
    names = [(name, f"{name}, {NO_ABSTENTION}") for name in ("2 %", "30 %")]
    lines = [
        "| lost | as shipped: false | missed | not enough data | never abstains: false | missed | precision | recall |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for careful, bold in names:
        one, other = (score(each for each in judged if each.condition == name) for name in (careful, bold))
        lines.append(
            f"| {careful} | {one.false} | {one.missed} | {one.abstained} | {other.false} | {other.missed} | "
            f"{told(*other.precision)} | {told(*other.recall)} |"
        )
    return lines


def _by_kind(judged: Iterable[Judged], condition: str) -> list[tuple[str, Score]]:
    mine = [one for one in judged if one.condition == condition]
    return [(kind.value, score(part)) for kind in Kind if (part := [one for one in mine if one.kind == kind])]


def _share(part: Score) -> str:
    abstained, asked = part.abstentions
    return f"{abstained / asked:.1%} ({abstained}/{asked})" if asked else "–"


def _sound(judged: Iterable[Judged]) -> float:
    """Return the share of athlete-weeks without any unsound day."""
    weeks: dict[tuple[str, int, int], bool] = {}
    for one in judged:
        if one.condition == MARKED[0] and one.verdict is not Verdict.LEARNING:
            week = (one.profile, one.athlete, (one.ordinal - FIRST_ORDINAL) // 7)
            weeks[week] = weeks.get(week, True) and not one.unsound
    return sum(weeks.values()) / len(weeks)


if __name__ == "__main__":
    print("\n".join(measure("--quick" in sys.argv[1:])))
