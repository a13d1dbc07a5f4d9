"""Change the rate of a sampled signal by band-limited interpolation: a Kaiser-windowed sinc, numpy only.

Each output sample is a weighted sum of the input samples around it; the weights are a low-pass whose cutoff lies below
the lower of the two Nyquist rates, so that going down does not alias and going up does not leave images. The signal
passes within 0.1 % up to 0.8 of the lower Nyquist rate and is at least 80 dB down from the Nyquist rate on. The ends
are continued with the first and the last sample. No delay: sample k of the output is the signal at k / new rate.
Source: Oppenheim and Schafer, Discrete-Time Signal Processing, Kaiser window design (equations 7.75 and 7.76).
"""

from __future__ import annotations

import numpy as np

from devices.types import FloatArray

# Kaiser's formula for 80 dB: 0.1102 (80 - 8.7).
_BETA = 7.857
# Zero crossings of the sinc on each side; with 80 dB this makes a transition of 0.21 of the cutoff.
_CROSSINGS = 24
# Puts the upper edge of that transition on the lower Nyquist rate.
_CUTOFF_SHARE = 0.905
# Output samples worked on at once, so that an hour's recording needs no gigabyte.
_BLOCK = 4096


def resampled(values: FloatArray, rate_hz: float, new_rate_hz: float) -> FloatArray:
    """Return `values` (n, k) taken at rate_hz as (m, k) at new_rate_hz, covering the same time; NaN is not allowed."""
    if rate_hz == new_rate_hz:
        return values
    # The last input sample stands for its own interval too.
    count = int(len(values) / rate_hz * new_rate_hz + 1e-6)
    cutoff = _CUTOFF_SHARE * min(1.0, new_rate_hz / rate_hz) / 2  # in cycles per input sample
    half = int(np.ceil(_CROSSINGS / (2 * cutoff)))
    padded = np.pad(values, ((half, half + 1), (0, 0)), mode="edge")
    out = np.empty((count, values.shape[1]))
    taps = np.arange(-half + 1, half + 1)
    for start in range(0, count, _BLOCK):
        at = np.arange(start, min(count, start + _BLOCK)) * (rate_hz / new_rate_hz)
        below = np.floor(at).astype(np.int64)
        away = taps[None, :] - (at - below)[:, None]
        inside = np.clip(1 - (away / half) ** 2, 0, None)
        weights = np.sinc(2 * cutoff * away) * np.i0(_BETA * np.sqrt(inside)) * (np.abs(away) <= half)
        # Exactly one for a constant, whatever the offset between the grids.
        weights /= weights.sum(axis=1, keepdims=True)
        out[start : start + len(at)] = np.einsum("mt,mtk->mk", weights, padded[below[:, None] + taps + half])
    return out
