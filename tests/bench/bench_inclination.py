"""Inclination against an optical reference, beside bare vqf in both its forms.

Run: python -m tests.bench.bench_inclination. The recordings lie where BACKSTOP_RECORDINGS says.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from vqf import VQF, offlineVQF

from coach.analysis.recording import analyse_recording
from coach.analysis.types import AnalysisParams
from devices.types import Chunk, FloatArray
from tests.bench.recorded import recordings

FOLDER = Path(os.environ.get("BACKSTOP_RECORDINGS", Path(__file__).resolve().parents[3] / "shared" / "data"))
CHUNK_S = 5.0


def error_deg(quat: FloatArray, truth: FloatArray) -> float:
    """Return the root mean square of 2 acos(sqrt(w^2 + z^2)) of quat * conj(truth), the data set's own definition."""
    w, x, y, z = quat.T
    a, b, c, d = truth[:, 0], -truth[:, 1], -truth[:, 2], -truth[:, 3]
    ew, ez = w * a - x * b - y * c - z * d, w * d + x * c - y * b + z * a
    angle = np.degrees(2 * np.arccos(np.minimum(np.sqrt(ew**2 + ez**2), 1.0)))
    return float(np.sqrt(np.mean(angle**2)))


def ours(rate_hz: float, acc: FloatArray, gyr: FloatArray) -> FloatArray:
    count = round(CHUNK_S * rate_hz)
    chunks = (
        Chunk("bench", "r", seq, 0.0, first, rate_hz, acc[first : first + count], gyr[first : first + count])
        for seq, first in enumerate(range(0, len(acc), count))
    )
    result = analyse_recording("imu", chunks, AnalysisParams(), keep_series=True)
    assert result.quat is not None
    return result.quat


def measure() -> list[str]:
    """Return the lines of the report."""
    if not (FOLDER / "broad" / "index.csv").is_file():
        return [f"No recordings in {FOLDER}: set BACKSTOP_RECORDINGS to their folder."]
    lines = [
        "Root mean square error in degrees while moving. offlineVQF sees the future and is a yardstick only.",
        "",
        "| recording | whole analysis, 5 s chunks | bare vqf, on line | offlineVQF | analysis without the gyroscope |",
        "|---|---|---|---|---|",
    ]
    rows = []
    for recorded in recordings(FOLDER, "broad"):
        rate_hz = recorded.rate_hz
        acc, gyr = (np.ascontiguousarray(part) for part in (recorded.acc_mps2, recorded.gyr_radps))
        with np.load(FOLDER / "broad" / recorded.row["file"]) as content:
            truth, moving = content["truth_quat"].astype(float), content["truth_movement"]
        seen = moving & np.isfinite(truth).all(axis=1)
        forms = (
            ours(rate_hz, acc, gyr),
            VQF(1 / rate_hz).updateBatch(gyr, acc)["quat6D"],
            offlineVQF(gyr, acc, None, 1 / rate_hz)["quat6D"],
            ours(rate_hz, acc, np.full_like(gyr, np.nan)),
        )
        rows.append([error_deg(quat[seen], truth[seen]) for quat in forms])
        told = " | ".join(f"{value:.2f}" for value in rows[-1])
        lines.append(f"| {recorded.row['trial']} | {told} |")
    return [*lines, "| mean | " + " | ".join(f"{value:.2f}" for value in np.mean(rows, axis=0)) + " |"]


if __name__ == "__main__":
    print("\n".join(measure()))
