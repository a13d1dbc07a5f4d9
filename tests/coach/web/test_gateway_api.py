"""What a gateway may post, and what it is told when it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from coach import wire
from coach.config import Config
from coach.live import LiveAnalysis
from coach.log import pack
from coach.service.assessment_views import Kind
from coach.service.may_test import QUESTIONS
from coach.serving import LiveDoor
from coach.web import create_app, limits
from coach.wire import Beat, InReach, LinkLogText
from devices.codec import encode_chunk
from devices.types import LinkState, LinkStatus
from tests.coach.web.test_api import ADDRESS, chunk

STREAMING = LinkStatus(LinkState.STREAMING, 100.0, silent_since_utc_s=90.0)


class Gateway:
    """A program with a token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def beat(self, beat: Beat | bytes):
        body = beat if isinstance(beat, bytes) else wire.encode(beat)
        return self.client.post("/api/v1/gateway", data=body, headers=self.headers)

    def live(self, body: bytes, **headers: str):
        return self.client.post("/api/v1/live", data=body, headers=self.headers | headers)


@pytest.fixture
def gateway(world) -> Gateway:
    return Gateway(world.client(), world.services.tokens.issue(world.ada.identity, world.ada.athlete_id, "laptop"))


def test_orders_name_the_athletes_wearables_and_nobody_elses(world, gateway) -> None:
    world.services.wearables.add(world.bo.identity, world.bo.athlete_id, "C0:00", "movella-dot", "Bo's", "hip")
    world.services.wearables.add(
        world.ada.identity, world.ada.athlete_id, "sim", "movella-dot", "simulated", "hip", simulated=True
    )
    orders = wire.decode_orders(gateway.beat(Beat("i", 100.0, {})).data)
    assert (orders.athlete_name, [each.address for each in orders.wearables]) == ("Ada", [ADDRESS])
    assert (orders.look, orders.watching) == (False, ())
    stamp = orders.wearables[0].stamp
    world.services.wearables.calibrate(world.ada.identity, world.wearable_id, (0, 0, 1), (1, 0, 0))
    world.services.looks.begin(world.ada.athlete_id)
    with world.feed.subscribe(world.ada.athlete_id):
        orders = wire.decode_orders(gateway.beat(Beat("i", 100.0, {})).data)
    assert orders.wearables[0].stamp != stamp
    assert (orders.look, orders.watching) == (True, (world.wearable_id,))


def test_a_hold_that_is_watched_asks_the_gateway_for_live_blocks(nothing_to_tell, gateway) -> None:
    world, trials = nothing_to_tell, nothing_to_tell.services.trials
    world.services.wearables.calibrate(world.ada.identity, world.wearable_id, (0, 0, 1), (1, 0, 0))
    told = world.ada.identity, world.ada.athlete_id, Kind.TRUNK_ENDURANCE, world.wearable_id
    assessment_id = trials.start(*told, {each.id: "no" for each in QUESTIONS}, 0, "k")
    assert wire.decode_orders(gateway.beat(Beat("i", 100.0, {})).data).watching == ()
    trials.begin(world.ada.identity, assessment_id, trials.step(world.ada.identity, assessment_id).test, "a")
    assert wire.decode_orders(gateway.beat(Beat("i", 100.0, {})).data).watching == (world.wearable_id,)
    block = replace(chunk(0), recording_id="rec")
    app = create_app(
        world.services,
        world.feed,
        Config(),
        "k" * 32,
        clock=world.clock,
        door=LiveDoor(world.services, LiveAnalysis(world.feed, world.services.athletes.analysis_params)),
    )
    assert (
        Gateway(app.test_client(), gateway.headers["Authorization"][7:]).live(pack([encode_chunk(block)])).status_code
        == 204
    )
    trials.watch()
    assert trials.step(world.ada.identity, assessment_id).seen.progress is not None


