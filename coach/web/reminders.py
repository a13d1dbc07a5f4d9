"""How an athlete wants to be reminded; and the service worker that shows pushes."""

from __future__ import annotations

from datetime import datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach.errors import InvalidInput
from coach.notify.types import Channel
from coach.service.reminder_choices import Choices
from coach.service.types import Level, Role
from coach.web import access, assets
from coach.web.access import Access
from coach.web.athlete import myself
from coach.web.house import house
from coach.web.words import day_name, day_of, in_zone
from coach.written import clock_time

blueprint = Blueprint("reminders", __name__)

# Minutes before a session that the page offers. Own choice.
LEADS = {0: "at the start", 10: "10 min before", 30: "30 min before", 60: "an hour before", 1440: "a day before"}
SNOOZES = (15, 30, 60, 120)
CHANNEL_WORD = {Channel.MAIL: "Mail", Channel.PUSH: "Push", Channel.WEBHOOK: "Webhook"}
OUTCOME_WORD = {"sent": "sent", "again": "tried", "failed": "failed", "skipped": "not sent"}
OUTCOME_TONE = {"again": "amber", "failed": "red", "skipped": "plain"}
ABOUT_WORD = {"session": "session", "retest": "tests", "test": "a test"}
# In this order: the later ones also name the earlier ones.
_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_BROWSER_NAME = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac", "Linux")


@blueprint.get("/reminders")
@access.athlete
def page() -> str:
    """Show channels, lead times, quiet hours, devices and what became of reminders."""
    return _page()


def _page(problem: str | None = None, secret: str | None = None) -> str:
    athlete = myself()
    view = house().services.reminder_settings.view(access.me(), athlete.athlete_id)
    return render_template(
        "reminders/reminders.html",
        athlete=athlete,
        view=view,
        when=lambda moment: _when(moment, athlete.time_zone),
        leads=LEADS | {each: f"{each} min before" for each in view.choices.lead_min if each not in LEADS},
        snoozes=sorted({*SNOOZES, view.choices.snooze_min}),
        channel_word=CHANNEL_WORD,
        outcome_word=OUTCOME_WORD,
        outcome_tone=OUTCOME_TONE,
        about_word=ABOUT_WORD,
        problem=problem,
        secret=secret,
    )


@blueprint.post("/reminders")
@access.athlete
def choose() -> Response | tuple[str, int]:
    """Keep the settings."""
    form = request.form
    try:
        choices = Choices(
            calendar_on="calendar_on" in form,
            calendar_why="calendar_why" in form,
            mail_on="mail_on" in form,
            push_on="push_on" in form,
            webhook_on="webhook_on" in form,
            mail_address=form.get("mail_address", ""),
            lead_min=tuple(_number(each, "lead time") for each in form.getlist("lead_min")),
            quiet_from=_time(form.get("quiet_from", "")),
            quiet_until=_time(form.get("quiet_until", "")),
            snooze_min=_number(form.get("snooze_min", ""), "snooze"),
        )
        house().services.reminder_settings.choose(access.me(), myself().athlete_id, choices)
    except InvalidInput as error:
        return _page(str(error)), 422
    return _back("Kept.")


@blueprint.post("/reminders/devices")
@access.athlete
def add_device() -> Response:
    """Keep the browser that asks; its script sends what the browser gave it."""
    told = request.get_json(silent=True)
    keys = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(keys, dict):
        raise InvalidInput("The browser's answer cannot be read: reload the page and try again.")
    endpoint, p256dh, auth = (str(each or "") for each in (told.get("endpoint"), keys.get("p256dh"), keys.get("auth")))
    label = _device_name(request.user_agent.string)
    house().services.reminder_settings.add_device(
        access.me(), myself().athlete_id, endpoint, p256dh[:100], auth[:40], label
    )
    flash("This browser shows reminders from now on.", "done")
    return Response(status=204)


@blueprint.post("/reminders/devices/<device_id>/remove")
@access.athlete
def drop_device(device_id: str) -> Response:
    """Take a browser off the list."""
    house().services.reminder_settings.drop_device(access.me(), myself().athlete_id, device_id)
    return _back("It gets no reminders any more.")


@blueprint.post("/reminders/webhook")
@access.athlete
def set_webhook() -> str | tuple[str, int]:
    """Keep an address and show its secret, this once."""
    try:
        secret = house().services.reminder_settings.set_webhook(
            access.me(), myself().athlete_id, request.form.get("url", "").strip()
        )
    except InvalidInput as error:
        return _page(str(error)), 422
    return _page(secret=secret)


@blueprint.post("/reminders/webhook/remove")
@access.athlete
def drop_webhook() -> Response:
    """Forget the address."""
    house().services.reminder_settings.drop_webhook(access.me(), myself().athlete_id)
    return _back("The webhook was removed.")


@blueprint.post("/reminders/test")
@access.athlete
def try_channel() -> Response | tuple[str, int]:
    """Have a test sent over one channel."""
    try:
        channel = Channel(request.form.get("channel", ""))
    except ValueError:
        return _page("Choose mail, push or webhook for the test."), 422
    try:
        house().services.reminder_settings.try_channel(access.me(), myself().athlete_id, channel)
    except InvalidInput as error:
        return _page(str(error)), 422
    return _back("A test is on its way: it goes out within half a minute, and the list below says what became of it.")


@blueprint.post("/sessions/<session_id>/snooze")
@access.rule(Access.SIGNED_IN, need=Level.PLAN)
def snooze(session_id: str) -> Response:
    """Move a session later on the same day."""
    minutes = request.form.get("minutes", "")
    moved = house().services.reminder_settings.snooze(
        access.me(), session_id, _number(minutes, "snooze") if minutes else None
    )
    house().live_feed.publish(moved.athlete_id, {"kind": "session"})
    on = day_of(moved.due_at, moved.time_zone)
    flash(f"Moved to {moved.local_time:%H:%M} {on}; reminders move with it.", "done")
    if access.me().role is Role.ATHLETE:
        return redirect(url_for("athlete.today"), code=303)
    return redirect(url_for("sessions.session_page", session_id=session_id), code=303)


@blueprint.get("/sw.js")
@access.public
def worker() -> Response:
    """Answer the service worker: at the root, for its address bounds the pages that it may act for."""
    answer = assets.serve("js/sw.js")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = "/"
    return answer


def _when(moment: datetime, zone: str) -> str:
    return f"{day_name(in_zone(moment, zone).date(), house().today(zone))} {clock_time(moment, zone)}"


def _back(said: str) -> Response:
    flash(said, "done")
    return redirect(url_for("reminders.page"), code=303)


def _number(text: str, what: str) -> int:
    if not text.isdecimal() or len(text) > 5:
        raise InvalidInput(f"The {what} is a whole number of minutes.")
    return int(text)


def _time(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise InvalidInput("Quiet hours are two times of day, like 22:00.") from None
    return found.replace(second=0, microsecond=0, tzinfo=None)


def _device_name(agent: str) -> str:
    """Return words like Firefox on Linux for a browser that says who it is."""
    browser = next((each for each in _BROWSERS if f"{each}/" in agent), "")
    system = next((each for each in _SYSTEMS if each in agent), "")
    name = _BROWSER_NAME.get(browser, browser) or "A browser"
    return f"{name} on {system}" if system else name
