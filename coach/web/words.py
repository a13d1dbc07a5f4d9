"""Values as words: times in the athlete's zone, doses, states of wearables and sessions. Filters of the templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from coach import language
from coach.dose_words import dose_words
from coach.language import N_
from coach.language import gettext as _
from coach.said import said
from coach.service.types import DayTotals, FindingView, RecordingView, SessionState, SessionView, WearableView
from coach.web.house import house
from coach.written import clock_time, long_day, number, short_day, three_digits
from devices.profiles import PROFILES
from devices.types import LinkState
from programs.notice import NOTICE
from programs.types import Dose

GRADE_WORD = {"green": N_("noted"), "amber": N_("look here"), "red": N_("look here first")}
GRADE_TONE = {"green": "", "amber": "amber", "red": "red"}
SESSION_WORD = {
    SessionState.PLANNED: N_("planned"),
    SessionState.DUE: N_("ready to do"),
    SessionState.DONE: N_("done"),
    SessionState.SKIPPED: N_("not done"),
    SessionState.CANCELLED: N_("cancelled"),
}
SESSION_TONE = {SessionState.DUE: "amber", SessionState.DONE: "", SessionState.SKIPPED: "plain"}
LINK_WORD = {
    LinkState.SCANNING: N_("looking for it"),
    LinkState.CONNECTING: N_("connecting"),
    LinkState.STREAMING: N_("streaming"),
    LinkState.WAITING: N_("out of reach, trying again"),
    LinkState.BLOCKED: N_("needs you"),
    LinkState.STOPPED: N_("not connected"),
}
# German that speaks to somebody.
_TO_YOU = re.compile(
    r"\b(du|dich|dir|dein\w*)\b|\b(Überlege|Geh|Trainiere|Mach|Beende|Wirf|Bleib|Train|Stop)\b", re.IGNORECASE
)
# Between two sentences; not in "2.1 times".
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])")
LOST = N_("out of reach or switched off, trying again")
# Own heuristic: at arm's length most wearables are heard with -40 to -60 dBm, through a body at 5 m with -80 to -90.
SIGNAL_WORDS = ((-60, N_("very near")), (-75, N_("near")), (-87, N_("some way off")), (-97, N_("far: come closer")))
# s. Own choice: straps tell once a second, some optical sensors every five.
HEART_OLD_S = 10.0
# s without a chunk after which a recording counts as ended. Own choice: several chunks of 5 s.
GROWS_S = 60.0
_ADDED_HEART = N_("made up by the simulator: the real product has none")
LINK_TONE = {LinkState.STREAMING: "on", LinkState.BLOCKED: "halt", LinkState.WAITING: "look"}


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return an aware moment in a zone."""
    return moment.astimezone(ZoneInfo(zone))


def clock_of(utc_s: float, zone: str) -> str:
    """Return a Unix time as 18:30."""
    return clock_time(datetime.fromtimestamp(utc_s, UTC), zone)


def day_name(day: date, today: date) -> str:
    """Return Today, Tomorrow, Yesterday, Wed 25 Nov, or with the year if it is another one."""
    near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}.get((day - today).days)
    return near or short_day(day, year=day.year != today.year)


def day_of(moment: datetime, zone: str) -> str:
    """Return the moment's day in a zone as it stands in a sentence: `today`, `on Wed 25 Nov`."""
    day, today = in_zone(moment, zone).date(), house().today(zone)
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}.get((day - today).days)
    return near or _("on %(day)s", day=short_day(day, year=day.year != today.year))


def local_day(moment: datetime, zone: str) -> str:
    """Return the moment's day in a zone as 2026-11-25."""
    return in_zone(moment, zone).date().isoformat()


def window(finding: FindingView, zone: str) -> str:
    """Return `Today, 09:12 to 09:24 (12 min)`."""
    minutes = max(1, round((finding.ended_at - finding.started_at) / timedelta(minutes=1)))
    start, end = clock_time(finding.started_at, zone), clock_time(finding.ended_at, zone)
    day = day_name(in_zone(finding.started_at, zone).date(), house().today(zone))
    return _("%(day)s, %(start)s to %(end)s (%(minutes)s min)", day=day, start=start, end=end, minutes=minutes)


