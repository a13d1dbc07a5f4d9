"""Prescriptions as JSON values and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from programs.types import Dose, PrescribedExercise, Prescription, RestRule


def prescription_to_plain(prescription: Prescription) -> dict[str, Any]:
    """Return JSON values."""
    return asdict(prescription)


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
    """Return JSON values."""
    return [asdict(exercise) for exercise in exercises]


def exercises_from_plain(plain: list[dict[str, Any]]) -> tuple[PrescribedExercise, ...]:
    """Return what `exercises_to_plain` was given."""
    return tuple(
        PrescribedExercise(
            **{
                **each,
                "dose": Dose(**{**each["dose"], "repetitions": tuple(each["dose"]["repetitions"])}),
            }
        )
        for each in plain
    )
