"""Mail, push and webhook against real receivers; what may not be reached; what a failure says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from coach.config import Config, MailSection
from coach.errors import ConfigError, InvalidInput
from coach.notify import mail, outgoing
from coach.notify.channels import Channels
from coach.notify.errors import NotDelivered
from coach.notify.push import Push, encrypted
from coach.notify.types import Message, Target
from coach.notify.vapid import own_key
from coach.notify.webhook import Webhook
from tests.coach.notify.receivers import Browser, http_receiver, mail_server

NOW_UTC_S = 1_795_000_000.0
SAID = Message(
    "m1", "Back session at 18:30", "Today 18:30, 12 min: Bird dog.", "/sessions/s1", 1800.0, {"kind": "session"}
)
# Every address here is one that a form of an athlete must not make this server post to.
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.9",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "224.0.0.1",
    "255.255.255.255",
]


def from_b64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_mail_arrives_with_time_and_names_and_nothing_else() -> None:
    with mail_server() as server:
        config = MailSection(host="127.0.0.1", port=server.port, tls="none", sender="backstop@example.org")
        sender = mail.Mail(config, "https://backstop.example.org")
        for _ in range(2):
            sender.send(Target("ada@example.org"), SAID, NOW_UTC_S)
    first, second = server.mails
    assert (first["To"], first["From"], first["Subject"]) == ("ada@example.org", "backstop@example.org", SAID.title)
    assert first["Auto-Submitted"] == "auto-generated"
    # A second try is the same mail to whoever sorts by its id.
    assert first["Message-ID"] == second["Message-ID"] == "<m1@example.org>"
    lines = first.get_content().replace("\r\n", "\n").split("\n\n")
    assert lines[:2] == [SAID.text, "https://backstop.example.org/sessions/s1"]


@pytest.mark.parametrize(("answer", "again"), [("550 no such user", False), ("451 later please", True)])
def test_a_refused_address_is_one_sentence_without_it(answer: str, again: bool) -> None:
    with mail_server() as server:
        server.refuse = answer
        config = MailSection(host="127.0.0.1", port=server.port, tls="none", sender="backstop@example.org")
        with pytest.raises(NotDelivered) as caught:
            mail.Mail(config, "").send(Target("ada@example.org"), SAID, NOW_UTC_S)
    assert caught.value.again is again
    assert answer[:3] in str(caught.value)
    assert "ada@" not in str(caught.value)


def test_a_mail_server_that_is_away_is_tried_again() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        config = MailSection(host="127.0.0.1", port=held.getsockname()[1], tls="none", sender="a@example.org")
        with pytest.raises(NotDelivered, match="did not answer") as caught:
            mail.Mail(config, "").send(Target("ada@example.org"), SAID, NOW_UTC_S)
    assert caught.value.again


def test_a_mail_server_that_breaks_off_may_have_taken_the_mail_and_is_not_told_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take_and_leave() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 here\r\n")
                for line in lines:
                    word = line.split()[0].upper()
                    connection.sendall(b"354 go on\r\n" if word == b"DATA" else b"250 fine\r\n")
                    if word == b"DATA":
                        while next(lines) != b".\r\n":
                            pass
                        return

        thread = threading.Thread(target=take_and_leave)
        thread.start()
        config = MailSection(host="127.0.0.1", port=server.getsockname()[1], tls="none", sender="a@example.org")
        with pytest.raises(NotDelivered, match="may have arrived") as caught:
            mail.Mail(config, "").send(Target("ada@example.org"), SAID, NOW_UTC_S)
        thread.join()
    assert not caught.value.again


def test_starttls_is_not_given_up_in_silence() -> None:
    with mail_server() as server:
        config = MailSection(host="127.0.0.1", port=server.port, sender="backstop@example.org")
        with pytest.raises(NotDelivered):
            mail.Mail(config, "").send(Target("ada@example.org"), SAID, NOW_UTC_S)
    assert server.mails == []


@pytest.mark.parametrize(
    "text",
    ["", "ada", "ada@", "@example.org", "ada@example", "a@b.c\nBcc: x@evil.org", "a b@example.org", "a@x.org, b@x.org"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        mail.checked_address(text)
    assert mail.checked_address(" ada.l+b@example.org ") == "ada.l+b@example.org"


def test_a_password_is_not_sent_in_the_clear_and_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    away = MailSection(
        host="mail.example.org", tls="none", user="a", sender="a@example.org", password_file=str(tmp_path / "password")
    )
    with pytest.raises(ConfigError, match="in the clear"):
        mail.check_config(away)
    mail.check_config(away.model_copy(update={"tls": "tls"}))
    with pytest.raises(ConfigError, match="password_file"):
        mail.check_config(away.model_copy(update={"tls": "tls", "password_file": str(tmp_path / "none")}))
    with pytest.raises(ConfigError, match="sender"):
        mail.check_config(away.model_copy(update={"tls": "tls", "sender": ""}))


def test_a_push_is_read_by_the_browsers_own_key_and_signed_by_this_server(tmp_path: Path) -> None:
    browser, key = Browser(), own_key(tmp_path)
    with http_receiver() as service:
        push = Push(lambda: key, "mailto:owner@example.org", allow_private=True)
        push.send(Target(f"{service.url}/push/abc", browser.keys()), SAID, NOW_UTC_S)
    (got,) = service.received
    assert browser.read(got.body) == {"id": "m1", "title": SAID.title, "text": SAID.text, "path": SAID.path}
    assert (got.path, got.headers["Content-Encoding"], got.headers["TTL"]) == ("/push/abc", "aes128gcm", "1800")
    assert SAID.text.encode() not in got.body
    # VAPID (RFC 8292): audience, end within a day, and a signature by the key that browsers subscribe with.
    fields = dict(part.split("=", 1) for part in got.headers["Authorization"].removeprefix("vapid ").split(", "))
    assert fields["k"] == key.public()
    head, claims, signed = fields["t"].split(".")
    assert json.loads(from_b64url(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(from_b64url(claims)) == {
        "aud": service.url,
        "exp": NOW_UTC_S + 12 * 3600,
        "sub": "mailto:owner@example.org",
    }
    raw = from_b64url(signed)
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_b64url(fields["k"]))
    public.verify(signature, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_the_example_of_the_standard_is_encrypted_as_it_says() -> None:
    """Source: RFC 8291, 5 and appendix A."""
    private = ec.derive_private_key(
        int.from_bytes(from_b64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        private,
        from_b64url("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == from_b64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize(
    ("status", "again", "gone"),
    [(410, False, True), (404, False, True), (429, True, False), (500, True, False), (413, False, False)],
)
def test_what_a_push_service_answers_decides_whether_it_is_tried_again(
    tmp_path: Path, status: int, again: bool, gone: bool
) -> None:
    with http_receiver() as service:
        service.statuses = [status]
        with pytest.raises(NotDelivered) as caught:
            Push(lambda: own_key(tmp_path), "", True).send(Target(service.url, Browser().keys()), SAID, NOW_UTC_S)
    assert (caught.value.again, caught.value.gone) == (again, gone)


def test_the_key_of_pushes_is_made_where_no_folder_is_yet(tmp_path: Path) -> None:
    assert own_key(tmp_path / "new" / "var").public() == own_key(tmp_path / "new" / "var").public()


def test_the_key_of_pushes_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    channels = Channels(Config(storage={"directory": tmp_path}))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(own_key(tmp_path).public())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    channels.prepare()
    assert set(made) == {channels.vapid_key().public()}
    assert [path.name for path in tmp_path.iterdir()] == ["vapid.key"]
    assert stat.S_IMODE((tmp_path / "vapid.key").stat().st_mode) == 0o600
    (tmp_path / "vapid.key").write_text("not a key")
    with pytest.raises(ConfigError, match="damaged"):
        own_key(tmp_path)


def test_a_webhook_is_signed_over_time_and_body() -> None:
    with http_receiver() as service:
        Webhook(allow_private=True).send(Target(f"{service.url}/hook?x=1", {"secret": "s3cret"}), SAID, NOW_UTC_S)
    (got,) = service.received
    assert got.path == "/hook?x=1"
    assert json.loads(got.body) == {"id": "m1", "kind": "session"}
    assert got.headers["Backstop-Timestamp"] == str(int(NOW_UTC_S))
    signed = got.headers["Backstop-Timestamp"].encode() + b"." + got.body
    wanted = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(got.headers["Backstop-Signature"], f"sha256={wanted}")


def test_a_redirect_is_not_followed() -> None:
    with http_receiver() as service:
        service.statuses = [302]
        with pytest.raises(NotDelivered, match="redirects") as caught:
            Webhook(True).send(Target(service.url, {"secret": "s"}), SAID, NOW_UTC_S)
    assert not caught.value.again
    assert len(service.received) == 1


def test_this_machine_and_private_networks_are_not_reached_unless_the_owner_says_so() -> None:
    with http_receiver() as service:
        port = service.url.rpartition(":")[2]
        for url in (service.url, f"https://127.0.0.1:{port}", f"https://localhost:{port}", f"https://[::1]:{port}"):
            with pytest.raises(NotDelivered):
                Webhook(allow_private=False).send(Target(url, {"secret": "s"}), SAID, NOW_UTC_S)
    assert service.received == []


@pytest.mark.parametrize("address", PRIVATE)
def test_every_kind_of_private_address_is_known(address: str) -> None:
    assert not outgoing.is_public(address)
    with pytest.raises(NotDelivered, match="private network"):
        outgoing.resolve(address, 443, allow_private=False)


def test_public_addresses_are_reached() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"):
        assert outgoing.is_public(address)


def test_one_private_answer_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_args, **_named: found)
    with pytest.raises(NotDelivered, match="private network"):
        outgoing.resolve("rebinding.example.org", 443, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org",
        "https://",
        "https://user:pw@example.org/",
        "http://example.org/",
        "https://ex ample.org",
        "https://example.org:99999/",
    ],
)
def test_addresses_that_cannot_be_are_refused_when_they_are_entered(url: str) -> None:
    with pytest.raises(NotDelivered):
        outgoing.checked_url(url, allow_private=False)


def test_a_receiver_that_dawdles_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_WHOLE_S", 0.3)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def dawdle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                while not done.wait(0.05):
                    try:
                        connection.sendall(b"H")  # a byte now and then, never a status
                    except OSError:
                        return

        thread = threading.Thread(target=dawdle)
        thread.start()
        try:
            with pytest.raises(NotDelivered, match="in time"):
                outgoing.post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}", allow_private=True)
        finally:
            done.set()
            thread.join()
