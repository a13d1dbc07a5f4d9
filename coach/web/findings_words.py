"""Findings and answers as words: when, over which windows, against which own days, and told to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask

from coach.analysis.detectors.types import Kind, Outcome
from coach.language import gettext as _
from coach.language import ngettext
from coach.service.charts import TRUNK
from coach.service.types import AnswerView, AthleteView, FindingView, Role
from coach.web import access, words
from coach.web.house import house
from coach.web.kind_words import OUTCOMES, flag_limit, flag_name, flags_in_words, kind_name, looks_for, measured
from coach.web.limit_words import how_much, limit_name
from coach.written import clock_time

# Own choice: the first days of a habit are counted against this, where a finding does not say how many are needed.
BASELINE_DAYS = 14
# Days of a row that are linked. Own choice: two weeks.
_ROW_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Band:
    """The own days as a band on a line of 0..100, and where the day lies. sentence: the same in words."""

    low: float
    high: float
    median: float
    value: float | None
    sentence: str


def band(because: dict[str, Any]) -> Band | None:
    """Return the own days beside what the day came to, None while there are too few."""
    usual = because.get("baseline")
    if usual is None:
        return None
    median, mad, unit = float(usual["median"]), float(usual["mad"]), usual["unit"]
    value = _of_the_day(because, usual)
    ends = [median - 4 * mad, median + 4 * mad, *([] if value is None else [value])]
    low, high = max(0.0, min(ends)) if median >= 0 else min(ends), max(ends)
    low, high = (low - 1.0, high + 1.0) if high <= low else (low - 0.05 * (high - low), high + 0.05 * (high - low))

    def at(each: float) -> float:
        return round(min(100.0, max(0.0, 100.0 * (each - low) / (high - low))), 2)

    sentence = (
        f"You usually: {how_much(_near(median, mad), unit)}, spread {how_much(_near(mad, mad), _bare(unit))}, "
        f"over {usual['days']} days."
    )
    if value is not None:
        sentence += f" That day: {how_much(value, _bare(unit))}."
    return Band(at(median - mad), at(median + mad), at(median), None if value is None else at(value), sentence)


def _of_the_day(because: dict[str, Any], usual: dict[str, Any]) -> float | None:
    """Return what the day came to in the quantity of its baseline."""
    values = because.get("values", {})
    value = values.get({"strokes_share": "share"}.get(usual["quantity"], usual["quantity"]))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _near(value: float, spread: float) -> float:
    """Return a value no finer than its spread carries."""
    return round(value, 1) if spread >= 1 else value


def _bare(unit: str) -> str:
    """Return a unit for a number that stands beside another of the same unit."""
    return "share" if unit.startswith("of ") else ""


def learning(because: dict[str, Any]) -> tuple[int, int] | None:
    """Return (n, of) while the own days are being learnt, else None."""
    day = because.get("learning_day")
    if day is None:
        return None
    needed = next((each["value"] for each in because.get("thresholds", ()) if each["name"] == "baseline_days"), None)
    return int(day), int(needed or BASELINE_DAYS)


def to_reader(text: str, athlete: AthleteView) -> str:
    """Return what is said to the athlete as the one who is signed in should read it."""
    return text if access.me().role is Role.ATHLETE else words.told_of(text, words.short_name(athlete.name))


def span(window: dict[str, Any], zone: str) -> str:
    """Return a window as `Mon 23 Nov, 09:12 to 09:24 (12 min)`."""
    start, end = (datetime.fromisoformat(window[name]) for name in ("start_utc", "end_utc"))
    day = words.day_name(words.in_zone(start, zone).date(), house().today(zone))
    if end - start > timedelta(hours=23):
        return _("%(day)s, the whole day", day=day)
    return _(
        "%(day)s, %(start)s to %(end)s (%(length)s)",
        day=day,
        start=clock_time(start, zone),
        end=clock_time(end, zone),
        length=_length(end - start),
    )


def _length(time: timedelta) -> str:
    return words.minutes(max(60.0, round(time.total_seconds() / 60) * 60))


def edges(windows: Sequence[dict[str, Any]]) -> list[list[float]]:
    """Return windows as pairs of Unix times for a chart."""
    return [[datetime.fromisoformat(each[name]).timestamp() for name in ("start_utc", "end_utc")] for each in windows]


def days_of(finding: FindingView) -> list[date]:
    """Return the local days that a finding was found on, oldest first."""
    return [date.fromisoformat(each) for each in finding.because.get("days", ())]


def rests_on(finding: FindingView) -> list[date]:
    """Return the whole days that a finding rests on where it has no stretch of signal, oldest first."""
    days = days_of(finding)
    row = finding.because.get("values", {}).get("days")
    if finding.kind != Kind.HEAVY_BACK_DAYS or not days or not isinstance(row, int):
        return []
    return [days[-1] - timedelta(days=back) for back in range(min(row, _ROW_SHOWN) - 1, -1, -1)]


def when(finding: FindingView, zone: str) -> str:
    """Return when the newest day of a finding had it: its one window, or between which times several lie."""
    if len(finding.windows) < 2:
        return words.window(finding, zone)
    day = words.day_name(words.in_zone(finding.started_at, zone).date(), house().today(zone))
    start, end = (clock_time(each, zone) for each in (finding.started_at, finding.ended_at))
    return _(
        "%(day)s, %(n)s times between %(start)s and %(end)s", day=day, n=len(finding.windows), start=start, end=end
    )


def course(finding: FindingView, zone: str) -> str:
    """Return since when a finding is open, or from when to when it was."""
    today = house().today(zone)
    first = words.day_name(words.in_zone(finding.opened_at, zone).date(), today)
    count = len(days_of(finding))
    seen = ngettext(", found on %(num)s day", ", found on %(num)s days", count) if count else ""
    if finding.closed_at is None:
        return _("open since %(first)s%(seen)s", first=lower_day(first), seen=seen)
    last = words.day_name(words.in_zone(finding.closed_at, zone).date(), today)
    return _("%(first)s to %(last)s%(seen)s", first=first, last=last, seen=seen)


def moment(at: datetime, zone: str) -> str:
    """Return `Mon 23 Nov, 09:12`."""
    return f"{words.day_name(words.in_zone(at, zone).date(), house().today(zone))}, {clock_time(at, zone)}"


def last_day(finding: FindingView, athlete: AthleteView) -> str:
    """Return the newest local day of a finding as it stands in an address."""
    days = days_of(finding)
    return (days[-1] if days else words.in_zone(finding.started_at, athlete.time_zone).date()).isoformat()


def has_signal(finding: FindingView) -> bool:
    """Tell whether a finding rests on a recording, so that there is something to see."""
    whole = finding.because.get("window")
    return bool(whole["stream_id"]) if isinstance(whole, dict) and "stream_id" in whole else bool(finding.placement)


def brackets(finding: FindingView) -> list[list[float]]:
    """Return the windows of the recording that a finding's chart shows; the whole where it names none."""
    whole = finding.because.get("window") or {}
    shown = [each for each in finding.windows if each["stream_id"] == whole.get("stream_id")]
    return edges(shown) or [[finding.started_at.timestamp(), finding.ended_at.timestamp()]]


