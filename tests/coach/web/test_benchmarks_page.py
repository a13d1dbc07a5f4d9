"""The detectors' benchmark on a page: the counts of the report, Wilson's intervals, a kind that nobody measured."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from coach.analysis.detectors.types import Kind
from coach.analysis.types import ALGORITHM_VERSION
from coach.service import benchmarks
from coach.service.benchmarks import Share, benchmark
from coach.web.kind_words import KINDS
from tests.bench.detectors.scoring import wilson

REPORT = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"


def in_report() -> dict[tuple[str, int, str], tuple[str, str, str]]:
    """(level, percent lost, kind) -> recall, precision and abstentions as docs/benchmarks.md says them."""
    found, where = {}, None
    for line in REPORT.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title = re.match(r"### (Exposures|Raw motion), (\d+) % of the samples lost", line)
            where = ({"Exposures": "exposures", "Raw motion": "raw"}[title[1]], int(title[2])) if title else None
        elif where and line.startswith("| `"):
            kind, recall, precision, _, abstained = (cell.strip() for cell in line.strip("|").split("|"))
            found[(*where, kind.strip("`"))] = (recall, precision, abstained)
    return found


def as_report(share: Share) -> str:
    if not share.whole:
        return "–"
    low, high = wilson(share.part, share.whole)
    return f"{share.part / share.whole:.3f} ({low:.3f}–{high:.3f}), {share.part}/{share.whole}"


def test_the_stored_result_is_the_report_of_the_same_run() -> None:
    stored = {
        (each.level, round(100 * each.lost_share), each.kind): (
            as_report(each.recall), as_report(each.precision),
            f"{each.abstained.part / each.abstained.whole:.1%} ({each.abstained.part}/{each.abstained.whole})",
        )
        for each in benchmark().results
    }  # fmt: skip
    assert stored == in_report()
    assert len(stored) == 8 * len(Kind)
    assert f"on {benchmark().measured_on}" in REPORT.read_text(encoding="utf-8")


def test_what_is_shown_was_measured_of_this_version() -> None:
    # With a new version of the algorithm: `make bench`, or the page speaks of another one.
    assert benchmark().algorithm_version == ALGORITHM_VERSION
    assert set(benchmark().kinds()) == {kind.value for kind in Kind}


@pytest.mark.parametrize(("part", "whole"), [(0, 5), (5, 5), (43, 43), (1013, 1032), (1, 2)])
def test_the_interval_is_wilsons(part: int, whole: int) -> None:
    assert Share(part, whole).interval == pytest.approx(wilson(part, whole))
    low, high = Share(part, whole).interval
    assert low - 1e-9 <= part / whole <= high + 1e-9


def test_the_page_shows_every_kind_and_never_more_than_was_counted(world) -> None:
    page = html.unescape(world.client(world.ada).get("/benchmarks").text)
    for kind in Kind:
        assert f'id="{kind.value}"' in page
        assert KINDS[kind][0] in page
    assert "98.2 % (97.1 to 98.9 %), 1013 of 1032" in page
    # 43 of 43 is no certainty, and 1016 of 1017 is not all of them.
    assert "100 % (91.7 to 100 %), 43 of 43" in page
    assert "99.9 % (99.4 to 100 %), 1016 of 1017" in page
    assert "nothing to count" in page
    assert "26 November 2026" in page


def test_each_finding_leads_to_its_kinds_figures(world) -> None:
    page = html.unescape(world.client(world.kim).get(f"/findings/{world.finding_id}").text)
    assert "How well such days are told" in page
    assert 'href="/benchmarks#repeated_bending"' in page
    assert "43 of 43" in page


def test_a_finding_of_a_kind_without_a_benchmark_says_so(world, monkeypatch: pytest.MonkeyPatch) -> None:
    known = benchmark()
    left = tuple(each for each in known.results if each.kind != "repeated_bending")
    unmeasured = benchmarks.Benchmark(known.measured_on, "backstop", "2", 7, 200, 10, left)
    monkeypatch.setattr("coach.web.benchmarks.benchmark", lambda: unmeasured)
    page = world.client(world.kim).get(f"/findings/{world.finding_id}").text
    assert "There is no benchmark of this kind" in page
    assert "43 of 43" not in page
