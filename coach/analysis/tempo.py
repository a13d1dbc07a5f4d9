"""The tempo of a set.

Source: medians of what was measured; which way is the eccentric one depends on the exercise and is not said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coach.analysis.motion_types import Repetition


@dataclass(frozen=True, slots=True)
class Tempo:
    """Medians over a set. up_s, hold_s, down_s: there, held, back. cycle_cv: spread of the cycle times, 0 for even."""

    up_s: float
    hold_s: float
    down_s: float
    rom_deg: float
    peak_rate_degps: float
    cycle_cv: float


def estimate_tempo(repetitions: Sequence[Repetition]) -> Tempo:
    """Return the tempo of one set's repetitions, of which there is at least one."""
    starts = np.array([each.start_s for each in repetitions])
    cycles = starts[1:] - starts[:-1]
    return Tempo(
        _median([each.up_s for each in repetitions]),
        _median([each.hold_s for each in repetitions]),
        _median([each.down_s for each in repetitions]),
        _median([each.rom_deg for each in repetitions]),
        _median([each.peak_rate_degps for each in repetitions]),
        float(np.std(cycles, ddof=1) / np.mean(cycles)) if cycles.size > 1 else 0.0,
    )


def _median(values: list[float]) -> float:
    return float(np.median(values))
