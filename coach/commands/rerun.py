"""`backstop rerun`: stored recordings analysed anew by this version and these profiles, and what that changes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from coach.commands.options import add_config_option, opened_services
from coach.config import load
from coach.errors import InvalidInput, NoSuch
from coach.instance import make_directory, only_one
from coach.service import Services
from coach.service.rerun import How, RerunFinding, RerunView
from coach.service.types import Identity, Role


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rerun`."""
    parser = subparsers.add_parser(
        "rerun",
        help="analyse stored recordings anew and say what is found differently",
        description="Analyse stored recordings anew, by this version and the present profiles and configuration, and "
        "say what is found differently. Findings of before stay readable.",
    )
    parser.add_argument("--athlete", metavar="NAME", help="whose recordings (default: everybody's)")
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="from which local day on, like 2026-11-01; the twelve weeks before are analysed too, as its own habit",
    )
    add_config_option(parser)
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Run everybody's or one athlete's history again. Raises AlreadyRunning while a Backstop uses the same folder."""
    config, since = load(args.config), _date(args.since)
    with only_one(make_directory(config.storage.directory)), opened_services(config) as services:
        athletes = _athletes(services, args.athlete)
        if not athletes:
            print("Nobody is there whose recordings could be analysed: `backstop user add NAME --role athlete`.")
        for athlete in athletes:
            view = services.rerun.run(athlete.athlete_id or "", since, _progress(athlete.name))
            for line in lines(view, athlete.name):
                print(line)
    return 0


def lines(view: RerunView, name: str) -> Iterator[str]:
    """Yield what changed, for a person."""
    counts = ", ".join(f"{view.count(how)} {how.value}" for how in How)
    yield f"{name}: {view.recordings} recordings analysed anew, {view.days} days judged; findings: {counts}."
    for each in view.findings:
        yield f"  {each.how.value:8} {each.opened_on} {each.kind}: {_told(each)}"


def _told(each: RerunFinding) -> str:
    if each.how is How.CHANGED and each.before != each.after:
        return f"{each.before} -> {each.after}"
    return each.after or each.before or ""


def _progress(name: str) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == of else "\r"
            print(f"{name}: {done} of {of} recordings", end=end, file=sys.stderr, flush=True)

    return told


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        since = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--since {text}: write the day as 2026-11-01.") from None
    # Somewhere it is tomorrow already.
    if since > datetime.now(UTC).date() + timedelta(days=1):
        raise InvalidInput(f"--since {text} is still to come: name the day from which findings are to be said anew.")
    return since


def _athletes(services: Services, name: str | None) -> tuple[Identity, ...]:
    everybody = tuple(user for user in services.accounts.users() if user.role is Role.ATHLETE)
    if name is None:
        return everybody
    found = tuple(user for user in everybody if user.name.casefold() == name.strip().casefold())
    if not found:
        raise NoSuch(f"There is no athlete named {name}: see `backstop user list`.")
    return found
