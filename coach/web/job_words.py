"""The ergonomic models, their inputs and their numbers as words."""

from __future__ import annotations

from typing import Any

from flask import Flask

from coach.analysis.ergonomics.types import Confidence
from coach.service.jobs import Count, Counted
from coach.web.units import Quantity, filled, to_si, unit
from coach.written import entered_number

# Model -> what it is asked about, and what it answers.
MODEL_WORDS: dict[str, tuple[str, str]] = {
    "lifft": ("Lifting, a workday of tasks", "how much the lower back takes in a workday, and which task most of it"),
    "niosh": ("One kind of lift", "how the load compares with what the equation recommends for it"),
    "niosh-composite-short": ("Several kinds of lift, up to 1 hour", "all of them as one lifting index"),
    "niosh-composite-moderate": ("Several kinds of lift, up to 2 hours", "all of them as one lifting index"),
    "niosh-composite-long": ("Several kinds of lift, 2 to 8 hours", "all of them as one lifting index"),
    "shoulder": ("Work with one arm", "how much the shoulder takes in a workday"),
    "duet": ("Work with the hands", "how much hand and forearm take in a workday"),
    "strain-index": ("Hand work with effort", "one index of effort, pace, posture and time"),
    "hal": ("Hand activity", "how busy the hands are, 0 to 10, and against their force"),
    "tendon": ("Stress in a tendon", "the share of a nominal life, from stress and cycles"),
}
FIELD_WORDS: dict[str, tuple[str, str]] = {
    "load_kg": ("Load", "kg"),
    "load": ("Load", "kg, or lb"),
    "limit": ("Limit without frequency", "in the load's unit"),
    "reach_m": ("Reach", "m, from the hip or shoulder to the load"),
    "repetitions": ("Repetitions", "a workday"),
    "cycles": ("Cycles", "in all"),
    "stress_percent": ("Stress", "% of the ultimate"),
    "effort": ("Effort", "0 nothing to 10 the most one can"),
    "push_or_pull": ("Pushing or pulling", ""),
    "horizontal": ("Hands before the ankles, H", "cm, or in"),
    "vertical": ("Hands above the floor, V", "cm, or in"),
    "distance": ("Lifted by, D", "cm, or in"),
    "asymmetry_deg": ("Turned by", "degrees"),
    "per_min": ("Lifts", "a minute"),
    "duration_h": ("Lifting for", "hours"),
    "recovery_h": ("Then light work for", "hours"),
    "coupling": ("Grip", ""),
    "units": ("Units", "of load and lengths; left open: kg and cm"),
    "conditions": ("What is special, joined by +", "else leave it open"),
    "low": ("Hands begin below 75 cm", ""),
    "effort_share": ("Effort", "0 to 1 of the strongest"),
    "efforts_per_min": ("Efforts", "a minute"),
    "effort_duration_s": ("One effort lasts", "s"),
    "wrist_deg": ("Wrist bent by", "degrees"),
    "wrist": ("Wrist bent into", ""),
    "hours_per_day": ("Work of this kind", "hours a day"),
    "frequency_hz": ("Efforts", "a second"),
    "duty_percent": ("Time in effort", "% of the time"),
    "peak_force": ("Peak force", "0 to 10, may stay open"),
}
VALUE_WORDS: dict[str, str] = {
    "damage": "damage a workday, by the model",
    "high_incidence_job_probability": "of jobs with this damage, the share that had many back complaints",
    "group_outcome_probability": "of people with such work, the share with complaints in the study",
    "recommended_weight_limit": "recommended weight limit",
    "frequency_independent_limit": "limit without frequency",
    "lifting_index": "lifting index: load over limit; 1 or less is the guide",
    "composite_lifting_index": "lifting index of all tasks; 1 or less is the guide",
    "strain_index": "strain index; 10 or less is the guide",
    "hand_activity_level": "hand activity level, 0 to 10",
    "damage_share": "share of the nominal life",
}
BACKED_WORDS: dict[Confidence, str] = {
    Confidence.A: "A: its constants were read at the source, and its published examples come out",
    Confidence.B: "B: its constants are recalled and checked against other texts, not read at the source",
    Confidence.HEURISTIC: "an own heuristic: no publication states it",
}
# Inputs that a row keeps in SI, and a form shows in the reader's units; the others have their own choice of unit.
QUANTITY_OF_FIELD = {"load_kg": Quantity.MASS, "reach_m": Quantity.REACH}
_SHARES = ("_probability", "damage_share")


def model_words(model: str) -> tuple[str, str]:
    """Return what a model is asked about and what it answers."""
    return MODEL_WORDS.get(model, (model, ""))


def field_words(field: str) -> tuple[str, str]:
    """Return an input's label and its unit."""
    label, after = FIELD_WORDS.get(field, (field.replace("_", " "), ""))
    if field in QUANTITY_OF_FIELD:
        # The first word is the unit.
        after = " ".join([unit(QUANTITY_OF_FIELD[field]) + ("," if "," in after else ""), *after.split()[1:]])
    return label, after


def field_value(field: str, text: str) -> str:
    """Return an input as the reader writes it, in their units."""
    if field not in QUANTITY_OF_FIELD:
        return text.replace("_", " ")
    try:
        return filled(float(text), QUANTITY_OF_FIELD[field])
    except ValueError:
        return text


def field_in_si(field: str, text: str) -> str:
    """Return what was typed for an input as a row keeps it; what is no number is left for whoever refuses it."""
    if field not in QUANTITY_OF_FIELD:
        return text
    try:
        return f"{to_si(entered_number(text), QUANTITY_OF_FIELD[field]):.9g}"
    except ValueError:
        return text


def value_words(name: str) -> str:
    """Return what a number of an answer is."""
    if name in VALUE_WORDS:
        return VALUE_WORDS[name]
    for start, words in (("share_of_task_", "of it from task "), ("index_of_task_", "index of task ")):
        if name.startswith(start):
            return words + name.removeprefix(start)
    return name.replace("_", " ")


def value_amount(name: str, value: float) -> str:
    """Return a number as people read it: shares in percent, small ones not as a row of noughts."""
    if any(part in name for part in _SHARES) or name.startswith("share_of"):
        return f"{100 * value:.0f} %"
    return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.2f}".rstrip("0").rstrip(".")


def backed_words(confidence: Confidence) -> str:
    """Return how well a model's constants are backed, with what the letter stands for."""
    return BACKED_WORDS[confidence]


def counted_words(counted: Counted) -> str:
    """Return what the wearable saw, or what is missing."""
    name = {Count.BENDS: "bends", Count.REPETITIONS: "repetitions", Count.STROKES: "swings or throws"}[counted.what]
    if counted.count is None:
        where = "a trunk sensor" if counted.what is Count.BENDS else "a sensor"
        return f"{name}: not enough data, needs {where} worn on that day"
    minutes = round(counted.covered_s / 60)
    worn = f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
    return f"{counted.count} {name} in {worn} worn; what was not worn is not in it"


def install(app: Flask) -> None:
    """Give the templates these words."""
    words: dict[str, Any] = {
        each.__name__: each
        for each in (model_words, field_words, field_value, value_words, value_amount, backed_words, counted_words)
    }
    app.jinja_env.globals.update(words)
    app.jinja_env.tests["instance_of"] = isinstance
