"""The server's own gateway: it serves every wearable, shows its links on the board, and feeds the open pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from coach.errors import CoachError
from coach.live import LiveAnalysis, LiveFeed, LiveSource
from coach.service import Services
from coach.service.looks import HERE, Looks
from coach.service.types import WearableView
from coach.wire import InReach, LinkLogText
from devices.errors import DeviceError
from devices.heartblock import HeartBlock
from devices.hub import BleHub
from devices.profiles.polar_advertisement import told_on_air
from devices.types import Chunk, LinkStatus

# s of one scan of a look; the page shows what was heard after each. Own choice.
_SCAN_S = 2.0


class LiveDoor:
    """Where live blocks come in, from this process's links and from gateways elsewhere alike."""

    def __init__(self, services: Services, live: LiveAnalysis) -> None:
        self._services, self._live = services, live

    def take(self, view: WearableView, block: Chunk, notified_utc_s: float) -> None:
        """Hand a block to the live line, and to a calibration, a test or a guided set that goes on; only enqueues."""
        source = LiveSource(view.wearable_id, view.athlete_id, view.placement, view.upright, view.forward)
        self._bring(source, block, notified_utc_s)

    def _bring(self, source: LiveSource, block: Chunk, notified_utc_s: float) -> None:
        self._live.push(source, block, notified_utc_s)
        self._services.poses.take(source.wearable_id, block)
        self._services.trials.take(source.wearable_id, block)
        self._services.guidance.take(source.wearable_id, block, notified_utc_s)

    def forget(self, wearable_id: str) -> None:
        """Drop the live line's state; the link is closed."""
        self._live.forget(wearable_id)


class LocalServing:
    """What `Gateway` asks for, over the services of this process."""

    def __init__(self, services: Services, door: LiveDoor, feed: LiveFeed) -> None:
        self._services, self._door, self._feed = services, door, feed

    def wearables(self) -> Sequence[WearableView]:
        """Return every wearable in use."""
        return self._services.wearables.all()

    def listen(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Hear of wearables that were added, changed or forgotten."""
        return self._services.links.listen(changed)

    def opened(self, view: WearableView, status: Callable[[], LinkStatus]) -> None:
        """Show the link on the board."""
        self._services.links.show(view.wearable_id, status)

    def told(self, view: WearableView, status: LinkStatus) -> None:
        """Tell the open pages."""
        self._publish(view, status.state.value)

    def live(self, view: WearableView, block: Chunk) -> None:
        """Feed the live line."""
        self._door.take(view, block, time.time())

    def keep_heart(self, blocks: Sequence[HeartBlock]) -> tuple[str, ...]:
        """Store heart rate."""
        return self._services.heart_log.append(blocks)

    def keep_log(self, log: LinkLogText) -> None:
        """Store a connection log."""
        self._services.gateways.keep_log(log)

    def closed(self, view: WearableView) -> None:
        """Take the link off the board and tell the open pages."""
        self._door.forget(view.wearable_id)
        self._services.links.hide(view.wearable_id)
        self._publish(view, "stopped")

    def _publish(self, view: WearableView, state: str) -> None:
        self._feed.publish(view.athlete_id, {"kind": "link", "wearable_id": view.wearable_id, "state": state})


class Lookout:
    """Look for wearables with this process's radio while an athlete wants it. One thread."""

    def __init__(self, hub: BleHub, looks: Looks) -> None:
        self._hub, self._looks = hub, looks
        self._wanted = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Be ready to look; again is no error."""
        if self._thread is None:
            self._looks.attach(self._wanted.set)
            self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_SCAN_S + 10.0)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            while not self._closing and (athletes := self._looks.wanted_by()):
                seen, trouble = scan(self._hub)
                for athlete_id in athletes:
                    self._looks.heard(athlete_id, HERE, seen, trouble)
                if trouble:
                    time.sleep(_SCAN_S)
            if self._closing:
                return


def scan(hub: BleHub) -> tuple[tuple[InReach, ...], str | None]:
    """Scan once and return what was heard, and what stands in the way."""
    try:
        heard = hub.scan(_SCAN_S)
    except (CoachError, DeviceError) as error:
        return (), str(error)
    return tuple(
        InReach(
            each.advertisement.address,
            each.advertisement.name[:100],
            each.family,
            each.advertisement.rssi_dbm,
            told_on_air(each.advertisement),
        )
        for each in heard
    ), None
