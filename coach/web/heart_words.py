"""A day's heart rate in words."""

from __future__ import annotations

from datetime import UTC, datetime

from coach.analysis.heart_day import HeartDay
from coach.analysis.types import NotComputable
from coach.web.words import minutes
from coach.written import clock_time


def heart_line(heart: HeartDay | NotComputable) -> str:
    """Return `Heart rate 58 to 142, median 88, 41 min recorded`, or what is needed for it."""
    if isinstance(heart, NotComputable):
        return f"Heart rate: not enough data: needs {heart.needs}"
    figures = f"{heart.lowest_bpm} to {heart.highest_bpm}, median {heart.median_bpm}"
    off = f", {minutes(heart.off_skin_s)} off the skin" if heart.off_skin_s >= 60 else ""
    return f"Heart rate {figures}, {minutes(heart.recorded_s)} recorded{off}"


def rmssd_line(heart: HeartDay | NotComputable, zone: str) -> str:
    """Return the variability of the newest still stretch, or what is needed for it."""
    if isinstance(heart, NotComputable):
        return ""
    found = heart.rmssd
    if isinstance(found, NotComputable):
        return f"RMSSD: not enough data: needs {found.needs}."
    began = clock_time(datetime.fromtimestamp(found.start_utc_s, UTC), zone)
    return f"RMSSD {1000 * found.rmssd_s:.0f} ms, over {minutes(found.duration_s)} with the trunk still from {began}."
