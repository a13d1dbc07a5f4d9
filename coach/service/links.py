"""How every link does, here or at a gateway elsewhere, and who hears that a wearable changed. In memory only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from devices.hostclock import HostClock
from devices.types import LinkState, LinkStatus

# s without a word from a gateway before its links are not believed any more. Own choice: several missed reports.
_BELIEVED_S = 15.0
# The link that does best speaks for the wearable; one that needs the person comes before one that only searches.
_RANK = (
    LinkState.STREAMING,
    LinkState.CONNECTING,
    LinkState.BLOCKED,
    LinkState.WAITING,
    LinkState.SCANNING,
    LinkState.STOPPED,
)
_LINKED = frozenset({LinkState.STREAMING, LinkState.CONNECTING})


@dataclass(frozen=True, slots=True)
class _Report:
    """What a gateway elsewhere said last. at_utc_s: by the clock here."""

    label: str
    at_utc_s: float
    links: Mapping[str, LinkStatus]


class LinkBoard:
    """Thread-safe: status of links by wearable id, and listeners for changed wearables."""

    def __init__(self, clock: HostClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._here: dict[str, Callable[[], LinkStatus]] = {}
        self._reports: dict[str, _Report] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._tell: Callable[[str], None] = lambda wearable_id: None

    def attach(self, tell: Callable[[str], None]) -> None:
        """Have other processes hear, by `tell(wearable_id)`, that a wearable changed."""
        self._tell = tell

    def here(self) -> dict[str, LinkStatus]:
        """Return how the links of this process do."""
        with self._lock:
            providers = dict(self._here)
        return {wearable_id: provider() for wearable_id, provider in providers.items()}

    def show(self, wearable_id: str, status: Callable[[], LinkStatus]) -> None:
        """Let `status` answer for a link of this process from now on."""
        with self._lock:
            self._here[wearable_id] = status

    def hide(self, wearable_id: str) -> None:
        """Forget a link of this process; it is closed."""
        with self._lock:
            self._here.pop(wearable_id, None)

    def report(self, source: str, label: str, links: Mapping[str, LinkStatus]) -> None:
        """Take all that a gateway elsewhere, called `label`, says of its links; replaces what it said before."""
        with self._lock:
            self._reports[source] = _Report(label, self._clock.utc_s(), links)

    def forget(self, source: str) -> None:
        """Forget a gateway elsewhere; it has ended or may not speak any more."""
        with self._lock:
            self._reports.pop(source, None)

    def status(self, wearable_id: str) -> LinkStatus | None:
        """Return how the wearable's link does, None when nobody holds one.

        Several machines may look for the same wearable, of which one at a time can have it. While a gateway elsewhere
        reports, the link of this process counts only if it has the wearable: a server needs no radio.
        """
        now = self._clock.utc_s()
        with self._lock:
            provider = self._here.get(wearable_id)
            reports = [each for each in self._reports.values() if wearable_id in each.links]
        here = provider() if provider else None
        there = [_believed(each, each.links[wearable_id], now) for each in reports]
        if here is not None and (not there or here.state in _LINKED):
            there.append(here)
        return min(there, key=lambda each: _RANK.index(each.state), default=None)

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(wearable_id)` after a wearable was added, changed or forgotten; return how to stop it."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def changed(self, wearable_id: str) -> None:
        """Tell the listeners, in other processes too."""
        self.heard_changed(wearable_id)
        self._tell(wearable_id)

    def heard_changed(self, wearable_id: str) -> None:
        """Tell the listeners of this process."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(wearable_id)


def _believed(report: _Report, status: LinkStatus, now_utc_s: float) -> LinkStatus:
    """Return a reported status, or that its gateway fell silent."""
    if now_utc_s - report.at_utc_s <= _BELIEVED_S:
        return status
    problem = (
        f"{report.label} does not report any more: start its gateway, or mend its network. "
        "What it records meanwhile is kept there and comes later."
    )
    return replace(status, state=LinkState.STOPPED, since_utc_s=report.at_utc_s, problem=problem)
