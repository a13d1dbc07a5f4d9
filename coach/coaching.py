"""The one bridge from what was found to what is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coach.analysis.assessment_types import Comparison, Verdict
from coach.analysis.types import Grade
from programs.exercises import NEED_KINDS, known
from programs.rest import REST_KINDS, SHOWN_ONLY_KINDS
from programs.types import Need, PrescribedExercise

# Weight of a need by the grade of its findings: more independent flags, more room in the program. Own heuristic.
_WEIGHT = {Grade.GREEN: 0.25, Grade.AMBER: 0.5, Grade.RED: 1.0}
# What an exercise or a rest answers; a kind that a newer profile looks for must not stop the planning of the others.
_ANSWERED = (NEED_KINDS | REST_KINDS) - SHOWN_ONLY_KINDS
# Which need a comparison of tests raises when it is beyond its rule. Own heuristic: what is compared decides.
_KIND_OF_COMPARISON = {
    "flexor_to_extensor": "low_endurance",
    "side_bridge_right_to_extensor": "low_endurance",
    "side_bridge_left_to_extensor": "low_endurance",
    "side_bridge": "side_difference",
    "thoracic_rotation": "low_rotation",
    "hip_internal_rotation": "low_rotation",
    "hip_external_rotation": "low_rotation",
}
# Weight of such a need by one or by more comparisons. Own heuristic, as the grades of findings.
_ONE_WEIGHT, _MORE_WEIGHT = 0.5, 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """A finding as the bridge sees it; the kind of a finding is the kind of the need it raises."""

    finding_id: str
    kind: str
    statement: str
    grade: Grade


def needs_from(findings: Sequence[Observed]) -> tuple[Need, ...]:
    """Return one need per kind of finding, heaviest first. Kinds that are only shown, or unknown, raise none.

    findings: oldest first; the newest one speaks for its kind.
    """
    by_kind: dict[str, list[Observed]] = {}
    for finding in (each for each in findings if each.kind in _ANSWERED):
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


def answered_by(items: Iterable[PrescribedExercise], needs: Iterable[Need]) -> tuple[str, ...]:
    """Return the kinds of need that a program put together by hand answers; what only rest answers always is."""
    answers = {kind for item in items if (one := known(item)) is not None for kind in one.answers}
    return tuple(need.kind for need in needs if need.kind in answers or need.kind in REST_KINDS)


def needs_from_assessment(compared: Sequence[tuple[str, Comparison]]) -> tuple[Need, ...]:
    """Return one need per kind for what tests found beyond a rule and beyond their own noise.

    compared: id of the assessment, which stands in for that of a finding, and its comparison. What is within the noise,
    or not measured, asks for nothing.
    """
    by_kind: dict[str, dict[str, tuple[str, Comparison]]] = {}
    for assessment_id, each in compared:
        kind = _KIND_OF_COMPARISON.get(each.id)
        if kind is not None and each.verdict is Verdict.BEYOND:
            by_kind.setdefault(kind, {}).setdefault(each.id, (assessment_id, each))
    return tuple(
        Need(
            kind=kind,
            weight=_ONE_WEIGHT if len(same) == 1 else _MORE_WEIGHT,
            because=next(iter(same.values()))[1].statement,
            finding_ids=tuple(dict.fromkeys(assessment_id for assessment_id, _ in same.values())),
        )
        for kind, same in by_kind.items()
    )
