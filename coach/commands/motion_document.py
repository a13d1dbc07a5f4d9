"""Exercise of one sensor as plain JSON values and as lines for a person. Times in s from the first sample."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from coach.analysis.fatigue import Fatigue, FatigueParams, alike, assess_session, assess_set, repeats_of
from coach.analysis.guided import sides
from coach.analysis.motion_types import ActivityKind, Hold, Motion, Repetition, Segment
from coach.analysis.tempo import estimate_tempo
from coach.analysis.types import NotComputable

FATIGUE = FatigueParams()


def motion_document(motion: Motion) -> dict[str, Any]:
    """Return segments, sets, repetitions and holds."""
    return {
        "segments": [
            {"kind": item.kind.value, **_times(item), "count": item.count, "per_min": round(item.per_min, 1)}
            for item in motion.segments
        ],
        "sets": [_set(item, motion) for item in motion.segments if item.kind is ActivityKind.EXERCISE],
        "repetitions": [_plain(item) for item in motion.repetitions],
        "session_fatigue": _fatigue(assess_session(FATIGUE, repeats_of(alike(_by_set(motion))))),
        "holds": [{**_plain(item), "duration_s": round(item.duration_s, 3)} for item in motion.holds],
    }


def with_sides(sensors: dict[str, dict[str, Any]], motions: dict[str, Motion]) -> dict[str, dict[str, Any]]:
    """Add to the repetitions of each pair of sensors, <name>_left and <name>_right, the side that did them."""
    for place in motions:
        other = place.removesuffix("_left") + "_right"
        if place.endswith("_left") and other in motions:
            told = sides(motions[place], motions[other])
            for name, own in ((place, told[0]), (other, told[1])):
                for item, side in zip(sensors[name]["repetitions"], own, strict=True):
                    item["side"] = side.value
    return sensors


def motion_lines(motion: Motion) -> list[str]:
    """Return a line for each set and each walk."""
    lines = []
    for item in motion.segments:
        when = f"{item.start_s:.1f}–{item.end_s:.1f} s"
        if item.kind is ActivityKind.WALKING:
            lines.append(f"walking {when}: about {item.count} steps, {item.per_min:.0f} a minute")
            continue
        tempo = _set(item, motion)["tempo"]
        text = (
            f"set {item.number_of_set} {when}: {_repetitions(item.count)}, ROM {tempo['rom_deg']:.0f}°, "
            f"{tempo['up_s']:.1f} s there, {tempo['down_s']:.1f} s back"
        )
        held = [hold for hold in motion.holds if hold.number_of_set == item.number_of_set]
        tired = assess_set(
            FATIGUE, repeats_of([r for r in motion.repetitions if r.number_of_set == item.number_of_set])
        )
        if isinstance(tired, Fatigue) and tired.flagged:
            text += f"; towards its end {', '.join(sign.value for sign in tired.signs)}"
        if held:
            kept = [hold for hold in held if hold.on_target]
            word = "hold" if len(kept) == 1 else "holds"
            text += f"; {len(kept)} {word} of {np.median([hold.duration_s for hold in kept or held]):.1f} s"
            if len(held) > len(kept):
                text += f", {len(held) - len(kept)} more short of the first ones"
        lines.append(text)
    return lines


def _set(item: Segment, motion: Motion) -> dict[str, Any]:
    repetitions = [each for each in motion.repetitions if each.number_of_set == item.number_of_set]
    return {
        "number": item.number_of_set,
        **_times(item),
        "repetitions": item.count,
        "tempo": {name: round(value, 3) for name, value in asdict(estimate_tempo(repetitions)).items()},
        "fatigue": _fatigue(assess_set(FATIGUE, repeats_of(repetitions))),
    }


def _by_set(motion: Motion) -> list[list[Repetition]]:
    numbers = dict.fromkeys(each.number_of_set for each in motion.repetitions)
    return [[each for each in motion.repetitions if each.number_of_set == number] for number in numbers]


def _fatigue(found: Fatigue | NotComputable) -> dict[str, Any]:
    if isinstance(found, NotComputable):
        return {"not_computable": found.needs}
    plain = asdict(found)
    plain["signs"] = [sign.value for sign in found.signs]
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in plain.items()}


def _times(item: Segment) -> dict[str, float]:
    return {"start_s": round(item.start_s, 3), "end_s": round(item.end_s, 3)}


def _plain(item: Repetition | Hold) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(item).items()}


def _repetitions(count: int) -> str:
    return "1 repetition" if count == 1 else f"{count} repetitions"
