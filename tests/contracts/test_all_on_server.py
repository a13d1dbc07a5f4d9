"""Every test of the store and of the services passes with each store a database of PostgreSQL (tests/databases.py)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT
from tests.servers import Postgres

# What stands for all of them where time is short.
_QUICK = ("tests/coach/service/test_tokens.py",)


@pytest.mark.proof
@pytest.mark.parametrize("number", range(4))
def test_all_of_the_services_on_a_server(
    postgres: Postgres,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
    number: int,
) -> None:
    """postgres: only to skip, or fail, where there is none. number: which quarter, so that none takes an hour."""
    files = sorted((ROOT / "tests" / "coach" / "service").glob("test_*.py"))[number::4]
    if number == 0:
        files += sorted((ROOT / "tests" / "coach" / "store").glob("test_*.py"))
    if not full_or_quick(1, 0):
        files = [ROOT / each for each in _QUICK[number : number + 1]]
        if not files:
            return
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not browser", *map(str, files)],
        cwd=ROOT,
        env={**os.environ, "BACKSTOP_TEST_DATABASE": "postgresql", "PROOF": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert "failed" not in done.stdout.splitlines()[-1]
    figure(f"tests of services on PostgreSQL, part {number}", int(passed[1]), "tests")
