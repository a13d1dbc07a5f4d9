"""`backstop import FILE...`: recordings from files into the database, where they are analysed like any other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from coach.commands.options import add_config_option, opened_services
from coach.config import load
from coach.errors import CoachError, InvalidInput, NoSuch
from coach.service import Services
from coach.service.import_types import Asked, ImportPlan, ImportView, SensorPlan
from coach.service.types import AthleteView, Identity, Role
from devices.errors import DeviceError
from devices.files import KNOWN
from devices.types import Placement


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `import`."""
    parser = subparsers.add_parser("import", help="import recordings from files for an athlete")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=f"file, zip or folder: {KNOWN}")
    parser.add_argument("--athlete", required=True, metavar="NAME", help="whose recording it is")
    parser.add_argument(
        "--place",
        action="append",
        default=[],
        metavar="[SENSOR=]PLACE",
        help=f"where it was worn, if the file does not tell: {', '.join(Placement)}",
    )
    parser.add_argument(
        "--start", metavar="TIME", help="when it began, like 2026-11-24T18:30 (the athlete's time) or with a zone"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be imported, and store nothing")
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Import each file whole or not at all; a wrong one does not stop the others. Returns 2 if any was wrong."""
    places, start = tuple(map(_place, args.place)), _start(args.start)
    status = 0
    with opened_services(load(args.config)) as services:
        by = _athlete(services, args.athlete)
        athlete = services.athletes.get(by, by.athlete_id or "")
        for path in args.files:
            asked = Asked(str(path), places, start)
            try:
                for line in _one(services, by, athlete, path, asked, args.dry_run):
                    print(line)
            except (CoachError, DeviceError) as error:
                print(f"backstop import: {error}", file=sys.stderr)
                status = 2
    return status


def _one(
    services: Services, by: Identity, athlete: AthleteView, path: Path, asked: Asked, dry_run: bool
) -> Iterator[str]:
    if not dry_run:
        yield from _done(services.imports.take(by, athlete.athlete_id, path, asked), athlete)
        return
    plan = services.imports.preview(by, athlete.athlete_id, path, asked)
    yield from lines(plan, athlete)
    if plan.missing:
        raise InvalidInput(f"{path}: {' '.join(plan.missing)} (--place, --start)")
    if known := next((sensor.known for sensor in plan.wanted if sensor.known), None):
        raise InvalidInput(f"{path}: {known}")


def lines(plan: ImportPlan, athlete: AthleteView) -> Iterator[str]:
    """Yield what an import would do, for a person."""
    yield f"{plan.name} · {plan.sensors[0].recording.format} · for {athlete.name} · nothing is stored yet"
    noted: set[str] = set()
    for sensor in plan.sensors:
        yield f"  {sensor.name}: {', '.join(_facts(sensor, athlete))}"
        for note in sensor.recording.notes:
            if note not in noted:
                yield f"    {note}"
            noted.add(note)
        if sensor.left_out is not None:
            yield f"    left out: {sensor.left_out}"
        if sensor.known is not None:
            yield f"    {sensor.known}"


def _facts(sensor: SensorPlan, athlete: AthleteView) -> Iterator[str]:
    recording = sensor.recording
    yield f"worn at {sensor.placement}" if sensor.placement else "place not known"
    yield f"{recording.duration_s:.1f} s at {recording.rate_hz:.5g} Hz"
    yield "accelerometer and gyroscope" if sensor.has_gyroscope else "accelerometer only"
    yield f"{sensor.coverage_share:.1%} covered" + (
        f" ({sensor.gaps} gaps, the longest {sensor.longest_gap_s:.1f} s)" if sensor.gaps else ", no gaps"
    )
    if sensor.started_at is None:
        yield f"start not known ({sensor.start_told})"
    else:
        local = sensor.started_at.astimezone(ZoneInfo(athlete.time_zone))
        yield f"begins {local:%Y-%m-%d %H:%M:%S %Z} ({sensor.start_told})"


def _done(taken: tuple[ImportView, ...], athlete: AthleteView) -> Iterator[str]:
    for each in taken:
        local = each.started_at.astimezone(ZoneInfo(athlete.time_zone))
        yield (
            f"{each.file_name}: imported for {athlete.name}, {each.placement}, {each.duration_s:.1f} s from "
            f"{local:%Y-%m-%d %H:%M:%S %Z}; a running Backstop analyses it now, another at its next start."
        )


def _place(text: str) -> tuple[str, str]:
    sensor, separator, place = text.rpartition("=")
    if place not in set(Placement) or (separator and not sensor):
        raise InvalidInput(f"--place {text}: it is [SENSOR=]PLACE with a place of {', '.join(Placement)}.")
    return sensor, place


def _start(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--start {text}: give it like 2026-11-24T18:30 or 2026-11-24T18:30:00+01:00.") from None


def _athlete(services: Services, name: str) -> Identity:
    for identity in services.accounts.users():
        if identity.role is Role.ATHLETE and identity.name.casefold() == name.strip().casefold():
            return identity
    raise NoSuch(f"There is no athlete named {name}: see `backstop user list`.")