def test_links_of_others_are_not_taken_and_times_are_by_the_servers_clock(world, gateway) -> None:
    theirs = world.services.wearables.add(world.bo.identity, world.bo.athlete_id, "C0:00", "movella-dot", "x", "hip")
    links = {world.wearable_id: STREAMING, theirs: STREAMING, "unknown": STREAMING}
    # The gateway's clock shows 110 s after 1970.
    assert gateway.beat(Beat("i", 110.0, links)).status_code == 200
    now = world.clock.utc_s()
    mine = world.services.wearables.get(world.ada.identity, world.wearable_id).status
    assert mine == replace(STREAMING, since_utc_s=now - 10, silent_since_utc_s=now - 20)
    assert world.services.wearables.get(world.bo.identity, theirs).status is None
    page = world.client(world.ada).get("/wearables").text
    assert "Nothing since 20 s" in page
    assert "behind this Backstop" in page


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"instance": "i", "utc_s": NaN, "links": {}}',
        b'{"instance": "i", "utc_s": 1e999, "links": {}}',
        b'{"instance": "i", "utc_s": 0, "links": {"w": {"state": "dancing", "since_utc_s": 0}}}',
        b'{"instance": "i", "utc_s": 0, "links": {}, "leaving": 0}',
        b'{"instance": "i", "utc_s": 0, "links": {}, "waiting": "5"}',
        wire.encode(Beat("i", 0.0, {f"w{k}": STREAMING for k in range(65)})),
        wire.encode(Beat("i", 0.0, {}, seen=(InReach("a", "n", None, -1),) * 201)),
    ],
)
def test_a_report_that_cannot_be_read_is_422_with_a_sentence(gateway, body: bytes) -> None:
    answer = gateway.beat(body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["what"].endswith(".")


@pytest.mark.parametrize("path", ["/api/v1/chunks", "/api/v1/live"])
def test_a_post_of_nothing_is_422_with_a_sentence(gateway, path: str) -> None:
    answer = gateway.client.post(path, data=b"", headers=gateway.headers)
    assert answer.status_code == 422
    assert "cannot be used" in answer.get_json()["error"]["what"]


def test_a_figure_that_is_no_number_is_sent_as_not_known(world, gateway) -> None:
    links = {world.wearable_id: replace(STREAMING, drift_ppm=float("nan"), rate_hz=float("inf"))}
    assert gateway.beat(Beat("i", 100.0, links)).status_code == 200
    status = world.services.wearables.get(world.ada.identity, world.wearable_id).status
    assert (status.drift_ppm, status.rate_hz, status.state) == (None, None, LinkState.STREAMING)


def test_a_newer_gateway_may_say_more(gateway) -> None:
    assert gateway.beat(b'{"instance": "i", "utc_s": 0, "links": {}, "mood": "fine"}').status_code == 200


def test_two_machines_cannot_use_one_token_at_a_time(world, gateway) -> None:
    assert gateway.beat(Beat("one", 0.0, {})).status_code == 200
    refused = gateway.beat(Beat("two", 0.0, {}))
    assert (refused.status_code, "another machine" in refused.get_json()["error"]["what"]) == (409, True)
    assert gateway.beat(Beat("one", 0.0, {}, leaving=True)).status_code == 200
    assert gateway.beat(Beat("two", 0.0, {})).status_code == 200
    world.clock.forward(seconds=16)
    assert gateway.beat(Beat("three", 0.0, {})).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/gateway", "/api/v1/live", "/api/v1/chunks"])
def test_every_address_of_a_gateway_wants_a_valid_token(world, gateway, path: str) -> None:
    client = world.client()
    for headers in (
        {},
        {"Authorization": "Bearer guess"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer "},
    ):
        answer = client.post(path, data=b"", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    # A browser's session is no token.
    assert world.client(world.ada).post(path, data=b"").status_code == 401
    (view,) = world.services.tokens.of_athlete(world.ada.identity, world.ada.athlete_id)
    world.services.tokens.revoke(world.ada.identity, view.token_id)
    answer = gateway.client.post(path, data=b"", headers=gateway.headers)
    assert (answer.status_code, "revoked" in answer.get_json()["error"]["what"]) == (401, True)


def test_limits_are_counted_by_token(world, gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMIT_OF_TOKEN, "api.beat", "2 per minute")
    client = create_app(world.services, world.feed, Config(), "k" * 32, clock=world.clock).test_client()
    other = world.services.tokens.issue(world.bo.identity, world.bo.athlete_id, "other")
    mine, theirs = Gateway(client, gateway.headers["Authorization"][7:]), Gateway(client, other)
    assert [mine.beat(Beat("i", 0.0, {})).status_code for _ in range(3)] == [200, 200, 429]
    assert theirs.beat(Beat("i", 0.0, {})).status_code == 200


def test_live_blocks_reach_the_line_and_the_calibration_and_nothing_else(world, gateway) -> None:
    live = LiveAnalysis(world.feed, world.services.athletes.analysis_params)
    app = create_app(
        world.services, world.feed, Config(), "k" * 32, clock=world.clock, door=LiveDoor(world.services, live)
    )
    posting = Gateway(app.test_client(), gateway.headers["Authorization"][7:])
    world.services.poses.begin(world.ada.identity, world.wearable_id)
    before = world.services.log.counts
    with world.feed.subscribe(world.ada.athlete_id) as reader:
        body = pack([encode_chunk(chunk(number)) for number in range(3)] + [encode_chunk(chunk(0, "C0:00:not:mine"))])
        assert posting.live(body, **{"Backstop-Age-S": "2.5"}).status_code == 204
        live.work()
        told = [event for event in reader.get_batch(1) if event["kind"] == "signal"]
    assert {event["wearable_id"] for event in told} == {world.wearable_id}
    assert world.services.poses.look(world.ada.identity, world.wearable_id).sees.startswith("Upright pose taken")
    assert world.services.log.counts == before
    for wrong in ("nan", "inf", "-1", "x", "1e9"):
        assert posting.live(body, **{"Backstop-Age-S": wrong}).status_code == 204
    assert posting.live(body[:-1]).status_code == 422
    # Without a live line they are taken and dropped.
    assert gateway.live(body).status_code == 204


def test_bodies_have_bounds(gateway) -> None:
    assert gateway.beat(b" " * 2_000_001).status_code == 413
    assert gateway.live(b" " * 2_000_001).status_code == 413


def test_connection_logs_are_kept_once_per_recording(world, gateway) -> None:
    log = LinkLogText(world.wearable_id, "rec", "at <address>", "at C0:FF")
    strange = replace(log, wearable_id="somebody's")
    assert gateway.beat(Beat("i", 0.0, {}, logs=(log, strange))).status_code == 200
    world.clock.forward(seconds=10)
    gateway.beat(Beat("i", 0.0, {}, logs=(replace(log, redacted="at <address>, lost"),)))
    (kept,) = world.services.gateways.logs(world.ada.identity, world.ada.athlete_id)
    assert (kept.updated_at - kept.begun_at).total_seconds() == 10
    client = world.client(world.ada)
    plain, whole = (client.get(f"/wearables/logs/{kept.log_id}.txt{more}") for more in ("", "?whole=1"))
    assert (plain.text, whole.text) == ("at <address>, lost", "at C0:FF")
    assert "attachment" in plain.headers["Content-Disposition"]
    assert gateway.beat(Beat("i", 0.0, {}, logs=(replace(log, redacted="x" * 400_001),))).status_code == 200
    assert len(client.get(f"/wearables/logs/{kept.log_id}.txt").text) == 400_000
