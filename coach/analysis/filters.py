"""The one low-pass: causal, so that a stream and a file agree, with a fixed delay that the times are corrected by."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.signal import butter, lfilter, lfilter_zi

from coach.analysis.quality import BoolArray, runs
from devices.types import FloatArray

# Literature's form for posture is a 2nd-order low-pass at 6 Hz run forth and back; here it runs forth only.
CUTOFF_HZ = 6.0
# Own heuristic: at low rates the corner stays clear of half the rate, where the design breaks down.
CUTOFF_RATE_SHARE = 0.4


def _no_memory() -> FloatArray:
    return np.empty((0, 2))


@dataclass(frozen=True, slots=True)
class LowPassState:
    """memory: (channels, 2) the filter's two delayed values of each channel, (0, 2) at the start and in a gap."""

    memory: FloatArray = field(default_factory=_no_memory)


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

    values: (channels, n), finite where valid. valid: (n,); whole: all of it is True. After a gap, and for a channel
    that is new, the filter starts at rest on the first value, so that neither leaves any ringing.
    """
    b, a, rest, _ = _design(rate_hz)
    memory = state.memory
    if whole:
        if len(memory) < len(values):
            memory = np.concatenate((memory, values[len(memory) :, :1] * rest))
        out, after = lfilter(b, a, values, zi=memory)
        return LowPassState(after), out
    out, end = np.full(values.shape, np.nan), 0
    for first, end in runs(valid):
        kept = memory if not first else memory[:0]
        initial = np.concatenate((kept, values[len(kept) :, first : first + 1] * rest))
        out[:, first:end], memory = lfilter(b, a, values[:, first:end], zi=initial)
    return LowPassState(memory if end == valid.size and end else _no_memory()), out
