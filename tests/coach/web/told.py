"""What was found of Ada, and where it is stored: for the tests of pages about findings and days."""

from __future__ import annotations

from typing import Any

from coach.analysis.detectors.types import Kind
from coach.store.engine import Store


def stream_of(world) -> str:
    finding = world.services.findings.get(world.kim.identity, world.finding_id)
    return str(finding.windows[0]["stream_id"])


def store_of(world) -> Store:
    return world.services.findings._ground.store


def finding_of(world, kind: Kind, profile: str) -> Any:
    """Return the finding of a kind by the days of a profile in summer."""
    found = world.services.findings.for_athlete(world.ada.athlete_id, limit=500)
    (one,) = (
        each
        for each in found
        if each.kind == kind and each.because["profile"]["id"] == profile and each.opened_at.month < 9
    )
    return one
