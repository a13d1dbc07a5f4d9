"""Findings as stored: patterns with their evidence."""

from __future__ import annotations

from coach.service.ground import Ground
from coach.service.types import FindingView, Identity


class Findings:
    """Read findings."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def for_athlete(self, athlete_id: str, limit: int = 50) -> tuple[FindingView, ...]:
        """Return the athlete's findings, newest first."""
        raise NotImplementedError

    def get(self, by: Identity, finding_id: str) -> FindingView:
        """Return one finding. Raises NoSuch (also for an athlete that is not yours)."""
        raise NotImplementedError
