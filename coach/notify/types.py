"""What senders are given and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Channel(StrEnum):
    MAIL = "mail"
    PUSH = "push"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. address: of mail, a push service's endpoint, or a webhook. secrets: p256dh and auth, or secret."""

    address: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: time and names of exercises, nothing of findings or pain.

    message_id: the same for every try, so that a receiver can tell a repetition. path: of the page it is about.
    fields: the same as values, for programs. until_s: s from now after which nobody needs it.
    """

    message_id: str
    title: str
    text: str
    path: str
    until_s: float
    fields: Mapping[str, Any]


class Sender(Protocol):
    """One channel."""

    def send(self, target: Target, message: Message, now_utc_s: float) -> None:
        """Hand a message over, within half a minute. Raises NotDelivered."""
        ...
