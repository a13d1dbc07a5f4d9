"""A second, plain counter for the bench: the published recipe on the marked part of a set; no part of the product.

Source: Morris, Saponas, Guillory and Kelner 2014 (CHI), section on counting: smooth, one principal axis, period by
autocorrelation, peaks at least three quarters of a period apart, those below half of the 40th percentile dropped.
It shares no code with coach/analysis, so where both agree and the person's note does not, the note is in doubt.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from devices.types import FloatArray

# Periods of exercise, s (the recipe's own range).
_PERIOD_S = (0.75, 8.0)


def plain_count(acc_mps2: FloatArray, rate_hz: float) -> int:
    """Return the number of repetitions in a stretch of acceleration (n, 3) that holds nothing but a set."""
    smooth = sosfiltfilt(butter(2, [0.1, 2.0], "bandpass", fs=rate_hz, output="sos"), acc_mps2, axis=0)
    centred = smooth - smooth.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    course = centred @ axis
    counts = [_peaks(sign * course, rate_hz) for sign in (1.0, -1.0)]
    # The clearer direction has the more even peaks.
    return min(counts, key=lambda found: found[1])[0]


def _peaks(course: FloatArray, rate_hz: float) -> tuple[int, float]:
    """Return how many peaks there are, and how uneven their distances are."""
    spectrum = np.abs(np.fft.rfft(course, 2 * course.size)) ** 2
    alike = np.fft.irfft(spectrum)[: course.size]
    low, high = (round(period * rate_hz) for period in _PERIOD_S)
    high = min(high, course.size // 2)
    tops, _ = find_peaks(alike[low:high])
    period = low + int(tops[np.argmax(alike[low:high][tops])]) if tops.size else high
    peaks, _ = find_peaks(course, distance=max(round(0.75 * period), 1), height=0.0)
    if peaks.size < 2:
        return peaks.size, 1.0
    peaks = peaks[course[peaks] >= 0.5 * np.percentile(course[peaks], 40)]
    steps = np.diff(peaks)
    return peaks.size, float(np.std(steps) / np.mean(steps)) if steps.size else 1.0
