"""Lighthouse 12.8.2 of the pages that people open most, with Debian's chromium, the live stream paused.

Quickly each page once; at the full figure the median of five.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.browser.conftest import CHROMIUM_NAMES
from tests.club.routes import KIM, MARA, identity_of, site
from tests.club.seeding import Made
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).with_name("lighthouse")
PROGRAM = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
# The oldest node that this version runs on.
NODE_MAJOR = 18
INSTALL_S, RUN_S = 300, 180
# Who opens what, in which preset, and the least that was set for it.
PAGES = [
    (KIM, "/athletes", "desktop", 95),
    (KIM, "/athletes/{athlete_id}", "desktop", 95),
    (MARA, "/today", "mobile", 90),
]
LEAST_OF_OTHERS = 95


@pytest.fixture(scope="module")
def lighthouse() -> tuple[str, str]:
    """Return node and chromium, with Lighthouse installed as its lock file says; else skipped with the reason."""
    node, npm = shutil.which("node"), shutil.which("npm")
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if node is None or npm is None or chromium is None:
        skip_or_fail("Lighthouse needs node, npm and chromium: apt-get install nodejs npm chromium.")
    assert node is not None
    assert npm is not None
    assert chromium is not None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < NODE_MAJOR:
        skip_or_fail(f"Lighthouse 12.8.2 needs node {NODE_MAJOR} or newer; this is {version}.")
    if not PROGRAM.exists():
        try:
            made = subprocess.run(
                [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_S, check=False,
            )  # fmt: skip
            said = made.stderr.strip().splitlines()[-1:] or [""]
        except subprocess.TimeoutExpired:
            said = [f"it took longer than {INSTALL_S} s"]
        if not PROGRAM.exists():
            skip_or_fail(f"Lighthouse cannot be installed: npm ci in tests/browser/lighthouse ({said[0]}).")
    return node, chromium


@pytest.fixture
def served(club: Made) -> Iterator[str]:
    """Serve the club in a thread."""
    server = make_server("127.0.0.1", 0, site(club), threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def cookie_of(club: Made, who: str) -> str:
    """Sign somebody in and return the cookie."""
    identity = identity_of(club, who)
    assert identity is not None
    answer = site(club).test_client().get(f"/enter/{club.services.accounts.issue_sign_in_link(identity.user_id)}")
    return "; ".join(each.partition(";")[0] for each in answer.headers.getlist("Set-Cookie"))


def run(lighthouse: tuple[str, str], url: str, preset: str, cookie: str, folder: Path) -> dict[str, Any]:
    """Return one report. The live stream and what asks for it again are refused, so that the page comes to rest."""
    node, chromium = lighthouse
    report, headers = folder / "report.json", folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": cookie}), encoding="utf-8")
    sandbox = " --no-sandbox" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    arguments = [
        node, str(PROGRAM), url, "--quiet", "--output=json", f"--output-path={report}",
        "--only-categories=performance,accessibility,best-practices", f"--extra-headers={headers}",
        "--blocked-url-patterns=*/live/*", f"--chrome-flags=--headless=new{sandbox}",
    ]  # fmt: skip
    if preset == "desktop":
        arguments.append("--preset=desktop")
    ended = subprocess.run(
        arguments,
        env=os.environ | {"CHROME_PATH": chromium},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert report.exists(), ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    assert found["lighthouseVersion"] == "12.8.2"
    assert "runtimeError" not in found, found["runtimeError"]
    assert found["finalDisplayedUrl"] == url
    return found


def faults(report: dict[str, Any], category: str) -> list[str]:
    """Return what cost points in a category."""
    audits = report["audits"]
    named = [each["id"] for each in report["categories"][category]["auditRefs"] if each["weight"] > 0]
    return [f"{name} {audits[name]['score']}" for name in named if (audits[name]["score"] or 0) < 0.9]


@pytest.mark.proof
@pytest.mark.parametrize(("who", "path", "preset", "least"), PAGES, ids=["roster", "athlete", "today"])
def test_lighthouse_is_content(
    lighthouse: tuple[str, str], served: str, club: Made, tmp_path: Path, figure: Callable[..., None],
    full_or_quick: Callable[[int, int], int], who: str, path: str, preset: str, least: int,
) -> None:  # fmt: skip
    url = served + path.format(athlete_id=club.member(MARA).athlete_id)
    cookie = cookie_of(club, who)
    reports = [run(lighthouse, url, preset, cookie, tmp_path) for _ in range(full_or_quick(5, 1))]
    wanted = {"performance": least, "accessibility": LEAST_OF_OTHERS, "best-practices": LEAST_OF_OTHERS}
    wrong = {}
    for category, at_least in wanted.items():
        scores = [round(100 * each["categories"][category]["score"]) for each in reports]
        figure(f"Lighthouse {preset} {path} {category}", statistics.median(scores), "of 100")
        if statistics.median(scores) < at_least:
            wrong[category] = (scores, faults(reports[-1], category))
    assert wrong == {}
