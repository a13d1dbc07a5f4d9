"""Checks over the network: the mail server, and the hosts of webhooks. Nothing is sent to anybody."""

from __future__ import annotations

from collections.abc import Iterator

from coach.checkup.types import Line, State
from coach.config import Config
from coach.errors import CoachError
from coach.instance import database_path
from coach.notify import mail, outgoing
from coach.store import snapshot


def check_network(config: Config) -> Iterator[Line]:
    """Sign in at the mail server, and connect to each webhook's host without asking it anything."""
    if not config.mail.host:
        yield Line("mail", State.OK, "No mail server is set.")
    else:
        try:
            mail.check_config(config.mail)
            mail.Mail(config.mail, "").reach()
            yield Line("mail", State.OK, f"{config.mail.host} answers and takes the sign-in.")
        except CoachError as error:
            yield Line("mail", State.BROKEN, str(error), "Check [mail] of config.toml and the way to that server.")
    if not database_path(config.storage.directory).exists():
        return
    with snapshot.open_snapshot(database_path(config.storage.directory)) as seen:
        targets = snapshot.webhooks(seen)
    for athlete_id, url in targets:
        # The address is the receiver's secret; whose it is says enough.
        whose = f"The webhook of athlete {athlete_id}"
        try:
            outgoing.reach(url, config.reminders.private_targets)
            yield Line("webhook", State.OK, f"{whose} can be reached.")
        except CoachError as error:
            yield Line("webhook", State.ATTENTION, f"{whose}: {error}", "Tell the athlete, or mend this network.")
    if not targets:
        yield Line("webhook", State.OK, "Nobody has set one.")
