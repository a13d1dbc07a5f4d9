"""What the forms of the tests say: which test, numbers, exercise and load. Everything wrong is an InvalidInput."""

from __future__ import annotations

from typing import Any

from flask import request

from coach.analysis.assessment_entered import Way
from coach.analysis.assessment_types import SPECS, AssessmentTest, Method
from coach.analysis.guided import GUIDES
from coach.errors import InvalidInput
from coach.service.assessment_views import Kind
from coach.service.battery import GUIDED
from coach.service.entered import Entered
from coach.web.forms import number
from coach.web.units import Quantity, to_si

# Own choices: what a person may type of a number, a reason or a key, and how many tries of a dynamometer count.
TYPED_MAX, KEY_MAX, TRIES_MAX = 200, 80, 3
# How results that may be entered are grouped on the page.
GROUPS = (
    ("Strength, by dynamometer", Method.DYNAMOMETER),
    ("One-sided repetitions until tired", Method.REPETITIONS),
    ("Holds, by stopwatch", Method.HOLD),
    ("Turning, by goniometer or inclinometer", Method.ROTATION),
)
# How the lifting way of an exercise is asked for.
WAYS = {Way.THERE: "away from the start position", Way.BACK: "back to the start position"}


def wanted_kind(name: str) -> Kind:
    """Return a kind that can be guided."""
    try:
        kind = Kind(name)
    except ValueError:
        kind = Kind.ENTERED
    if kind not in GUIDED:
        raise InvalidInput("There are no tests of that kind: choose them on the page of your tests.")
    return kind


def wanted_test() -> AssessmentTest:
    """Return the test that the form is about."""
    try:
        return AssessmentTest(request.form.get("test", ""))
    except ValueError:
        raise InvalidInput("There is no such test: go back to the page of your tests.") from None


def key() -> str:
    """Return the form's own key, which makes two presses one."""
    text = request.form.get("key", "")
    if not 1 <= len(text) <= KEY_MAX:
        raise InvalidInput("This form is incomplete: reload the page and try again.")
    return text


def pain_now() -> int:
    """Return the pain that was chosen; -1, which is refused below, when none was."""
    text = request.form.get("pain_now", "")
    return int(text) if text.isdecimal() and len(text) < 3 else -1


def setup_of(test: AssessmentTest) -> dict[str, Any] | None:
    """Return exercise, load and lifting way, for the speed of repetitions; None for other tests."""
    if SPECS[test].method is not Method.SPEED:
        return None
    exercise, lifting = request.form.get("exercise", ""), request.form.get("lifting", Way.THERE.value)
    if exercise not in GUIDES or lifting not in set(Way):
        raise InvalidInput("Choose the exercise: the same one each time, so that the speeds can be compared.")
    return {
        "exercise": exercise,
        "load_kg": to_si(number(request.form.get("load_kg", "")), Quantity.MASS),
        "lifting": lifting,
    }


def told_instead() -> Entered:
    """Return what was read off another instrument instead of a try."""
    test = wanted_test()
    setup = setup_of(test) or {}
    value = number(request.form.get("value", ""))
    return Entered(test, (value,), exercise=setup.get("exercise", ""), load_kg=setup.get("load_kg", 0.0))


def told_elsewhere() -> list[Entered]:
    """Return every result that was filled in."""
    return [_told(test) for test in AssessmentTest if request.form.get(test.value, "").strip()]


def _told(test: AssessmentTest) -> Entered:
    text, spec = request.form[test.value][:TYPED_MAX], SPECS[test]
    if spec.method is Method.DYNAMOMETER:
        tries = tuple(number(each) for each in text.replace(";", " ").split())
        if len(tries) > TRIES_MAX:
            raise InvalidInput(f"Up to {TRIES_MAX} tries with a space between them, not {len(tries)}.")
        return Entered(test, tries, unit=request.form.get("force_unit", "N"))
    if spec.method is Method.REPETITIONS and spec.region is not None:
        region = spec.region.name.lower()
        exercise = request.form.get(f"exercise_{region}", "")[:TYPED_MAX].strip()
        load = request.form.get(f"load_{region}", "").strip()
        return Entered(
            test, (number(text),), exercise=exercise, load_kg=to_si(number(load), Quantity.MASS) if load else 0.0
        )
    return Entered(test, (number(text),))


def entry_groups() -> list[tuple[str, Method, list[AssessmentTest]]]:
    """Return the tests that may be entered, by how they are taken."""
    return [
        (name, method, [test for test in AssessmentTest if SPECS[test].method is method]) for name, method in GROUPS
    ]


def regions_of_repetitions() -> dict[str, list[AssessmentTest]]:
    """Return the tests of one-sided repetitions by region: both sides do the same exercise with the same load."""
    regions: dict[str, list[AssessmentTest]] = {}
    for test, spec in SPECS.items():
        if spec.method is Method.REPETITIONS and spec.region is not None:
            regions.setdefault(spec.region.name.lower(), []).append(test)
    return regions
