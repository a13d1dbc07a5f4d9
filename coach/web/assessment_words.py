"""Tests in our own words: names, what to do step by step, pictures, what a result reads like."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from flask import Flask

from coach.analysis.assessment_types import (
    SPECS,
    AssessmentTest,
    ChangeVerdict,
    HistoryVerdict,
    HoldPhase,
    Method,
    Trial,
    TrialOutcome,
    Verdict,
)
from coach.analysis.detectors.types import Threshold
from coach.service.assessment_views import Kind, Seen, TrialState, TrialView
from coach.written import number
from programs.drawings import Drawing, draw

# What a person sees of a hold beyond these is worth a word. Own choices.
_NEAR_DEG, _DRIFT_DEG = 15.0, 5.0


@dataclass(frozen=True, slots=True)
class KindWords:
    """One kind of assessment: its name, what it tells, how long it takes with its rests."""

    name: str
    tells: str
    takes: str


_HIP = "How far it turns inward and outward; with the other one on the same day, how they compare."
KINDS: Mapping[Kind, KindWords] = MappingProxyType(
    {
        Kind.TRUNK_ENDURANCE: KindWords(
            "Trunk endurance",
            "Four holds: back, belly and both sides. How long each lasts, and how they compare.",
            "about 30 minutes, most of it rest",
        ),
        Kind.FIRST_HOLD: KindWords(
            "One hold to begin with",
            "A side bridge, on the floor: how long you hold it. Every later one is compared with it.",
            "about 3 minutes",
        ),
        Kind.TRUNK_ROTATION: KindWords(
            "Turning the upper back", "How far the upper back turns to the left and to the right.", "5 minutes"
        ),
        Kind.HIP_ROTATION_LEFT: KindWords("Turning the left hip", _HIP, "5 minutes"),
        Kind.HIP_ROTATION_RIGHT: KindWords("Turning the right hip", _HIP, "5 minutes"),
        Kind.REPETITION_SPEED: KindWords(
            "Speed at a known load", "How fast you move the same weight, compared with last time.", "5 minutes"
        ),
        Kind.ENTERED: KindWords("Results entered by hand", "Taken elsewhere and typed in.", ""),
    }
)


@dataclass(frozen=True, slots=True)
class TestWords:
    """One test: its name, what is needed, what to do in order. picture: None for a test that is only entered."""

    name: str
    needs: str = ""
    steps: tuple[str, ...] = ()
    picture: Drawing | None = None


# Words for tests that are only entered, by how they are taken.
_ENTERED = {
    Method.DYNAMOMETER: "Strength",
    Method.REPETITIONS: "Repetitions to tired",
    Method.SPEED: "Repetition speed",
}

VERDICT_WORD = {
    Verdict.BEYOND: "beyond the rule",
    Verdict.WITHIN_RULE: "within the rule",
    Verdict.WITHIN_NOISE: "within test noise",
    Verdict.NOT_MEASURED: "not measured",
}
VERDICT_TONE = {Verdict.BEYOND: "amber", Verdict.WITHIN_NOISE: "plain", Verdict.NOT_MEASURED: "plain"}
HISTORY_WORD = {
    HistoryVerdict.USUAL: "usual for you",
    HistoryVerdict.CHANGED: "changed for you",
    HistoryVerdict.LEARNING: "learning",
}
CHANGE_WORD = {
    ChangeVerdict.IMPROVED: "better",
    ChangeVerdict.WORSE: "less than before",
    ChangeVerdict.WITHIN_NOISE: "within test noise",
    ChangeVerdict.NOT_COMPARABLE: "cannot be compared",
}
CHANGE_TONE = {ChangeVerdict.WORSE: "amber", ChangeVerdict.WITHIN_NOISE: "plain", ChangeVerdict.NOT_COMPARABLE: "plain"}


@cache
def _guided() -> Mapping[AssessmentTest, TestWords]:
    """Return the words of the guided tests; read once. Raises ProgramError when a picture is wrong."""
    file = tomllib.loads(files("coach.web").joinpath("guided_tests.toml").read_text(encoding="utf-8"))
    pictures: dict[str, Drawing | None] = {name: draw(table, name) for name, table in file["drawings"].items()}
    return {
        AssessmentTest(test): TestWords(
            said["name"], said["needs"], tuple(said["steps"]), pictures.get(said["picture"])
        )
        for test, said in file["tests"].items()
    }


def words_of(test: AssessmentTest) -> TestWords:
    """Return what is said of a test."""
    if test in _guided():
        return _guided()[test]
    spec = SPECS[test]
    parts = [_ENTERED[spec.method]]
    if spec.region is not None:
        parts.append(spec.region.value)
    if spec.other is not None:
        parts.append(spec.side.value)
    return TestWords(", ".join(parts))


def test_name(test: AssessmentTest | str) -> str:
    """Return what a test is called."""
    return words_of(AssessmentTest(test)).name


def amount(value: float | None, unit: str, at_least: bool = False) -> str:
    """Return a value as people read it: `58.4 s`, `at least 240 s`, or a dash."""
    if value is None:
        return "–"
    digits = 1 if unit in {"s", "deg"} and abs(value) < 100 else 0
    text = number(value, digits, fixed=True)
    shown = f"{text}°" if unit == "deg" else f"{text}\N{NO-BREAK SPACE}{unit}"
    return f"at least {shown}" if at_least else shown


def trial_amount(trial: Trial) -> str:
    """Return what a trial gave."""
    return amount(trial.value, trial.unit, trial.at_least)


def limit_words(limit: Threshold) -> str:
    """Return a limit with where it comes from."""
    said_already = limit.source.lower().startswith("own heuristic")
    return f"{limit.source} (our own heuristic)" if limit.heuristic and not said_already else limit.source


def seen_sentence(seen: Seen | None) -> str:
    """Return the one sentence of a hold that goes on, for somebody who is busy holding."""
    if seen is None:
        return "The live view is interrupted; the signal is kept. Press Stop when you are done."
    if seen.silent:
        return "Nothing arrives from the sensor. Come closer, or switch it on."
    progress = seen.progress
    if progress is None:
        return "Waiting for the first signal."
    if progress.phase is HoldPhase.HOLDING:
        away = progress.deviation_deg is not None and progress.deviation_deg > _DRIFT_DEG
        return "You are drifting: back to where you began." if away else "Hold. Breathe on."
    if progress.phase in {HoldPhase.LEFT, HoldPhase.OVER}:
        return "That was it. Rest."
    if progress.off_target_deg is None:
        return "Waiting for the first signal."
    if progress.off_target_deg > _NEAR_DEG:
        return f"Take the position: {progress.off_target_deg:.0f}° to go."
    # Lying on the side is as upright as the bridge itself: who rests there has not lifted the hips yet.
    return "Lift into the position and keep still." if progress.still else "Nearly there. Keep still."


def trial_note(trial: TrialView) -> str:
    """Return how a try went, in a sentence."""
    if trial.skipped:
        return f"Left out: {trial.reason}"
    known = trial.known
    if known is None:
        return "Its stored signal is awaited; the result shows here by itself."
    if trial.state is TrialState.ENDED:
        return f"{known.statement} The stored signal is awaited and may correct it."
    if known.needs is None or known.outcome is TrialOutcome.NOT_COMPUTABLE:
        return known.statement
    return f"{known.statement} It needs {known.needs}."


def differs_s(trial: TrialView) -> float | None:
    """Return by how much live view and stored signal differ, in the unit of the test; None when they agree to 0.5."""
    if trial.live is None or trial.result is None or trial.live.value is None or trial.result.value is None:
        return None
    off = trial.result.value - trial.live.value
    return off if abs(off) > 0.5 else None


def install(app: Flask) -> None:
    """Give the words to the templates."""
    for word in (test_name, trial_amount, limit_words, seen_sentence, trial_note, differs_s):
        app.jinja_env.filters[word.__name__] = word
    app.jinja_env.globals["amount"] = amount
    app.jinja_env.globals["test_words"] = words_of
    app.jinja_env.globals["kind_words"] = lambda kind: KINDS[Kind(kind)]
    for name, table in (("verdict", VERDICT_WORD), ("history", HISTORY_WORD), ("change", CHANGE_WORD)):
        app.jinja_env.filters[f"{name}_word"] = table.__getitem__
    app.jinja_env.filters["verdict_tone"] = lambda verdict: VERDICT_TONE.get(verdict, "")
    app.jinja_env.filters["change_tone"] = lambda verdict: CHANGE_TONE.get(verdict, "")
