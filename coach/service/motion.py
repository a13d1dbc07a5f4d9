"""From stored chunks to features and findings, and back to a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from coach.service.ground import Ground
from coach.service.types import DayTotals, SignalWindow


@dataclass(frozen=True, slots=True)
class Handled:
    """What one transaction did. chunks: analysed now; set_aside: could not be; finding_ids: opened, changed, closed."""

    athlete_id: str
    chunks: int
    set_aside: int
    finding_ids: tuple[str, ...]
    more: bool


class Motion:
    """Analyse what the log holds; answer what a chart asks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def pending_streams(self, limit: int = 100) -> tuple[str, ...]:
        """Return ids of streams that hold chunks not yet analysed, longest waiting first."""
        raise NotImplementedError

    def handle_pending(self, stream_id: str, limit: int = 24) -> Handled:
        """Analyse the stream's next chunks in order; save features, findings and state in one transaction."""
        raise NotImplementedError

    def close_stale(self, now: datetime) -> int:
        """Settle recordings that got no chunk for a while; return how many."""
        raise NotImplementedError

    def window(self, finding_id: str) -> SignalWindow:
        """Return the inclination over a finding's window with half a minute around it. Raises NoSuch."""
        raise NotImplementedError

    def day_line(self, athlete_id: str, day: date) -> SignalWindow:
        """Return the trunk inclination of the athlete's local day in at most 2,000 points, None in gaps. Raises NoSuch."""
        raise NotImplementedError

    def totals(self, athlete_id: str, day: date) -> DayTotals:
        """Return the sums of the athlete's local day, or what is needed for them. Raises NoSuch."""
        raise NotImplementedError
