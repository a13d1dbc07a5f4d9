"""Answers and findings as words: names of kinds, flags and values; what the reader is told about whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask

from coach.analysis.detectors.types import Kind, Outcome
from coach.service.charts import TRUNK
from coach.service.types import AnswerView, AthleteView, FindingView, Role
from coach.web import access, words
from coach.web.house import house
from coach.web.limit_words import how_much, limit_name

# Own choice: the first days of a habit are counted against this, where a finding does not say how many are needed.
BASELINE_DAYS = 14
# Kinds: their name, and what is looked for.
KINDS: Mapping[str, tuple[str, str]] = {
    Kind.REPEATED_BENDING: ("Repeated bending", "bending forward again and again without a break"),
    Kind.SUSTAINED_FLEXION: ("Staying bent", "holding the trunk bent for long"),
    Kind.DEEP_FLEXION: ("Bending deep", "much of the time worn with the trunk bent far forward"),
    Kind.REPEATED_ROTATION: ("Repeated turning", "turning the trunk fast, again and again"),
    Kind.ONE_SIDED_STROKES: ("More to one side", "one side used more than the other, beyond what is usual"),
    Kind.STROKE_COUNT: ("Swings and throws", "clearly more of them than on your other days of play"),
    Kind.PITCH_COUNT: ("Pitches and rest days", "pitches as entered against the guideline for the age"),
    Kind.SHORT_RECOVERY: ("Short pauses", "pauses that are shorter than the repeated work before them asks for"),
    Kind.DEGRADING_MOVEMENT: ("Movement towards the end", "the end of a set that differs from its beginning"),
    Kind.HEAVY_BACK_DAYS: ("Heavy days in a row", "days in a row with much bending"),
    Kind.LOAD_ABOVE_HABIT: ("Training load", "a week far above your own four weeks"),
    Kind.LOW_HRV: ("Heart in the morning", "variability of the heart rate below your own range"),
    Kind.PAIN_WITH_MOVEMENT: ("Pain and movement", "more pain in the morning after days with more of a movement"),
}
# Flags: what is compared, and how the value passes its limit.
FLAGS: Mapping[str, tuple[str, str]] = {
    "repeated": ("How often", "a flag above"),
    "held": ("How long held", "a flag above"),
    "deep": ("How much of the time", "a flag above"),
    "to_one_side": ("Share of one side", "a flag from"),
    "above_own_days": ("Against your own days", "a flag from"),
    "above_all_own_days": ("Against your own days", "a flag above"),
    "daily_max": ("Pitches in a day", "a flag above"),
    "rest_owed": ("Days of rest", "a flag below"),
    "days_in_a_row": ("Days in a row", "a flag above"),
    "short_pause": ("Pause as a part of the work before it", "a flag below"),
    "degrading_repetitions": ("Signs at the end of a set", "a flag from"),
    "degrading_strokes": ("Signs at the end of a bout", "a flag from"),
    "in_a_row": ("Days in a row", "a flag from"),
    "above_habit": ("Above your habit by", "a flag from"),
    "monotony": ("Monotony of the week", "a flag above"),
    "below_own_range": ("Mean of the week", "a flag below"),
    "pain_goes_with": ("How likely by chance alone", "a flag below"),
}
# Values of an answer: what they are, and their unit.
VALUES: Mapping[str, tuple[str, str]] = {
    "bends": ("bends", ""),
    "stretches": ("stretches", ""),
    "duration_min": ("for", "min"),
    "rate_mean_per_min": ("mean rate", "per min"),
    "rate_max_per_min": ("highest rate", "per min"),
    "range_median_deg": ("typical bend", "deg"),
    "bends_per_h": ("over the day", "bends per hour worn"),
    "dose_max": ("most at once", "dose"),
    "dose_day": ("over the day", "dose"),
    "deep_share": ("bent deep for", "of worn time"),
    "deep_min": ("together", "min"),
    "turns_left": ("turns to the left", ""),
    "turns_right": ("turns to the right", ""),
    "turns_per_h": ("over the day", "turns per hour worn"),
    "left": ("to the left", ""),
    "right": ("to the right", ""),
    "side_unknown": ("side not known", ""),
    "side": ("more to the", ""),
    "share": ("share of that side", "share"),
    "strokes": ("swings or throws", ""),
    "throws_counted": ("throws that a sensor counted", ""),
    "pitches": ("pitches as entered", ""),
    "age_years": ("age", "years"),
    "rest_days_after": ("rest that goes with it", "days"),
    "bouts": ("bouts", ""),
    "short_pauses": ("short pauses", ""),
    "work_min": ("work before", "min"),
    "pause_min": ("pause", "min"),
    "needs_min": ("pause by the pattern", "min"),
    "bouts_degraded": ("ended differently", "bouts"),
    "signs": ("signs", ""),
    "days": ("days", ""),
    "rise_share": ("week against four weeks", "share"),
    "acute": ("load, mean of a week", "effort x min a day"),
    "habit": ("load, mean of four weeks", "effort x min a day"),
    "week_on_week_share": ("this week against the last", "share"),
    "largest_jump_share": ("largest single session above the month's", "share"),
    "missing_days": ("days not known", "days"),
    "monotony": ("monotony of the week", ""),
    "week_ln_rmssd": ("mean of the week", "ln ms"),
    "limit_ln_rmssd": ("your own limit", "ln ms"),
    "movements_looked_at": ("movements looked at", ""),
    "p_limit": ("chance has to be below", "p"),
}
OUTCOMES: Mapping[str, str] = {
    Outcome.FOUND: "found",
    Outcome.NONE: "looked for, not there",
    Outcome.NOT_ENOUGH: "not enough data",
    Outcome.LEARNING: "learning",
    "nothing": "no answer",
}
_COUNT = ("No flag", "One flag", "Two independent flags", "Three independent flags")


@dataclass(frozen=True, slots=True)
class Band:
    """The own days as a band on a line of 0..100, and where the day lies. sentence: the same in words."""

    low: float
    high: float
    median: float
    value: float | None
    sentence: str


def kind_name(kind: str) -> str:
    """Return a kind's name."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("_", " ").capitalize()


