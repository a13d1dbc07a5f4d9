"""Pitches of a day against a guideline by age: the day's maximum, the rest that earlier days ask for, days in a row.

Source: MLB and USA Baseball, Pitch Smart; the figures are data (profiles/caps) and come in with the profile. A throw is
not a pitch: what a sensor counts is shown, but only what was entered as pitches is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coach.analysis.detectors.caps import AgeBand, PitchCaps, band_of, rest_days
from coach.analysis.detectors.seen import grade_of, unanswered
from coach.analysis.detectors.types import Answer, Day, DayValues, Flag, Kind, Outcome, Threshold, Thresholds

# The limits are the caps of the profile.
THRESHOLDS: Mapping[str, str] = {}
LIMITS = (
    "Throws that a sensor counts are not taken for pitches: only pitches that were entered are judged.",
    "Two games on one day, innings in a year and months off throwing are part of the guideline, but not entered here.",
)


def detect(thresholds: Thresholds, day: Day, history: Sequence[DayValues], caps: PitchCaps | None = None) -> Answer:
    """Answer whether the day's pitches pass the guideline for the athlete's age. caps: of the profile."""
    answer = replace(
        unanswered(Kind.PITCH_COUNT, thresholds, None, "Pitches as entered, and rest, would change this.", LIMITS),
        values={"throws_counted": _throws(day)},
    )
    if caps is None or not caps.bands:
        return replace(answer, needs="a guideline: the profile names none")
    pitches, age = day.entered.pitches, day.entered.age_years
    band = None if age is None else band_of(caps, age)
    if age is None:
        return replace(answer, needs="the date of birth, for the guideline goes by age")
    if band is None:
        covered = f"{caps.bands[0].from_years} to {caps.bands[-1].to_years}"
        return replace(answer, needs=f"a guideline for the age of {age}; this one covers {covered} years")
    if pitches is None:
        return replace(answer, needs="the pitches of the day as entered, 0 on a day without")
    before = {each.ordinal: each.pitches for each in history}
    known = {back: before.get(day.ordinal - back) for back in range(1, max(len(band.rest_from), caps.row_days_max) + 1)}
    flags = _flags(caps, band, age, pitches, known)
    rest = rest_days(caps, age, pitches) or 0
    answer = replace(
        answer,
        thresholds={**thresholds, **{flag.name: flag.threshold for flag in flags}, **_shown(caps, band)},
        values={**answer.values, "pitches": pitches, "age_years": age, "rest_days_after": rest},
    )
    if flags:
        said = " ".join(flag.statement for flag in flags)
        return replace(answer, outcome=Outcome.FOUND, statement=said, grade=grade_of(flags), flags=flags)
    unknown = sorted(back for back, count in known.items() if count is None)
    if pitches > 0 and unknown:
        return replace(answer, needs=f"the pitches of each of the {max(known)} days before, 0 on a day without")
    return replace(answer, outcome=Outcome.NONE, statement=_fine(band, pitches, rest))


def _flags(caps: PitchCaps, band: AgeBand, age: int, pitches: int, known: Mapping[int, int | None]) -> tuple[Flag, ...]:
    flags = []
    if pitches > band.max_pitches:
        statement = f"{pitches} pitches are above the day's maximum of {band.max_pitches} at the age of {age}."
        flags.append(Flag("daily_max", pitches, _shown(caps, band)["daily_max"], statement))
    if pitches == 0:
        return tuple(flags)
    owed = [(back, count, rest_days(caps, age, count) or 0) for back, count in known.items() if count]
    late = [each for each in owed if each[0] <= each[2]]
    if late:
        back, count, rest = max(late, key=lambda each: each[2] - each[0])
        ago = "yesterday" if back == 1 else f"{back} days ago"
        limit = Threshold(rest, "days", f"{caps.source} (version {caps.version})", heuristic=False)
        had = {1: "was none", 2: "was 1"}.get(back, f"were {back - 1}")
        statement = f"{count} pitches {ago} ask for {_days(rest)} of rest; there {had}."
        flags.append(Flag("rest_owed", back - 1, limit, statement))
    if all(known[back] for back in range(1, caps.row_days_max + 1)):
        limit = _shown(caps, band)["row_days_max"]
        statement = f"This is the {_ordinal(caps.row_days_max + 1)} day of pitching in a row."
        flags.append(Flag("days_in_a_row", caps.row_days_max + 1, limit, statement))
    return tuple(flags)


def _fine(band: AgeBand, pitches: int, rest: int) -> str:
    after = f" {_days(rest).capitalize()} of rest {'goes' if rest == 1 else 'go'} with that." if rest else ""
    return f"{pitches} pitches, within the day's maximum of {band.max_pitches}.{after}"


def _shown(caps: PitchCaps, band: AgeBand) -> dict[str, Threshold]:
    source = f"{caps.source} (version {caps.version})"
    return {
        "daily_max": Threshold(band.max_pitches, "pitches", source, heuristic=False),
        "row_days_max": Threshold(caps.row_days_max, "days", source, heuristic=False),
        **{
            f"rest_{days}_days_from": Threshold(least, "pitches", source, heuristic=False)
            for days, least in enumerate(band.rest_from, start=1)
        },
    }


def _throws(day: Day) -> int | None:
    strokes = day.strokes
    if strokes is None:
        return None
    return int(strokes.strokes_left.sum() + strokes.strokes_right.sum() + strokes.strokes_unknown.sum())


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third", 4: "fourth"}.get(number, f"{number}th")
