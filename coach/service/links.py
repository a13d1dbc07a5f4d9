"""Where the gateway shows how its links do, and hears that a wearable changed. In this process only."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.types import LinkStatus


class LinkBoard:
    """Thread-safe: status providers by wearable id, and listeners for changed wearables."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status: dict[str, Callable[[], LinkStatus]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def show(self, wearable_id: str, status: Callable[[], LinkStatus]) -> None:
        """Let `status` answer for a wearable from now on."""
        with self._lock:
            self._status[wearable_id] = status

    def hide(self, wearable_id: str) -> None:
        """Forget a wearable's status; the link is closed."""
        with self._lock:
            self._status.pop(wearable_id, None)

    def status(self, wearable_id: str) -> LinkStatus | None:
        """Return the status, None when no link is open in this process."""
        with self._lock:
            provider = self._status.get(wearable_id)
        return provider() if provider else None

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
        """Tell the listeners."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(wearable_id)
