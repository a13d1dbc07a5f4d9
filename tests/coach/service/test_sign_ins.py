"""Sessions as rows, second factors and passkeys: what lets somebody in, and what does not."""

from __future__ import annotations

import copy
import json
import threading
import time
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen, remove

from coach.errors import CoachError, Conflict, InvalidInput, NoSuch, NotAllowed, StoreUnavailable
from coach.service import second_factors, secrets
from coach.service.passkeys import Place, ask_for_one, place_of
from coach.service.sign_in_types import Asker, CodeWanted, LetIn, Notice, SignedIn, Way
from coach.store import sign_ins
from coach.store.sign_in_tables import failed_sign_in, sign_in_session
from coach.store.tables import event, user_account
from tests.coach.authenticator import PRESENT, Authenticator, text_of
from tests.coach.club import Club
from tests.coach.quick_hashes import QuickHasher

GOOD = "kettle violin marsh"
PHONE, DESK = Asker("Safari on iPhone"), Asker("Firefox on Linux")
HERE = Place("localhost", "http://localhost")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PasswordHasher", QuickHasher)


def linked(club: Club, asker: Asker = PHONE) -> LetIn:
    return club.services.sign_ins.by_link(club.services.accounts.issue_sign_in_link(club.coach.user_id), asker)


def present(club: Club, found: LetIn) -> SignedIn:
    seen = club.services.sign_ins.present(found.secret or "")
    assert seen is not None
    return seen


def actions(club: Club) -> list[str]:
    with club.store.read() as tx:
        return [row.action for row in tx.execute(event.select().order_by(event.c.id)) if row.subject == "user"]


