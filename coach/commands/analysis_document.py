"""One sensor's result as plain JSON values: times in s from the recording's first sample, shares 0 to 1."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from coach.analysis.integrity import Integrity
from coach.analysis.recording import RecordingResult
from coach.analysis.types import Bend, Direction, Exposure, Quality, SensorSummary
from coach.commands.motion_document import motion_document
from coach.commands.swing_document import swing_document


def sensor_document(result: RecordingResult, more: tuple[Quality, ...] = ()) -> dict[str, Any]:
    """Return everything said about one sensor. more: what else is wrong with its samples, known from the file alone."""
    summary = result.summary
    return {
        "rate_hz": summary.rate_hz,
        "coverage_share": round(summary.coverage_share, 6),
        "reference": summary.reference.value if summary.reference else None,
        "orientation": _orientation(summary),
        "quality": [_quality(item) for item in (*summary.quality, *more)],
        "integrity": _integrity(summary.integrity) if summary.integrity else None,
        **motion_document(result.motion),
        "swings": swing_document(result.swings),
        "bends": [_bend(item) for item in result.bends],
        "posture": _exposure(summary.posture),
        "static": {
            **{name: round(value, 3) for name, value in asdict(summary.static).items()},
            "holds": [{name: _rounded(value) for name, value in asdict(item).items()} for item in result.static_holds],
        },
        "direction": _direction(summary.direction) if summary.direction else None,
        "lying": _lying(result),
        "cycles": [{"range_deg": range_deg, "count": count} for range_deg, count in summary.cycles],
    }


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _orientation(summary: SensorSummary) -> dict[str, Any]:
    error, bias = summary.inclination_error_deg, summary.gyroscope_bias_degps
    return {
        "from": summary.orientation.value if summary.orientation else None,
        "inclination_error_rms_deg": error[0] if error else None,
        "inclination_error_worst_recording_deg": error[1] if error else None,
        "gyroscope_bias_degps": [round(value, 4) for value in bias] if bias else None,
    }


def _quality(item: Quality) -> dict[str, Any]:
    return {"flag": item.flag.value, "what": item.what, "fatal": item.fatal}


def _integrity(received: Integrity) -> dict[str, Any]:
    plain = asdict(received)
    del plain["not_computable"]
    return {name: _rounded(value) for name, value in plain.items()}


def _exposure(spent: Exposure) -> dict[str, Any]:
    shifted = spent.share_above_shifted
    return {
        "covered_s": round(spent.covered_s, 3),
        "share_above_deg": {f"{t:g}": round(share, 6) for t, share in spent.share_above.items()},
        "share_above_5_deg_less": {f"{t:g}": round(pair[0], 6) for t, pair in shifted.items()},
        "share_above_5_deg_more": {f"{t:g}": round(pair[1], 6) for t, pair in shifted.items()},
        "excursions_per_h": {f"{t:g}": round(count, 3) for t, count in spent.excursions_per_h.items()},
        "percentiles_deg": {str(percent): angle for percent, angle in spent.percentiles_deg.items()},
    }


def _direction(told: Direction) -> dict[str, Any]:
    return {
        "source": told.source.value,
        "known_since_s": round(told.known_since_s, 3),
        **{name: _exposure(getattr(told, name)) for name in ("forward", "backward", "left", "right")},
    }


def _lying(result: RecordingResult) -> dict[str, Any] | None:
    lying = result.summary.lying
    if lying is None:
        return None
    return {
        "known_since_s": round(lying.known_since_s, 3),
        "duration_s": {side.value: round(duration, 3) for side, duration in lying.duration_s.items()},
        "stretches": [
            {"start_s": round(item.start_s, 3), "end_s": round(item.end_s, 3), "side": item.side.value}
            for item in result.lying
        ],
    }


def _bend(item: Bend) -> dict[str, float]:
    return {
        "start_s": round(item.start_s, 3),
        "peak_s": round(item.peak_s, 3),
        "end_s": round(item.end_s, 3),
        "rom_deg": round(item.rom_deg, 2),
    }
