"""Two webs, a worker and a clock over one PostgreSQL and one NATS: whichever of them is asked, the answer is right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from coach.checkup.processes import check_processes
from coach.checkup.types import State
from coach.clock import SessionClock
from coach.commands.role import opened_role
from coach.live import Reader
from coach.log import pack
from coach.service.assessment_views import Kind
from coach.service.calibration import PoseStep
from coach.service.guidance_views import SetState
from coach.service.plain import exercises_to_plain
from coach.store import guidance, plans, processes, sessions
from coach.store.engine import open_store
from coach.web.house import house_of
from coach.wire import Beat, InReach
from coach.worker import Worker
from devices.codec import encode_chunk
from devices.sim.synthetic import SyntheticMotion
from devices.types import Chunk, LinkState, LinkStatus
from tests.coach.club import bending_chunks
from tests.coach.held import NO_TO_ALL, blocks
from tests.coach.service.test_calibration import Body, degrees_between
from tests.coach.service.test_guidance import HINGE, reps
from tests.coach.service.test_imports import bends, phone_zip
from tests.coach.web.test_imports_page import send
from tests.coach.web.test_phone_push import Phone
from tests.conftest import skip_or_fail
from tests.scenarios.house import csrf_token, wait_for
from tests.scenarios.town import Listener, Town, a_town
from tests.servers import Nats, NoBinary, Postgres

# s between two reports of a gateway, as it does: more are refused.
BEAT_S = 0.5
STREAMING = LinkStatus(LinkState.STREAMING, 100.0, silent_since_utc_s=90.0)


@pytest.fixture(scope="module")
def town(postgres: Postgres, postgres_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for all of this file: each test has recordings of its own."""
    try:
        nats = Nats()
    except NoBinary as error:
        skip_or_fail(str(error))
        raise
    name = postgres.create(postgres_template)
    with a_town(postgres.url(name), nats, tmp_path_factory.mktemp("town")) as made:
        yield made
    postgres.drop(name)
    nats.close()


def bending(recording_id: str, seconds: float) -> list[Chunk]:
    """Return live blocks of a quarter of a second that end now."""
    start = time.time() - seconds
    return [each for each in bending_chunks(seconds / 60, 12.0, start, recording_id, chunk_s=0.24) if len(each) == 6]


def test_a_line_that_comes_in_at_both_is_whole_at_each_also_for_who_opens_it_late(town: Town) -> None:
    (first, second), gateway = town.apps, Beat("one", time.time(), {town.wearable_id: STREAMING})
    at_b = Listener(town.signed_in(town.coach).clients[1], town.athlete_id)
    wait_for(lambda: town.beat(0, gateway).watching, 10, "the page at B to be known at A", each_s=BEAT_S)
    line = bending("line", 30.0)
    for number, block in enumerate(line[:60]):
        town.live(number % 2, block)
    wait_for(lambda: len(at_b.angles()) > 150, 10, "the line at B")
    at_a = Listener(town.signed_in(town.athlete).clients[0], town.athlete_id)
    for number, block in enumerate(line[60:]):
        town.live(number % 2, block)
    wait_for(lambda: len(at_b.angles()) > 350 and len(at_a.angles()) > 350, 20, "the whole line at both")
    wait_for(lambda: max(filter(None, at_a.angles())) > 45, 5, "a bend")
    a, b = at_a.angles(), at_b.angles()
    shared = min(len(a), len(b))
    assert None not in a[:shared] + b[:shared]
    assert a[:shared] == pytest.approx(b[:shared], abs=0.2)
    for app in (first, second):
        assert house_of(app).live_feed.watched(town.athlete_id)
    at_a.close()
    at_b.close()
    wait_for(lambda: not town.beat(1, gateway).watching, 15, "that nobody looks any more", each_s=BEAT_S)


def test_what_a_gateway_says_to_one_is_known_at_the_other(town: Town) -> None:
    town.beat(0, Beat("one", time.time(), {town.wearable_id: STREAMING}, waiting=7))
    wait_for(lambda: _waiting(town, 1) == 7, 5, "the gateway's word at B")
    status = town.at(1).wearables.get(town.athlete, town.wearable_id).status
    assert status is not None
    assert status.state is LinkState.STREAMING
    # Another machine with the same token is refused wherever it asks.
    refused = town.gateway(1, "gateway", _beat_of("another machine"))
    assert refused.status_code == 409
    town.beat(1, Beat("one", time.time(), {}, leaving=True))
    wait_for(lambda: not _present(town, 0), 5, "that it has left")


