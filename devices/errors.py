"""The one error tree of `devices`. The message is a sentence: what happened, where, what to do."""

from __future__ import annotations


class DeviceError(Exception):
    """Any failure between a wearable or a file and a chunk."""


class NoRadio(DeviceError):
    """This machine has no usable Bluetooth adapter or service."""


class NotFound(DeviceError):
    """The wanted wearable is not in reach."""


class Refused(DeviceError):
    """The wearable refused the connection, the pairing or a setting."""


class NotPaired(Refused):
    """The wearable answers nothing of worth until it is paired."""


class NeedsPerson(DeviceError):
    """Trying again alone will not help; the sentence says what a person has to do."""


class Disconnected(DeviceError):
    """The link was lost."""


class NoAnswer(Disconnected):
    """The wearable is linked and does not answer a command."""


class BadPacket(DeviceError):
    """A damaged, truncated or foreign notification."""


class UnknownFormat(DeviceError):
    """A file whose form is not known, or lacks what it needs."""