def code_at(club: Club, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(club.clock.now + timedelta(seconds=30 * steps))


def with_factor(club: Club) -> tuple[str, tuple[str, ...]]:
    club.services.accounts.set_password(club.coach.user_id, GOOD)
    secret = club.services.second_factors.begin(club.coach).secret
    codes = club.services.second_factors.confirm(club.coach, code_at(club, secret))
    club.clock.forward(minutes=5)
    return secret, codes


def wanted(club: Club) -> CodeWanted:
    found = club.services.sign_ins.by_password("Kim", GOOD, DESK)
    assert isinstance(found, CodeWanted)
    return found


def enrolled(club: Club, device: Authenticator, name: str = "phone") -> None:
    asked = club.services.passkeys.ask_for_new(club.coach, HERE)
    club.services.passkeys.add(club.coach, device.create(asked.options), name, asked.challenge, HERE)


# Sessions


def test_a_session_is_listed_seen_to_the_minute_and_ended_by_its_owner_only(club: Club) -> None:
    sign_in = club.services.sign_ins
    phone, desk = linked(club), linked(club, DESK)
    here = present(club, desk).session_id
    club.clock.forward(seconds=59)
    present(club, phone)
    seen = {view.device: view.seen_at for view in sign_in.of_person(club.coach, here)}
    assert len(set(seen.values())) == 1  # not written yet
    club.clock.forward(seconds=1)
    present(club, phone)
    views = sign_in.of_person(club.coach, here)
    assert [(view.device, view.here, view.way) for view in views] == [
        ("Safari on iPhone", False, Way.LINK),
        ("Firefox on Linux", True, Way.LINK),
    ]
    assert views[0].seen_at == club.clock.now
    with pytest.raises(NoSuch):
        sign_in.end(club.athlete, views[0].session_id)
    sign_in.end(club.coach, views[0].session_id)
    assert sign_in.present(phone.secret or "") is None
    assert sign_in.still(views[0].session_id) is None
    assert sign_in.still(here) == club.coach
    with pytest.raises(NoSuch):
        sign_in.end(club.coach, views[0].session_id)


def test_others_end_together_and_at_a_new_password(club: Club) -> None:
    phone, desk = linked(club), linked(club, DESK)
    here = present(club, desk)
    assert club.services.sign_ins.end_others(club.coach, here.session_id) == 1
    assert club.services.sign_ins.present(phone.secret or "") is None
    again = linked(club)
    club.services.accounts.set_password(club.coach.user_id, GOOD, but=here.session_id)
    assert club.services.sign_ins.present(again.secret or "") is None
    assert club.services.sign_ins.present(desk.secret or "") is not None
    renewed = club.services.sign_ins.renew(here)
    assert club.services.sign_ins.present(desk.secret or "") is None
    assert club.services.sign_ins.present(renewed) is not None
    club.services.sign_ins.sign_out(here)
    assert club.services.sign_ins.present(renewed) is None
    assert actions(club)[-1] == "signed out"


def test_a_session_ends_by_age_and_by_disuse(club: Club) -> None:
    idle = linked(club)
    club.clock.forward(days=14, seconds=-1)
    assert club.services.sign_ins.present(idle.secret or "") is not None
    club.clock.forward(days=14)
    assert club.services.sign_ins.present(idle.secret or "") is None
    used = linked(club)
    for _ in range(5):
        club.clock.forward(days=5)
        present(club, used)
    club.clock.forward(days=5)  # thirty days old, used five days ago
    assert club.services.sign_ins.present(used.secret or "") is None
    assert club.services.sign_ins.of_person(club.coach, None) == ()


def test_signing_in_anew_in_a_browser_ends_what_it_had_and_rows_do_not_heap_up(club: Club) -> None:
    first = linked(club)
    second = linked(club, Asker("Safari on iPhone", present(club, first)))
    assert club.services.sign_ins.present(first.secret or "") is None
    for _ in range(60):
        linked(club, DESK)
        club.clock.forward(seconds=1)
    assert len(club.services.sign_ins.of_person(club.coach, None)) == 50
    assert club.services.sign_ins.present(second.secret or "") is None
    club.clock.forward(days=100)
    linked(club)
    club.services.retention.forget(club.clock.now)
    with club.store.read() as tx:
        assert len(tx.execute(sign_in_session.select()).all()) == 1


def test_the_secret_of_a_session_is_not_in_the_database(club: Club) -> None:
    found = linked(club)
    with club.store.read() as tx:
        rows = [str(value) for row in tx.execute(sign_in_session.select()) for value in row]
    assert found.secret
    assert not any(found.secret in value for value in rows)


# Passwords


def test_a_hash_of_older_parameters_is_renewed_by_signing_in(club: Club) -> None:
    old = secrets.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    with club.store.begin() as tx:
        tx.execute(user_account.update().where(user_account.c.id == club.coach.user_id).values(password_hash=old))
    epoch = club.coach.epoch
    found = club.services.sign_ins.by_password("Kim", GOOD, DESK)
    assert isinstance(found, LetIn)
    with club.store.read() as tx:
        kept = tx.execute(user_account.select().where(user_account.c.id == club.coach.user_id)).one()
    assert not secrets.hash_is_old(kept.password_hash)
    assert kept.epoch == epoch  # the same password: nobody is signed out
    assert secrets.password_fits(GOOD, kept.password_hash)


def test_a_password_is_the_same_whatever_keyboard_composed_it(club: Club) -> None:
    club.services.accounts.set_password(club.coach.user_id, "Ku\u0308nstlerhof sieben")
    assert isinstance(club.services.sign_ins.by_password("Kim", "K\u00fcnstlerhof sieben", DESK), LetIn)


def test_nobodys_hash_takes_the_effort_of_a_real_one() -> None:
    assert not PasswordHasher().check_needs_rehash(secrets._NOBODYS_HASH)
    assert not secrets.password_fits("", None)


@pytest.mark.parametrize("who", ["nobody", "wrong", "without", "with a code", "too long"])
def test_the_same_effort_whoever_is_asked_for(club: Club, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Effort: hashes made, statements sent and rows written, not what a clock says on a busy machine."""
    with_factor(club)
    club.services.accounts.set_password(club.services.accounts.create_user("Lou", club.coach.role), GOOD)
    name, password = {
        "nobody": ("Nobody at all", "wrong wrong wrong wrong"),
        "wrong": ("Lou", "wrong wrong wrong wrong"),
        "without": ("Ada", "wrong wrong wrong wrong"),
        "with a code": ("Kim", "wrong wrong wrong wrong"),
        "too long": ("Lou", "wrong " * 5000),
    }[who]
    hashed, sent = list[int](), list[str]()
    verify = secrets.PasswordHasher.verify

    def counted(self: secrets.PasswordHasher, stored: str, tried: str) -> bool:
        hashed.append(len(tried))
        return verify(self, stored, tried)

    monkeypatch.setattr(secrets.PasswordHasher, "verify", counted)

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement.split()[0])

    listen(Engine, "before_cursor_execute", note)
    try:
        with pytest.raises(NotAllowed, match="do not fit"):
            club.services.sign_ins.by_password(name, password, DESK)
    finally:
        remove(Engine, "before_cursor_execute", note)
    assert len(hashed) == 1
    assert hashed[0] <= 257
    assert sent == ["SELECT", "UPDATE", "INSERT"]


def test_failed_tries_are_counted_without_what_was_typed(club: Club) -> None:
    club.services.accounts.set_password(club.coach.user_id, GOOD)
    for name in ("Kim", "kim ", "my password in the wrong field", "Ada"):
        with pytest.raises(NotAllowed):
            club.services.sign_ins.by_password(name, "wrong horse battery", DESK)
    assert club.services.sign_ins.failed_lately(club.coach) == 2
    assert club.services.sign_ins.failed_lately(club.athlete) == 1
    with club.store.read() as tx:
        assert sign_ins.failed_by_way(tx) == {"password": 4}
        rows = tx.execute(failed_sign_in.select()).all()
    assert len(rows) == 3
    assert "wrong field" not in str(rows)
    club.clock.forward(days=8)
    assert club.services.sign_ins.failed_lately(club.coach) == 0


# The second factor


def test_a_code_is_asked_for_after_the_password_and_taken_once(club: Club) -> None:
    secret, codes = with_factor(club)
    assert len(set(codes)) == 10
    ask, sign_in = wanted(club), club.services.sign_ins
    for wrong in ("", "12345", "abcdef", "000 0000", "①②③④⑤⑥", "x" * 25):
        with pytest.raises(NotAllowed):
            sign_in.by_code(ask, wrong, DESK)
    found = sign_in.by_code(ask, code_at(club, secret), DESK)
    assert (found.way, found.identity.user_id) == (Way.CODE, club.coach.user_id)
    for used in (0, -1):  # the same one again, and one before it
        with pytest.raises(NotAllowed):
            sign_in.by_code(wanted(club), code_at(club, secret, used), DESK)
    assert sign_in.by_code(wanted(club), code_at(club, secret, 1), DESK).secret
    assert sign_in.failed_lately(club.coach) == 8


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_a_step_early_or_late(club: Club, steps: int, fits: bool) -> None:
    secret, _ = with_factor(club)
    ask, code = wanted(club), code_at(club, secret, steps)
    if fits:
        assert club.services.sign_ins.by_code(ask, f"{code[:3]} {code[3:]}", DESK).secret
    else:
        with pytest.raises(NotAllowed):
            club.services.sign_ins.by_code(ask, code, DESK)


def test_a_code_works_once_also_when_raced(club: Club) -> None:
    secret, _ = with_factor(club)
    ask, code = wanted(club), code_at(club, secret)
    entered, start = list[LetIn](), threading.Barrier(6)

    def enter() -> None:
        start.wait()
        try:
            entered.append(club.services.sign_ins.by_code(ask, code, DESK))
        except NotAllowed:
            return

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 1


def test_recovery_codes_stand_in_once_each_and_are_kept_as_hashes(club: Club) -> None:
    _, codes = with_factor(club)
    sign_in = club.services.sign_ins
    found = sign_in.by_code(wanted(club), f" {codes[0].lower().replace('O', '0')} ", DESK)
    assert found.way is Way.RECOVERY
    with pytest.raises(NotAllowed):
        sign_in.by_code(wanted(club), codes[0], DESK)
    assert club.services.second_factors.of_person(club.coach).codes_left == 9
    with club.store.read() as tx:
        dump = str(tx.exec_driver_sql("SELECT * FROM recovery_code").all())
    assert not any(code in dump or code.replace("-", "") in dump for code in codes)
    renewed = club.services.second_factors.renew_codes(club.coach)
    with pytest.raises(NotAllowed):
        sign_in.by_code(wanted(club), codes[1], DESK)
    assert sign_in.by_code(wanted(club), renewed[1], DESK).secret


def test_the_second_factor_of_another_person_is_no_use(club: Club) -> None:
    secret, codes = with_factor(club)
    club.services.accounts.set_password(club.athlete.user_id, GOOD)
    asked = CodeWanted(club.athlete.user_id, club.athlete.epoch + 1)
    for typed in (code_at(club, secret), codes[0]):
        with pytest.raises(NotAllowed):
            club.services.sign_ins.by_code(asked, typed, DESK)


def test_it_is_on_only_after_a_first_code_and_off_again_when_wanted(club: Club) -> None:
    factors = club.services.second_factors
    club.services.accounts.set_password(club.coach.user_id, GOOD)
    with pytest.raises(Conflict):
        factors.confirm(club.coach, "123456")
    with pytest.raises(Conflict):
        factors.renew_codes(club.coach)
    begun = factors.begin(club.coach)
    assert begun.uri.startswith("otpauth://totp/Backstop:Kim?")
    assert factors.waiting(club.coach) == begun
    assert isinstance(club.services.sign_ins.by_password("Kim", GOOD, DESK), LetIn)
    with pytest.raises(InvalidInput):
        factors.confirm(club.coach, code_at(club, begun.secret, 5))
    factors.confirm(club.coach, code_at(club, begun.secret))
    assert isinstance(club.services.sign_ins.by_password("Kim", GOOD, DESK), CodeWanted)
    with pytest.raises(Conflict):
        factors.begin(club.coach)
    factors.remove(club.coach)
    assert isinstance(club.services.sign_ins.by_password("Kim", GOOD, DESK), LetIn)
    assert factors.of_person(club.coach) == second_factors.FactorView(None, 0)
    assert [each for each in actions(club) if "factor" in each] == [
        "switched the second factor on",
        "switched the second factor off",
    ]


def test_a_password_that_was_replaced_meanwhile_opens_nothing(club: Club) -> None:
    secret, _ = with_factor(club)
    ask = wanted(club)
    club.services.accounts.set_password(club.coach.user_id, "another kettle violin")
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_code(ask, code_at(club, secret), DESK)


# Passkeys


def test_a_passkey_lets_in_without_a_code_and_each_challenge_once(club: Club) -> None:
    with_factor(club)
    device = Authenticator()
    enrolled(club, device)
    asked = ask_for_one(HERE)
    answer = device.get(asked.options)
    found = club.services.sign_ins.by_passkey(answer, asked.challenge, HERE, PHONE)
    assert (found.way, found.identity.user_id) == (Way.PASSKEY, club.coach.user_id)
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_passkey(answer, asked.challenge, HERE, PHONE)
    # Also with a count that a device without one never raises.
    device.count = -1
    asked = ask_for_one(HERE)
    with club.store.begin() as tx:
        tx.exec_driver_sql("UPDATE passkey SET sign_count = 0")
    answer = device.get(asked.options)
    assert club.services.sign_ins.by_passkey(answer, asked.challenge, HERE, PHONE).secret
    with pytest.raises(NotAllowed, match="used before"):
        club.services.sign_ins.by_passkey(answer, asked.challenge, HERE, PHONE)
    (view,) = club.services.passkeys.of_person(club.coach)
    assert (view.name, view.used_at) == ("phone", club.clock.now)


@pytest.mark.parametrize(
    "wrong",
    ["challenge", "origin", "place", "not verified", "count", "key", "handle", "unknown", "signature", "kind"],
)
def test_what_does_not_fit_lets_nobody_in(club: Club, wrong: str) -> None:
    device = Authenticator(count=5)
    enrolled(club, device)
    asked, place = ask_for_one(HERE), HERE
    if wrong == "origin":
        device.origin = "http://localhost.evil.example"
    if wrong == "place":
        asked = ask_for_one(Place("evil.example", "http://localhost"))
    if wrong == "not verified":
        device.flags = PRESENT
    if wrong == "count":
        device.count = 2
    if wrong == "key":
        device.key = Authenticator().key
    if wrong == "handle":
        device.handle = bytes.fromhex(club.athlete.user_id)
    if wrong == "unknown":
        device.credential_id = b"0123456789abcdef"
    answer = copy.deepcopy(device.get(asked.options))
    response = answer["response"]
    assert isinstance(response, dict)
    if wrong == "signature":
        response["signature"] = text_of(b"\x30\x06\x02\x01\x01\x02\x01\x01")
    if wrong == "kind":
        made = device.create(
            json.dumps({"rp": {"id": "localhost"}, "user": {"id": "AA"}, "challenge": asked.challenge})
        )
        response["clientDataJSON"] = made["response"]["clientDataJSON"]  # type: ignore[index]
    challenge = ask_for_one(HERE).challenge if wrong == "challenge" else asked.challenge
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_passkey(answer, challenge, place, PHONE)
    assert club.services.sign_ins.of_person(club.coach, None) == ()
    with club.store.read() as tx:
        assert sign_ins.failed_by_way(tx) == {"passkey": 1}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40) | st.binary(max_size=40).map(text_of),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("id", "rawId", "type", "clientExtensionResults", "authenticatorAttachment")
INNER = ("clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject", "transports")


def test_whatever_a_browser_says_is_refused_with_a_sentence(club: Club) -> None:
    device = Authenticator()
    enrolled(club, device)
    good = device.get(ask_for_one(HERE).options)
    made = device.create(club.services.passkeys.ask_for_new(club.coach, HERE).options)

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from([good, made]), st.dictionaries(st.sampled_from(FIELDS + INNER), anything), anything)
    def refused(like: dict[str, object], changes: dict[str, object], whole: object) -> None:
        answer = copy.deepcopy(like)
        for name, value in changes.items():
            (answer if name in FIELDS else answer["response"])[name] = value  # type: ignore[index]
        for tried in (answer, whole):
            with pytest.raises(NotAllowed):
                club.services.sign_ins.by_passkey(tried, "AAAA", HERE, PHONE)
            with pytest.raises(CoachError):
                club.services.passkeys.add(club.coach, tried, "x", "AAAA", HERE)

    refused()
    assert len(club.services.passkeys.of_person(club.coach)) == 1


def test_passkeys_are_named_removed_and_ones_own(club: Club) -> None:
    device, keys = Authenticator(), club.services.passkeys
    enrolled(club, device)
    (view,) = keys.of_person(club.coach)
    assert keys.of_person(club.athlete) == ()
    for change in (
        lambda: keys.rename(club.athlete, view.passkey_id, "mine"),
        lambda: keys.remove(club.athlete, view.passkey_id),
    ):
        with pytest.raises(NoSuch):
            change()
    keys.rename(club.coach, view.passkey_id, " the  old phone ")
    assert keys.of_person(club.coach)[0].name == "the old phone"
    for name in ("", "x" * 61, "a\x00b"):
        with pytest.raises(InvalidInput):
            keys.rename(club.coach, view.passkey_id, name)
    with pytest.raises(Conflict):
        enrolled(club, device)  # the same device's again
    keys.remove(club.coach, view.passkey_id)
    asked = ask_for_one(HERE)
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_passkey(device.get(asked.options), asked.challenge, HERE, PHONE)
    for _ in range(10):
        enrolled(club, Authenticator())
    with pytest.raises(Conflict, match="10 passkeys"):
        keys.ask_for_new(club.coach, HERE)


def test_a_new_passkey_must_answer_what_was_asked(club: Club) -> None:
    keys = club.services.passkeys
    asked = keys.ask_for_new(club.coach, HERE)
    for device, challenge in (
        (Authenticator(origin="https://evil.example"), asked.challenge),
        (Authenticator(flags=PRESENT), asked.challenge),
        (Authenticator(), keys.ask_for_new(club.coach, HERE).challenge),
    ):
        with pytest.raises(InvalidInput):
            keys.add(club.coach, device.create(asked.options), "x", challenge, HERE)
    assert keys.of_person(club.coach) == ()


@pytest.mark.parametrize(
    ("address", "asked", "expected"),
    [
        ("", "http://localhost:8000/", Place("localhost", "http://localhost:8000")),
        ("", "http://LOCALHOST/", Place("localhost", "http://localhost")),
        ("https://back.example", "https://back.example/", Place("back.example", "https://back.example")),
        ("https://Back.Example:443", "https://back.example/", Place("back.example", "https://back.example")),
        ("https://b.example:8443", "https://b.example:8443/", Place("b.example", "https://b.example:8443")),
        (
            "https://bäck.example",
            "https://xn--bck-qla.example/",
            Place("xn--bck-qla.example", "https://xn--bck-qla.example"),
        ),
        ("", "http://192.168.1.20:8000/", "need https"),
        ("", "http://127.0.0.1:8000/", "http://localhost:8000"),
        ("", "http://[::1]:8000/", "http://localhost:8000"),
        ("", "https://back.example/", "web.address to https://back.example"),
        ("http://back.local:8000", "http://back.local:8000/", "need https"),
        ("https://back.example", "https://other.example/", "belong to https://back.example"),
        ("https://back.example", "http://back.example/", "belong to https://back.example"),
        ("https://10.0.0.7", "https://10.0.0.7/", "need a name"),
        ("", "https://a:notaport/", "can name"),
    ],
)
def test_where_passkeys_belong(address: str, asked: str, expected: Place | str) -> None:
    if isinstance(expected, Place):
        assert place_of(address, asked) == expected
    else:
        with pytest.raises(InvalidInput, match=expected):
            place_of(address, asked)


# Showing again who one is, and being helped


def test_confirming_makes_the_session_fresh_and_no_new_one(club: Club) -> None:
    with_factor(club)
    found = linked(club)
    club.clock.forward(hours=2)
    seen = present(club, found)
    device = Authenticator()
    enrolled(club, device)
    asked = ask_for_one(HERE)
    confirmed = club.services.sign_ins.by_passkey(
        device.get(asked.options), asked.challenge, HERE, Asker("x", seen, confirming=True)
    )
    assert confirmed.secret is None
    assert present(club, found).confirmed_at == club.clock.now
    assert len(club.services.sign_ins.of_person(club.coach, None)) == 1
    assert actions(club)[-1] == "confirmed by passkey"


def test_nobody_else_confirms_a_session(club: Club) -> None:
    found = linked(club)
    club.clock.forward(hours=2)
    club.services.accounts.set_password(club.athlete.user_id, GOOD)
    with pytest.raises(NotAllowed, match="signed in as Kim"):
        club.services.sign_ins.by_password("Ada", GOOD, Asker("x", present(club, found), confirming=True))
    assert present(club, found).confirmed_at < club.clock.now


def test_a_new_password_and_a_reset_end_open_links_and_a_reset_of_keys_also_tokens(club: Club) -> None:
    accounts, tokens, user_id = club.services.accounts, club.services.personal_tokens, club.coach.user_id
    for end in (lambda: accounts.reset(user_id), lambda: accounts.set_password(user_id, GOOD)):
        link = accounts.issue_sign_in_link(user_id)
        end()
        with pytest.raises(NotAllowed):
            club.services.sign_ins.by_link(link, DESK)
    found = accounts.identity(user_id)
    assert found is not None
    secret = tokens.make(found, "script", ["read:plans"]).secret
    accounts.reset(user_id)
    assert tokens.identity(secret).user_id == user_id
    accounts.reset(user_id, passkeys=True)
    with pytest.raises(NotAllowed):
        tokens.identity(secret)


def test_the_owner_resets_it_is_recorded_and_told(club: Club) -> None:
    with_factor(club)
    enrolled(club, Authenticator())
    before = linked(club)
    accounts = club.services.accounts
    assert accounts.reset(club.coach.user_id) == (Notice.SECOND_FACTOR_REMOVED,)
    assert club.services.sign_ins.present(before.secret or "") is None
    assert accounts.has_password(club.coach.user_id)
    assert len(club.services.passkeys.of_person(club.coach)) == 1
    assert accounts.reset(club.coach.user_id, passkeys=True, password=True) == (
        Notice.PASSKEYS_REMOVED,
        Notice.PASSWORD_REMOVED,
    )
    assert accounts.reset(club.coach.user_id, passkeys=True, password=True) == ()
    with pytest.raises(NotAllowed):
        club.services.sign_ins.by_password("Kim", GOOD, DESK)
    assert [told for told, _ in linked(club).notices] == list(Notice)
    assert linked(club).notices == ()
    with club.store.read() as tx:
        owners = [row.action for row in tx.execute(event.select().where(event.c.actor == "owner"))]
    assert owners == [notice.value for notice in Notice]
    with pytest.raises(NoSuch):
        accounts.reset("nobody")


def test_each_way_in_is_recorded(club: Club) -> None:
    secret, codes = with_factor(club)
    club.services.sign_ins.by_code(wanted(club), code_at(club, secret), DESK)
    club.services.sign_ins.by_code(wanted(club), codes[0], DESK)
    linked(club)
    club.services.accounts.set_password(club.athlete.user_id, GOOD)
    club.services.sign_ins.by_password("Ada", GOOD, DESK)
    assert [each for each in actions(club) if each.startswith("signed in")] == [
        "signed in by code",
        "signed in by recovery code",
        "signed in by link",
        "signed in by password",
    ]


def test_a_rush_of_tries_leaves_threads_to_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    verify, at_once, most = secrets.PasswordHasher.verify, list[int](), list[int]()
    lock, go = threading.Lock(), threading.Event()

    def slow(self: secrets.PasswordHasher, stored: str, tried: str) -> bool:
        with lock:
            at_once.append(1)
            most.append(len(at_once))
        go.wait(20)
        with lock:
            at_once.pop()
        return verify(self, stored, tried)

    monkeypatch.setattr(secrets.PasswordHasher, "verify", slow)
    refused, answered = list[str](), list[bool]()

    def ask() -> None:
        try:
            answered.append(secrets.password_fits("guess", None))
        except StoreUnavailable as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    while len(refused) < 4 and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    go.set()
    for thread in threads:
        thread.join()
    assert (len(refused), answered) == (4, [False] * 16)
    assert max(most) == 4
    assert secrets.password_fits("guess", None) is False  # every place is free again


def test_who_is_signed_in_is_one_indexed_read(club: Club) -> None:
    found, sent = linked(club), list[tuple[str, Any]]()

    def note(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    listen(Engine, "before_cursor_execute", note)
    try:
        present(club, found)
    finally:
        remove(Engine, "before_cursor_execute", note)
    ((statement, values),) = sent
    with club.store.read() as tx:
        if club.store.dialect == "sqlite":
            plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert [each.split()[0] for each in plan] == ["SEARCH", "SEARCH"]
            assert all("INDEX" in each for each in plan)
        else:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # of tables as small as these nobody needs an index
            plan = [row[0] for row in tx.exec_driver_sql(f"EXPLAIN {statement}", values)]
            assert [each for each in plan if "Seq Scan" in each] == []
            assert len([each for each in plan if "Index Scan" in each]) == 2
