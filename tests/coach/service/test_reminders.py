"""Reminders: sent once whatever dies; not in quiet hours, not while locked; nothing told that should not be."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.notify.types import Channel
from coach.service import build_services
from coach.service.types import Identity, Role, SessionState
from coach.store import athletes, sessions
from coach.store.engine import Store
from programs.types import Availability, Lock
from tests.coach.club import START, FakeClock
from tests.coach.notify.receivers import Browser, HttpReceiver, http_receiver, mail_server
from tests.coach.service.reminded import config_of, log, plan_sessions, reminded_club, rows, tick

EVENING = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)  # half past six in Berlin
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def hook():
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def hooked(store: Store, clock: FakeClock, tmp_path: Path, hook: HttpReceiver):
    club = reminded_club(store, clock, config_of(tmp_path))
    club.services.reminder_settings.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/hook")
    return club


def test_every_channel_is_sent_once_at_its_lead_time(store: Store, clock: FakeClock, tmp_path: Path, hook) -> None:
    browser = Browser()
    with mail_server() as mails:
        club = reminded_club(store, clock, config_of(tmp_path, mails.port), mail_on=True)
        own = club.services.reminder_settings
        own.set_webhook(club.athlete, club.athlete_id, f"{hook.url}/hook")
        own.add_device(club.athlete, club.athlete_id, f"{hook.url}/push", label="Phone", **browser.keys())
        (session_id,) = plan_sessions(club, [EVENING])
        assert tick(club, EVENING - HALF_AN_HOUR - timedelta(seconds=1)) == 0
        assert {row["channel"] for row in rows(club)} == {"mail", "push", "webhook"}
        assert tick(club, EVENING - HALF_AN_HOUR) == 3
        assert tick(club, EVENING - HALF_AN_HOUR) == 0
        assert tick(club, EVENING + timedelta(hours=1)) == 0
    (mail,) = mails.mails
    assert mail["Subject"] == "Back session at 18:30"
    assert Counter(each.path for each in hook.received) == {"/hook": 1, "/push": 1}
    (posted,) = [json.loads(each.body) for each in hook.received if each.path == "/hook"]
    assert posted["starts_at"] == "2026-11-24T17:30:00Z"
    assert (posted["local_time"], posted["time_zone"], posted["duration_min"]) == ("18:30", "Europe/Berlin", 12)
    (pushed,) = [browser.read(each.body) for each in hook.received if each.path == "/push"]
    assert pushed["path"] == f"/sessions/{session_id}"
    # Neither the reason nor anything that hurts is in any of them.
    for told in (mail.as_string(), json.dumps(posted), json.dumps(pushed)):
        assert "hurt" not in told
        assert "bent" not in told
    assert sorted(outcome for _, outcome, _ in log(club)) == ["sent"] * 3


def test_threads_of_several_clocks_send_each_once(hooked, hook: HttpReceiver) -> None:
    count = 60
    plan_sessions(hooked, [EVENING + timedelta(seconds=number) for number in range(count)])
    hooked.clock.now = EVENING - HALF_AN_HOUR - timedelta(hours=1)
    hooked.services.reminders.plan(hooked.clock.now)
    hooked.clock.now = EVENING
    sent: list[int] = []

    def one_clock() -> None:
        own = build_services(hooked.store, hooked.config, hooked.clock)
        own.reminders.plan(hooked.clock.now)
        sent.append(own.reminders.send_due(hooked.clock.now))

    threads = [threading.Thread(target=one_clock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = Counter(json.loads(each.body)["session_id"] for each in hook.received)
    assert (sum(sent), len(told), set(told.values())) == (count, count, {1})


# Sends what is due at a moment; dies by SIGKILL as told, before the third reminder goes out or right after it.
KILLED = """
import itertools, os, signal, sys
from datetime import datetime
from pathlib import Path
from coach.notify.webhook import Webhook
from coach.service import build_services
from coach.store.engine import open_store
from devices.hostclock import SystemClock
from tests.coach.service.reminded import config_of
where, folder, now, dies = sys.argv[1:]
send, numbers = Webhook.send, itertools.count(1)
def counted(self, *args):
    number = next(numbers)  # four threads send at once
    if number == 3 and dies == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    send(self, *args)
    if number == 3 and dies == "after":
        os.kill(os.getpid(), signal.SIGKILL)
