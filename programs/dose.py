"""How long a dose takes, how people read it, how it is made lighter."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from programs.types import Dose

# Own heuristic: a calm counted repetition, 2 s there and 2 s back.
REPETITION_S = 4.0
# Own heuristic: setting down, a breath and lifting again between two holds.
HOLD_CHANGE_S = 2.0
# Own heuristic: reading the next exercise and getting into position.
EXERCISE_CHANGE_S = 20.0
# A deload keeps 50 to 60 % of the volume. Own heuristic (common practice; no trial behind the figures).
DELOAD_MIN_SHARE = 0.5
DELOAD_MAX_SHARE = 0.6


def duration_s(dose: Dose) -> float:
    """Return how long a dose takes in s, rests between sets included.

    Sides alternate set by set, so that the rest stands once between two rounds. Source: own heuristic, see
    docs/decisions/0003-programs.md.
    """
    one_s = REPETITION_S if dose.hold_s is None else dose.hold_s + HOLD_CHANGE_S
    sides = 2 if dose.per_side else 1
    return sum(dose.repetitions) * one_s * sides + dose.rest_s * (len(dose.repetitions) - 1)


def session_duration_min(doses: Iterable[Dose]) -> int:
    """Return the whole minutes that a session of these doses takes, rounded up, changes of exercise included.

    Source: own heuristic, see docs/decisions/0003-programs.md.
    """
    durations = [duration_s(dose) for dose in doses]
    return math.ceil((sum(durations) + EXERCISE_CHANGE_S * max(0, len(durations) - 1)) / 60)


def text(dose: Dose) -> str:
    """Say a dose for people: `3 sets of 6, 4, 2 holds of 10 s, each side, 20 s rest`, `5 min`. Source: own wording."""
    counts = dose.repetitions
    if dose.hold_s is not None and counts == (1,):
        # Of a walk or lying down: nobody counts one set of it.
        return _time(dose.hold_s) + (", each side" if dose.per_side else "")
    sets = f"{len(counts)} set" if len(counts) == 1 else f"{len(counts)} sets"
    number = str(counts[0]) if len(set(counts)) == 1 else ", ".join(map(str, counts))
    unit = "" if dose.hold_s is None else f" hold{'' if max(counts) == 1 else 's'} of {_time(dose.hold_s)}"
    side = ", each side" if dose.per_side else ""
    rest = f", {dose.rest_s:g} s rest" if len(counts) > 1 and dose.rest_s else ""
    return f"{sets} of {number}{unit}{side}{rest}"


def _time(duration_s: float) -> str:
    minutes, rest_s = divmod(duration_s, 60)
    return f"{minutes:g} min" if minutes > 1 and not rest_s else f"{duration_s:g} s"


def without_last_set(dose: Dose) -> Dose:
    """Return the dose with one set less; a single set stays. Source: own heuristic (a shorter session)."""
    return replace(dose, repetitions=dose.repetitions[:-1]) if len(dose.repetitions) > 1 else dose


def lighter(dose: Dose) -> Dose:
    """Return the dose of a deload week: the last sets go while half of the volume stays, then single repetitions.

    The result has 50 to 60 % of the repetitions where whole numbers allow it, else the next fewer, and at least one;
    never longer holds, never a longer set. Source: own heuristic, see docs/decisions/0003-programs.md.
    """
    volume = sum(dose.repetitions)
    counts = list(dose.repetitions)
    while len(counts) > 1 and sum(counts[:-1]) >= DELOAD_MIN_SHARE * volume:
        counts.pop()
    while sum(counts) > DELOAD_MAX_SHARE * volume and max(counts) > 1:
        most = max(counts)
        counts[len(counts) - 1 - counts[::-1].index(most)] -= 1
    return replace(dose, repetitions=tuple(counts))
