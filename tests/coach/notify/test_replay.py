"""A webhook heard twice, late or changed is refused as docs/reminders.md says; a name that turns leads nowhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coach.notify import outgoing
from coach.notify.errors import NotDelivered
from coach.notify.types import Message, Target
from coach.notify.webhook import Webhook
from tests.coach.notify.receivers import Received, http_receiver

NOW_UTC_S = 1_795_000_000.0
SAID = Message("m1", "Back session", "Today", "/sessions/s1", 1800.0, {"kind": "session"})
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "reminders.md"
(CHECK,) = re.findall(r"```python\n(wanted = .*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


class Receiver:
    """Checks as the guide says, by the guide's own lines, and remembers ids for as long as it takes requests."""

    def __init__(self, secret: str) -> None:
        self.secret, self.seen = secret, set[str]()

    def takes(self, got: Received, now_utc_s: float) -> bool:
        import hashlib
        import hmac

        told: dict[str, Any] = {
            "hmac": hmac,
            "hashlib": hashlib,
            "time": SimpleNamespace(time=lambda: now_utc_s),
            "secret": self.secret,
            "timestamp": got.headers["Backstop-Timestamp"],
            "signature": got.headers["Backstop-Signature"],
            "body": got.body,
        }
        exec(CHECK, told)
        new = got.headers["Backstop-Delivery"] not in self.seen
        if told["fine"]:
            self.seen.add(got.headers["Backstop-Delivery"])
        return bool(told["fine"]) and new


def sent(secret: str = "s3cret", at_utc_s: float = NOW_UTC_S) -> Received:
    with http_receiver() as service:
        Webhook(allow_private=True).send(Target(service.url, {"secret": secret}), SAID, at_utc_s)
    return service.received[0]


def changed(got: Received, body: bytes | None = None, **headers: str) -> Received:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(got.path, got.headers | told, got.body if body is None else body)


def test_what_was_heard_once_is_not_taken_again() -> None:
    receiver, got = Receiver("s3cret"), sent()
    assert receiver.takes(got, NOW_UTC_S + 2)
    assert not receiver.takes(got, NOW_UTC_S + 3)
    # A second try of the same reminder has the same id, and a time and signature of its own.
    assert not receiver.takes(sent(at_utc_s=NOW_UTC_S + 60), NOW_UTC_S + 61)


def test_what_was_recorded_long_ago_is_not_taken_by_a_receiver_that_forgot() -> None:
    got = sent()
    assert not Receiver("s3cret").takes(got, NOW_UTC_S + 301)
    assert not Receiver("s3cret").takes(got, NOW_UTC_S - 301)
    assert Receiver("s3cret").takes(got, NOW_UTC_S + 299)


def test_nothing_of_it_can_be_changed_without_the_secret() -> None:
    got = sent()
    late = str(int(NOW_UTC_S) + 3600)
    assert not Receiver("s3cret").takes(changed(got, Backstop_Timestamp=late), NOW_UTC_S + 3600)
    assert not Receiver("s3cret").takes(changed(got, body=got.body.replace(b"m1", b"m2")), NOW_UTC_S)
    assert not Receiver("another").takes(got, NOW_UTC_S)
    # The id stands in the signed body too: a header of another id is told by it.
    assert b'"id":"m1"' in got.body


class Turning:
    """A name that stands for another address each time it is looked up; and what was connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.answers, self.asked, self.connected = list(answers), 0, list[str]()
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)
        monkeypatch.setattr(socket, "create_connection", self.connect)

    def look_up(self, _host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]

    def connect(self, address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        self.connected.append(address[0])
        raise ConnectionRefusedError


def test_a_name_that_turns_to_this_machine_after_it_was_checked_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    name = Turning(monkeypatch, "93.184.215.14", "127.0.0.1")
    with pytest.raises(NotDelivered, match="did not answer"):
        outgoing.post("https://turning.example.org/", {}, b"{}", allow_private=False)
    assert (name.asked, name.connected) == (1, ["93.184.215.14"])
    # The next delivery looks anew, and goes nowhere.
    with pytest.raises(NotDelivered, match="private network"):
        outgoing.post("https://turning.example.org/", {}, b"{}", allow_private=False)
    assert name.connected == ["93.184.215.14"]


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1", "100.100.100.200"])
def test_where_machines_in_the_cloud_tell_of_themselves_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    name = Turning(monkeypatch, address)
    with pytest.raises(NotDelivered, match="private network"):
        outgoing.post("https://metadata.example.org/", {}, b"{}", allow_private=False)
    assert name.connected == []
