"""The owner starts, watches and stops that history is analysed anew; nobody else does."""

from __future__ import annotations

import pytest

from coach.errors import NotAllowed
from coach.service.reanalysis_types import RunState
from coach.work_queue import TableQueue
from tests.coach.web.test_pages import text_of
from tests.coach.web.told import store_of


@pytest.fixture
def post(owner, csrf_of):
    def post(path, *, client=None, follow=False, **data):
        client = client or owner
        return client.post(path, data={**data, "csrf_token": csrf_of(client)}, follow_redirects=follow)

    return post


def work(world) -> None:
    """Do one athlete-day, as a worker does."""
    taken = TableQueue(store_of(world), world.clock).take(0.0)
    assert taken is not None
    assert world.services.reanalysis.work(taken)


def test_it_is_started_watched_and_done(world, owner, post) -> None:
    assert "/reanalysis" in owner.get("/people").text
    page = owner.get("/reanalysis")
    assert "History was never analysed anew here." in text_of(page.text)
    assert "hx-trigger" not in page.text
    assert owner.get("/api/v1/reanalysis").get_json() == {"run": None}
    assert post("/reanalysis/start", since="").status_code == 303
    going = owner.get("/reanalysis/progress")
    assert 'hx-trigger="every 2s"' in going.text
    said = text_of(going.text)
    assert "Begun by Olga on 24 November 2026." in said
    assert "0 of 1 athlete-days of signal, 0 recordings, 0 chunks. All days of 0 of 2 athletes judged, 0 days." in said
    assert "Waits for a worker, or for live signal." in said
    world.clock.forward(seconds=30)
    work(world)
    assert "athlete-days a minute, about 1 min left." in text_of(owner.get("/reanalysis/progress").text)
    while world.services.reanalysis.newest().state is RunState.RUNNING:
        work(world)
    done = owner.get("/reanalysis").text
    assert 'value="1000"' in done
    assert "Done." in text_of(done)
    assert "hx-trigger" not in done
    run = owner.get("/api/v1/reanalysis").get_json()["run"]
    assert (run["state"], run["share"], run["days_done"], run["failed_days"]) == ("done", 1.0, 1, [])
    assert (run["recordings"], run["chunks"]) == (1, 144)


def test_it_is_stopped_and_one_at_a_time(world, post) -> None:
    post("/reanalysis/start", since="2026-11-01")
    again = post("/reanalysis/start", follow=True)
    assert "History is being analysed anew already." in text_of(again.text)
    assert "Findings from 1 November 2026 on." in text_of(again.text)
    stopped = post("/reanalysis/stop", follow=True)
    assert "Stopped. What is done stays done." in text_of(stopped.text)
    assert world.services.reanalysis.newest().state is RunState.STOPPED
    assert TableQueue(store_of(world), world.clock).take(0.0) is None


@pytest.mark.parametrize("since", ["yesterday", "1999-12-31", "2999-01-01"])
def test_a_day_that_cannot_be_is_refused(world, post, since) -> None:
    refused = post("/reanalysis/start", since=since)
    assert refused.status_code == 422
    assert "leave it empty for everything" in text_of(refused.text)
    assert world.services.reanalysis.newest() is None


def test_what_failed_is_told_with_its_reason(world, owner, post) -> None:
    post("/reanalysis/start")
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE stream SET upright = '5'")
    while world.services.reanalysis.newest().state is RunState.RUNNING:
        taken = TableQueue(store_of(world), world.clock).take(0.0)
        if taken is not None:
            world.services.reanalysis.work(taken)
        world.clock.forward(seconds=6)
    said = text_of(owner.get("/reanalysis").text)
    assert "1 failed" in said
    assert "Signal of 24 November 2026" in said
    assert "TypeError" in said


def test_nobody_else_gets_in(world, post) -> None:
    for person in (world.kim, world.ada):
        client = world.client(person)
        assert client.get("/reanalysis").status_code == 403
        assert post("/reanalysis/start", client=client).status_code == 403
        with pytest.raises(NotAllowed):
            world.services.reanalysis.ask(person.identity)
        with pytest.raises(NotAllowed):
            world.services.reanalysis.stop(person.identity)
    assert world.services.reanalysis.newest() is None
