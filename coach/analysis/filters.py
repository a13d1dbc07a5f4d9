"""The one low-pass: causal, so that a stream and a file agree, with a fixed delay that the times are corrected by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import butter, lfilter, lfilter_zi

from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray

# Literature's form for posture is a 2nd-order low-pass at 6 Hz run forth and back; here it runs forth only.
CUTOFF_HZ = 6.0
# Own heuristic: at low rates the corner stays clear of half the rate, where the design breaks down.
CUTOFF_RATE_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class LowPassState:
    """memory: the filter's two delayed values, empty at the start and in a gap."""

    memory: tuple[float, ...] = ()


@lru_cache(maxsize=64)
def _design(rate_hz: float) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    b, a = butter(2, min(CUTOFF_HZ, CUTOFF_RATE_SHARE * rate_hz), fs=rate_hz)
    order = np.arange(3)
    # Group delay at frequency zero of B(z)/A(z), in samples.
    delay = float((order * b).sum() / b.sum() - (order * a).sum() / a.sum())
    return b, a, lfilter_zi(b, a), delay / rate_hz


def delay_s(rate_hz: float) -> float:
    """Return how late the filter is for slow motion, in s (about 0.038 s at 6 Hz)."""
    return _design(rate_hz)[3]


def low_pass(
    state: LowPassState, rate_hz: float, values: FloatArray, valid: BoolArray, whole: bool
) -> tuple[LowPassState, FloatArray]:
    """Filter consecutive values of the grid; NaN where `valid` is False.

    values: (n,), finite where valid. valid: (n,); whole: all of it is True. After a gap the filter starts at rest on
    the first value, so that a gap leaves no ringing.
    """
    b, a, rest, _ = _design(rate_hz)
    out = np.empty(values.size) if whole else np.full(values.size, np.nan)
    memory, end = state.memory, 0
    for first, end in ((0, values.size),) if whole else runs(valid):
        initial = np.asarray(memory) if memory and not first else rest * values[first]
        out[first:end], after = lfilter(b, a, values[first:end], zi=initial)
        memory = (float(after[0]), float(after[1]))
    return LowPassState(memory if end == values.size else ()), out
