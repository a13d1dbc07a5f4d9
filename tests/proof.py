"""Run every long mark at its full figure, one part after the other, and write docs/proof.md.

A part is a test marked `proof`. It runs in a pytest of its own with PROOF=1, which makes the `full_or_quick` fixture
answer the full figure. A part that passed for the present tree is not run again, so a run that was stopped goes on
where it was. A part that can take any time (a soak) takes what half of the budget allows.
Usage: proof.py [--budget-s S] [--shuffle SEED] [--fresh] [--part TEXT]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "var" / "proof"
REPORT = ROOT / "docs" / "proof.md"
# A part that takes longer than the whole allowance of an hour is stuck.
PART_TIMEOUT_S = 3600


def tree_hash() -> str:
    """Hash of every file that git tracks or would track, as it stands, without the reports."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    digest = hashlib.sha256()
    for name in sorted(set(listed.stdout.decode().split("\0"))):
        path = ROOT / name
        if name and path.suffix in {".py", ".toml", ".html", ".js"} and path.is_file():
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def parts() -> list[str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-m", "proof"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    found = [line for line in listed.stdout.splitlines() if "::" in line]
    if listed.returncode != 0 or not found:
        sys.exit(f"The parts cannot be listed:\n{listed.stdout}{listed.stderr}")
    return found


def in_turn(order: list[str]) -> list[str]:
    """Return the parts with one case of each test first, then a second one: a test of many cases crowds nobody out."""
    seen: dict[str, int] = {}
    turns = []
    for part in order:
        test = part.partition("[")[0]
        seen[test] = seen.get(test, 0) + 1
        turns.append(seen[test])
    return [part for _, part in sorted(zip(turns, order, strict=True), key=lambda pair: pair[0])]


def run(part: str, state: Path, budget_s: float) -> dict[str, object]:
    figures = state.with_suffix(".figures")
    figures.unlink(missing_ok=True)
    began = time.monotonic()
    environment = os.environ | {"PROOF": "1", "PROOF_FIGURES": str(figures), "PROOF_BUDGET_S": str(budget_s)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", part],
            cwd=ROOT, env=environment, timeout=max(PART_TIMEOUT_S, budget_s), capture_output=True, text=True,
        )  # fmt: skip
        output = done.stdout + done.stderr
        outcome = "passed" if done.returncode == 0 and " skipped" not in done.stdout else "failed"
        if done.returncode == 0 and " skipped" in done.stdout:
            outcome = "skipped"
    except subprocess.TimeoutExpired:
        output, outcome = f"longer than {max(PART_TIMEOUT_S, budget_s):.0f} s", "failed"
    if outcome != "passed":
        print(output, flush=True)
    lines = figures.read_text(encoding="utf-8").splitlines() if figures.is_file() else []
    result: dict[str, object] = {
        "part": part,
        "outcome": outcome,
        "took_s": round(time.monotonic() - began, 1),
        "figures": [json.loads(line) for line in lines],
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    state.write_text(json.dumps(result), encoding="utf-8")
    return result


def report(results: list[dict[str, object]], missing: list[str]) -> str:
    lines = [
        "# Proof: the long marks at their full figures",
        "",
        f"Written by `make proof`; Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores. "
        "`make test` runs the same tests with smaller counts.",
        "",
        "| part | outcome | took (s) | figures |",
        "|---|---|---|---|",
    ]
    for result in sorted(results, key=lambda one: str(one["part"])):
        figures = "; ".join(f"{f['name']} {f['value']} {f['unit']}".strip() for f in result["figures"])  # type: ignore[attr-defined]
        lines.append(f"| `{result['part']}` | {result['outcome']} | {result['took_s']} | {figures} |")
    left: dict[str, int] = {}
    for part in missing:
        left[part.partition("[")[0]] = left.get(part.partition("[")[0], 0) + 1
    lines += [f"| `{test}` | {count} not reached | | |" for test, count in sorted(left.items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget-s", type=float, default=3600.0)
    parser.add_argument("--shuffle", default="")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--part", default="")
    args = parser.parse_args()
    began = time.monotonic()
    STATE.mkdir(parents=True, exist_ok=True)
    order = [part for part in parts() if args.part in part]
    if args.shuffle:
        random.Random(args.shuffle).shuffle(order)
        order = in_turn(order)
    tree, results, missing = tree_hash(), [], []
    for part in order:
        state = STATE / f"{tree}-{hashlib.sha256(part.encode()).hexdigest()[:12]}.json"
        earlier = json.loads(state.read_text(encoding="utf-8")) if state.is_file() and not args.fresh else None
        if earlier and earlier["outcome"] == "passed":
            results.append(earlier)
            print(f"{part}: passed earlier for this tree", flush=True)
        elif time.monotonic() - began > args.budget_s:
            missing.append(part)
        else:
            results.append(run(part, state, args.budget_s))
            print(f"{part}: {results[-1]['outcome']} in {results[-1]['took_s']} s {results[-1]['figures']}", flush=True)
    if not args.part:
        REPORT.write_text(report(results, missing), encoding="utf-8")
    failed = [result for result in results if result["outcome"] == "failed"]
    print(f"proof: {len(results) - len(failed)} passed, {len(failed)} failed, {len(missing)} not reached")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
