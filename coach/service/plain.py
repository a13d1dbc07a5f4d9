"""Prescriptions as JSON values and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from programs.types import (
    Category,
    Dose,
    Exercise,
    Phase,
    Plane,
    PrescribedExercise,
    Prescription,
    RestRule,
    SeenAs,
)

_LISTS = ("answers", "levels", "cues", "contraindications", "equipment")
_KINDS = {"plane": Plane, "category": Category, "phase": Phase, "seen_as": SeenAs}


def prescription_to_plain(prescription: Prescription) -> dict[str, Any]:
    """Return JSON values."""
    return {**asdict(prescription), "exercises": exercises_to_plain(prescription.exercises)}


def prescription_from_plain(plain: dict[str, Any]) -> Prescription:
    """Return the prescription that `prescription_to_plain` was given."""
    return Prescription(
        **{
            **plain,
            "exercises": exercises_from_plain(plain["exercises"]),
            "rest": tuple(RestRule(**rule) for rule in plain["rest"]),
        }
    )


def exercises_to_plain(exercises: tuple[PrescribedExercise, ...]) -> list[dict[str, Any]]:
    """Return JSON values; what an exercise is stands beside those that no library has."""
    plain = [asdict(exercise) for exercise in exercises]
    return [each if each["own"] is not None else {k: v for k, v in each.items() if k != "own"} for each in plain]


def exercises_from_plain(plain: list[dict[str, Any]]) -> tuple[PrescribedExercise, ...]:
    """Return what `exercises_to_plain` was given."""
    return tuple(
        PrescribedExercise(
            **{
                **each,
                "dose": _dose(each["dose"]),
                "own": exercise_from_plain(each["own"]) if each.get("own") else None,
            }
        )
        for each in plain
    )


def exercise_from_plain(plain: dict[str, Any]) -> Exercise:
    """Return what an exercise is, from its values as JSON."""
    lists = {name: tuple(plain[name]) for name in _LISTS}
    kinds = {name: kind(plain[name]) for name, kind in _KINDS.items()}
    return Exercise(**{**plain, **lists, **kinds, "dose_by_level": tuple(map(_dose, plain["dose_by_level"]))})


def _dose(plain: dict[str, Any]) -> Dose:
    return Dose(**{**plain, "repetitions": tuple(plain["repetitions"])})
