"""One test now against the same test before: what the whole product is measured by, never without its uncertainty."""

from __future__ import annotations

import math

from coach.analysis.assessment_errors import Z_95, name_of, standard_error
from coach.analysis.assessment_types import Change, ChangeVerdict, Trial
from coach.analysis.errors import AnalysisError


def compare_change(before: Trial, after: Trial) -> Change:
    """Return the change of one test from one assessment to the next, with its uncertainty.

    A change is told when it exceeds 1.96 sqrt(2) SEM. Raises AnalysisError for trials of two tests.
    """
    if before.test is not after.test:
        raise AnalysisError(f"'{before.test}' and '{after.test}' are two tests: compare a test with itself.")
    needs = _incomparable(before, after)
    if needs is not None or before.value is None or after.value is None:
        return Change(
            after.test,
            ChangeVerdict.NOT_COMPARABLE,
            after.unit,
            f"Cannot be compared: needs {needs}.",
            before.value,
            after.value,
            needs=needs,
        )
    error = max(standard_error(before), standard_error(after), key=lambda each: each.value)
    detectable = Z_95 * math.sqrt(2.0) * error.value
    difference = after.value - before.value
    verdict = _verdict(before, after, difference, detectable)
    low = -math.inf if before.at_least else difference - detectable
    high = math.inf if after.at_least else difference + detectable
    return Change(
        after.test,
        verdict,
        after.unit,
        _change_said(verdict, difference, detectable, after.unit),
        before.value,
        after.value,
        difference,
        low if math.isfinite(low) else None,
        high if math.isfinite(high) else None,
        detectable,
        error,
        "a hold that ends before it is stopped" if verdict is ChangeVerdict.NOT_COMPARABLE else None,
    )


def _verdict(before: Trial, after: Trial, difference: float, detectable: float) -> ChangeVerdict:
    """Return the verdict; a value that is only "at least" decides nothing against its open end."""
    if difference > detectable and not before.at_least:
        return ChangeVerdict.IMPROVED
    if difference < -detectable and not after.at_least:
        return ChangeVerdict.WORSE
    open_end = before.at_least or after.at_least
    return ChangeVerdict.NOT_COMPARABLE if open_end else ChangeVerdict.WITHIN_NOISE


def _incomparable(before: Trial, after: Trial) -> str | None:
    if not (before.counts and after.counts):
        return f"two trials of {name_of(after.test)} that count"
    if (before.exercise, before.load_kg, before.unit) != (after.exercise, after.load_kg, after.unit):
        return "the same exercise, load and unit both times"
    if before.at_least and after.at_least:
        return "a hold that ends before it is stopped; both were held to the end of the test"
    return None


def _change_said(verdict: ChangeVerdict, difference: float, detectable: float, unit: str) -> str:
    change = f"{difference:+.3g} {unit}"
    match verdict:
        case ChangeVerdict.IMPROVED:
            return f"Improved by {change}, more than the test's own error ({detectable:.3g} {unit})."
        case ChangeVerdict.WORSE:
            return f"Less by {abs(difference):.3g} {unit}, more than the test's own error ({detectable:.3g} {unit})."
        case ChangeVerdict.WITHIN_NOISE:
            return f"{change}: within test noise; two such tests differ by {detectable:.3g} {unit} by themselves."
        case _:
            return "One was stopped at the end of the test, so the change cannot be told."