def test_a_look_that_begins_at_one_is_ordered_and_told_by_the_other(town: Town) -> None:
    town.at(0).looks.begin(town.athlete_id)
    wait_for(lambda: town.beat(1, Beat("one", time.time(), {})).look, 5, "the look at B", each_s=BEAT_S)
    found = InReach("C0:FF:EE:00:00:09", "Movella DOT", "movella-dot", -50)
    town.beat(1, Beat("one", time.time(), {}, seen=(found,)))
    wait_for(lambda: _seen(town, 0) == [found], 5, "what was heard")
    assert _seen(town, 1) == [found]


def test_a_calibration_goes_on_whichever_is_asked(town: Town) -> None:
    body = Body(2).stand(4).lean(55).stand(0.5).lean(0).stand(2)
    town.at(0).poses.begin(town.athlete, town.wearable_id)
    wait_for(lambda: town.at(1).poses.wanted(town.wearable_id), 5, "the calibration at B")
    assert town.beat(1, Beat("one", time.time(), {})).watching == (town.wearable_id,)
    steps = []
    for number, block in enumerate(body.blocks(recording_id=f"pose{uuid4().hex}")):
        town.live(number % 2, block)
        time.sleep(0.05)
        steps.append(town.at(number // 2 % 2).poses.look(town.athlete, town.wearable_id).step)
        if steps[-1] is PoseStep.DONE:
            break
    assert list(dict.fromkeys(steps)) == [PoseStep.STILL, PoseStep.BOW, PoseStep.DONE]
    assert steps == sorted(steps, key=[PoseStep.STILL, PoseStep.BOW, PoseStep.DONE].index)
    stored = town.services.wearables.get(town.athlete, town.wearable_id)
    assert stored.upright is not None
    assert degrees_between(stored.upright, body.up) < 1
    wait_for(
        lambda: all(
            town.at(web).poses.look(town.athlete, town.wearable_id).step is PoseStep.DONE for web in (0, 1)
        ),
        5,
        "both to know",
    )  # fmt: skip


def test_a_guided_set_is_counted_where_it_is_asked_for_and_ended_anywhere(town: Town) -> None:
    session_id = _planned(town)
    town.at(0).guidance.begin_set(town.athlete, session_id, 0)
    wait_for(lambda: town.beat(1, Beat("one", time.time(), {})).watching, 5, "the set to be known at B", each_s=BEAT_S)
    _play(town, reps(5), 26.0)
    wait_for(lambda: _counted(town, 0, session_id) == 5, 10, "the count at A")
    # B is asked for the first time now.
    assert _counted(town, 1, session_id) == 5
    assert not town.at(1).guidance.counting.counts("another", 0)
    town.at(1).guidance.tell_set(town.athlete, session_id, 0, 0, SetState.ENDED)
    wait_for(lambda: not town.at(0).guidance.counting.busy, 5, "A to hear that it is over")
    with open_store(town.config.storage.database_url.get_secret_value()) as store, store.read() as tx:
        guided = guidance.of_session(tx, session_id)
        assert guided is not None
        (row,) = guidance.sets(tx, guided["id"])
    assert (row["state"], row["seen"]) == (SetState.ENDED.value, 5)
    # The whole signal of the set will be counted: B has seen its beginning, though it was asked at the end.
    assert row["signal_end_utc_s"] - row["signal_start_utc_s"] == pytest.approx(26.0, abs=0.3)


def test_a_hold_begun_at_one_is_seen_and_stopped_at_the_other(town: Town) -> None:
    services, wearable_id = town.services, town.wearable_id
    services.wearables.calibrate(town.athlete, wearable_id, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    told = town.athlete, town.athlete_id, Kind.TRUNK_ENDURANCE, wearable_id, NO_TO_ALL, 0, uuid4().hex
    assessment_id = town.at(0).trials.start(*told)
    test = town.at(0).trials.step(town.athlete, assessment_id).test
    assert test is not None
    town.at(0).trials.begin(town.athlete, assessment_id, test, "a")
    _play(town, reps(1), 3.0)
    step = town.at(1).trials.step(town.athlete, assessment_id)
    assert step.trial is not None
    wait_for(lambda: _hold_is_seen(town, 1, assessment_id), 5, "the hold at B")
    town.at(1).trials.stop(town.athlete, step.trial.trial_id)
    wait_for(lambda: not town.at(0).trials.holding.busy, 5, "A to hear that it is over")
    town.at(1).trials.finish(town.athlete, assessment_id)


def test_a_phone_that_pushes_to_both_has_one_line(town: Town) -> None:
    wearable_id, token = town.services.phones.add(town.athlete, town.athlete_id, "My phone", "chest")
    phone = Phone(SimpleNamespace(clock=SimpleNamespace(now=datetime.now(UTC))), seconds=20)
    readers = [house_of(app).live_feed.subscribe(town.athlete_id) for app in town.apps]
    for number, message in enumerate(phone.messages()):
        headers = {"Authorization": f"Bearer {token}"}
        answer = town.apps[number % 2].test_client().post("/api/v1/phone", json=message, headers=headers)
        assert answer.status_code == 200, answer.text
        time.sleep(0.1)
    for reader in readers:
        told: list[dict[str, Any]] = []
        wait_for(lambda r=reader, t=told: _drawn(r, wearable_id, t) > 15 * 15, 10, "the phone's line")  # type: ignore[misc]
        assert [event["gap"] for event in told[1:]] == [False] * (len(told) - 1)
        reader.close()


def test_a_file_sent_to_one_is_looked_at_at_the_other(town: Town, tmp_path: Path) -> None:
    at_a, at_b = town.signed_in(town.athlete).clients
    csrf = csrf_token(at_a.get(f"/athletes/{town.athlete_id}/imports").text)
    data = phone_zip(tmp_path / "walk.zip", *bends(60.0)).read_bytes()
    where = send(at_a, csrf, town.athlete_id, ("walk.zip", data)).headers["Location"]
    for each in (at_b, at_a):
        assert "Sensor Logger, for Ada. Nothing is stored yet." in each.get(where).text
    done = at_b.post(where, data={"csrf_token": csrf, "placement-0": "lower_back", "start": ""})
    assert done.status_code == 303
    assert [each.get(where).status_code for each in (at_a, at_b)] == [404, 404]


def test_who_is_signed_out_at_one_is_out_at_the_other_at_once(town: Town) -> None:
    browser = town.signed_in(town.athlete)
    assert [browser.get("/").status_code for _ in range(4)] == [browser.get("/").status_code] * 4
    for each in browser.clients:
        assert each.get("/wearables").status_code == 200
    town.services.accounts.reset(town.athlete.user_id)
    for each in browser.clients:
        answer = each.get("/wearables")
        assert answer.status_code in (302, 303), answer.text
        assert answer.headers["Location"].split("?")[0] == "/"


def test_tries_count_together(town: Town) -> None:
    # 60 a minute of one address: what was in flight between the two within 50 ms may come on top.
    passed, pause_s = 0, 0.02
    for number in range(90):
        answer = town.apps[number % 2].test_client().get("/calendar/nobodys-link.ics")
        passed += answer.status_code != 429
        time.sleep(pause_s)
    assert 60 <= passed <= 66, passed
    wait_for(lambda: _refuses(town, 0) and _refuses(town, 1), 5, "both to refuse")


def test_a_finding_of_the_worker_and_the_clocks_word_reach_pages_at_both(town: Town) -> None:
    listeners = [Listener(town.signed_in(town.coach).clients[web], town.athlete_id) for web in (0, 1)]
    # Another wearable: no test before has said how this one is worn.
    address = "C0:FF:EE:00:00:02"
    town.services.wearables.add(town.athlete, town.athlete_id, address, "movella-dot", "Another", "chest")
    chunks = bending_chunks(12, 12.0, time.time() - 900, f"day{uuid4().hex}", address)
    for number in range(0, len(chunks), 24):
        body = pack([encode_chunk(each) for each in chunks[number : number + 24]])
        assert len(town.gateway(number // 24 % 2, "chunks", body).get_json()["stored"]) == len(chunks[number:][:24])
    with opened_role(town.config, "worker") as worker, opened_role(town.config, "clock") as clock:
        roles = Worker(worker.services, worker.feed), SessionClock(clock.services, clock.feed, town.config)
        for role in roles:
            role.start()
        wait_for(lambda: all(each.changed("finding") for each in listeners), 60, "the finding at both")
        wait_for(lambda: _roles(town) == ["clock", "web", "web", "worker"], 15, "everybody to be known")
        assert _doctor_says(town) == dict.fromkeys(("log", "web", "worker", "clock"), State.OK)
        for role in roles:
            role.close()
    assert _roles(town) == ["web", "web"]
    missing = {"worker": State.BROKEN, "clock": State.BROKEN}
    assert _doctor_says(town) == {"log": State.OK, "web": State.OK} | missing
    unready = [part.name for part in town.at(0).machine.parts() if not part.ready]
    assert unready == ["worker", "clock"]
    # Pages need neither.
    assert _ready(town, "ingest") == [200, 200]
    for each in listeners:
        each.close()


def test_the_keys_are_one_and_no_file(town: Town) -> None:
    assert town.apps[0].secret_key == town.apps[1].secret_key
    keys = [town.at(web).reminder_settings.view(town.athlete, town.athlete_id).push_key for web in (0, 1)]
    assert keys[0] == keys[1]
    for name in ("session.key", "vapid.key"):
        assert not (town.config.storage.directory / name).exists()


def test_without_nats_pages_work_ingest_waits_and_all_comes_back(town: Town) -> None:
    browser = town.signed_in(town.coach)
    town.nats.kill()
    wait_for(lambda: not any(house_of(app).live_feed.connected for app in town.apps), 20, "the line to be gone")
    assert {each.get(f"/athletes/{town.athlete_id}").status_code for each in browser.clients} == {200}
    (chunk, *_) = bending_chunks(0.1, 12.0, time.time() - 60, "away")
    refused = town.gateway(0, "chunks", pack([encode_chunk(chunk)]))
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert _ready(town, "pages") == [200, 200]
    assert _ready(town, "ingest") == [503, 503]
    town.nats.start()
    wait_for(lambda: all(house_of(app).live_feed.connected for app in town.apps), 20, "the line to be back")
    wait_for(lambda: town.gateway(0, "chunks", pack([encode_chunk(chunk)])).status_code == 200, 20, "ingest")
    town.beat(0, Beat("one", time.time(), {}, waiting=3))
    wait_for(lambda: _waiting(town, 1) == 3, 10, "words to be carried again")
    assert _ready(town, "ingest") == [200, 200]


def _beat_of(instance: str) -> bytes:
    from coach.wire import encode

    return encode(Beat(instance, time.time(), {}))


def _waiting(town: Town, web: int) -> int | None:
    found = town.at(web).gateways.of_athlete(town.athlete, town.athlete_id).get(town.token_id)
    return None if found is None else found.waiting


def _present(town: Town, web: int) -> bool:
    return town.at(web).gateways.of_athlete(town.athlete, town.athlete_id)[town.token_id].present


def _seen(town: Town, web: int) -> list[InReach]:
    view = town.at(web).looks.view(town.athlete_id, 0)
    return [] if view is None else list(view.seen)


def _counted(town: Town, web: int, session_id: str) -> int | None:
    view = town.at(web).guidance.view(town.athlete, session_id)
    now = town.at(web).guidance.now(view)
    return None if now is None else int(now["seen"])


def _hold_is_seen(town: Town, web: int, assessment_id: str) -> bool:
    step = town.at(web).trials.step(town.athlete, assessment_id)
    return step.seen is not None and step.seen.progress is not None


def _play(town: Town, motion: SyntheticMotion, until_s: float) -> None:
    """Let the live blocks of a motion come in, at one web and the other by turns."""
    recording_id, start = f"set{uuid4().hex}", time.time() - until_s
    for number, block in enumerate(blocks(motion, start, 0.0, until_s, 0.25, recording_id)):
        town.live(number % 2, block)


def _planned(town: Town) -> str:
    """Let the athlete have a session of one exercise that is due; return its id."""
    now = house_of(town.apps[0]).now()
    plan = {"athlete_id": town.athlete_id, "state": "declined", "prescription": {}, "need_kinds": []}
    named = {"athlete_id": town.athlete_id, "slot": f"{now.date()}", "state": "due", "released_at": now}
    times = {"local_date": now.date(), "local_time": now.time(), "time_zone": "Europe/Berlin", "due_at": now}
    more = {"duration_min": 10, "because": "", "created_at": now, "updated_at": now}
    with open_store(town.config.storage.database_url.get_secret_value()) as store, store.begin() as tx:
        plan_id = plans.add(tx, plan | {"finding_ids": [], "created_at": now})
        return sessions.add(tx, named | times | more | {"plan_id": plan_id, "exercises": exercises_to_plain((HINGE,))})


def _refuses(town: Town, web: int) -> bool:
    return town.apps[web].test_client().get("/calendar/nobodys-link.ics").status_code == 429


def _drawn(reader: Reader, wearable_id: str, told: list[dict[str, Any]]) -> int:
    """Add what a reader was told of a wearable; return how many points there are."""
    told += [
        each for each in reader.get_batch(0.1) if each.get("wearable_id") == wearable_id and each["kind"] == "signal"
    ]
    return sum(len(each["inclination_deg"]) for each in told)


def _doctor_says(town: Town) -> dict[str, State]:
    storage = town.config.storage
    lines = check_processes(storage.database_url.get_secret_value(), storage.log_url.get_secret_value())
    return {each.part: each.state for each in lines}


def _ready(town: Town, part: str) -> list[int]:
    return [app.test_client().get(f"/readyz?part={part}").status_code for app in town.apps]


def _roles(town: Town) -> list[str]:
    with open_store(town.config.storage.database_url.get_secret_value()) as store, store.read() as tx:
        return [row["role"] for row in processes.everybody(tx)]
