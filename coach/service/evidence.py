"""The because of an answer, as JSON values that follow from stored data and the edition only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from coach.analysis.detectors.types import Answer, Threshold, Thresholds, Window
from coach.analysis.types import ALGORITHM_NAME, ALGORITHM_VERSION
from coach.service.canonical import plain
from coach.service.editions import Edition


def because_of(answer: Answer, edition: Edition, place: str | None) -> dict[str, Any]:
    """Return the whole evidence of an answer.

    window: from the first to the last of the windows, with the first one's recording; None where there is none.
    threshold: the same limits as thresholds, number by name. source: the different sources of them, in order.
    """
    return {
        "window": _whole(answer.windows),
        "windows": [_window(each) for each in answer.windows],
        "values": plain(answer.values),
        "threshold": {name: each.value for name, each in answer.thresholds.items()},
        "thresholds": _thresholds(answer.thresholds),
        "source": _sources(answer),
        "flags": [
            {
                "name": flag.name,
                "value": flag.value,
                "unit": flag.threshold.unit,
                "threshold": plain(flag.threshold),
                "statement": flag.statement,
            }
            for flag in answer.flags
        ],
        "baseline": plain(answer.baseline),
        "learning_day": answer.learning_day,
        "coverage_share": answer.coverage_share,
        "place": place,
        "algorithm": {"name": ALGORITHM_NAME, "version": ALGORITHM_VERSION},
        "edition": edition.id,
        "profile": {"id": edition.profile.id, "version": edition.profile.version},
        "limits": [*answer.limits, *edition.profile.cannot_see],
        "would_change": answer.would_change,
        "parameters": edition.parameters["analysis"],
    }


def _whole(windows: tuple[Window, ...]) -> dict[str, Any] | None:
    if not windows:
        return None
    start, end = min(each.start_utc_s for each in windows), max(each.end_utc_s for each in windows)
    return _window(Window(start, end, windows[0].stream_id))


def _window(window: Window) -> dict[str, Any]:
    return {
        "start_utc": _utc(window.start_utc_s),
        "end_utc": _utc(window.end_utc_s),
        "stream_id": window.stream_id,
    }


def _utc(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).isoformat()


def _thresholds(thresholds: Thresholds) -> list[dict[str, Any]]:
    return [{"name": name, **plain(each)} for name, each in thresholds.items()]


def _sources(answer: Answer) -> str:
    """Return where the limits come from, each source once; a source of our own says so already."""
    limits: list[Threshold] = [*answer.thresholds.values(), *(flag.threshold for flag in answer.flags)]
    sources = dict.fromkeys(each.source.rstrip(".") for each in limits)
    return ". ".join(sources) + "." if sources else ""
