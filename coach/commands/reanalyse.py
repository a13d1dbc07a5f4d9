"""`backstop reanalyse` and `backstop rerun`: stored recordings analysed anew, how far that is, and what it changes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, timedelta

from coach.commands.options import add_config_option, opened_services
from coach.commands.progress_bar import ProgressBar, duration
from coach.config import Config, load
from coach.errors import Conflict, InvalidInput, NoSuch
from coach.instance import is_held, make_directory, only_one
from coach.service import Services
from coach.service.reanalysis_types import Part, RunState, RunView, Why
from coach.service.rerun import How, RerunFinding, RerunView
from coach.service.types import Identity, Role

# s between two looks at a run that workers elsewhere do. Own choice.
_LOOK_S = 0.5
# Failed athlete-days that are named. Own choice: the page names more.
_FAILED_SHOWN = 10
_ASKED_WORDS = {Why.NIGHTLY: "by night", Why.ASKED: "on demand"}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `reanalyse` and `rerun`."""
    parser = subparsers.add_parser(
        "reanalyse",
        help="have stored recordings analysed anew, athlete-day by athlete-day",
        description="Have stored recordings analysed anew, by this version and the present profiles and configuration. "
        "The workers of a Backstop that runs do it, after all that is live; where none runs, --wait does it here. "
        "Whatever ends it, it goes on where it was. Findings of before stay readable.",
    )
    _add_options(parser)
    parser.add_argument("--wait", action="store_true", help="show how far it is, and at the end what changed")
    parser.add_argument("--status", action="store_true", help="begin nothing: say how far the newest run is")
    parser.add_argument("--stop", action="store_true", help="stop the run under way; what is done stays done")
    parser.set_defaults(handler=handler)
    again = subparsers.add_parser(
        "rerun",
        help="analyse stored recordings anew and say what is found differently",
        description="The same as `backstop reanalyse --wait`.",
    )
    _add_options(again)
    again.set_defaults(handler=handler, wait=True, status=False, stop=False)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--athlete", metavar="NAME", help="whose recordings (default: everybody's)")
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="from which local day on, like 2026-11-01; the twelve weeks before are analysed too, as its own habit",
    )
    add_config_option(parser)


def handler(args: argparse.Namespace) -> int:
    """Begin, watch, do or stop a run: 0 all is well, 1 some athlete-days failed.

    Raises AlreadyRunning, Conflict, InvalidInput, NoSuch, StoreUnavailable.
    """
    config, since = load(args.config), _date(args.since)
    directory = make_directory(config.storage.directory)
    here = not config.storage.database_url.get_secret_value() and not is_held(directory)
    alone: AbstractContextManager[None] = only_one(directory) if here and args.wait else nullcontext()
    with alone, opened_services(config) as services:
        if args.status:
            return _tell_status(services)
        if args.stop:
            stopped = services.reanalysis.stop(None)
            print("Stopped: what is done stays done." if stopped else "No run is under way.")
            return 0
        people = _athletes(services, args.athlete)
        if not people:
            print("Nobody is there whose recordings could be analysed: `backstop user add NAME --role athlete`.")
            return 0
        whose = people[0].athlete_id if args.athlete is not None else None
        if args.wait:
            return _wait(services, people, whose, since, here)
        view = services.reanalysis.view(services.reanalysis.ask(None, whose, since))
        print(f"Begun: {_amount(view)}. {_who_does_it(config, here)}")
        print(
            "How far it is: `backstop reanalyse --status`, or the owner's page /reanalysis. To stop it: "
            "`backstop reanalyse --stop`."
        )
    return 0


def _who_does_it(config: Config, here: bool) -> str:
    if here:
        return "No Backstop runs here: it begins when one does; `backstop reanalyse --wait` does it now."
    if config.storage.database_url.get_secret_value():
        return "The workers of this database do it, live signal first."
    return "The Backstop that runs does it, live signal first."


def _wait(services: Services, people: tuple[Identity, ...], whose: str | None, since: date | None, here: bool) -> int:
    """Begin a run, or join the one under way, and see it to its end."""
    remembered = [services.rerun.remember(each.athlete_id or "", since) for each in people]
    run_id = _begun(services, whose, since)
    first = services.reanalysis.view(run_id)
    bar = ProgressBar("athlete-days", first.share)
    done_before = first.days_done + first.athletes_done

    def told(done: int, of: int) -> None:
        bar.show(f"{done} of {of} athlete-days", done / of, done - done_before)

    try:
        if here:
            services.reanalysis.let_go(run_id)
            services.rerun.work_here(run_id, told)
        while (view := services.reanalysis.view(run_id)).state is RunState.RUNNING:
            told(view.days_done + view.athletes_done, max(1, view.days + view.athletes))
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        bar.pause()
        goes_on = (
            "What is done stays done; `backstop reanalyse --wait`, or a Backstop that runs, goes on with the rest."
        )
        print(goes_on if here else "It goes on without this command: `backstop reanalyse --status` says how far it is.")
        return 0
    bar.end(f"{_amount(view)}", view.days + view.athletes - done_before)
    for each, person in zip(remembered, people, strict=True):
        for line in lines(services.rerun.compare(each, run_id), person.name):
            print(line)
    return _tell_end(view)


def _begun(services: Services, whose: str | None, since: date | None) -> str:
    try:
        return services.reanalysis.ask(None, whose, since)
    except Conflict:
        newest = services.reanalysis.newest()
        if whose is not None or since is not None or newest is None or newest.state is not RunState.RUNNING:
            raise
        print(f"The run that was begun on {newest.begun_at:%Y-%m-%d at %H:%M} UTC goes on.")
        return newest.run_id


def _amount(view: RunView) -> str:
    """Return how much there is: athlete-days, and athletes whose days are judged at the end."""
    return f"{view.days} athlete-days of signal, and all days of {view.athletes} athletes"


def _tell_status(services: Services) -> int:
    view = services.reanalysis.newest()
    if view is None:
        print("History was never analysed anew here.")
        return 0
    whose = view.athlete_name or "everybody"
    print(f"Begun {_ASKED_WORDS[view.why]} on {view.begun_at:%Y-%m-%d at %H:%M} UTC, of {whose}: {view.state.value}.")
    print(
        f"{view.share:.0%}: {view.days_done} of {view.days} athlete-days of signal ({view.recordings} recordings, "
        f"{view.chunks} chunks), all days of {view.athletes_done} of {view.athletes} athletes "
        f"({view.days_judged} days)."
    )
    if view.rests:
        print("It rests until the next night.")
    elif view.state is RunState.RUNNING:
        speed = "nothing was done in the last minute"
        if view.days_per_min is not None and view.left_s is not None:
            speed = f"{view.days_per_min:.0f} a minute, about {duration(view.left_s)} left"
        print(f"Speed: {speed}.")
    return _tell_end(view)


def _tell_end(view: RunView) -> int:
    if view.gone:
        print(f"Of {view.gone} recordings the raw signal was forgotten by [retention]: what was seen in them stays.")
    for each in view.failed_days[:_FAILED_SHOWN]:
        what = f"signal of {each.local_date}" if each.part is Part.SIGNAL else "days"
        print(f"Failed: {each.athlete_name}, {what}: {each.reason}")
    if view.failed > _FAILED_SHOWN:
        print(f"… and {view.failed - _FAILED_SHOWN} more.")
    return 1 if view.failed else 0


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
