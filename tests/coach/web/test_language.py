"""In which language a page speaks: the person's, else the browser's, else English."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, render_template_string

from coach import language


@pytest.fixture
def open_doors(world):
    world.app.config["WTF_CSRF_ENABLED"] = False
    return world


def choose(client, tongue: str, units: str = "metric"):
    return client.post("/account/reading", data={"language": tongue, "units": units}, follow_redirects=True)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("de", "de"), ("de-AT,de;q=0.8,en;q=0.5", "de"), ("fr,en;q=0.3", "en"), ("fr", "en"), ("en-US,de;q=0.9", "en")],
)
def test_a_stranger_is_answered_as_the_browser_asks(world, asked: str, spoken: str) -> None:
    page = world.client().get("/", headers={"Accept-Language": asked}).text
    assert f'<html lang="{spoken}">' in page


def test_a_choice_goes_before_what_the_browser_asks_and_stays(open_doors) -> None:
    client = open_doors.client(open_doors.ada)
    told = choose(client, "de", "imperial").text
    assert '<html lang="de">' in told
    assert "Ab jetzt erscheinen deine Seiten in dieser Sprache" in told
    page = client.get("/account", headers={"Accept-Language": "en"}).text
    assert "Sprache und Einheiten" in page
    assert '<option value="de" lang="de" selected>' in page
    assert 'value="imperial" checked' in page
    # Another browser of the same person, and nobody else's.
    again = open_doors.client(open_doors.ada)
    assert '<html lang="de">' in again.get("/account", headers={"Accept-Language": "en"}).text
    other = open_doors.client(open_doors.bo)
    assert '<html lang="en">' in other.get("/account", headers={"Accept-Language": "en"}).text


def test_no_choice_is_the_browser_again(open_doors) -> None:
    client = open_doors.client(open_doors.ada)
    choose(client, "de")
    choose(client, "")
    assert '<html lang="en">' in client.get("/account", headers={"Accept-Language": "en"}).text
    assert '<html lang="de">' in client.get("/account", headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize(("tongue", "units"), [("xx", "metric"), ("de", "stones"), ("de", "")])
def test_what_there_is_not_is_refused_and_changes_nothing(open_doors, tongue: str, units: str) -> None:
    client = open_doors.client(open_doors.ada)
    assert choose(client, tongue, units).status_code == 422
    assert '<html lang="en">' in client.get("/account").text


def test_a_thread_speaks_the_language_of_whom_it_answers_now(open_doors) -> None:
    """One thread answers many: what one reads in is no matter of the next."""
    ada, bo = open_doors.client(open_doors.ada), open_doors.client(open_doors.bo)
    choose(ada, "de")
    for _ in range(3):
        assert '<html lang="de">' in ada.get("/account").text
        assert '<html lang="en">' in bo.get("/account").text


def test_words_outside_of_a_request_are_in_the_language_that_is_said(world) -> None:
    assert isinstance(world.app, Flask)
    with language.speaking("de"):
        assert language.gettext("Language and units") == "Sprache und Einheiten"
        with language.speaking(None):
            assert language.gettext("Language and units") == "Language and units"
    assert language.gettext("Language and units") == "Language and units"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ('{{ _("80 % of it") }}', "80 % of it"),
        ("{% trans %}80 % of it{% endtrans %}", "80 % of it"),
        ("{% trans share=80 %}{{ share }} % of it{% endtrans %}", "80 % of it"),
        ('{{ _("%(share)s %% of <it>", share="<b>") }}', "&lt;b&gt; % of <it>"),
        ('{{ ngettext("one bend", "%(num)s bends", 3) }}', "3 bends"),
        ("{% trans n=1 %}one bend{% pluralize %}{{ n }} bends{% endtrans %}", "one bend"),
        ('{{ pgettext("of a session", "100 % done") }}', "100 % done"),
    ],
)
def test_a_percent_sign_is_one_and_values_are_escaped(world, template: str, said: str) -> None:
    with world.app.test_request_context("/"):
        assert render_template_string(template) == said


def test_words_come_from_one_module() -> None:
    code = Path(language.__file__).parent.rglob("*.py")
    told = [path.name for path in code if "flask_babel" in path.read_text(encoding="utf-8")]
    assert told == ["language.py"]
