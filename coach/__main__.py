"""Command line of Backstop: parse, run one command, turn every known error into one sentence and exit status 2."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from coach.commands import (
    analyze,
    backup,
    clock,
    dead_letters,
    doctor,
    erase,
    export,
    gateway,
    import_files,
    job,
    migrate,
    move,
    reanalyse,
    record_raw,
    restore,
    run,
    simulate,
    supply,
    sync_dots,
    user,
    web,
    worker,
)
from coach.errors import CoachError
from coach.memory import keep_memory_small
from devices.errors import DeviceError
from programs.errors import ProgramError

COMMANDS = (
    run,
    web,
    worker,
    clock,
    gateway,
    sync_dots,
    analyze,
    import_files,
    job,
    simulate,
    record_raw,
    user,
    migrate,
    move,
    reanalyse,
    dead_letters,
    backup,
    doctor,
    restore,
    export,
    erase,
    supply,
)


class _Parser(argparse.ArgumentParser):
    """Say what is wrong with a command line in one sentence, like every other wrong input."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` lists what there is.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 2 wrong input, 130 interrupted."""
    parser = _Parser(
        prog="backstop", description="Coaching from wearable motion: strain, its evidence, a program, a re-test."
    )
    parser.add_argument("--version", action="version", version=f"backstop {version('backstop')}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(subparsers)
    args = parser.parse_args(argv)
    keep_memory_small()
    try:
        return int(args.handler(args))
    except (CoachError, DeviceError, ProgramError) as error:
        print(f"backstop {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (head, a closed pager); that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
