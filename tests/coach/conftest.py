"""Fixtures of the service's tests; see club.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coach.store.engine import Store, migrate
from tests.coach.club import Club, FakeClock, found_club
from tests.databases import forget_databases, open_store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "backstop.db") as opened:
        migrate(opened)
        yield opened
    forget_databases(tmp_path)


@pytest.fixture
def club(store: Store, clock: FakeClock) -> Club:
    return found_club(store, clock)
