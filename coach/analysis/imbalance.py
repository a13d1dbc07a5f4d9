"""Tests held against each other: ratios of the endurance battery, and left against right.

A difference counts only when it is past the rule, past 5 % and past the error of the tests themselves; else "within
test noise" is the answer. One-sided and rotational sports are normally uneven: the side is told, and no word judges it.
Sources: docs/assessments.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from coach.analysis.assessment_errors import name_of, standard_error
from coach.analysis.assessment_types import (
    PAIRS,
    SPECS,
    AssessmentTest,
    Comparison,
    History,
    HistoryVerdict,
    Method,
    Results,
    SideIndices,
    Trial,
    Verdict,
)
from coach.analysis.detectors.types import Threshold
from coach.analysis.errors import AnalysisError

# A difference of less is noise whatever the test. Source: the band of McGill's side bridge ratio.
NOISE_SHARE = 0.05
# Own heuristics: earlier assessments that make a history, and how many of their SDs are a change.
HISTORY_LEAST, HISTORY_SDS = 3, 2.0
# Tolerance of a limit that is reached exactly.
_EPS = 1e-9
_MCGILL = "McGill, Childs and Liebenson 1999, APMR 80:941, and McGill, Low Back Disorders."
_LSI = "A limb symmetry index of 90 % is a common convention; no study stands behind the figure."
UNEVEN = "One-sided and rotational sports are normally uneven: what counts is the change from your own earlier tests."


@dataclass(frozen=True, slots=True)
class Rule:
    """A published rule over the ratio first / second: beyond below `low` or above `high`."""

    id: str
    first: AssessmentTest
    second: AssessmentTest
    limits: Mapping[str, Threshold]


def _limits(source: str, heuristic: bool, **values: float) -> Mapping[str, Threshold]:
    return MappingProxyType({name: Threshold(value, "ratio", source, heuristic) for name, value in values.items()})


_T = AssessmentTest
BATTERY_RULES = (
    Rule("flexor_to_extensor", _T.FLEXOR, _T.EXTENSOR, _limits(_MCGILL, False, high=1.0)),
    Rule("side_bridge", _T.SIDE_BRIDGE_RIGHT, _T.SIDE_BRIDGE_LEFT, _limits(_MCGILL, False, low=0.95, high=1.05)),
    Rule("side_bridge_right_to_extensor", _T.SIDE_BRIDGE_RIGHT, _T.EXTENSOR, _limits(_MCGILL, False, high=0.75)),
    Rule("side_bridge_left_to_extensor", _T.SIDE_BRIDGE_LEFT, _T.EXTENSOR, _limits(_MCGILL, False, high=0.75)),
)
# Right against left of everything else that has sides: the weaker side at least 90 % of the stronger.
SIDE_RULES = tuple(
    Rule(left.removesuffix("_left"), right, left, _limits(_LSI, True, low=0.9, high=1.0 / 0.9))
    for left, right in PAIRS
    if SPECS[left].method is not Method.HOLD
)


def side_indices(left: float, right: float) -> SideIndices:
    """Return the indices of left against right, both of one quantity that is larger when better.

    Raises AnalysisError unless both are finite, none is negative and one is more than 0.
    Source: Zifchock 2008, Gait Posture 27:622 (symmetry angle); Robinson 1987 (symmetry index).
    """
    if not (math.isfinite(left) and math.isfinite(right)) or min(left, right) < 0.0 or max(left, right) <= 0.0:
        raise AnalysisError(f"Left {left} and right {right} cannot be compared: give two numbers, one of them above 0.")
    weaker, stronger = sorted((left, right))
    return SideIndices(
        left,
        right,
        100.0 * weaker / stronger,
        100.0 * (stronger - weaker) / stronger,
        100.0 * (right - left) / (0.5 * (right + left)),
        (45.0 - math.degrees(math.atan2(left, right))) / 90.0 * 100.0,
    )


def compare(results: Results, earlier: Sequence[Results] = ()) -> tuple[Comparison, ...]:
    """Return the ratios of the battery, and left against right of every other test that has a trial.

    results: of one assessment. earlier: of the ones before it, in any order.
    """
    rules = (*BATTERY_RULES, *(rule for rule in SIDE_RULES if rule.first in results or rule.second in results))
    return tuple(compare_pair(rule, results, earlier) for rule in rules)


def compare_pair(rule: Rule, results: Results, earlier: Sequence[Results] = ()) -> Comparison:
    """Return one rule's answer; NOT_MEASURED where a trial is missing, does not count or cannot be held against."""
    needs = _missing(rule, results)
    if needs is not None:
        return Comparison(
            rule.id,
            rule.first,
            rule.second,
            Verdict.NOT_MEASURED,
            f"Not measured: needs {needs}.",
            limits=rule.limits,
            needs=needs,
        )
    first, second = results[rule.first], results[rule.second]
    one, other = first.value or 0.0, second.value or 0.0
    ratio = one / other
    bound = "at_least" if first.at_least else "at_most" if second.at_least else ""
    verdict, error = _verdict(rule, first, second, bound)
    sides = side_indices(other, one) if SPECS[rule.first].other is rule.second else None
    needs = "a hold that ends before it is stopped" if verdict is Verdict.NOT_MEASURED else None
    now = ratio if sides is None else sides.symmetry_angle_percent
    return Comparison(
        rule.id,
        rule.first,
        rule.second,
        verdict,
        _said(rule, verdict, first, second, error),
        ratio,
        bound,
        rule.limits,
        error,
        sides,
        history_of(now, [value for past in earlier if (value := _value(rule, past)) is not None]),
        needs,
    )


