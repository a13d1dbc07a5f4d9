"""Caps of pitches by age, and the rest that a count asks for. Pure values; the figures are data (profiles/caps)."""

from __future__ import annotations

from dataclasses import dataclass

from coach.analysis.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class AgeBand:
    """What holds from one age to another, both included.

    max_pitches: of one day. rest_from: the least count that asks for 1, 2, 3, … days of rest, ascending.
    """

    from_years: int
    to_years: int
    max_pitches: int
    rest_from: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PitchCaps:
    """One guideline. row_days_max: days in a row on which one may pitch. source: of every figure in it.

    Bands ascend and do not overlap. An age outside all of them has no cap.
    """

    id: str
    version: str
    effective_on: str
    source: str
    row_days_max: int
    bands: tuple[AgeBand, ...]


def band_of(caps: PitchCaps, age_years: int) -> AgeBand | None:
    """Return what holds at that age, None where the guideline says nothing."""
    return next((band for band in caps.bands if band.from_years <= age_years <= band.to_years), None)


def rest_days(caps: PitchCaps, age_years: int, pitches: int) -> int | None:
    """Return the days of rest that a day's pitches ask for, None where the guideline says nothing of that age.

    One day of rest: the next calendar day is free of pitching. Raises AnalysisError for a count below 0.
    Source: MLB and USA Baseball, Pitch Smart (docs/profiles.md states which sheets).
    """
    if pitches < 0:
        raise AnalysisError(f"A count of {pitches} pitches cannot be: give a number from 0 up.")
    band = band_of(caps, age_years)
    return None if band is None else sum(pitches >= least for least in band.rest_from)


def eligible_on(caps: PitchCaps, age_years: int, ordinal: int, pitches: int) -> int | None:
    """Return the first day (ordinal) on which one may pitch again after the pitches of day `ordinal`.

    None where the guideline says nothing of that age. Raises AnalysisError for a count below 0.
    """
    rest = rest_days(caps, age_years, pitches)
    return None if rest is None else ordinal + rest + 1


def stricter(first: PitchCaps, second: PitchCaps) -> PitchCaps:
    """Return the guideline that allows no more than either: by age the lower maximum, and the earlier rest.

    Where only one speaks of an age, that one holds.
    """
    ages = range(
        min(band.from_years for band in (*first.bands, *second.bands)),
        max(band.to_years for band in (*first.bands, *second.bands)) + 1,
    )
    bands: list[AgeBand] = []
    for age in ages:
        found = [band for band in (band_of(first, age), band_of(second, age)) if band is not None]
        if not found:
            continue
        strict = AgeBand(age, age, min(band.max_pitches for band in found), _earlier([b.rest_from for b in found]))
        before = bands[-1] if bands else None
        if before and (before.to_years, before.max_pitches, before.rest_from) == (age - 1, *_figures(strict)):
            bands[-1] = AgeBand(before.from_years, age, *_figures(strict))
        else:
            bands.append(strict)
    return PitchCaps(
        first.id,
        first.version,
        max(first.effective_on, second.effective_on),
        f"{first.source}; {second.source}; the stricter row where they differ",
        min(first.row_days_max, second.row_days_max),
        tuple(bands),
    )


def _figures(band: AgeBand) -> tuple[int, tuple[int, ...]]:
    return band.max_pitches, band.rest_from


def _earlier(rows: list[tuple[int, ...]]) -> tuple[int, ...]:
    longest = max(len(row) for row in rows)
    return tuple(min(row[i] for row in rows if i < len(row)) for i in range(longest))