def signal_title(finding: FindingView, athlete: AthleteView) -> str:
    """Return what a finding's chart shows, as the beginning of a sentence."""
    own = access.me().role is Role.ATHLETE
    trunk = finding.placement in {None, *TRUNK}
    place = words.place(finding.placement or "")
    if own:
        if trunk:
            return _("How far your trunk was from upright")
        return _("How far your %(place)s was from its upright pose", place=place)
    name = words.short_name(athlete.name)
    if trunk:
        return _("How far %(name)s's trunk was from upright", name=name)
    return _("How far %(name)s's %(place)s was from its upright pose", name=name, place=place)


def first_sentence(text: str) -> str:
    """Return the first sentence of a statement."""
    first, dot, _ = text.partition(". ")
    return first + dot.strip()


def source_text(source: str, heuristic: bool) -> str:
    """Return a limit's source; that it is a heuristic of our own is said beside it already."""
    text = source.removeprefix("own heuristic: ") if heuristic else source
    return text[:1].upper() + text[1:]


def short_span(window: dict[str, Any], zone: str) -> str:
    """Return a window as `09:12 to 09:24`."""
    start, end = (datetime.fromisoformat(window[name]) for name in ("start_utc", "end_utc"))
    return _("%(start)s to %(end)s", start=clock_time(start, zone), end=clock_time(end, zone))


def lower_day(name: str) -> str:
    """Return a day's name as it stands within a sentence."""
    return name.lower() if name in {_("Today"), _("Yesterday")} else name


def leaves(values: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Return nested parameters as names with dots and their values."""
    told: list[tuple[str, str]] = []
    for name, value in values.items():
        where = f"{before}.{name}" if before else name
        told.extend(leaves(value, where) if isinstance(value, dict) else [(where, _parameter(value))])
    return told


def _parameter(value: Any) -> str:
    if value is None:
        return _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def answer_tone(answer: AnswerView) -> str:
    """Return the shape of an answer's mark."""
    return {Outcome.FOUND.value: "look", Outcome.NONE.value: "on"}.get(answer.outcome, "")


_FILTERS = (
    kind_name, looks_for, flags_in_words, flag_name, flag_limit, measured, to_reader, span, short_span, edges, course,
    when, moment, last_day, has_signal, brackets, signal_title, first_sentence, source_text, lower_day, leaves,
    answer_tone,
)  # fmt: skip


def install(app: Flask) -> None:
    """Give the templates these words."""
    for word in _FILTERS:
        app.jinja_env.filters[word.__name__] = word
    for name, each in (("how_much", how_much), ("limit_name", limit_name), ("band", band), ("learning", learning)):
        app.jinja_env.globals[name] = each
    app.jinja_env.filters["outcome_word"] = lambda outcome: OUTCOMES.get(outcome, outcome)
