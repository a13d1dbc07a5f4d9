"""`backstop analyze FILE...`: the same analysis as on line, over recordings on disk."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coach.analysis.errors import AnalysisError
from coach.analysis.findings import REPEATED_BENDING, TRUNK_PLACES
from coach.analysis.guided import GUIDES, guided_params
from coach.analysis.motion_types import MotionParams
from coach.analysis.recording import RecordingResult, analyse_recording
from coach.analysis.soundness import assess_jitter
from coach.analysis.stream import BLOCK
from coach.analysis.swing_types import SwingKind
from coach.analysis.types import ALGORITHM_NAME, ALGORITHM_VERSION, AnalysisParams, OrientationFrom, Quality
from coach.commands.analysis_document import sensor_document
from coach.commands.motion_document import motion_lines, with_sides
from coach.commands.options import add_config_option
from coach.commands.swing_document import swing_lines
from coach.config import load
from coach.errors import InvalidInput
from coach.service.profiles import GENERAL, analysis_params, load_profile
from devices.errors import DeviceError
from devices.files import KNOWN, read_recordings
from devices.files.recording import RecordingFile
from devices.types import Placement

# A sensor with less carries too little to say anything about.
MIN_COVERED_S = 1.0
TRUNK_ONLY = frozenset({REPEATED_BENDING, "lying", "direction"})
DISCLAIMER = "Posture and training information, not a diagnosis."


@dataclass(frozen=True, slots=True)
class FileResult:
    """sensors: by place. short: sensors that keep less than a second, with the seconds they keep."""

    recording: RecordingFile
    sensors: dict[str, RecordingResult]
    short: dict[str, float]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `analyze`."""
    parser = subparsers.add_parser("analyze", help="analyse recordings on disk")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=f"file, zip or folder: {KNOWN}")
    parser.add_argument("--json", action="store_true", help="one JSON document per file and line")
    parser.add_argument("--series", type=Path, metavar="OUT.npz", help="write orientation and inclination per sample")
    parser.add_argument(
        "--profile",
        default=GENERAL,
        metavar="ID|FILE",
        help="sport or work whose limits hold: an id, or a file ending in .toml (default: general)",
    )
    kinds = ", ".join(SwingKind)
    parser.add_argument("--swings", metavar="SPORT", help=f"count swings or throws of a sport: {kinds}")
    parser.add_argument(
        "--place",
        metavar="NAME",
        help="analyse this sensor only; where a file of one sensor does not tell: where it was worn, like lower_back",
    )
    parser.add_argument("--exercise", metavar="NAME", help=f"guided: the exercise is known: {', '.join(GUIDES)}")
    parser.add_argument("--side", choices=("left", "right"), help="guided: leave out the sensors of the other side")
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Analyse each file; a wrong one gets its sentence and the others their result. Returns 2 if any was wrong."""
    if args.series is not None:
        _check_series(args.files, args.series)
    config = load(args.config)
    params = analysis_params(config, load_profile(config, args.profile))
    if args.swings is not None:
        params = replace(params, swing=_sport(args.swings))
    if args.exercise is not None:
        params = replace(params, motion=_guided(args.exercise))
    status = 0
    for path in args.files:
        try:
            results = analyse_file(path, params, args.place, keep_series=args.series is not None, side=args.side)
            if args.series is not None:
                write_series(args.series, results)
        except (DeviceError, InvalidInput) as error:
            print(f"backstop analyze: {error}", file=sys.stderr)
            status = 2
            continue
        for result in results:
            _say(json.dumps(document(result), allow_nan=False) if args.json else "\n".join(lines(result, params.swing)))
    return status


def analyse_file(
    path: Path, params: AnalysisParams, place: str | None, keep_series: bool = False, side: str | None = None
) -> tuple[FileResult, ...]:
    """Read the recordings of a path and analyse their sensors, or the one at `place`, or those not on the other side.

    Raises UnknownFormat for a file of another form, InvalidInput when no sensor keeps a second.
    """
    found = read_recordings(path)
    if place is not None:
        found = (_at_place(path, found, place),)
        side = None
    return tuple(_analysed(path, each, params, keep_series, side) for each in found)


def _at_place(path: Path, found: tuple[RecordingFile, ...], place: str) -> RecordingFile:
    """Return the one sensor at a place, or the only one there is if its file does not tell where it was worn."""
    for recording in found:
        if place in recording.sensors:
            return replace(recording, sensors={place: recording.sensors[place]})
    places = [name for recording in found for name in recording.places]
    if len(places) == 1 and places[0] not in set(Placement) and place in set(Placement):
        return replace(found[0], sensors={place: found[0].sensors[places[0]]})
    raise InvalidInput(f"{path}: no sensor at '{place}'; choose --place from {', '.join(places)}.")


def _analysed(
    path: Path, recording: RecordingFile, params: AnalysisParams, keep_series: bool, side: str | None
) -> FileResult:
    sensors: dict[str, RecordingResult] = {}
    short: dict[str, float] = {}
    for name in _on_side(recording.places, side):
        covered = recording.sensors[name].covered
        if covered < int(MIN_COVERED_S * recording.rate_hz):
            short[name] = covered / recording.rate_hz
            continue
        chunks = recording.chunks(name, BLOCK / recording.rate_hz)
        try:
            sensors[name] = analyse_recording(name, chunks, params, keep_series=keep_series)
        except AnalysisError as error:
            raise InvalidInput(f"{path}: sensor {name}: {error}") from None
    if not sensors:
        kept = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in short.items())
        raise InvalidInput(
            f"{path}: no sensor keeps {MIN_COVERED_S:g} s of data ({kept}); a longer recording is needed."
        )
    return FileResult(recording, sensors, short)


def _on_side(places: tuple[str, ...], side: str | None) -> tuple[str, ...]:
    other = {"left": "_right", "right": "_left", None: ""}[side]
    return tuple(name for name in places if not other or not name.endswith(other))


def _guided(exercise: str) -> MotionParams:
    try:
        return guided_params(exercise)
    except AnalysisError as error:
        raise InvalidInput(f"--exercise: {error}") from None


def document(result: FileResult) -> dict[str, Any]:
    """Return the result as plain JSON values. Times in s from the file's first sample, shares 0 to 1."""
    return {
        "file": str(result.recording.path),
        **_source(result.recording),
        "duration_s": round(result.recording.duration_s, 3),
        "algorithm": {"name": ALGORITHM_NAME, "version": ALGORITHM_VERSION},
        "sensors": with_sides(
            {place: sensor_document(sensor, file_quality(result)) for place, sensor in result.sensors.items()},
            {place: sensor.motion for place, sensor in result.sensors.items()},
        ),
        "findings": [
            {
                "kind": finding.kind,
                "statement": finding.statement,
                "grade": finding.grade.value,
                "because": finding.because,
                "coverage_share": finding.coverage_share,
            }
            for sensor in result.sensors.values()
            for finding in sensor.findings
        ],
        "not_computable": not_computable(result),
    }


