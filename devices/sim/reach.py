"""How a wearable can be reached: what it advertises, whom it lets connect, and whether it wants to be paired."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Elsewhere(StrEnum):
    """Whether another central holds the wearable, and what it shows to the rest."""

    NO = "no"
    HIDDEN = "hidden"  # it does not advertise, as most
    REFUSING = "refusing"  # it advertises and lets nobody in


class Pairing(StrEnum):
    """What the wearable wants before its own services can be used."""

    NONE = "none"
    NEEDED = "needed"
    REFUSED = "refused"  # it wants to be paired and turns every attempt down


@dataclass(slots=True)
class Reach:
    """The switches. off: no battery, or switched off. advertises: False hides it from scans and connects.

    away_since_s: host's time since when it is out of reach, None while it is in reach; supervision_s: how long a link
    stands until the central gives it up then. refusals: connects still to refuse. connect_delay_s: in real s.
    bonded: whether this machine's central and the wearable are paired. worn: False for a product that went off because
    it is on no body.
    """

    off: bool = False
    advertises: bool = True
    away_since_s: float | None = None
    supervision_s: float = 0.0
    refusals: int = 0
    connect_delay_s: float = 0.0
    elsewhere: Elsewhere = Elsewhere.NO
    pairing: Pairing = Pairing.NONE
    bonded: bool = False
    worn: bool = True

    @property
    def heard(self) -> bool:
        """Tell whether a scan can hear it while nobody here holds the link."""
        there = not self.off and self.worn and self.away_since_s is None
        return there and self.advertises and self.elsewhere != Elsewhere.HIDDEN

    @property
    def locked(self) -> bool:
        """Tell whether its own services answer with "not without pairing"."""
        return self.pairing != Pairing.NONE and not self.bonded

    def answer_connect(self) -> float | None:
        """Return how long in real s the answer to a connect takes, None for a refusal (which is used up)."""
        if self.heard and self.elsewhere == Elsewhere.REFUSING:
            return None
        if self.refusals:
            self.refusals -= 1
            return None
        return self.connect_delay_s

    def lost_by_now(self, utc_s: float) -> bool:
        """Tell whether a link that stands has been silent for its supervision time-out."""
        return self.away_since_s is not None and utc_s - self.away_since_s >= self.supervision_s
