"""Looking for wearables in reach: an athlete asks, every radio that serves the athlete looks, the page reads along."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from coach.store.rows import fresh_id
from coach.wire import InReach
from devices.hostclock import HostClock

# s that a look lasts. Own choice: wearables advertise every 0.1 to 2 s, some only after they were moved.
LOOK_S = 20.0
# Devices of one look, and characters of what one says of itself: what more comes is no radio's. Own bounds.
_SEEN_MAX, _TEXT_MAX = 500, 200
# The source that is this process's own radio.
HERE = "here"


@dataclass(frozen=True, slots=True)
class LookView:
    """One look so far. left_s: 0 when it is over. seen: strongest first. troubles: why a radio cannot look.

    radios: how many are looking; none means that nobody can.
    """

    left_s: float
    seen: tuple[InReach, ...]
    troubles: tuple[str, ...]
    radios: int


class OtherLooks(Protocol):
    """The same looks in the other processes; a call never waits."""

    def begun(self, athlete_id: str, look_id: str, left_s: float) -> None:
        """Tell that a look began here."""
        ...

    def heard(self, athlete_id: str, source: str, seen: Sequence[InReach], trouble: str | None) -> None:
        """Tell what a radio has heard."""
        ...

    def radios(self) -> int:
        """Return how many of the other processes have a radio of their own."""
        ...


@dataclass(slots=True)
class _Look:
    look_id: str
    until_utc_s: float
    seen: dict[str, InReach] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    heard_from: set[str] = field(default_factory=set)


class Looks:
    """Thread-safe. In memory: a look is over in seconds."""

    def __init__(self, clock: HostClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looks: dict[str, _Look] = {}
        self._begun: list[Callable[[], None]] = []
        self._radio_here = False
        self._others: OtherLooks | None = None

    def attach_others(self, others: OtherLooks) -> None:
        """Look together with other processes."""
        self._others = others

    @property
    def radio_here(self) -> bool:
        """Tell whether this process's radio looks."""
        return self._radio_here

    def attach(self, begun: Callable[[], None]) -> None:
        """Let this process's radio look: `begun()` is called when a look begins, on the thread that asked."""
        with self._lock:
            self._radio_here = True
            self._begun.append(begun)

    def begin(self, athlete_id: str) -> None:
        """Begin a look for an athlete, anew if one goes on."""
        look_id = fresh_id()
        self.join(athlete_id, look_id, LOOK_S)
        if self._others is not None:
            self._others.begun(athlete_id, look_id, LOOK_S)

    def join(self, athlete_id: str, look_id: str, left_s: float) -> None:
        """Take part in a look that began here or elsewhere; again is no error, and a later one stands."""
        until_utc_s = self._clock.utc_s() + left_s
        with self._lock:
            known = self._looks.get(athlete_id)
            if known is not None and (known.look_id == look_id or known.until_utc_s > until_utc_s):
                return
            self._looks[athlete_id] = _Look(look_id, until_utc_s)
            begun = list(self._begun)
        for each in begun:
            each()

    def going_on(self) -> dict[str, tuple[str, float]]:
        """Return the id of each look that goes on and the s that are left of it, by athlete."""
        now = self._clock.utc_s()
        with self._lock:
            return {
                athlete_id: (look.look_id, look.until_utc_s - now)
                for athlete_id, look in self._looks.items()
                if look.until_utc_s > now
            }

    def wanted_by(self) -> tuple[str, ...]:
        """Return the athletes whose look goes on."""
        now = self._clock.utc_s()
        with self._lock:
            return tuple(athlete_id for athlete_id, look in self._looks.items() if look.until_utc_s > now)

    def heard(self, athlete_id: str, source: str, seen: Sequence[InReach], trouble: str | None) -> None:
        """Take what one radio has heard so far, or why it cannot look."""
        self.take(athlete_id, source, seen, trouble)
        if self._others is not None:
            self._others.heard(athlete_id, source, seen, trouble)

    def take(self, athlete_id: str, source: str, seen: Sequence[InReach], trouble: str | None) -> None:
        """Take what a radio has heard, as it or another process tells it."""
        with self._lock:
            look = self._looks.get(athlete_id)
            if look is None or self._clock.utc_s() > look.until_utc_s + LOOK_S:
                return
            look.heard_from.add(source)
            look.troubles.pop(source, None)
            if trouble is not None:
                look.troubles[source] = trouble
            for each in seen:
                known = look.seen.get(each.address.upper())
                if (known is None and len(look.seen) >= _SEEN_MAX) or len(each.address) > _TEXT_MAX:
                    continue
                if known is None or each.rssi_dbm > known.rssi_dbm or (each.name and not known.name):
                    name = each.name or (known.name if known else "")
                    look.seen[each.address.upper()] = replace(each, name=name[:_TEXT_MAX], told=each.told[:_TEXT_MAX])

    def view(self, athlete_id: str, gateways: int) -> LookView | None:
        """Return the athlete's look, None if there was none. gateways: how many elsewhere serve the athlete now."""
        with self._lock:
            look = self._looks.get(athlete_id)
            if look is None:
                return None
            left_s = max(0.0, look.until_utc_s - self._clock.utc_s())
            seen = sorted(look.seen.values(), key=lambda each: (-each.rssi_dbm, each.address))
            # A radio that cannot look matters only where no other one looks.
            silent = not (look.heard_from - look.troubles.keys())
            troubles = tuple(dict.fromkeys(look.troubles.values())) if silent else ()
            others = self._others.radios() if self._others is not None else 0
            return LookView(left_s, tuple(seen), troubles, self._radio_here + others + gateways)