def _source(recording: RecordingFile) -> dict[str, Any]:
    """Return what reading another app's file took; our own form needs no word."""
    return {"format": recording.format, "notes": list(recording.notes)} if recording.notes else {}


def file_quality(result: FileResult) -> tuple[Quality, ...]:
    """Return what is wrong with the samples that only the file's own times tell."""
    recording = result.recording
    jitter = assess_jitter(recording.t_s, recording.row_index, recording.rate_hz)
    return (jitter,) if jitter else ()


def not_computable(result: FileResult) -> list[dict[str, str]]:
    """Return what cannot be said about the file and what would make it possible; once each."""
    entries: list[dict[str, str]] = []
    if not TRUNK_PLACES & set(result.sensors):
        needs = "a sensor on the trunk (chest, upper_back or lower_back); the file has none"
        entries.append({"what": REPEATED_BENDING, "needs": needs})
    for place, sensor in result.sensors.items():
        entries.extend(
            {"what": item.what, "needs": item.needs, "place": place}
            for item in sensor.summary.not_computable
            if item.what not in TRUNK_ONLY or place in TRUNK_PLACES
        )
    for place, seconds in result.short.items():
        entries.append({"what": "sensor", "needs": f"1 s of data; it keeps {seconds:.2f} s", "place": place})
    return entries


def write_series(path: Path, results: Sequence[FileResult]) -> None:
    """Write `t_s`, `<place>_quat` and `<place>_inclination_deg`, one row per row of the file, NaN where it has none.

    Raises InvalidInput if it cannot.
    """
    if len(results) != 1:
        raise InvalidInput(
            f"--series writes one recording's samples, but there are {len(results)}: choose with --place."
        )
    result = results[0]
    rows = result.recording.row_index
    arrays: dict[str, Any] = {"t_s": result.recording.t_s}
    for place, sensor in result.sensors.items():
        if sensor.quat is not None and sensor.inclination_deg is not None:
            arrays[f"{place}_quat"] = sensor.quat[rows]
            arrays[f"{place}_inclination_deg"] = sensor.inclination_deg[rows]
    try:
        # A handle, because numpy appends a suffix to a name that lacks it.
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise InvalidInput(f"{path}: the series cannot be written ({error.strerror}); choose another place.") from None


