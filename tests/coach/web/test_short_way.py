"""A post of chunks is answered alike by the short way and by the app; what ends a right ends it there too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coach.config import Config
from coach.log import pack
from coach.service.types import Purpose
from coach.web import limits
from coach.web.short_way import ShortWay
from devices.codec import encode_chunk
from tests.coach.web.conftest import World
from tests.coach.web.test_api import chunk
from tests.coach.web.test_metrics import bearer, read

PATH = "/api/v1/chunks"
KIND = {"Content-Type": "application/octet-stream"}


def body(*seqs: int, device_id: str | None = None) -> bytes:
    blocks = [chunk(seq) if device_id is None else replace(chunk(seq), device_id=device_id) for seq in seqs]
    return pack([encode_chunk(each) for each in blocks])


class Two:
    """A gateway that posts to the app with the short way in front, and to one without."""

    def __init__(self, world: World) -> None:
        self.token = world.services.tokens.issue(world.ada.identity, world.ada.athlete_id, "laptop")
        self.headers = {"Authorization": f"Bearer {self.token}", **KIND}
        front, behind = world.restarted(Config()), world.restarted(Config())
        short_way_of(behind.wsgi_app).shown = lambda _: None  # each post goes the long way
        self.short, self.long = front.test_client(), behind.test_client()
        self.seen: list[str] = []
        inner = short_way_of(front.wsgi_app)
        through = inner._app
        inner._app = lambda environ, start: (self.seen.append("app"), through(environ, start))[1]

    def post(self, sent: bytes, **headers: str):
        return self.short.post(PATH, data=sent, headers=self.headers | headers)


def short_way_of(wsgi) -> ShortWay:
    """Find it among what stands in front of the app."""
    while not isinstance(wsgi, ShortWay):
        wsgi = getattr(wsgi, "_app", None) or wsgi.app
    return wsgi


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def of(answer) -> tuple[int, bytes, dict[str, str]]:
    # The id is of each request; the app says Vary, for it looks at a cookie besides.
    head = {name: value for name, value in answer.headers if name not in ("X-Request-Id", "Vary")}
    return answer.status_code, answer.data, head


def test_what_is_as_it_should_be_does_not_come_to_the_app(two: Two) -> None:
    assert two.post(body(0)).status_code == 200
    answer = two.post(body(1, 2))
    assert (answer.status_code, [each[-2:] for each in answer.get_json()["stored"]]) == (200, ["-1", "-2"])
    assert two.seen == []
    assert len(answer.headers["X-Request-Id"]) == 16


def test_from_where_much_is_refused_everything_comes_to_the_app(two: Two) -> None:
    for number in range(300):
        assert two.post(body(0), Authorization=f"Bearer guess-{number}").status_code == 401
    two.seen.clear()
    assert two.post(body(0)).status_code == 200
    assert two.seen == ["app"]


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (body(1), {}),
        (body(0), {}),  # known
        (body(1, device_id="C0:FF:EE:00:00:99"), {}),  # nobody's wearable
        (b"", {}),
        (b"\x00\x00\x00\x09too", {}),
        (pack([b"no chunk"]), {}),
        (body(1), {"Origin": "http://elsewhere"}),
        (body(1), {"Authorization": "Bearer guess"}),
        (body(1), {"X-Forwarded-Proto": "https"}),
    ],
)  # fmt: skip
def test_both_ways_answer_alike(two: Two, sent: bytes, headers: dict[str, str]) -> None:
    assert two.post(body(0)).status_code == 200
    # The long way second: what was stored is acknowledged again.
    mine = two.post(sent, **headers)
    theirs = two.long.post(PATH, data=sent, headers=two.headers | headers)
    assert of(mine) == of(theirs)


def test_a_body_that_is_too_large_is_refused(two: Two) -> None:
    assert two.post(body(0)).status_code == 200
    assert two.post(bytes(8_000_001)).status_code == 413


def test_a_revoked_token_and_a_withdrawn_consent_act_on_the_next_post(world: World, two: Two) -> None:
    assert [two.post(body(seq)).status_code for seq in (0, 1)] == [200, 200]
    assert two.seen == []
    world.services.consents.withdraw(world.ada.identity, world.ada.athlete_id, Purpose.SENSING)
    assert two.post(body(2)).status_code == 403
    world.services.consents.agree(world.ada.identity, world.ada.athlete_id, Purpose.SENSING)
    assert two.post(body(2)).status_code == 200
    (view,) = world.services.tokens.of_athlete(world.ada.identity, world.ada.athlete_id)
    world.services.tokens.revoke(world.ada.identity, view.token_id)
    assert two.post(body(3)).status_code == 401


def test_posts_of_both_ways_are_counted_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMIT_OF_TOKEN, "api.add_chunks", "3 per minute")
    two = Two(world)
    assert [two.post(body(seq)).status_code for seq in range(4)] == [200, 200, 200, 429]


def test_the_short_way_is_in_the_metrics(world: World, two: Two) -> None:
    for seq in range(3):
        assert two.post(body(seq)).status_code == 200
    told = read(two.short, bearer(world))
    assert told["backstop_http_requests_total", (("endpoint", "api.add_chunks"), ("status", "200"))] == 3
