"""The one error tree of `coach`. The message is a sentence: what happened, where, what to do."""

from __future__ import annotations


class CoachError(Exception):
    """Any failure of the service that a person or a program should hear of."""


class ConfigError(CoachError):
    """A key, a value or a file of the configuration is wrong."""


class NotAllowed(CoachError):
    """This person may not do this to this object."""


class Gone(NotAllowed):
    """What this was for was erased: whoever holds something of it forgets it."""


class NoSuch(CoachError):
    """The object does not exist (or is not shown to this person)."""


class Locked(CoachError):
    """Triage locked the athlete's program; the message is what to show."""


class Conflict(CoachError):
    """The object is no longer in the state that the request supposes."""


class Overtaken(Conflict):
    """Another transaction was first, and this one would pass if it were tried again; nothing was changed."""


class InvalidInput(CoachError):
    """What was sent cannot be used; the message says which part and why."""


class AlreadyRunning(CoachError):
    """Another Backstop holds this database or this address."""


class StoreUnavailable(CoachError):
    """The database cannot be read or written now; nothing was changed.

    condition: one of store.condition.Condition, where it is known.
    """

    def __init__(self, what: str, condition: str = "unreachable") -> None:
        super().__init__(what)
        self.condition = condition
