"""`backstop export` and `backstop import-athlete`: everything of one athlete into a file, and back in elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from coach.commands.options import add_config_option, opened_services
from coach.config import load
from coach.errors import InvalidInput
from coach.service import Services
from coach.service.exports import Exported
from coach.service.ledger import Reader, ReaderKind, Subject

# Who owns the machine has its files, whatever we ask; that it was done, the athlete can read.
_OWNER = Reader(ReaderKind.OWNER, "", "the owner of this machine")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `export` and `import-athlete`."""
    out = subparsers.add_parser("export", help="write everything of one athlete into a zip file")
    out.add_argument("--athlete", required=True, metavar="NAME", help="whose, by name or id")
    out.add_argument("--to", required=True, type=Path, metavar="FILE", help="file to write; none that is there")
    back = subparsers.add_parser("import-athlete", help="take an athlete in from a file that `export` wrote")
    back.add_argument("file", type=Path, metavar="FILE")
    for parser, handler in ((out, _export), (back, _import)):
        add_config_option(parser)
        parser.set_defaults(handler=handler)


def _export(args: argparse.Namespace) -> int:
    with opened_services(load(args.config)) as services:
        athlete_id = services.exports.athlete_named(args.athlete)
        services.ledger.note(_OWNER, [athlete_id], Subject.EXPORT)
        told = _written(services, athlete_id, args.to)
    print(
        f"{args.to}: {sum(told.rows.values())} rows, {told.recordings} recordings with {told.samples} samples, "
        f"{told.sessions} sessions. It is as private as the athlete: keep it where only they can read it."
    )
    if told.unreadable_chunks:
        print(f"{told.unreadable_chunks} chunks cannot be read; they are in it as they are.")
    return 0


def _written(services: Services, athlete_id: str, path: Path) -> Exported:
    """Write the file whole or not at all."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"--to {path} cannot be made ({error.strerror}): name a file that is not there.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            told = services.exports.write(None, athlete_id, file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise InvalidInput(f"--to {path} cannot be written ({error.strerror}): make room on that disk.") from None
        raise
    return told


def _import(args: argparse.Namespace) -> int:
    with opened_services(load(args.config)) as services:
        taken = services.restoring.take_in(args.file)
    print(f"{taken.name} was taken in with {taken.rows} rows. `backstop user link` makes a link to sign in with.")
    return 0
