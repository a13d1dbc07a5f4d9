"""Measure, and write docs/benchmarks.md. Usage: run.py [NAME ...] to measure only some, printed and not written."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT = ROOT / "docs" / "benchmarks.md"
# What the product shows of a part, written together with the report.
KEPT = {"detectors": ROOT / "coach" / "service" / "detector_benchmark.json"}
PARTS = {
    "start": "Start of `backstop run`",
    "pages": "Pages beside open event streams",
    "load": "Load of a full club on one machine",
    "link": "Links",
    "store": "Chunk log, worker and disk",
    "costs": "What an athlete's day costs",
    "reanalysis": "History analysed anew",
    "many_workers": "Several workers over PostgreSQL and JetStream",
    "export": "An athlete's archive",
    "analysis": "Analysis",
    "inclination": "Inclination against an optical reference",
    "peers": "Analysis beside other libraries",
    "accuracy": "Accuracy over real recordings",
    "detectors": "How well the detectors tell sound days from unsound ones",
    "assessments": "Tests of endurance and mobility, simulated",
}


def main() -> int:
    sys.path.insert(0, str(ROOT))
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        print(f"no benchmark is called {', '.join(sorted(unknown))}: there is {', '.join(PARTS)}", file=sys.stderr)
        return 2
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; Python {platform.python_version()}, "
        f"{platform.system()}, {os.cpu_count()} shared cores. The machine is noisy: ratios within one run tell more "
        "than figures between runs.",
    ]
    for name in wanted:
        kept = {"keep": KEPT[name]} if name in KEPT and not sys.argv[1:] else {}
        part = importlib.import_module(f"tests.bench.bench_{name}").measure(**kept)
        print("\n".join([f"## {PARTS[name]}", *part]), flush=True)
        lines += ["", f"## {PARTS[name]}", "", *part]
    if not sys.argv[1:]:
        REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