def percent(share: float | None) -> str:
    """Return a share as whole percent."""
    return _("not known") if share is None else f"{round(100 * share)}\N{NO-BREAK SPACE}%"


def minutes(seconds: float) -> str:
    """Return seconds as `4 min` or `1 h 20 min`."""
    whole = int(seconds // 60)
    if whole < 60:
        return _("%(minutes)s min", minutes=whole)
    return _("%(hours)s h %(minutes)s min", hours=whole // 60, minutes=whole % 60)


def dose_text(dose: Dose | dict[str, Any]) -> str:
    """Return a dose as the programs word it, also from the plain values of a session."""
    if not isinstance(dose, Dose):
        dose = Dose(**{**dose, "repetitions": tuple(dose["repetitions"])})
    return dose_words(dose)


def exercise_names(session: SessionView) -> str:
    """Return what a session asks for: `Bird-dog, Side bridge`."""
    return ", ".join(str(exercise["name"]) for exercise in session.exercises)


UNIT_OF_SUFFIX = {
    "per_min": N_("per minute"),
    "min": N_("minutes"),
    "deg": "°",
    "share": "%",
    "s": "s",
    "count": "",
    "hz": "Hz",
}


# devices.types.Placement, and what is called a place elsewhere.
PLACE_WORD = {
    "chest": N_("chest"),
    "hip": N_("hip"),
    "upper_back": N_("upper back"),
    "lower_back": N_("lower back"),
    "upper_arm_left": N_("left upper arm"),
    "upper_arm_right": N_("right upper arm"),
    "wrist_left": N_("left wrist"),
    "wrist_right": N_("right wrist"),
    "thigh_left": N_("left thigh"),
    "thigh_right": N_("right thigh"),
    "ankle_left": N_("left ankle"),
    "ankle_right": N_("right ankle"),
    "head": N_("head"),
}

# Own choice: with more, a heading of a chart breaks into three lines.
NAME_IN_HEADING = 18
LABEL_OF = {
    "rate_mean_per_min": N_("mean rate"),
    "rate_max_per_min": N_("highest rate"),
    "range_median_deg": N_("typical bend"),
}
PHRASE_OF_LIMIT = {
    "rate_per_min": N_("more than {}"),
    "duration_min": N_("for {}"),
    "range_deg": N_("bends of {} or more"),
    "min_duration_s": N_("for {}"),
    "min_range_deg": N_("bends of {} or more"),
    "coverage_share": N_("with {} of the signal"),
}


def quantity(name: str, value: Any, *, exact: bool = False) -> tuple[str, str]:
    """Return a machine's `rate_per_min: 7.0` as (`rate`, `7 per minute`). exact: a limit, which was not measured."""
    stem, unit, suffix = name, "", ""
    for each, word in UNIT_OF_SUFFIX.items():
        if name == each or name.endswith(f"_{each}"):
            stem, unit, suffix = name.removesuffix(each).rstrip("_") or name, word, each
            break
    label = _(LABEL_OF[name]) if name in LABEL_OF else stem.replace("_", " ")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return label, str(value)
    if unit == "%":
        return label, percent(float(value))
    if unit == "s" and value >= 120:
        return label, _("%(count)s minutes", count=three_digits(value / 60))
    # Nobody bends 6.67 times: a tenth of a rate and a whole degree are what the measurement carries.
    digits = None if exact else {"per_min": 1, "deg": 0}.get(suffix)
    value = value if digits is None else round(value, digits)
    return (
        label,
        f"{three_digits(value)}°" if unit == "°" else f"{three_digits(value)} {_(unit) if unit else ''}".strip(),
    )


def limit_text(threshold: dict[str, Any]) -> str:
    """Return a finding's threshold as one phrase: `more than 4 per minute, for 10 minutes`."""
    parts = []
    for name, value in threshold.items():
        label, text = quantity(name, value, exact=True)
        parts.append(_(PHRASE_OF_LIMIT[name]).format(text) if name in PHRASE_OF_LIMIT else f"{label} {text}")
    return ", ".join(parts)


def short_name(name: str) -> str:
    """Return a name that fits into a heading: without what stands in brackets, and its first word when it is long."""
    plain = name.partition(" (")[0] or name
    return plain if len(plain) <= NAME_IN_HEADING else plain.split()[0][:NAME_IN_HEADING]


def beyond(because: str, said: str) -> str:
    """Return what a reason adds: without the sentences at its beginning that were said; itself when it adds nothing."""
    sentences, told = _SENTENCES.split(because), set(_SENTENCES.split(said))
    return " ".join(dropwhile(told.__contains__, sentences)).strip() or because


def zone_name(time_zone: str) -> str:
    """Return `Europe/Berlin` as people write it: `Berlin time`; UTC is a name already."""
    if time_zone.rpartition("/")[2] in {"UTC", "UCT", "Zulu", "Universal", "GMT"}:
        return "UTC"
    return _("%(city)s time", city=time_zone.rpartition("/")[2].replace("_", " "))


def signed(value: float) -> str:
    """Return a change to one decimal with its sign; one that rounds to nothing has none."""
    rounded = round(value, 1)
    return ("+" if rounded > 0 else "") + number(rounded + 0.0 if rounded else 0.0, 1, fixed=True)


def told_of(statement: str, name: str) -> str:
    """Return a sentence said to the athlete as it is said about the athlete, to the coach."""
    if language.current() != language.DEFAULT:
        # Verbs change in their own ways elsewhere: what speaks to nobody is told as it is, the rest as it was said.
        told = said(statement)
        if not _TO_YOU.search(told):
            return told
        return _("Said to %(name)s: “%(statement)s”", name=name, statement=told)
    # Who is spoken of stands where the sentence begins; a verb that says "you" otherwise is said of one person.
    about = re.sub(r"^Your\b", f"{name}'s", statement)
    for plural, singular in (("were", "was"), ("are", "is"), ("have", "has")):
        about = re.sub(rf"\bYou {plural}\b", f"{name} {singular}", about)
    about = re.sub(r"\bYou\b", name, about)
    about = re.sub(r"\bYour own\b", "Their own", about)
    about = re.sub(r"\byour own\b", "their own", about)
    about = re.sub(r"\bYour\b", "The", about)
    about = re.sub(r"\byour\b", "the", about)
    about = re.sub(r"\b(at|by|for|from|holds|of|on|to|with) you\b", r"\1 them", about)
    return re.sub(r"\byou\b", "they", about)


def what_is_missing(totals: DayTotals, needed_s: float) -> str:
    """Return why no pattern can be told yet, or nothing when the day has enough signal."""
    if totals.covered_s < needed_s:
        so_far = int(totals.covered_s // 60)
        needed = number(needed_s / 60, 1)
        return _("Not enough data: needs %(needed)s minutes of wear; %(so_far)s so far.", needed=needed, so_far=so_far)
    return _("Not enough data: needs %(what)s.", what=_(totals.needs)) if totals.needs else ""


def wearable_tone(wearable: WearableView) -> str:
    """Return the shape of the state's mark."""
    if wearable.status is None:
        return ""
    # While it is looked for because it was lost, the mark says so.
    return LINK_TONE.get(wearable.status.state, "look" if wearable.status.problem else "")


def wearable_state(wearable: WearableView) -> str:
    """Say what a wearable does now, or what the person should do about it."""
    if wearable.status is None:
        return _("not connected")
    return wearable.status.problem or _(LINK_WORD[wearable.status.state])


def wearable_sentence(wearable: WearableView) -> str:
    """Say in a few words which wearable does what now; why and what to do is said on the wearables' own page."""
    status = wearable.status
    said = {LinkState.BLOCKED, LinkState.STOPPED}  # what the person can do about these is short enough
    lost = status is not None and bool(status.problem) and status.state not in said
    return f"{wearable.name}: {_(LOST) if lost else wearable_state(wearable)}"


def battery(wearable: WearableView) -> str:
    """Return `battery 82 %`, or nothing while it is not known."""
    share = wearable.status.battery_share if wearable.status else None
    return "" if share is None else _("battery %(share)s", share=percent(share))


def silence(wearable: WearableView) -> str:
    """Return since when nothing comes from it, or nothing while it streams or was never heard."""
    status = wearable.status
    if status is None or status.silent_since_utc_s is None:
        return ""
    passed_s = max(0.0, house().now().timestamp() - status.silent_since_utc_s)
    since = f"{passed_s:.0f} s" if passed_s < 120 else minutes(passed_s)
    return _(
        "Nothing since %(since)s. This is a gap in your day; it goes on by itself when the wearable is back.",
        since=since,
    )


def still_going_on(recording: RecordingView) -> bool:
    """Tell whether a recording grows: it is a link's, not a file's, and its last chunk came a moment ago."""
    return recording.live and (house().now() - recording.last_received_at).total_seconds() < GROWS_S


def heart_now(wearable: WearableView) -> str:
    """Return the newest heart rate and whether the skin is touched; nothing while there is none, or only an old one."""
    heart = wearable.status.heart if wearable.status else None
    if heart is None or house().now().timestamp() - heart.at_utc_s > HEART_OLD_S:
        return ""
    if heart.contact is False:
        return _("Heart rate: no contact with the skin. Moisten the strap and tighten it.")
    if not heart.heart_rate_bpm:
        return _("Heart rate: it has found no beat yet.")
    said = [_("Heart rate %(beats)s a minute", beats=heart.heart_rate_bpm)]
    if heart.contact:
        said.append(_("on the skin"))
    # A simulated wearable may tell a heart rate that its real product does not have (docs/protocol.md).
    if wearable.family in PROFILES and not measures(wearable.family, "heart"):
        said.append(_(_ADDED_HEART))
    return " · ".join(said)


def signal_bars(rssi_dbm: int) -> int:
    """Return how many of four bars a signal fills."""
    return sum(rssi_dbm >= limit for limit, _word in SIGNAL_WORDS)


def signal_words(rssi_dbm: int) -> str:
    """Return how well a device is heard."""
    return _(next((word for limit, word in SIGNAL_WORDS if rssi_dbm >= limit), N_("hardly heard: come closer")))


def measures(family: str, sensor: str) -> bool:
    """Tell whether a family has a sensor (see devices.profiles.types.Profile)."""
    return family in PROFILES and sensor in PROFILES[family].sensors


def measures_movement(family: str) -> bool:
    """Tell whether a family measures movement, so that it has a pose."""
    return family not in PROFILES or measures(family, "acc")


def place(placement: str) -> str:
    """Return `lower back`, `left wrist`."""
    return _(PLACE_WORD[placement]) if placement in PLACE_WORD else placement.replace("_", " ")


def name_parts(text: str) -> list[str]:
    """Return a text in parts after which a new line may begin: those of a setting's name, `profile.rate_per_min`."""
    return re.split(r"(?<=\w[._])(?=[A-Za-z])", text)


FILTERS: tuple[Callable[..., str | int | list[str]], ...] = (
    clock_time,
    clock_of,
    day_name,
    short_day,
    long_day,
    number,
    day_of,
    local_day,
    window,
    percent,
    minutes,
    dose_text,
    wearable_tone,
    wearable_state,
    wearable_sentence,
    battery,
    silence,
    signal_bars,
    signal_words,
    measures_movement,
    heart_now,
    still_going_on,
    place,
    exercise_names,
    limit_text,
    signed,
    told_of,
    beyond,
    zone_name,
    short_name,
    what_is_missing,
    name_parts,
)


def install(app: Flask) -> None:
    """Give the words to the templates."""
    for word in FILTERS:
        app.jinja_env.filters[word.__name__] = word
    app.jinja_env.globals["quantity"] = quantity
    app.jinja_env.globals["fixed_notice"] = NOTICE
    app.jinja_env.filters["session_word"] = lambda state: _(SESSION_WORD[state])
    app.jinja_env.filters["session_tone"] = lambda state: SESSION_TONE.get(state, "plain")
    app.jinja_env.filters["grade_word"] = lambda grade: _(GRADE_WORD[grade]) if grade in GRADE_WORD else grade
    app.jinja_env.filters["grade_tone"] = lambda grade: GRADE_TONE.get(grade, "")
