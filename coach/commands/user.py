"""`backstop user`: make people and give them a way in, from the terminal of whoever owns the machine."""

from __future__ import annotations

import argparse
import sys
from datetime import date

from coach.commands.options import add_config_option, opened_services
from coach.config import Config, load
from coach.errors import InvalidInput, NoSuch
from coach.service import Services
from coach.service.types import Identity, Role


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `user add`, `user change`, `user link`, `user reset` and `user list`."""
    parser = subparsers.add_parser("user", help="add people and print one-time sign-in links")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add an owner, a coach, an athlete or a guardian, and print a sign-in link")
    add.add_argument("name", help="the name that the person signs in with")
    add.add_argument("--role", choices=[role.value for role in Role], required=True)
    add.add_argument("--time-zone", help="of an athlete, such as Europe/Berlin (default: UTC)")
    add.add_argument("--sport", default="", help="of an athlete, such as golf; chooses the profile where one fits")
    add.add_argument("--coach", help="the coach of an athlete, by name")
    add.add_argument("--of", metavar="ATHLETE", help="of a guardian: the athlete whom they stand in for, by name")
    change = actions.add_parser("change", help="change an athlete's profile or date of birth")
    change.add_argument("name")
    for action in (add, change):
        action.add_argument("--profile", metavar="ID", help="of an athlete: what is looked for (see docs/profiles.md)")
        action.add_argument("--born", metavar="DATE", help="of an athlete, as YYYY-MM-DD: pitch counts go by age")
    link = actions.add_parser("link", help="print a new one-time sign-in link for somebody")
    link.add_argument("name")
    reset = actions.add_parser(
        "reset", help="let somebody in who is locked out: no second factor, no sign-ins, and a new sign-in link"
    )
    reset.add_argument("name")
    reset.add_argument("--passkeys", action="store_true", help="remove the passkeys too, as when a phone was stolen")
    reset.add_argument("--password", action="store_true", help="remove the password too")
    everyone = actions.add_parser("list", help="list everybody")
    for action, handler in ((add, _add), (change, _change), (link, _link), (reset, _reset), (everyone, _list)):
        add_config_option(action)
        action.set_defaults(handler=handler)


def _add(args: argparse.Namespace) -> int:
    config = load(args.config)
    with opened_services(config) as services:
        role = Role(args.role)
        if bool(args.of) is not (role is Role.GUARDIAN):
            raise InvalidInput("--of names whom a guardian stands in for: give it with --role guardian, and only then.")
        if role is not Role.ATHLETE:
            if args.coach:
                raise InvalidInput(f"A {role.value} has no coach: leave --coach out, or use --role athlete.")
            if args.sport or args.time_zone or args.profile or args.born:
                raise InvalidInput(
                    "--sport, --time-zone, --profile and --born are an athlete's: leave them out, or add an athlete "
                    "with --role athlete."
                )
            child = _named(services, args.of, Role.ATHLETE) if args.of else None
            user_id = services.accounts.create_user(args.name, role)
            if child is not None and child.athlete_id is not None:
                services.sharing.appoint(user_id, child.athlete_id)
        else:
            coach = _named(services, args.coach, Role.COACH) if args.coach else None
            _name_is_free(services, args.name)
            athlete_id = services.athletes.create(
                args.name,
                args.time_zone or "UTC",
                coach.user_id if coach else None,
                sport=args.sport,
                profile_id=args.profile,
                born_on=_date(args.born) if args.born else None,
            )
            user_id = services.accounts.create_user(args.name, role, athlete_id=athlete_id)
        print(_sentence(services, config, user_id, args.name))
    return 0


def _change(args: argparse.Namespace) -> int:
    if not args.profile and not args.born:
        raise InvalidInput("Nothing to change: give --profile or --born.")
    born_on = _date(args.born) if args.born else None
    with opened_services(load(args.config)) as services:
        athlete = _named(services, args.name, Role.ATHLETE)
        athlete_id = athlete.athlete_id or ""
        if args.profile:
            services.athletes.set_profile(athlete, athlete_id, args.profile)
        if born_on is not None:
            services.athletes.set_born_on(_settles(services, athlete, athlete_id), athlete_id, born_on)
        view = services.athletes.get(athlete, athlete_id)
        print(f"{athlete.name}: profile {view.profile_id}, born {view.born_on or 'unknown'}.")
    return 0


def _settles(services: Services, athlete: Identity, athlete_id: str) -> Identity:
    """Return in whose name the owner of the machine changes a date of birth: of a minor it is the guardian's."""
    who = services.sharing.of_athlete(athlete, athlete_id)
    guardian = services.accounts.identity(who.guardians[0].user_id) if who.minor and who.guardians else None
    return guardian or athlete


def _link(args: argparse.Namespace) -> int:
    config = load(args.config)
    with opened_services(config) as services:
        print(_sentence(services, config, _named(services, args.name).user_id, args.name))
    return 0


def _reset(args: argparse.Namespace) -> int:
    config = load(args.config)
    with opened_services(config) as services:
        user_id = _named(services, args.name).user_id
        removed = services.accounts.reset(user_id, passkeys=args.passkeys, password=args.password)
        told = f" They are told at the next sign-in: {', '.join(removed)}." if removed else ""
        print(f"{args.name} is signed out everywhere.{told}")
        print(_sentence(services, config, user_id, args.name))
    return 0


def _list(args: argparse.Namespace) -> int:
    with opened_services(load(args.config)) as services:
        for identity in services.accounts.users():
            sys.stdout.write(f"{identity.role.value:8} {identity.name}\n")
    return 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--born {text} is no date: give it as YYYY-MM-DD.") from None


def _name_is_free(services: Services, name: str) -> None:
    # Said before the athlete is made, so that a taken name leaves nothing half done.
    if any(identity.name.casefold() == name.strip().casefold() for identity in services.accounts.users()):
        raise InvalidInput(f"The name {name} is taken: choose another.")


def _named(services: Services, name: str, role: Role | None = None) -> Identity:
    for identity in services.accounts.users():
        if identity.name.casefold() == name.casefold() and role in (None, identity.role):
            return identity
    raise NoSuch(f"There is no {role.value if role else 'user'} named {name}: see `backstop user list`.")


def _sentence(services: Services, config: Config, user_id: str, name: str) -> str:
    token = services.accounts.issue_sign_in_link(user_id)
    return (
        f"One-time sign-in link for {name}, good for {config.web.sign_in_link_hours} hours: "
        f"{config.web.address or f'http://127.0.0.1:{config.web.port}'}/enter/{token}"
    )
