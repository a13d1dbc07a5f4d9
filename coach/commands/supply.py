"""`backstop sbom` lists what Backstop is made of; `backstop audit` holds it against a stored list of weaknesses."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from coach.advisories import Audit, audit, read_list
from coach.errors import InvalidInput
from coach.installed import installed
from coach.sbom import sbom

# Exit statuses beside 0 (nothing in the list names what is installed): something is named; it could not be told.
FOUND, COULD_NOT = 1, 3
LIST_VARIABLE = "BACKSTOP_ADVISORIES"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sbom` and `audit`."""
    parts = subparsers.add_parser("sbom", help="print what Backstop is made of, as CycloneDX 1.6 JSON")
    parts.set_defaults(handler=print_sbom)
    check = subparsers.add_parser(
        "audit", help="hold what is installed against a stored list of weaknesses (OSV format); asks nobody"
    )
    check.add_argument(
        "--list",
        type=Path,
        metavar="PATH",
        help=f"a JSON file, a folder or a zip of entries, like OSV's all.zip of PyPI (default: {LIST_VARIABLE})",
    )
    check.set_defaults(handler=print_audit)


def print_sbom(_: argparse.Namespace) -> int:
    """Print the document. Raises ConfigError."""
    print(json.dumps(sbom(installed()), indent=2))
    return 0


def print_audit(args: argparse.Namespace) -> int:
    """Print what the list names. 0: nothing; 1: something; 3: it could not be told. Raises ConfigError."""
    named = args.list or (Path(os.environ[LIST_VARIABLE]) if os.environ.get(LIST_VARIABLE) else None)
    if named is None:
        print(
            f"Could not: there is no stored list. Name one with --list or {LIST_VARIABLE}; nothing is asked online.",
            file=sys.stderr,
        )
        return COULD_NOT
    try:
        done = audit(installed(), read_list(named))
    except InvalidInput as error:
        print(f"Could not: {error}", file=sys.stderr)
        return COULD_NOT
    return _tell(done)


def _tell(done: Audit) -> int:
    for each in done.found:
        also = f" ({', '.join(each.aliases)})" if each.aliases else ""
        mended = f" Mended in {', '.join(each.fixed)}." if each.fixed else " No version that mends it is named."
        print(f"{each.component.name} {each.component.version}: {each.entry}{also} {each.summary}.{mended}")
    for entry in done.unclear:
        print(f"{entry} could not be judged.")
    of = f"the {done.entries} entries of this list, the newest of {done.newest[:10] or 'no date'},"
    if done.found:
        print(f"{len(done.found)} of {of} name what is installed.")
        return FOUND
    if done.unclear:
        print(f"Could not: {len(done.unclear)} of {of} were not understood.", file=sys.stderr)
        return COULD_NOT
    print(f"None of {of} names what is installed. What the list does not know is not known here either.")
    return 0
