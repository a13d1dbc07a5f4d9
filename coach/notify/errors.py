"""Why a message did not arrive."""

from __future__ import annotations

from coach.errors import CoachError


class NotDelivered(CoachError):
    """A message did not go out; the sentence is for the delivery log, without secrets and without foreign text.

    again: whether a later try may do better. gone: the receiver does not exist any more.
    """

    def __init__(self, said: str, *, again: bool = False, gone: bool = False) -> None:
        super().__init__(said)
        self.again, self.gone = again, gone