def lines(result: FileResult, swing: SwingKind | None = None) -> list[str]:
    """Return the result as lines for a person. swing: what was asked to be counted."""
    recording = result.recording
    thresholds = max((sensor.summary.posture.share_above for sensor in result.sensors.values()), key=len)
    above = "".join(f"{f'>{t:g}°':>7}" for t in thresholds)
    out = [f"{recording.path} · {recording.duration_s:.1f} s · time share above each inclination"]
    out.extend(f"  {recording.format}: {note}" for note in recording.notes)
    out.append(f"  {'sensor':<16}{'rate':>8}{'covered':>9}{'repetitions':>13}{'median ROM':>12}{above}  upright")
    for place, sensor in result.sensors.items():
        summary, ranges = sensor.summary, [item.rom_deg for item in sensor.motion.repetitions]
        rom = f"{np.median(ranges):.0f}°" if ranges else "–"
        shares = "".join(f"{share:>7.1%}" for share in summary.posture.share_above.values())
        out.append(
            f"  {place:<16}{summary.rate_hz:>5.4g} Hz{summary.coverage_share:>9.1%}{len(ranges):>13}{rom:>12}{shares}"
            f"  {summary.reference.value.replace('_', ' ') if summary.reference else '–'}"
        )
    for place, sensor in result.sensors.items():
        out.extend(_notes(place, sensor, swing))
        out.extend(f"  {finding.grade.value}: {finding.statement}" for finding in sensor.findings)
    out.extend(f"  {item.flag.value.replace('_', ' ')}: {item.what}" for item in file_quality(result))
    for item in not_computable(result):
        where = f" ({item['place']})" if "place" in item else ""
        out.append(f"  not computable: {item['what']}{where} needs {item['needs']}")
    return [*out, f"  {DISCLAIMER}"]


def _notes(place: str, sensor: RecordingResult, swing: SwingKind | None) -> list[str]:
    """Return what else there is to know of a sensor, in words."""
    summary = sensor.summary
    notes = [f"{item.flag.value.replace('_', ' ')}: {item.what}" for item in summary.quality]
    if summary.orientation is OrientationFrom.ACCELEROMETER and summary.inclination_error_deg:
        error, worst = summary.inclination_error_deg
        notes.append(f"no gyroscope: inclination is off by {error:g}° (root mean square), up to {worst:g}° in fast use")
    if summary.static.count:
        held = summary.static
        notes.append(f"{held.count} static holds, {held.duration_s:.0f} s in all, dose {held.dose:.2f} (ISO 11226)")
    if summary.lying and summary.lying.duration_s:
        sides = ", ".join(f"{s:.0f} s {side.value.replace('_', ' ')}" for side, s in summary.lying.duration_s.items())
        notes.append(f"lying: {sides}")
    notes.extend(motion_lines(sensor.motion))
    # Silence would leave open whether it was looked for.
    looked = swing is not None and not any(item.what == "swings" for item in summary.not_computable)
    notes.extend(swing_lines(sensor.swings) or ([f"no swing or throw counted ({swing})"] if looked else []))
    return [f"  {place}: {note}" for note in notes]


def _say(text: str) -> None:
    """Print the result. Raises InvalidInput when it cannot be written; a reader who went away is another matter."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError as error:
        # A file's name may hold bytes that are no text.
        print(text.encode(error.encoding, "backslashreplace").decode(error.encoding), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What could not be written must not be tried once more, and complained about, when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise InvalidInput(
            f"The result cannot be written ({error.strerror}): free some space, or name another place."
        ) from None


def _sport(text: str) -> SwingKind:
    try:
        return SwingKind(text)
    except ValueError:
        raise InvalidInput(f"--swings {text}: choose one of {', '.join(SwingKind)}.") from None


def _check_series(files: list[Path], series: Path) -> None:
    if len(files) != 1:
        raise InvalidInput(
            f"--series writes one file's samples, but {len(files)} files were named; run it once for each."
        )
    if series.exists() and files[0].exists() and series.samefile(files[0]):
        raise InvalidInput(f"--series {series} is the recording itself; name another file, so that it is not lost.")