Webhook.send = counted
with open_store(where) as store:
    build_services(store, config_of(Path(folder)), SystemClock()).reminders.send_due(datetime.fromisoformat(now))
"""


@pytest.mark.parametrize("dies", ["before", "after"])
def test_what_a_killed_clock_left_is_sent_by_the_next_and_nothing_twice(
    hooked, hook: HttpReceiver, tmp_path: Path, dies: str
) -> None:
    count = 12
    plan_sessions(hooked, [EVENING + timedelta(seconds=number) for number in range(count)])
    hooked.services.reminders.plan(EVENING - timedelta(hours=2))
    now = EVENING - timedelta(minutes=20)

    command = [sys.executable, "-c", KILLED, hooked.store.url, str(tmp_path), now.isoformat(), dies]
    assert subprocess.run(command, check=False, timeout=120).returncode == -signal.SIGKILL
    hooked.services.reminders.send_due(now)
    # What the dead one had claimed waits until its claim has ended.
    hooked.services.reminders.send_due(now + timedelta(minutes=11))
    told = Counter(json.loads(each.body)["session_id"] for each in hook.received)
    assert set(told.values()) == {1}
    states = Counter(row["state"] for row in rows(hooked))
    # Up to four were on their way when it died: those may have arrived, are not sent again, and the log says so.
    assert states["sent"] + states["failed"] == count
    assert 1 <= states["failed"] <= 4
    assert len(told) >= count - states["failed"]
    assert sum("stopped while it was sent" in said for _, _, said in log(hooked)) == states["failed"]


def test_a_delivery_that_fails_is_tried_again_later_and_later_then_given_up(hooked, hook: HttpReceiver) -> None:
    hook.statuses = [503]
    plan_sessions(hooked, [EVENING])
    tick(hooked, EVENING - timedelta(hours=1))
    begun = EVENING - HALF_AN_HOUR
    moments = []
    for second in range(0, 3600, 60):
        before = len(hook.received)
        tick(hooked, begun + timedelta(seconds=second))
        moments += [second] * (len(hook.received) - before)
    assert moments == [0, 60, 180, 420, 900]
    assert [outcome for _, outcome, _ in log(hooked)] == ["again"] * 4 + ["failed"]
    assert {row["state"] for row in rows(hooked)} == {"failed"}


def test_a_second_try_that_succeeds_is_the_end(hooked, hook: HttpReceiver) -> None:
    hook.statuses = [500, 200]
    plan_sessions(hooked, [EVENING])
    for second in range(-60, 1800, 60):
        tick(hooked, EVENING - HALF_AN_HOUR + timedelta(seconds=second))
    assert [outcome for _, outcome, _ in log(hooked)] == ["again", "sent"]
    assert len({json.loads(each.body)["id"] for each in hook.received}) == 1


def test_a_device_that_is_gone_leaves_the_list(hooked, hook: HttpReceiver) -> None:
    own = hooked.services.reminder_settings
    own.drop_webhook(hooked.athlete, hooked.athlete_id)
    own.add_device(hooked.athlete, hooked.athlete_id, f"{hook.url}/push", label="Phone", **Browser().keys())
    hook.statuses = [410]
    plan_sessions(hooked, [EVENING, EVENING + timedelta(hours=1)])
    tick(hooked, EVENING - timedelta(hours=2))
    assert tick(hooked, EVENING - HALF_AN_HOUR) == 0
    assert own.view(hooked.athlete, hooked.athlete_id).devices == ()
    assert tick(hooked, EVENING + HALF_AN_HOUR) == 0
    assert len(hook.received) == 1


@pytest.mark.parametrize(("policy", "sent"), [("until_start", 1), ("skip", 0)])
def test_what_was_missed_while_down_follows_the_configuration(
    store: Store, clock: FakeClock, tmp_path: Path, hook: HttpReceiver, policy: str, sent: int
) -> None:
    club = reminded_club(store, clock, config_of(tmp_path, missed=policy), lead_min=(60,))
    club.services.reminder_settings.set_webhook(club.athlete, club.athlete_id, hook.url)
    plan_sessions(club, [EVENING, EVENING + timedelta(minutes=90)])
    tick(club, EVENING - timedelta(hours=2))
    # Down from before the first reminder until the second session is 20 minutes ahead, the first long begun.
    assert tick(club, EVENING + timedelta(minutes=70)) == sent
    assert [outcome for _, outcome, _ in log(club)].count("skipped") == 2 - sent
    assert len(hook.received) == sent


def test_nobody_is_reminded_in_quiet_hours(hooked, hook: HttpReceiver) -> None:
    early = datetime(2026, 11, 25, 6, 15, tzinfo=UTC)  # a quarter past seven: half an hour before is quiet
    night = datetime(2026, 11, 24, 21, 15, tzinfo=UTC)  # a quarter past ten: half an hour before is not
    within = datetime(2026, 11, 25, 5, 45, tzinfo=UTC)  # a quarter to seven, before the quiet hours end
    plan_sessions(hooked, [early, night, within])
    moments = []
    for minute in range(0, 18 * 60, 15):
        now = START + timedelta(minutes=minute)
        moments += [f"{now:%H:%M}"] * tick(hooked, now)
    assert moments == ["20:45", "06:00"]
    assert [said for _, outcome, said in log(hooked) if outcome == "skipped"] == [
        "It would have come in quiet hours that end after the start, so it was not sent."
    ]


def test_a_try_that_would_fall_into_quiet_hours_waits_for_their_end(hooked, hook: HttpReceiver) -> None:
    """Down from a quarter to ten until five past ten in the evening."""
    session = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    own = hooked.services.reminder_settings
    chosen = own.view(hooked.athlete, hooked.athlete_id).choices
    own.choose(hooked.athlete, hooked.athlete_id, chosen.__class__(**{**_fields(chosen), "lead_min": (585,)}))
    plan_sessions(hooked, [session])  # half past seven; 585 min before is a quarter to ten
    tick(hooked, datetime(2026, 11, 24, 20, 0, tzinfo=UTC))
    for minute in (65, 66, 300, 594):
        assert tick(hooked, datetime(2026, 11, 24, 20, 0, tzinfo=UTC) + timedelta(minutes=minute)) == 0
    assert tick(hooked, datetime(2026, 11, 25, 6, 0, tzinfo=UTC)) == 1


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["locked", "cancelled", "skipped", "done", "channel off"])
def test_who_is_locked_or_through_is_not_reminded(hooked, hook: HttpReceiver, how: str) -> None:
    (session_id,) = plan_sessions(hooked, [EVENING])
    tick(hooked, EVENING - timedelta(hours=1))
    if how == "locked":
        with hooked.store.begin() as tx:
            athletes.change(tx, hooked.athlete_id, lock=Lock.ALL.value)
    elif how == "channel off":
        hooked.services.reminder_settings.drop_webhook(hooked.athlete, hooked.athlete_id)
    elif how == "cancelled":
        with hooked.store.begin() as tx:
            sessions.cancel_planned(tx, hooked.athlete_id, hooked.clock.now)
    else:
        hooked.services.plans.record_outcome(session_id, hooked.athlete, SessionState(how), reason="no time")
    # Straight to the sending, as when it happened after the clock had planned.
    assert hooked.services.reminders.send_due(EVENING - HALF_AN_HOUR) == 0
    assert tick(hooked, EVENING - HALF_AN_HOUR) == 0
    assert hook.received == []


def test_a_lock_that_ends_in_time_lets_the_reminder_through(hooked, hook: HttpReceiver) -> None:
    plan_sessions(hooked, [EVENING])
    tick(hooked, EVENING - timedelta(hours=2))
    for lock in (Lock.ALL, Lock.NONE):
        with hooked.store.begin() as tx:
            athletes.change(tx, hooked.athlete_id, lock=lock.value)
        tick(hooked, EVENING - timedelta(hours=1))
    assert tick(hooked, EVENING - HALF_AN_HOUR) == 1


def test_snooze_moves_session_and_reminder_and_skip_ends_both(hooked, hook: HttpReceiver) -> None:
    (session_id,) = plan_sessions(hooked, [EVENING])
    own = hooked.services.reminder_settings
    tick(hooked, EVENING - timedelta(minutes=40))
    moved = own.snooze(hooked.athlete, session_id)  # before its reminder: that moves by the same half hour
    assert moved.due_at == EVENING + HALF_AN_HOUR
    assert (moved.state, moved.sequence) == (SessionState.PLANNED, 1)
    assert tick(hooked, EVENING - HALF_AN_HOUR) == 0
    assert tick(hooked, EVENING) == 1
    # After its reminder: the lead time is over, so that it comes at the new start.
    hooked.clock.now = EVENING + timedelta(minutes=25)
    later = own.snooze(hooked.athlete, session_id, 15)
    assert later.due_at == EVENING + timedelta(minutes=45)
    assert tick(hooked, EVENING + timedelta(minutes=44)) == 0
    assert tick(hooked, EVENING + timedelta(minutes=45)) == 1
    # Released and put off: it is not released again.
    assert [each.session_id for each in hooked.services.plans.release_due(hooked.clock.now)] == [session_id]
    again = own.snooze(hooked.athlete, session_id, 20)
    assert again.state is SessionState.DUE
    assert hooked.services.plans.release_due(again.due_at) == ()
    hooked.services.plans.record_outcome(session_id, hooked.athlete, SessionState.SKIPPED, reason="no time")
    assert tick(hooked, again.due_at) == 0
    with pytest.raises(Conflict, match="skipped already"):
        own.snooze(hooked.athlete, session_id, 20)
    assert len(hook.received) == 2


def test_a_snooze_stays_within_the_day_and_out_of_quiet_hours(hooked) -> None:
    (session_id,) = plan_sessions(hooked, [datetime(2026, 11, 24, 20, 30, tzinfo=UTC)])
    snooze = hooked.services.reminder_settings.snooze
    for minutes, words in ((30, "quiet hours"), (170, "another day"), (4, "5 to 180"), (181, "5 to 180")):
        with pytest.raises(InvalidInput, match=words):
            snooze(hooked.athlete, session_id, minutes)
    with pytest.raises(NoSuch):
        snooze(Identity("y", Role.ATHLETE, "Bo", "other"), session_id, 15)
    assert snooze(hooked.coach, session_id, 20).local_time.strftime("%H:%M") == "21:50"


def test_a_flight_moves_reminders_with_their_sessions(hooked, hook: HttpReceiver) -> None:
    plan_sessions(hooked, [EVENING])
    tick(hooked)
    hooked.services.athletes.set_availability(hooked.athlete, hooked.athlete_id, Availability("America/New_York"))
    moments = [minute for minute in range(0, 12 * 60, 15) if tick(hooked, START + timedelta(minutes=minute))]
    # Half past six in New York is half past eleven at night UTC.
    assert [START + timedelta(minutes=minute) for minute in moments] == [datetime(2026, 11, 24, 23, 0, tzinfo=UTC)]


def test_what_is_long_past_is_forgotten_and_not_sent_again(hooked, hook: HttpReceiver) -> None:
    plan_sessions(hooked, [EVENING, EVENING + timedelta(days=100)])
    for due_at in (EVENING, EVENING + timedelta(days=100)):
        assert tick(hooked, due_at - HALF_AN_HOUR) == 1
    prune = hooked.services.reminders.prune
    assert prune(EVENING + timedelta(days=180)) == 0
    assert len(log(hooked)) == 2
    assert prune(EVENING + timedelta(days=180, seconds=1)) == 1
    assert [row["event_at"] for row in rows(hooked)] == [EVENING + timedelta(days=100)]
    assert len(log(hooked)) == 1
    assert tick(hooked, EVENING + timedelta(days=181)) == 0
    assert len(hook.received) == 2


def test_on_a_journey_it_is_quiet_by_the_clock_there(hooked, hook: HttpReceiver) -> None:
    late, early = (datetime(2026, 11, 24, hour, 30, tzinfo=UTC) for hour in (23, 11))
    # Half past six in the evening and half past six in the morning in New York; it is home that is in Berlin.
    for session_id in plan_sessions(hooked, [late, early + timedelta(days=1)]):
        with hooked.store.begin() as tx:
            there = {"time_zone": "America/New_York", "updated_at": START - timedelta(days=1)}
            sessions.move(tx, session_id, ("planned",), **there)
    moments = [
        START + timedelta(minutes=15 * each)
        for each in range(4 * 24)
        if tick(hooked, START + timedelta(minutes=15 * each))
    ]
    assert moments == [late - HALF_AN_HOUR]
    assert "quiet hours" in log(hooked)[-1][2]


def test_a_test_goes_out_at_once_even_in_quiet_hours_and_not_every_second(hooked, hook: HttpReceiver) -> None:
    own = hooked.services.reminder_settings
    hooked.clock.now = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
    assert own.try_channel(hooked.athlete, hooked.athlete_id, Channel.WEBHOOK) == 1
    with pytest.raises(Conflict, match="minute"):
        own.try_channel(hooked.athlete, hooked.athlete_id, Channel.WEBHOOK)
    with pytest.raises(InvalidInput, match="nobody"):
        own.try_channel(hooked.athlete, hooked.athlete_id, Channel.PUSH)
    assert tick(hooked) == 1
    assert [json.loads(each.body)["kind"] for each in hook.received] == ["test"]


def test_settings_are_the_athletes_own(hooked, hook: HttpReceiver) -> None:
    own, choices = hooked.services.reminder_settings, None
    choices = own.view(hooked.athlete, hooked.athlete_id).choices
    stranger = Identity("y", Role.ATHLETE, "Bo", "other")
    for by, error in ((hooked.coach, NotAllowed), (stranger, NoSuch)):
        for ask in (
            lambda by=by: own.view(by, hooked.athlete_id),
            lambda by=by: own.choose(by, hooked.athlete_id, choices),
            lambda by=by: own.set_webhook(by, hooked.athlete_id, hook.url),
            lambda by=by: own.drop_webhook(by, hooked.athlete_id),
            lambda by=by: own.try_channel(by, hooked.athlete_id, Channel.WEBHOOK),
        ):
            with pytest.raises(error):
                ask()
    for wrong in ({"lead_min": (1, 2, 3, 4, 5)}, {"lead_min": (1441,)}, {"snooze_min": 1}, {"mail_address": "x"}):
        with pytest.raises(InvalidInput):
            own.choose(hooked.athlete, hooked.athlete_id, type(choices)(**{**_fields(choices), **wrong}))
    with pytest.raises(InvalidInput, match="keys"):
        own.add_device(hooked.athlete, hooked.athlete_id, hook.url, "AAAA", "AAAA", "x")


def test_by_default_a_webhook_to_this_machine_is_refused(store: Store, clock: FakeClock, tmp_path: Path, hook) -> None:
    club = reminded_club(store, clock, config_of(tmp_path, private_targets=False))
    own = club.services.reminder_settings
    with pytest.raises(InvalidInput, match="https"):
        own.set_webhook(club.athlete, club.athlete_id, hook.url)
    # A name is looked up when something is sent, for it may lead elsewhere by then.
    own.set_webhook(club.athlete, club.athlete_id, f"https://localhost:{hook.url.rpartition(':')[2]}/")
    own.try_channel(club.athlete, club.athlete_id, Channel.WEBHOOK)
    assert tick(club) == 0
    ((_, outcome, said),) = log(club)
    assert outcome == "failed"
    assert "private network" in said
    assert hook.received == []


def test_no_secret_and_no_health_is_in_a_log(hooked, hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own, browser = hooked.services.reminder_settings, Browser()
    secret = own.set_webhook(hooked.athlete, hooked.athlete_id, f"{hook.url}/hook?key=hidden")
    own.add_device(hooked.athlete, hooked.athlete_id, f"{hook.url}/push/hidden", label="Phone", **browser.keys())
    hook.statuses = [201, 503, 404, 500, 400, 302]
    plan_sessions(hooked, [EVENING + timedelta(minutes=each) for each in range(4)])
    for second in range(0, 1800, 60):
        tick(hooked, EVENING - HALF_AN_HOUR + timedelta(seconds=second))
    with hooked.store.read() as tx:
        told = [str(row) for name in ("delivery", "event") for row in tx.exec_driver_sql(f"SELECT * FROM {name}")]
    assert len(told) > 8
    text = "\n".join([*told, caplog.text, *(said for _, _, said in log(hooked))])
    keys = browser.keys()
    for hidden in (secret, "hidden", hook.url, keys["auth"], keys["p256dh"], "hurt", "bent", "ada@example.org"):
        assert hidden not in text
