"""What pages show of an athlete's row."""

from __future__ import annotations

from coach.service.types import AthleteView
from coach.store.rows import Row


def athlete_view(row: Row) -> AthleteView:
    """Return what pages show of an athlete's row."""
    return AthleteView(
        row["id"], row["name"], row["time_zone"], row["sport"], row["simulated"], row["profile"], row["born_on"]
    )
