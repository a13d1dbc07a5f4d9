"""`backstop dead-letters`: the chunks that could not be stored or analysed, listed, shown and tried again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from coach.commands.options import add_config_option, opened_services
from coach.config import load
from coach.errors import Conflict, InvalidInput, NoSuch
from coach.service import Services
from coach.service.dead_letters import Stage, Stuck

_STAGE_WORDS = {Stage.NOT_STORED: "not stored", Stage.NOT_ANALYSED: "not analysed"}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `dead-letters`."""
    parser = subparsers.add_parser("dead-letters", help="chunks that could not be stored or analysed")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list them, newest first, one a line")
    showing = actions.add_parser("show", help="say everything of one, or write its bytes")
    showing.add_argument("--bytes", type=Path, metavar="FILE", help="write its bytes into a new file")
    replaying = actions.add_parser("replay", help="store or analyse it again")
    showing.add_argument("id", metavar="ID", help="as `list` says it")
    replaying.add_argument("id", metavar="ID", help="as `list` says it; `all` is every one of the list")
    for each in (listing, showing, replaying):
        add_config_option(each)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """List, show or try again. Raises NoSuch, Conflict, InvalidInput, StoreUnavailable."""
    with opened_services(load(args.config)) as services:
        if args.action == "list":
            lines = [_line(stuck) for stuck in services.dead_letters.stuck()]
            print("\n".join(lines) or "Nothing is stuck.")
        elif args.action == "show":
            _show(services, args.id, args.bytes)
        elif args.id == "all":
            return _replay_all(services)
        else:
            services.dead_letters.replay(None, args.id)
            print(f"{args.id} is tried again: a running worker does the rest.")
    return 0


def _line(stuck: Stuck) -> str:
    when = stuck.last_at.isoformat(timespec="seconds")
    return f"{stuck.id}  {_STAGE_WORDS[stuck.stage]}  {when}  {stuck.key or '(no key)'}  {stuck.reason}"


def _show(services: Services, stuck_id: str, file: Path | None) -> None:
    stuck, blob = services.dead_letters.show(stuck_id)
    if file is not None:
        try:
            with file.open("xb") as out:
                out.write(blob)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be written ({error.strerror}): name a file that is not there.") from None
    print(f"{stuck.id}: {_STAGE_WORDS[stuck.stage]}")
    print(f"athlete: {stuck.athlete_name} ({stuck.athlete_id})")
    print(f"key: {stuck.key or '(the bytes do not tell it)'}")
    print(f"bytes: {stuck.size_bytes}, beginning {blob[:16].hex(' ')}")
    print(f"reason: {stuck.reason}")
    print(f"tries: {stuck.tries}")
    print(f"in the log since: {stuck.first_at.isoformat() if stuck.first_at else 'not known'}")
    print(f"given up: {stuck.last_at.isoformat()}")


def _replay_all(services: Services) -> int:
    """Try every one; what still cannot be used stays and is named."""
    again = failed = 0
    begun: set[tuple[str, str]] = set()
    for stuck in services.dead_letters.stuck():
        recording = (stuck.stage, stuck.key.rpartition("-")[0])
        if stuck.stage is Stage.NOT_ANALYSED and recording in begun:
            continue  # with another chunk of its recording
        try:
            services.dead_letters.replay(None, stuck.id)
        except NoSuch:
            continue  # somebody else tried it again, or erased whose it was
        except Conflict as error:
            print(f"{stuck.id} stays: {error}", file=sys.stderr)
            failed += 1
        else:
            begun.add(recording)
            again += 1
    print(f"{again} are tried again, {failed} stay.")
    return 2 if failed else 0
