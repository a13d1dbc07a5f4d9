"""Readiness and metrics: who is told what, that they say what happened, and that they name nobody."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from coach.service.types import Role
from coach.web import create_app
from coach.worker import Worker
from tests.coach.club import bending_chunks
from tests.coach.web.conftest import START, World

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def bearer(world: World, role: Role = Role.OWNER, scope: str = "metrics") -> dict[str, str]:
    """The header of a program of a fresh person."""
    user_id = world.services.accounts.create_user(f"{role} {scope}", role)
    person = world.services.accounts.identity(user_id)
    assert person is not None
    return {"Authorization": f"Bearer {world.services.personal_tokens.make(person, 'watch', [scope]).secret}"}


def read(client: FlaskClient, headers: dict[str, str]) -> Values:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    text = answer.text
    answer.close()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_only_the_owner_and_their_metrics_token_are_told(world: World) -> None:
    owner = bearer(world)
    others = [bearer(world, Role.OWNER, "read:findings"), bearer(world, Role.COACH)]
    for path in ("/metrics", "/readyz.json"):
        assert world.client().get(path, headers={"Accept": "application/json"}).status_code == 401
        for person in (world.kim, world.ada):
            assert world.client(person).get(path).status_code == 403
        for other in others:
            assert world.client().get(path, headers=other).status_code == 403
        assert world.client().get(path, headers=owner).status_code == 200


def test_the_figures_are_what_happened(world: World) -> None:
    client, headers = world.client(), bearer(world)
    before = read(client, headers)
    new = bending_chunks(1, 6, START.timestamp(), "later")
    world.services.log.append(new)
    world.services.log.append(new[:3])
    world.services.log.append(bending_chunks(0.1, 6, START.timestamp(), device_id="C0:FF:EE:00:00:77"))
    assert client.get("/nothing/at/all").status_code == 404
    world.clock.forward(seconds=7)
    after = read(client, headers)

    def rise(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after[key] - before.get(key, 0.0)

    assert rise("backstop_chunks_total", result="stored") == 12
    assert rise("backstop_chunks_total", result="known") == 3
    assert rise("backstop_chunks_total", result="refused") == 2
    assert rise("backstop_analysis_waiting_recordings") == 1
    assert rise("backstop_analysis_lag_seconds") == 7
    assert rise("backstop_http_requests_total", endpoint="none", status="404") == 1
    assert rise("backstop_http_requests_total", endpoint="metrics.metrics", status="200") == 1
    assert rise("backstop_http_request_seconds_count", endpoint="metrics.metrics") == 1
    assert after["backstop_disk_free_bytes", ()] > 0
    assert after["backstop_live_readers", ()] == 0
    Worker(world.services, world.feed).drain()
    assert read(client, headers)["backstop_analysis_lag_seconds", ()] == 0


def test_no_label_and_no_value_names_anybody(world: World) -> None:
    headers = bearer(world)
    client = world.client(world.ada)
    client.get("/")
    client.get(f"/findings/{world.finding_id}")
    client.get("/calendar/some-secret.ics")
    client.get("/nothing/some-secret")
    before = read(world.client(), headers)
    text = world.client().get("/metrics", headers=headers).text
    for secret in (world.ada.athlete_id, world.wearable_id, world.finding_id, "Ada", "Kim", "C0:FF", "some-secret"):
        assert secret not in text
    assert re.findall(r"[0-9a-f]{32}", text) == []
    # As many series as there are endpoints and statuses, however many addresses were asked for.
    for number in range(50):
        # Closed, as a server does: else each would keep its place.
        world.client().get(f"/nothing/{number}").close()
    read(world.client(), headers)
    assert {name for name, _ in before} == {name for name, _ in read(world.client(), headers)}
    count = {labels for name, labels in read(world.client(), headers) if name == "backstop_http_requests_total"}
    assert len([labels for labels in count if ("endpoint", "none") in labels]) == 1


def test_two_apps_count_apart(world: World) -> None:
    headers = bearer(world)
    other = create_app(world.services, world.feed, world.services.machine._ground.config, "k" * 32, clock=world.clock)
    world.client().get("/healthz")
    key = ("backstop_http_requests_total", (("endpoint", "health.alive"), ("status", "200")))
    assert read(world.client(), headers)[key] == 1
    assert key not in read(other.test_client(), headers)


def test_a_part_that_cannot_work_is_named_to_the_owner_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, machine = bearer(world), world.services.machine
    told = world.client().get("/readyz.json", headers=headers).get_json()
    assert told["status"] == "ready"
    assert [part["name"] for part in told["parts"]] == ["database", "disk", "worker", "clock", "time"]
    machine.worker.begin()
    machine.worker.most_s = -1.0
    public = world.client().get("/readyz")
    assert (public.status_code, public.get_json()) == (503, {"status": "not ready"})
    told = world.client().get("/readyz.json", headers=headers).get_json()
    assert [part["name"] for part in told["parts"] if not part["ready"]] == ["worker"]
    assert "silent" in told["parts"][2]["says"]
    machine.worker.end()
    assert world.client().get("/readyz").status_code == 200


def test_a_backlog_is_not_ready_until_it_is_worked_off(world: World) -> None:
    world.services.log.append(bending_chunks(1, 6, START.timestamp(), "later"))
    assert world.client().get("/readyz").status_code == 200
    world.clock.forward(seconds=61)
    assert world.client().get("/readyz").status_code == 503
    Worker(world.services, world.feed).drain()
    assert world.client().get("/readyz").status_code == 200


def test_a_database_that_is_gone_is_not_ready(world: World, tmp_path: Path) -> None:
    client = world.client()
    world.services.machine._ground.store.close()
    for file in tmp_path.glob("backstop.db*"):
        file.unlink()
    (tmp_path / "backstop.db").mkdir()
    assert (client.get("/readyz").status_code, client.get("/healthz").status_code) == (503, 200)


def test_the_age_of_the_newest_backup_is_told(world: World, tmp_path: Path) -> None:
    headers = bearer(world)
    assert ("backstop_backup_age_seconds", ()) not in read(world.client(), headers)
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / f"backstop-{START - timedelta(hours=2):%Y%m%dT%H%M%SZ}.zip").touch()
    config = world.services.machine._ground.config
    object.__setattr__(config.backup, "folder", str(folder))
    try:
        assert read(world.client(), headers)["backstop_backup_age_seconds", ()] == 7200
    finally:
        object.__setattr__(config.backup, "folder", "")
