"""The athlete's page of reminders, the service worker, and snoozing from a session's page."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coach.errors import NoSuch
from coach.web.headers import CONTENT_SECURITY_POLICY
from tests.coach.notify.receivers import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FORM = {
    "calendar_on": "on",
    "mail_on": "on",
    "mail_address": "ada@example.org",
    "lead_min": ["60", "10"],
    "quiet_from": "21:30",
    "quiet_until": "06:45",
    "snooze_min": "15",
}


@pytest.fixture
def ada(world, csrf_of):
    """A browser of Ada's that sends the token with every post."""
    client = world.client(world.ada)
    token = csrf_of(client)
    client.environ_base["HTTP_X_CSRFTOKEN"] = token
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    return client


def subscription(endpoint: str = "https://push.example.org/1") -> dict[str, object]:
    return {"endpoint": endpoint, "expirationTime": None, "keys": Browser().keys()}


def test_what_is_chosen_is_kept_and_shown(world, ada) -> None:
    assert ada.post("/reminders", data=FORM).status_code == 303
    chosen = world.services.reminder_settings.view(world.ada.identity, world.ada.athlete_id).choices
    assert (chosen.mail_on, chosen.push_on, chosen.lead_min, chosen.snooze_min) == (True, False, (60, 10), 15)
    assert (chosen.quiet_from, chosen.quiet_until) == (time(21, 30), time(6, 45))
    page = ada.get("/reminders").text
    assert 'value="ada@example.org"' in page
    assert len(re.findall(r'name="lead_min" value="\d+" checked', page)) == 2
    assert "No mail server is set" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mail_address": "ada"}, "not a mail address"),
        ({"mail_address": ""}, "need an address"),
        ({"lead_min": ["5000"]}, "lead times"),
        ({"lead_min": ["x"]}, "lead time"),
        ({"quiet_from": "25:00"}, "Quiet hours"),
        ({"quiet_from": "06:46"}, "16 hours"),
        ({"snooze_min": "999"}, "snooze"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(world, ada, wrong: dict[str, object], said: str) -> None:
    ada.post("/reminders", data=FORM)
    answer = ada.post("/reminders", data=FORM | {"snooze_min": "60"} | wrong)
    assert answer.status_code == 422
    assert said in answer.text
    chosen = world.services.reminder_settings.view(world.ada.identity, world.ada.athlete_id).choices
    assert chosen.snooze_min == 15


def test_a_browser_is_put_on_the_list_once_and_taken_off(world, ada) -> None:
    for _ in range(2):
        assert ada.post("/reminders/devices", json=subscription()).status_code == 204
    view = world.services.reminder_settings.view(world.ada.identity, world.ada.athlete_id)
    assert [each.label for each in view.devices] == ["Firefox on Linux"]
    assert view.choices.push_on
    assert "Firefox on Linux" in ada.get("/reminders").text
    # Another athlete's device is nobody's for Bo; a coach has no such page.
    path = f"/reminders/devices/{view.devices[0].device_id}/remove"
    world.app.config["WTF_CSRF_ENABLED"] = False
    assert world.client(world.bo).post(path).status_code == 404
    assert world.client(world.kim).post(path).status_code == 403
    assert ada.post(path).status_code == 303
    with pytest.raises(NoSuch):
        world.services.reminder_settings.drop_device(
            world.ada.identity, world.ada.athlete_id, view.devices[0].device_id
        )


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"endpoint": "https://push.example.org/1", "keys": {}},
        subscription("http://push.example.org/1"),
        subscription("https://push.example.org/" + "x" * 1000),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(world, ada, told: object) -> None:
    assert ada.post("/reminders/devices", json=told).status_code in {400, 422}
    assert world.services.reminder_settings.view(world.ada.identity, world.ada.athlete_id).devices == ()


def test_a_webhooks_secret_is_shown_once(world, ada) -> None:
    shown = ada.post("/reminders/webhook", data={"url": "https://example.org/hook"}).text
    secret = re.search(r'id="webhook-secret"[^>]*value="([^"]{40,})"', shown)
    assert secret
    page = ada.get("/reminders").text
    assert 'value="https://example.org/hook"' in page
    assert secret[1] not in page
    assert ada.post("/reminders/webhook", data={"url": "http://10.0.0.1/"}).status_code == 422
    assert ada.post("/reminders/webhook/remove").status_code == 303
    assert "https://example.org/hook" not in ada.get("/reminders").text


def test_a_test_goes_out_and_its_end_is_on_the_page(world, ada) -> None:
    assert ada.post("/reminders/test", data={"channel": "webhook"}).status_code == 422
    assert ada.post("/reminders/test", data={"channel": "pigeon"}).status_code == 422
    ada.post("/reminders/webhook", data={"url": "https://localhost:9/hook"})
    assert ada.post("/reminders/test", data={"channel": "webhook"}).status_code == 303
    assert world.services.reminders.send_due(world.clock.now) == 0
    page = ada.get("/reminders").text
    assert "private network" in page
    assert "failed" in page


def test_the_worker_is_at_the_root_with_the_headers_that_it_needs(world) -> None:
    answer = world.client().get("/sw.js")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert b'addEventListener("push"' in answer.data


def test_later_today_moves_the_session_and_the_calendar_tells_so(accepted, csrf_of) -> None:
    services, client = accepted.services, accepted.client(accepted.ada)
    token = services.plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id)
    first = services.plans.calendar_sessions(token).sessions[0]
    page = client.get(f"/sessions/{first.session_id}").text
    assert f"/sessions/{first.session_id}/snooze" in page
    headers = {"X-CSRFToken": csrf_of(client)}
    path = f"/sessions/{first.session_id}/snooze"
    assert client.post(path, data={"minutes": "60"}, headers=headers).status_code == 303
    moved = services.plans.session(accepted.ada.identity, first.session_id)
    assert moved.due_at == first.due_at + timedelta(hours=1)
    assert (
        moved.local_time
        == datetime.combine(first.local_date, first.local_time).replace(hour=first.local_time.hour + 1).time()
    )
    assert moved.due_at.astimezone(ZoneInfo("Europe/Berlin")).time() == moved.local_time
    assert moved.sequence == first.sequence + 1
    assert client.post(path, data={"minutes": "900"}, headers=headers).status_code in {400, 422}
    assert client.post(path, data={"minutes": "-5"}, headers=headers).status_code in {400, 422}


def test_a_session_of_another_day_that_is_moved_is_not_said_to_be_today(accepted, csrf_of) -> None:
    client, today = accepted.client(accepted.ada), accepted.clock.now.date()
    later = accepted.services.plans.week(accepted.ada.athlete_id, today + timedelta(days=2))[0]
    form = {"minutes": "60", "csrf_token": csrf_of(client)}
    page = client.post(f"/sessions/{later.session_id}/snooze", data=form, follow_redirects=True).text
    assert f"Moved to 19:30 on {later.local_date:%a} {later.local_date.day} {later.local_date:%b};" in page


def test_why_a_session_was_skipped_is_kept(accepted, csrf_of) -> None:
    services, client = accepted.services, accepted.client(accepted.ada)
    token = services.plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id)
    first = services.plans.calendar_sessions(token).sessions[0]
    said = {"outcome": "skipped", "reason": "a late train", "csrf_token": csrf_of(client)}
    assert client.post(f"/sessions/{first.session_id}/outcome", data=said).status_code == 303
    assert services.plans.session(accepted.ada.identity, first.session_id).state == "skipped"
