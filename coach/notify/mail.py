"""Mail through an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from coach.config import MailSection
from coach.errors import ConfigError, InvalidInput
from coach.notify.errors import NotDelivered
from coach.notify.types import Message, Target
from coach.said import said
from coach.secret_text import secret_text

# Source: RFC 5321, 4.5.3.1.3 (a path of 256 characters with its brackets).
_ADDRESS_MAX = 254
# Where a name and a password may go without encryption.
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_address(text: str) -> str:
    """Return a mail address that headers can carry. Raises InvalidInput."""
    said = text.strip()
    try:
        address = Address(addr_spec=said)
        fits = len(said) <= _ADDRESS_MAX and said.isascii() and said.isprintable() and bool(address.username)
    except (ValueError, IndexError, AttributeError, MessageError):
        fits = False  # the library stumbles over some of what is no address
    if not fits or "." not in said.rpartition("@")[2].strip("."):
        raise InvalidInput("This is not a mail address: give one like name@example.org.")
    return said


class Mail:
    """Sends plain text, one connection per mail. config: [mail]; link_base: before paths, empty for no links."""

    def __init__(self, config: MailSection, link_base: str) -> None:
        self._config, self._link_base = config, link_base

    def send(self, target: Target, message: Message, now_utc_s: float) -> None:
        """Hand a mail to the server. Raises NotDelivered."""
        mail = self._mail(target.address, message, now_utc_s)
        with _as_not_delivered(again=True):
            server = self._connected()
        try:
            # Broken off in here, it may have been taken: a mail cannot be taken back, so it is not sent again.
            with _as_not_delivered(again=False):
                server.send_message(mail)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def reach(self) -> None:
        """Connect and sign in, send nothing. Raises NotDelivered."""
        with _as_not_delivered(again=True):
            server = self._connected()
            server.quit()

    def _mail(self, address: str, message: Message, now_utc_s: float) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._config.sender, address, message.title
        mail["Date"] = format_datetime(datetime.fromtimestamp(now_utc_s, UTC))
        # The same for every try: a receiver can tell a repetition.
        mail["Message-ID"] = f"<{message.message_id}@{self._config.sender.rpartition('@')[2] or 'backstop.invalid'}>"
        # Source: RFC 3834, 5: no answering machine writes back.
        mail["Auto-Submitted"] = "auto-generated"
        link = f"\n\n{self._link_base}{message.path}" if self._link_base else ""
        ending = said("Reminders are switched off on the page Reminders of your Backstop.")
        mail.set_content(f"{message.text}{link}\n\n{ending}\n")
        return mail

    def _connected(self) -> smtplib.SMTP:
        config = self._config
        if not config.host or not config.sender:
            raise NotDelivered("No mail server is set: whoever runs Backstop names one in [mail] of config.toml.")
        context = ssl.create_default_context()
        if config.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=config.timeout_s, context=context)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=config.timeout_s)
        try:
            if config.tls == "starttls":
                server.starttls(context=context)
            if config.user:
                server.login(config.user, _password(config))
        except BaseException:
            server.close()
            raise
        return server


@contextmanager
def _as_not_delivered(again: bool) -> Iterator[None]:
    """Tell what a server answered as NotDelivered. again: what becomes of a connection that broke off."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise NotDelivered(f"The mail server refused the address (status {code}).", again=code < 500) from None
    except smtplib.SMTPAuthenticationError:
        raise NotDelivered(
            "The mail server refused the sign-in: whoever runs Backstop checks [mail] in config.toml.", again=True
        ) from None
    except smtplib.SMTPResponseException as error:
        code = error.smtp_code
        raise NotDelivered(f"The mail server refused the mail (status {code}).", again=400 <= code < 500) from None
    except ssl.SSLError:
        raise NotDelivered("The mail server's certificate could not be checked: have it mended.", again=again) from None
    except (OSError, smtplib.SMTPException):
        said = "The mail server did not answer." if again else "The mail server broke off; the mail may have arrived."
        raise NotDelivered(said, again=again) from None


def check_config(config: MailSection) -> None:
    """Raise ConfigError for settings that would give a password away, or a sender that is none."""
    if not config.host:
        return
    if config.user and config.tls == "none" and config.host not in _THIS_MACHINE:
        raise ConfigError(
            'mail.tls is "none": the password would go over the network in the clear; use starttls or tls.'
        )
    try:
        checked_address(config.sender)
    except InvalidInput:
        raise ConfigError("mail.sender is missing or not an address: name the one that mails come from.") from None
    _password(config)


def _password(config: MailSection) -> str:
    return secret_text("mail.password", config.password, config.password_file)
