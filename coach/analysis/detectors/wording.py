"""Durations, shares and numbers in the words of a finding."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Return a duration in h and min, below two minutes in s."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def percent_below(share: float) -> str:
    """Return a share that fell short of a limit, rounded down so that it never reads as the limit itself."""
    return f"{math.floor(share * 100.0 + 1e-9)} %"


def percent(share: float) -> str:
    """Return a share with one decimal below 10 %."""
    value = share * 100.0
    return f"{value:.1f} %" if value < 10.0 else f"{value:.0f} %"


def rounded(value: float | None, digits: int = 2) -> float | None:
    """Return a number as it is kept with a finding; None stays None."""
    return None if value is None else round(value, digits)
