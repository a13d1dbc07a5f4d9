"""What every test may ask for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.servers import Nats, NoBinary, Postgres

if TYPE_CHECKING:
    from tests.club.seeding import Made

ROOT = Path(__file__).resolve().parent.parent


class Reading(FlaskClient):
    """A client that reads each answer to its end, as a browser does: till then it holds its place."""

    def open(self, *args: Any, **wanted: Any) -> TestResponse:
        answer = super().open(*args, **wanted)
        if answer.mimetype != "text/event-stream":
            answer.get_data()
            answer.close()
        return answer


Flask.test_client_class = Reading


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def skip_or_fail(reason: str) -> None:
    """Skip with the reason; in CI a missing part is a failure."""
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings (BACKSTOP_RECORDINGS, default ../shared/data)."""
    folder = Path(os.environ.get("BACKSTOP_RECORDINGS", ROOT.parent / "shared" / "data"))
    if not (folder / "pted" / "index.csv").is_file():
        skip_or_fail(f"No recordings in {folder}: set BACKSTOP_RECORDINGS to their folder.")
    return folder


@pytest.fixture(autouse=True)
def _own_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads the settings of whoever runs it, and none leaves its umask behind."""
    for name in list(os.environ):
        if name.startswith("BACKSTOP_") and name != "BACKSTOP_RECORDINGS":
            monkeypatch.delenv(name)
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def full_or_quick() -> Callable[[int, int], int]:
    """Choose a count: `full_or_quick(30_000, 3_000)` is the first under `make proof`, the second under `make test`."""
    return lambda full, quick: full if os.environ.get("PROOF") else quick


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object, str], None]:
    """Report a measured figure: printed, and collected by `make proof`."""

    def report(name: str, value: object, unit: str = "") -> None:
        print(f"\n{request.node.name}: {name} = {value} {unit}".rstrip())
        target = os.environ.get("PROOF_FIGURES")
        if target:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "value": value, "unit": unit}) + "\n")

    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL of this run."""
    try:
        server = Postgres()
    except NoBinary as error:
        skip_or_fail(str(error))
        raise
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """Name of a database with the newest schema, to be copied."""
    from coach.store.engine import migrate, open_store

    name = postgres.create()
    with open_store(postgres.url(name)) as store:
        migrate(store)
    return name


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """The address of a database of the newest schema, this test's own."""
    name = postgres.create(postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def nats_server() -> Iterator[Nats]:
    """A private NATS server with JetStream, this test's own."""
    try:
        server = Nats()
    except NoBinary as error:
        skip_or_fail(str(error))
        raise
    yield server
    server.close()


# A Tuesday, three in the afternoon in Berlin.
CLUB_NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def club_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the made club (tests/club), made once for all tests: forty athletes with twelve weeks."""
    from tests.club.seeding import make_club

    folder = tmp_path_factory.mktemp("club")
    made = make_club(folder, CLUB_NOW)
    made.store.close()
    return folder / "backstop.db"


@pytest.fixture
def club(club_file: Path, tmp_path: Path) -> Iterator[Made]:
    """The made club in a copy of its own, with its clock standing at CLUB_NOW."""
    from tests.club.seeding import open_club

    shutil.copyfile(club_file, tmp_path / "backstop.db")
    made = open_club(tmp_path, CLUB_NOW)
    yield made
    made.store.close()
