"""The one bridge from what was found to what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.analysis.types import Grade
from programs.rest import SHOWN_ONLY_KINDS
from programs.types import Need

# Weight of a need by the grade of its findings: more independent flags, more room in the program. Own heuristic.
_WEIGHT = {Grade.GREEN: 0.25, Grade.AMBER: 0.5, Grade.RED: 1.0}


@dataclass(frozen=True, slots=True)
class Observed:
    """A finding as the bridge sees it; the kind of a finding is the kind of the need it raises."""

    finding_id: str
    kind: str
    statement: str
    grade: Grade


def needs_from(findings: Sequence[Observed]) -> tuple[Need, ...]:
    """Return one need per kind of finding, heaviest first. Kinds that are only shown raise none.

    findings: oldest first; the newest one speaks for its kind.
    """
    by_kind: dict[str, list[Observed]] = {}
    for finding in (each for each in findings if each.kind not in SHOWN_ONLY_KINDS):
        by_kind.setdefault(finding.kind, []).append(finding)
    needs = [
        Need(
            kind=kind,
            weight=max(_WEIGHT[each.grade] for each in same),
            because=same[-1].statement,
            finding_ids=tuple(each.finding_id for each in same),
        )
        for kind, same in by_kind.items()
    ]
    return tuple(sorted(needs, key=lambda need: (-need.weight, need.kind)))