def looks_for(kind: str) -> str:
    """Return what is looked for."""
    return KINDS[kind][1] if kind in KINDS else ""


def flags_in_words(finding: FindingView | AnswerView) -> str:
    """Return how many independent flags a finding or an answer has."""
    count = len(finding.because.get("flags", ()))
    return _COUNT[count] if count < len(_COUNT) else f"{count} independent flags"


def flag_name(flag: dict[str, Any]) -> str:
    """Return what a flag compares."""
    name = flag["name"]
    return FLAGS[name][0] if name in FLAGS else name.replace("_", " ").capitalize()


def flag_limit(flag: dict[str, Any]) -> str:
    """Return `a flag above 4 a minute`."""
    how = FLAGS.get(flag["name"], ("", "a flag at"))[1]
    return f"{how} {how_much(flag['threshold']['value'], flag['threshold']['unit'])}"


def measured(because: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the values of an answer as labels and texts; what is not known is left out."""
    told: list[tuple[str, str]] = []
    for name, value in because.get("values", {}).items():
        label, unit = VALUES.get(name, (*words.quantity(name, value)[:1], ""))
        if name == "counts":
            told.extend((what, _counts(counted)) for what, counted in value.items())
        elif name == "signs":
            told.extend((f"signs, {what}", ", ".join(signs)) for what, signs in value.items())
        elif value is not None and name in VALUES:
            told.append((label, how_much(value, unit)))
        elif value is not None:
            told.append(words.quantity(name, value))
    return told


def _counts(counted: dict[str, Any]) -> str:
    return (
        f"higher pain after {counted['more_higher']} of {counted['more_days']} days with more than usual, "
        f"after {counted['other_higher']} of {counted['other_days']} others; {how_much(counted['p'], 'p')}"
    )


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
        return f"{day}, the whole day"
    return f"{day}, {words.clock_time(start, zone)} to {words.clock_time(end, zone)} ({_length(end - start)})"


def _length(time: timedelta) -> str:
    return words.minutes(max(60.0, round(time.total_seconds() / 60) * 60))


def edges(windows: Sequence[dict[str, Any]]) -> list[list[float]]:
    """Return windows as pairs of Unix times for a chart."""
    return [[datetime.fromisoformat(each[name]).timestamp() for name in ("start_utc", "end_utc")] for each in windows]


def days_of(finding: FindingView) -> list[date]:
    """Return the local days that a finding was found on, oldest first."""
    return [date.fromisoformat(each) for each in finding.because.get("days", ())]


def course(finding: FindingView, zone: str) -> str:
    """Return since when a finding is open, or from when to when it was."""
    today = house().today(zone)
    first = words.day_name(words.in_zone(finding.opened_at, zone).date(), today)
    count = len(days_of(finding))
    seen = f", found on {how_much(count, 'days')}" if count else ""
    if finding.closed_at is None:
        return f"open since {first.lower() if first in {'Today', 'Yesterday'} else first}{seen}"
    return f"{first} to {words.day_name(words.in_zone(finding.closed_at, zone).date(), today)}{seen}"


def moment(at: datetime, zone: str) -> str:
    """Return `Mon 23 Nov, 09:12`."""
    return f"{words.day_name(words.in_zone(at, zone).date(), house().today(zone))}, {words.clock_time(at, zone)}"


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
    whose = "your" if own else f"{words.short_name(athlete.name)}'s"
    if finding.placement in {None, *TRUNK}:
        return f"How far {whose} trunk was from upright"
    return f"How far {whose} {words.place(finding.placement or '')} was from its upright pose"


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
    return f"{words.clock_time(start, zone)} to {words.clock_time(end, zone)}"


def lower_day(name: str) -> str:
    """Return a day's name as it stands within a sentence."""
    return name.lower() if name in {"Today", "Yesterday"} else name


def leaves(values: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Return nested parameters as names with dots and their values."""
    told: list[tuple[str, str]] = []
    for name, value in values.items():
        where = f"{before}.{name}" if before else name
        told.extend(leaves(value, where) if isinstance(value, dict) else [(where, _parameter(value))])
    return told


def _parameter(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def answer_tone(answer: AnswerView) -> str:
    """Return the shape of an answer's mark."""
    return {Outcome.FOUND.value: "look", Outcome.NONE.value: "on"}.get(answer.outcome, "")


_FILTERS = (
    kind_name, looks_for, flags_in_words, flag_name, flag_limit, measured, to_reader, span, short_span, edges, course,
    moment, last_day, has_signal, brackets, signal_title, first_sentence, source_text, lower_day, leaves, answer_tone,
)  # fmt: skip


def install(app: Flask) -> None:
    """Give the templates these words."""
    for word in _FILTERS:
        app.jinja_env.filters[word.__name__] = word
    for name, each in (("how_much", how_much), ("limit_name", limit_name), ("band", band), ("learning", learning)):
        app.jinja_env.globals[name] = each
    app.jinja_env.filters["outcome_word"] = lambda outcome: OUTCOMES.get(outcome, outcome)
