"""Values as words: times in the athlete's zone, doses, states of wearables and sessions. Filters of the templates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from coach.service.types import FindingView, SessionState, WearableView
from devices.types import LinkState
from programs.types import Dose

GRADE_WORD = {"green": "noted", "amber": "look here", "red": "look here first"}
GRADE_TONE = {"green": "", "amber": "amber", "red": "red"}
SESSION_WORD = {
    SessionState.PLANNED: "planned",
    SessionState.DUE: "ready to do",
    SessionState.DONE: "done",
    SessionState.SKIPPED: "not done",
    SessionState.CANCELLED: "cancelled",
}
SESSION_TONE = {SessionState.DUE: "amber", SessionState.DONE: "", SessionState.SKIPPED: "plain"}
LINK_WORD = {
    LinkState.SCANNING: "looking for it",
    LinkState.CONNECTING: "connecting",
    LinkState.STREAMING: "streaming",
    LinkState.WAITING: "out of reach, trying again",
    LinkState.BLOCKED: "needs you",
    LinkState.STOPPED: "not connected",
}
LINK_TONE = {LinkState.STREAMING: "on", LinkState.BLOCKED: "halt", LinkState.WAITING: "look"}


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return an aware moment in a zone."""
    return moment.astimezone(ZoneInfo(zone))


def clock_time(moment: datetime, zone: str) -> str:
    """Return 18:30."""
    return in_zone(moment, zone).strftime("%H:%M")


def day_name(day: date, today: date) -> str:
    """Return Today, Tomorrow, Yesterday, or Wed 25 Nov."""
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get((day - today).days)
    return near or f"{day:%a} {day.day} {day:%b}"


def day_of(moment: datetime, zone: str) -> str:
    """Return the moment's day in a zone, relative to today there."""
    return day_name(in_zone(moment, zone).date(), datetime.now(ZoneInfo(zone)).date())


def window(finding: FindingView, zone: str) -> str:
    """Return `Today, 09:12 to 09:24 (12 min)`."""
    minutes = max(1, round((finding.ended_at - finding.started_at) / timedelta(minutes=1)))
    start, end = clock_time(finding.started_at, zone), clock_time(finding.ended_at, zone)
    return f"{day_of(finding.started_at, zone)}, {start} to {end} ({minutes} min)"


def percent(share: float | None) -> str:
    """Return a share as whole percent."""
    return "not known" if share is None else f"{round(100 * share)} %"


def minutes(seconds: float) -> str:
    """Return seconds as `4 min` or `1 h 20 min`."""
    whole = int(seconds // 60)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min"


def dose_text(dose: Dose | dict[str, Any]) -> str:
    """Return a dose as people write it: `3 x 10`, `6, 4, 2 x 10 s hold, each side`."""
    if isinstance(dose, Dose):
        counts, hold_s, per_side = dose.repetitions, dose.hold_s, dose.per_side
    else:
        counts, hold_s, per_side = tuple(dose["repetitions"]), dose.get("hold_s"), bool(dose.get("per_side"))
    same = len(set(counts)) == 1
    text = f"{len(counts)} × {counts[0]}" if same else ", ".join(str(count) for count in counts)
    if hold_s:
        text += f" × {hold_s:g} s" if same else f" holds of {hold_s:g} s"
    return text + (", each side" if per_side else "")


UNIT_OF_SUFFIX = {
    "per_min": "per minute",
    "deg": "°",
    "share": "%",
    "s": "s",
    "count": "",
    "hz": "Hz",
}


def quantity(name: str, value: Any) -> tuple[str, str]:
    """Return a machine's `rate_per_min: 7.0` as (`rate`, `7 per minute`)."""
    stem, unit = name, ""
    for suffix, word in UNIT_OF_SUFFIX.items():
        if name == suffix or name.endswith(f"_{suffix}"):
            stem, unit = name.removesuffix(suffix).rstrip("_") or name, word
            break
    label = stem.replace("_", " ")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return label, str(value)
    if unit == "%":
        return label, percent(float(value))
    if unit == "s" and value >= 120:
        return label, f"{value / 60:.3g} minutes"
    number = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return label, f"{number}{unit}" if unit == "°" else f"{number} {unit}".strip()


def wearable_tone(wearable: WearableView) -> str:
    """Return the shape of the state's mark."""
    return LINK_TONE.get(wearable.status.state, "") if wearable.status else ""


def wearable_sentence(wearable: WearableView) -> str:
    """Say in a few words what a wearable does now."""
    if wearable.status is None:
        return f"{wearable.name}: not connected"
    if wearable.status.problem:
        return f"{wearable.name}: {wearable.status.problem}"
    return f"{wearable.name}: {LINK_WORD[wearable.status.state]}"


def battery(wearable: WearableView) -> str:
    """Return `battery 82 %`, or nothing while it is not known."""
    share = wearable.status.battery_share if wearable.status else None
    return "" if share is None else f"battery {percent(share)}"


def place(placement: str) -> str:
    """Return `lower back`, `left wrist`."""
    words = placement.split("_")
    if words[-1] in {"left", "right"}:
        words = [words[-1], *words[:-1]]
    return " ".join(words)


def utc_stamp(moment: datetime) -> str:
    """Return an ISO stamp for `<time datetime>`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def install(app: Flask) -> None:
    """Give the words to the templates."""
    for word in (
        clock_time, day_name, day_of, window, percent, minutes, dose_text, wearable_tone, wearable_sentence, battery,
        place, utc_stamp,
    ):  # fmt: skip
        app.jinja_env.filters[word.__name__] = word
    app.jinja_env.globals["quantity"] = quantity
    app.jinja_env.filters["session_word"] = SESSION_WORD.__getitem__
    app.jinja_env.filters["session_tone"] = lambda state: SESSION_TONE.get(state, "plain")
    app.jinja_env.filters["grade_word"] = lambda grade: GRADE_WORD.get(grade, grade)
    app.jinja_env.filters["grade_tone"] = lambda grade: GRADE_TONE.get(grade, "")
