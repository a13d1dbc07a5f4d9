"""The one error tree of `programs`."""

from __future__ import annotations


class ProgramError(Exception):
    """Any failure to make a program out of needs."""


class Locked(ProgramError):
    """Triage forbids a program; the message is what to show."""


class NoAnswer(ProgramError):
    """The library has no exercise that answers a need and is allowed for this athlete."""


class NoSlot(ProgramError):
    """The availability leaves no time of day that the rules allow."""
