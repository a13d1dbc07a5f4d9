"""Swings and throws of one sensor as plain JSON values and as a line for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coach.analysis.swing_types import Swing, Turn


def swing_document(swings: Sequence[Swing]) -> list[dict[str, Any]]:
    """Return each swing. Times in s from the recording's first sample."""
    return [
        {
            "time_s": round(swing.time_s, 3),
            "peak_degps": round(swing.peak_degps, 1),
            "clipped": swing.clipped,
            "turn": swing.turn.value if swing.turn else None,
            "since_last_s": None if swing.since_last_s is None else round(swing.since_last_s, 3),
        }
        for swing in swings
    ]


def swing_lines(swings: Sequence[Swing]) -> list[str]:
    """Return one line on all of them, none for none."""
    if not swings:
        return []
    peaks = [swing.peak_degps for swing in swings]
    left, right = (sum(swing.turn is side for swing in swings) for side in Turn)
    least = "at least " if any(swing.clipped for swing in swings) else ""
    return [
        f"{len(swings)} swings or throws ({left} to the left, {right} to the right), "
        f"median peak {np.median(peaks):.0f}°/s, fastest {least}{max(peaks):.0f}°/s"
    ]
