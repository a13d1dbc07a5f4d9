"""`backstop user`, as typed by whoever owns the machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest

from coach.__main__ import main
from coach.config import Config
from coach.instance import database_path
from coach.service import build_services
from coach.service.sign_in_types import Asker, CodeWanted, LetIn, Notice
from coach.service.types import Role
from coach.store.engine import open_store
from devices.hostclock import SystemClock

GOOD = "kettle violin marsh"
HERE = Asker("Firefox on Linux")


@pytest.fixture
def locked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kim has a password, a second factor whose phone is lost, and is signed in somewhere."""
    monkeypatch.chdir(tmp_path)
    assert main(["user", "add", "Kim", "--role", "coach"]) == 0
    with open_store(database_path(Path("var"))) as store:
        services, clock = build_services(store, Config(), SystemClock()), SystemClock()
        (kim,) = services.accounts.users()
        services.accounts.set_password(kim.user_id, GOOD)
        code = pyotp.TOTP(services.second_factors.begin(kim).secret).at(int(clock.utc_s()))
        services.second_factors.confirm(kim, code)
        services.sign_ins.by_link(services.accounts.issue_sign_in_link(kim.user_id), HERE)
        assert isinstance(services.sign_ins.by_password("Kim", GOOD, HERE), CodeWanted)


def test_reset_lets_somebody_in_who_lost_the_phone(locked_out, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["user", "reset", "kim"]) == 0
    told = capsys.readouterr().out
    assert "signed out everywhere" in told
    assert "second factor removed" in told
    token = re.search(r"http://127\.0\.0\.1:8000/enter/(\S+)", told)
    assert token
    with open_store(database_path(Path("var"))) as store:
        services = build_services(store, Config(), SystemClock())
        (kim,) = services.accounts.users()
        assert kim.role is Role.COACH
        assert services.sign_ins.of_person(kim, None) == ()
        assert isinstance(services.sign_ins.by_password("Kim", GOOD, HERE), LetIn)
        assert services.second_factors.of_person(kim).confirmed_at is None
    assert main(["user", "reset", "kim", "--password", "--passkeys"]) == 0
    assert "told at the next sign-in: password removed" in capsys.readouterr().out


def test_the_person_is_told(locked_out, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "reset", "Kim"]) == 0
    token = capsys.readouterr().out.split("/enter/")[-1].strip()
    with open_store(database_path(Path("var"))) as store:
        found = build_services(store, Config(), SystemClock()).sign_ins.by_link(token, HERE)
    assert [what for what, _ in found.notices] == [Notice.SECOND_FACTOR_REMOVED]


def test_a_name_of_nobody_is_one_sentence(locked_out, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "reset", "Nobody"]) == 2
    assert "There is no user named Nobody" in capsys.readouterr().err


def test_links_lead_to_the_address_of_the_configuration(
    locked_out, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSTOP_WEB__ADDRESS", "https://back.example")
    assert main(["user", "link", "Kim"]) == 0
    assert "https://back.example/enter/" in capsys.readouterr().out


def test_the_owner_mends_the_date_of_birth_of_a_child_who_has_a_guardian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    born = f"{datetime.now(UTC).year - 10}-01-01"
    assert main(["user", "add", "Kit", "--role", "athlete", "--born", born]) == 0
    assert main(["user", "add", "Pat", "--role", "guardian", "--of", "Kit"]) == 0
    assert main(["user", "change", "Kit", "--born", "1990-01-01"]) == 0
    assert "born 1990-01-01" in capsys.readouterr().out
