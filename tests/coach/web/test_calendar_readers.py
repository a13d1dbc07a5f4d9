"""The calendar feed read back by two libraries, through both nights in which clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from coach.service.types import SessionState
from coach.store import athletes
from coach.store.engine import open_store
from coach.web.calendar import calendar_text
from programs.place import local_moment
from programs.types import Availability, Lock

# Zone and the dates of its two changes in 2026. Source: the IANA time zone database.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8), date(2026, 11, 1)),
    ("Australia/Sydney", date(2026, 4, 5), date(2026, 10, 4)),
]


@pytest.fixture
def feed(accepted):
    plans = accepted.services.plans
    return plans.calendar_sessions(plans.calendar_token(accepted.ada.identity, accepted.ada.athlete_id))


@pytest.mark.parametrize(("zone_name", "first", "second"), CHANGES)
def test_two_readers_find_the_same_moments_on_both_sides_of_each_change(
    accepted, feed, zone_name: str, first: date, second: date
) -> None:
    zone, sessions = ZoneInfo(zone_name), []
    days = [change + timedelta(days=each) for change in (first, second) for each in (-1, 0, 1)]
    # The last and the first time of day on either side of the hours in which no session is.
    for day, clock in product(days, (time(0, 45), time(4, 0), time(18, 30))):
        due_at = local_moment(day, clock, zone)
        assert due_at is not None
        where = {"local_date": day, "local_time": clock, "time_zone": zone_name, "due_at": due_at}
        sessions.append(replace(feed.sessions[0], session_id=f"{day}-{clock:%H%M}", **where))
    # The clock did change: two of these four days have 23 or 25 hours.
    evenings = [each.due_at for each in sessions if each.local_time == time(18, 30)]
    hours = [(after - before) // timedelta(hours=1) for before, after in pairwise(evenings)]
    assert sorted(hours[:2] + hours[3:]) == [23, 24, 24, 25]
    text = calendar_text(replace(feed, sessions=tuple(sessions)), accepted.clock.now)
    wanted = {f"{each.session_id}@backstop": each.due_at for each in sessions}
    by_icalendar = {
        str(event["uid"]): event["dtstart"].dt.astimezone(UTC)
        for event in icalendar.Calendar.from_ical(text).walk("VEVENT")
    }
    assert by_icalendar == wanted
    # Reads the zone from the feed's own VTIMEZONE, not from the machine's.
    calendar = vobject.readOne(text.decode())
    by_vobject = {event.uid.value: event.dtstart.value.astimezone(UTC) for event in calendar.vevent_list}
    assert by_vobject == wanted
    assert {f"{event.dtstart.value:%H:%M}" for event in calendar.vevent_list} == {"00:45", "04:00", "18:30"}
    assert [str(each.tzid.value) for each in calendar.vtimezone_list] == [zone_name]


def read(world, token: str) -> dict[str, icalendar.Event]:
    text = world.client().get(f"/calendar/{token}.ics").data
    return {str(event["uid"]): event for event in icalendar.Calendar.from_ical(text).walk("VEVENT")}


def test_every_change_keeps_the_uid_and_raises_the_sequence(accepted) -> None:
    """Snoozed, released, moved by a flight, and cancelled: each time a higher number, whatever the state."""
    services, ada = accepted.services, accepted.ada
    token = services.plans.calendar_token(ada.identity, ada.athlete_id)
    first = services.plans.calendar_sessions(token).sessions[0]
    uid = f"{first.session_id}@backstop"
    seen = [read(accepted, token)]

    def step() -> None:
        seen.append(read(accepted, token))
        assert seen[-1].keys() == seen[0].keys()
        assert int(seen[-1][uid]["sequence"]) > int(seen[-2][uid]["sequence"])

    services.reminder_settings.snooze(ada.identity, first.session_id, 15)
    step()
    assert seen[-1][uid]["dtstart"].dt - seen[0][uid]["dtstart"].dt == timedelta(minutes=15)
    services.athletes.set_availability(ada.identity, ada.athlete_id, Availability("America/New_York"))
    step()
    assert seen[-1][uid]["dtstart"].params["TZID"] == "America/New_York"
    with open_store(services.plans._ground.store.url) as store, store.begin() as tx:
        tx.exec_driver_sql("UPDATE athlete SET time_zone = 'Europe/Berlin'")
    services.plans.record_outcome(first.session_id, ada.identity, SessionState.SKIPPED)
    step()
    other = f"{services.plans.calendar_sessions(token).sessions[1].session_id}@backstop"
    assert int(seen[-1][other]["sequence"]) == int(seen[-2][other]["sequence"])


def test_a_cancelled_session_stays_in_the_feed_as_cancelled(accepted) -> None:
    services, ada = accepted.services, accepted.ada
    token = services.plans.calendar_token(ada.identity, ada.athlete_id)
    before = read(accepted, token)
    # Ten in the morning in Berlin is eleven at night of that day on Kiritimati: the flight cancels its session.
    accepted.clock.now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    services.athletes.set_availability(ada.identity, ada.athlete_id, Availability("Pacific/Kiritimati"))
    after = read(accepted, token)
    cancelled = [uid for uid, event in after.items() if str(event["status"]) == "CANCELLED"]
    assert len(cancelled) == 1
    assert int(after[cancelled[0]]["sequence"]) > int(before[cancelled[0]]["sequence"])
    assert after[cancelled[0]].walk("VALARM") == []


def alarms(events: dict[str, icalendar.Event]) -> set[timedelta]:
    return {alarm["trigger"].dt for event in events.values() for alarm in event.walk("VALARM")}


def test_alarms_follow_the_choices_and_stop_while_paused(accepted) -> None:
    services, ada = accepted.services, accepted.ada
    own, token = services.reminder_settings, services.plans.calendar_token(ada.identity, ada.athlete_id)
    assert alarms(read(accepted, token)) == {timedelta(minutes=-30)}
    chosen = own.view(ada.identity, ada.athlete_id).choices
    own.choose(ada.identity, ada.athlete_id, replace(chosen, lead_min=(60, 0)))
    assert alarms(read(accepted, token)) == {timedelta(minutes=-60), timedelta(0)}
    around = {"quiet_from": time(17, 45), "quiet_until": time(18, 15)}
    own.choose(ada.identity, ada.athlete_id, replace(chosen, lead_min=(60, 0), **around))
    sessions = services.plans.calendar_sessions(token).sessions
    assert {each.local_time for each in sessions} == {time(18, 30)}
    assert alarms(read(accepted, token)) == {timedelta(minutes=-60), timedelta(0)}  # 17:30 is before the quiet hours
    own.choose(ada.identity, ada.athlete_id, replace(chosen, lead_min=(30,), **around))
    assert alarms(read(accepted, token)) == {timedelta(minutes=-15)}
    own.choose(ada.identity, ada.athlete_id, replace(chosen, calendar_on=False))
    assert alarms(read(accepted, token)) == set()
    own.choose(ada.identity, ada.athlete_id, chosen)
    with services.plans._ground.store.begin() as tx:
        athletes.change(tx, ada.athlete_id, lock=Lock.ALL.value)
    paused = read(accepted, token)
    assert alarms(paused) == set()
    assert {str(event["status"]) for event in paused.values()} == {"TENTATIVE"}