def _missing(rule: Rule, results: Results) -> str | None:
    """Return what is needed before the two tests can be compared, None when nothing is."""
    for test in (rule.first, rule.second):
        trial = results.get(test)
        if trial is None or not trial.counts or trial.value is None:
            return f"a trial of {name_of(test)} that counts"
    first, second = results[rule.first], results[rule.second]
    if (first.exercise, first.load_kg) != (second.exercise, second.load_kg):
        return "the same exercise and load in both tests"
    if first.at_least and second.at_least:
        return "a hold that ends before it is stopped; both were held to the end of the test"
    if min(first.value or 0.0, second.value or 0.0) <= 0.0:
        return "values above 0 in both tests"
    return None


def _verdict(rule: Rule, first: Trial, second: Trial, bound: str) -> tuple[Verdict, Threshold]:
    """Return the verdict, and the error that a difference has to exceed: the larger one of the two tests."""
    one, other = first.value or 0.0, second.value or 0.0
    first_error, second_error = standard_error(first), standard_error(second)
    verdicts = []
    error = max(first_error, second_error, key=lambda each: each.value)
    for name, limit in rule.limits.items():
        scaled = limit.value * other
        # The excess over the limit, but left against right, whose noise is that of their difference.
        excess = one - scaled if name == "high" else scaled - one
        apart = abs(one - other) if "low" in rule.limits else excess
        whole = other if "low" in rule.limits else scaled
        if excess <= _EPS * other:
            verdicts.append(Verdict.WITHIN_RULE)
            open_end = "at_least" if name == "high" else "at_most"
            if bound == open_end:
                return Verdict.NOT_MEASURED, error
        elif bound == ("at_most" if name == "high" else "at_least"):
            return Verdict.NOT_MEASURED, error
        elif apart <= max(error.value, NOISE_SHARE * whole):
            verdicts.append(Verdict.WITHIN_NOISE)
        else:
            verdicts.append(Verdict.BEYOND)
    order = (Verdict.BEYOND, Verdict.WITHIN_NOISE, Verdict.WITHIN_RULE)
    return next(each for each in order if each in verdicts), error


def _value(rule: Rule, results: Results) -> float | None:
    """Return the value that a history is made of: the ratio, or the symmetry angle of two sides."""
    if _missing(rule, results) is not None:
        return None
    first, second = results[rule.first], results[rule.second]
    if first.at_least or second.at_least or first.value is None or second.value is None:
        return None
    if SPECS[rule.first].other is rule.second:
        return side_indices(second.value, first.value).symmetry_angle_percent
    return first.value / second.value


def history_of(now: float, earlier: list[float]) -> History:
    """Return how a value stands against the athlete's own earlier ones, of which three make a history."""
    if len(earlier) < HISTORY_LEAST:
        return History(HistoryVerdict.LEARNING, len(earlier))
    middle, spread = float(np.median(earlier)), float(np.std(earlier, ddof=1))
    changed = abs(now - middle) > HISTORY_SDS * spread + _EPS
    verdict = HistoryVerdict.CHANGED if changed else HistoryVerdict.USUAL
    return History(verdict, len(earlier), middle, spread)


def _said(rule: Rule, verdict: Verdict, first: Trial, second: Trial, error: Threshold) -> str:
    sides = SPECS[rule.first].other is rule.second
    values = f"{name_of(rule.first)} {_number(first)}, {name_of(rule.second)} {_number(second)}"
    limits = " to ".join(f"{limit.value:.2f}" for limit in rule.limits.values())
    asked = f"a ratio of {limits}" if len(rule.limits) > 1 else f"a ratio of at most {limits}"
    answer = {
        Verdict.WITHIN_RULE: f"within the rule ({asked}).",
        Verdict.WITHIN_NOISE: f"past the rule ({asked}), but within test noise: one such test is off by "
        f"{error.value:.2g} {error.unit} by itself.",
        Verdict.BEYOND: f"past the rule ({asked}), and by more than the error of the tests.",
        Verdict.NOT_MEASURED: "one was stopped at the end of the test, so the rule cannot be judged.",
    }[verdict]
    text = f"{values[0].upper()}{values[1:]}: {answer}"
    return f"{text} {UNEVEN}" if sides and verdict is Verdict.BEYOND else text


def _number(trial: Trial) -> str:
    at_least = "at least " if trial.at_least else ""
    return f"{at_least}{trial.value:.4g} {trial.unit}"
