"""The page of what is kept: everything as one file, how long what is kept, and erasing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from coach.config import Config
from coach.exports.archive import MANIFEST
from coach.service import build_services
from coach.service.personal_tokens import TokenScope
from coach.service.types import Role
from coach.store import guardians
from coach.store.tables import athlete
from coach.web import archive, create_app
from tests.coach.web.told import store_of

CsrfOf = Callable[[FlaskClient], str]


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def export_path(world) -> str:
    return f"/athletes/{world.ada.athlete_id}/data/export"


def erase_path(world) -> str:
    return f"/athletes/{world.ada.athlete_id}/data/erase"


def athletes(world) -> int:
    with store_of(world).read() as tx:
        return int(tx.execute(select(func.count()).select_from(athlete)).scalar_one())


def guardian_of(world):
    """Return Gil, who stands in for Ada."""
    user_id = world.services.accounts.create_user("Gil", Role.GUARDIAN)
    with store_of(world).begin() as tx:
        guardians.link(tx, user_id, world.ada.athlete_id, world.clock.now)
    return world.services.accounts.identity(user_id)


def test_the_page_says_what_is_kept_and_for_how_long(world) -> None:
    page = world.client(world.ada).get("/data").text
    assert "What is kept of you" in page
    for sentence in ("400 days", "until erased", "30 days", "What stays: that somebody was erased"):
        assert sentence in page
    assert "/data" in world.client(world.ada).get("/account").text


def test_everything_comes_as_one_file_and_leaves_nothing_behind(world, csrf_of: CsrfOf, tmp_path) -> None:
    client = world.client(world.ada)
    before = sorted(path.name for path in tmp_path.iterdir())
    answer = client.post(export_path(world), data={"csrf_token": csrf_of(client)})
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    found = opened(answer.data)
    assert json.loads(found[MANIFEST])["athlete_id"] == world.ada.athlete_id
    assert found["tables/chunk.blob.bin"]
    assert world.bo.athlete_id.encode() not in b"".join(found.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert client.post(export_path(world)).status_code == 400  # without the form's token


def test_only_one_is_made_at_a_time_and_a_person_does_not_ask_without_end(world, csrf_of: CsrfOf) -> None:
    client = world.client(world.ada)
    token = csrf_of(client)
    with archive._ONE:
        assert client.post(export_path(world), data={"csrf_token": token}).status_code == 503
    statuses = [client.post(export_path(world), data={"csrf_token": token}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_full_disk_is_a_sentence(world, csrf_of: CsrfOf, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client(world.ada)
    token = csrf_of(client)
    monkeypatch.setattr("coach.web.archive.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    answer = client.post(export_path(world), data={"csrf_token": token})
    assert (answer.status_code, archive._ONE.locked()) == (503, False)


def test_a_stale_sign_in_takes_nothing_along_and_erases_nothing(world, csrf_of: CsrfOf) -> None:
    client = world.client(world.ada)
    token = csrf_of(client)
    world.clock.forward(minutes=11)
    for path in (export_path(world), erase_path(world)):
        answer = client.post(
            path, data={"csrf_token": token, "name": "Ada"}, headers={"Referer": "http://localhost/data"}
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/confirm?next=/data")
    assert client.get(f"/api/v1/athletes/{world.ada.athlete_id}/export").status_code == 403
    assert athletes(world) == 2


def test_who_is_not_the_athlete_gets_nothing(world, csrf_of: CsrfOf) -> None:
    for person, status in ((world.kim, 403), (world.lou, 403), (world.bo, 404)):
        client = world.client(person)
        token = csrf_of(client)
        assert client.get(f"/athletes/{world.ada.athlete_id}/data").status_code == status
        for path in (export_path(world), erase_path(world)):
            assert client.post(path, data={"csrf_token": token, "name": "Ada"}).status_code == status
        assert client.get(f"/api/v1/athletes/{world.ada.athlete_id}/export").status_code == status
    assert athletes(world) == 2


def test_a_wrong_name_erases_nothing(world, csrf_of: CsrfOf) -> None:
    client = world.client(world.ada)
    answer = client.post(erase_path(world), data={"csrf_token": csrf_of(client), "name": "Bo"})
    assert answer.status_code == 422
    assert "nothing was erased" in answer.text
    assert athletes(world) == 2


def test_the_athlete_is_erased_and_signed_out_and_the_coach_goes_on(world, csrf_of: CsrfOf) -> None:
    client, coach = world.client(world.ada), world.client(world.kim)
    assert "Ada" in coach.get("/athletes").text
    answer = client.post(erase_path(world), data={"csrf_token": csrf_of(client), "name": " ada "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "Everything of you is erased here." in client.get("/").text
    assert client.get("/today").status_code == 303
    assert athletes(world) == 1
    page = coach.get("/athletes")
    assert page.status_code == 200
    assert "Ada" not in page.text
    assert coach.get(f"/findings/{world.finding_id}").status_code == 404
    assert coach.get(f"/athletes/{world.ada.athlete_id}").status_code == 404


def test_a_guardian_takes_along_and_the_ledger_says_so(world, csrf_of: CsrfOf) -> None:
    gil = guardian_of(world)
    client = world.app.test_client()
    client.get(f"/enter/{world.services.accounts.issue_sign_in_link(gil.user_id)}")
    assert "What is kept of Ada" in client.get(f"/athletes/{world.ada.athlete_id}/data").text
    assert client.post(export_path(world), data={"csrf_token": csrf_of(client)}).status_code == 200
    lines = world.services.ledger.of_athlete(world.ada.identity, world.ada.athlete_id)
    assert ("Gil", "export") in {(line.name, line.subject.value) for line in lines}
    answer = client.post(erase_path(world), data={"csrf_token": csrf_of(client), "name": "Ada"})
    assert answer.status_code == 303
    assert "Everything of Ada is erased here." in client.get("/people").text
    assert athletes(world) == 1


def test_a_program_takes_along_with_the_scope_for_it_only(world) -> None:
    path = f"/api/v1/athletes/{world.ada.athlete_id}/export"
    tokens = world.services.personal_tokens
    for scope, status in ((TokenScope.EXPORT, 200), (TokenScope.READ_FINDINGS, 403)):
        made = tokens.make(world.ada.identity, "backup", [scope.value], 30)
        answer = world.app.test_client().get(path, headers={"Authorization": f"Bearer {made.secret}"})
        assert answer.status_code == status
        if status == 200:
            assert "tables/athlete.jsonl" in opened(answer.data)


def test_a_finding_whose_signal_is_gone_says_so_beside_its_line(world) -> None:
    client = world.client(world.ada)
    path = f"/findings/{world.finding_id}"
    assert "was forgotten" not in client.get(path).text
    world.clock.forward(minutes=16)
    assert world.services.motion.close_stale(world.clock.now) == 1
    world.clock.forward(days=401)
    world.services.retention.forget(world.clock.now)
    client = world.client(world.ada)
    page = client.get(path).text
    assert "The raw signal behind this line was forgotten on" in page
    assert "data-window=" in page
    assert client.get(f"{path}/signal.json").get_json()["inclination_deg"]


def test_a_finding_whose_line_is_gone_says_so_in_its_place(world) -> None:
    config = Config(storage=world.services.exports._ground.config.storage, retention={"features_days": 30})
    services = build_services(store_of(world), config, world.clock)
    app = create_app(services, world.feed, config, "k" * 32, clock=world.clock)
    world.clock.forward(days=31)
    services.retention.forget(world.clock.now)
    client = app.test_client()
    client.get(f"/enter/{services.accounts.issue_sign_in_link(world.ada.identity.user_id)}")
    page = client.get(f"/findings/{world.finding_id}").text
    assert "it is kept for 30 days" in page
    assert "data-window=" not in page
