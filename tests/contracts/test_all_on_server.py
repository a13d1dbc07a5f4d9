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
_QUICK = ("service/test_tokens.py",)
_ALL = ("service", "store")


@pytest.mark.proof
def test_all_of_the_services_on_a_server(
    postgres: Postgres,
    full_or_quick: Callable[[int, int], int],
    figure: Callable[[str, object, str], None],
) -> None:
    """postgres: only to skip, or fail, where there is none."""
    what = _ALL if full_or_quick(1, 0) else _QUICK
    # Not as a part of the run that this one may be a part of, which would keep its words for itself.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(f"tests/coach/{each}" for each in what)],
        cwd=ROOT,
        env={**own, "BACKSTOP_TEST_DATABASE": "postgresql", "PROOF": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= full_or_quick(400, 5)
    figure("tests of services and store on PostgreSQL", int(passed[1]), "tests")
