"""Findings as stored: patterns with their evidence."""

from __future__ import annotations

from coach.service.ground import Ground
from coach.service.permission import require_finding
from coach.service.types import FindingView, Identity
from coach.store import signals
from coach.store.rows import Row


class Findings:
    """Read findings."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def for_athlete(self, athlete_id: str, limit: int = 50) -> tuple[FindingView, ...]:
        """Return the athlete's findings, newest first."""
        with self._ground.store.read() as tx:
            return tuple(finding_view(row) for row in signals.findings_of_athlete(tx, athlete_id, limit))

    def get(self, by: Identity, finding_id: str) -> FindingView:
        """Return one finding. Raises NoSuch (also for an athlete that is not yours)."""
        with self._ground.store.read() as tx:
            return finding_view(require_finding(tx, by, finding_id))


def finding_view(row: Row) -> FindingView:
    """Return what pages show of a finding's row."""
    return FindingView(
        finding_id=row["id"],
        athlete_id=row["athlete_id"],
        kind=row["kind"],
        statement=row["statement"],
        grade=row["grade"],
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        coverage_share=row["coverage_share"],
        because=row["because"],
        placement=row["placement"],
    )
