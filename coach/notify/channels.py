"""The senders that a configuration gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from coach.config import Config
from coach.notify import mail
from coach.notify.push import Push
from coach.notify.types import Channel, Sender
from coach.notify.vapid import VapidKey, own_key
from coach.notify.webhook import Webhook


class Channels:
    """Every channel's sender. Nothing is read, made or connected before it is needed."""

    def __init__(self, config: Config, key: Callable[[], VapidKey] | None = None) -> None:
        """key: returns what signs pushes; None for the file of this machine."""
        self._config = config
        self._key = lru_cache(maxsize=1)(key or (lambda: own_key(config.storage.directory)))
        private = config.reminders.private_targets
        contact = config.reminders.push_contact
        self._senders: Mapping[Channel, Sender] = {
            Channel.MAIL: mail.Mail(config.mail, config.web.address),
            Channel.PUSH: Push(self._key, contact, private),
            Channel.WEBHOOK: Webhook(private),
        }

    def prepare(self) -> None:
        """Make the key of the pushes on the first run and look at the settings. Raises ConfigError."""
        mail.check_config(self._config.mail)
        self.vapid_key()

    def vapid_key(self) -> VapidKey:
        """Return the key that signs pushes. Raises ConfigError."""
        return self._key()

    def mails(self) -> bool:
        """Tell whether a mail server is set."""
        return bool(self._config.mail.host and self._config.mail.sender)

    def sender(self, channel: Channel) -> Sender:
        """Return a channel's sender."""
        return self._senders[channel]
