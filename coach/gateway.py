"""The gateway: links to the wearables of this process, their chunks to the log, their live blocks to the pages."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from coach.config import Config
from coach.errors import CoachError, StoreUnavailable
from coach.live import LiveAnalysis, LiveFeed, LiveSource
from coach.log import ChunkLog
from coach.service import Services
from coach.service.types import WearableView
from devices.errors import DeviceError
from devices.hostclock import HostClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles import profile_of
from devices.types import Chunk, LinkStatus

_log = logging.getLogger(__name__)
# Chunks that may wait for the log: 5.6 h of one wearable at 5 s each, some 50 MB. Own choice.
_WAITING_MAX = 4096
# Chunks of one append. Own choice: a replay's burst in a few commits.
_APPEND_MAX = 64
# s between two tries to append, the first and the longest. Own choice.
_RETRY_FIRST_S, _RETRY_MAX_S = 0.25, 10.0
# s that closing waits for the log to take what is there. Own choice.
_CLOSE_S = 10.0
# Hz. Trunk motion is below 10 Hz; more only costs battery and disk. Own choice.
_RATE_WANTED_HZ = 60.0

RequestOf = Callable[[WearableView, str], LinkRequest | None]


@dataclass(frozen=True, slots=True)
class GatewayCounts:
    """Since the start. waiting: not acknowledged yet. dropped: lost because the log was away for too long."""

    acknowledged: int = 0
    refused: int = 0
    dropped: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _Open:
    link: WearableLink
    view: WearableView
    upright: tuple[float, float, float] | None
    told: tuple[object, ...] = ()


def request_from(config: Config, clock: HostClock) -> RequestOf:
    """Return how to link to a real wearable with this configuration; None for a simulated one."""

    def request_of(view: WearableView, recording_id: str) -> LinkRequest | None:
        if view.simulated:
            return None
        offered = profile_of(view.family).rates_offered_hz
        rate_hz = max((rate for rate in offered if rate <= _RATE_WANTED_HZ), default=min(offered))
        return LinkRequest(
            address=view.address,
            family=view.family,
            rate_hz=rate_hz,
            recording_id=recording_id,
            clock=clock,
            chunk_duration_s=config.chunk.duration_s,
            live_s=config.chunk.live_s,
            silence_s=config.link.silence_s,
            connect_timeout_s=config.link.connect_timeout_s,
            scan_s=config.link.scan_s,
            backoff_first_s=config.link.backoff_first_s,
            backoff_max_s=config.link.backoff_max_s,
        )

    return request_of


class Gateway:
    """Keep a link open to every wearable in use, until closed. One thread appends; the hub's thread only enqueues."""

    def __init__(
        self,
        hub: BleHub,
        services: Services,
        log: ChunkLog,
        live: LiveAnalysis,
        feed: LiveFeed,
        request_of: RequestOf,
    ) -> None:
        self._hub, self._services, self._chunk_log = hub, services, log
        self._live, self._feed, self._request_of = live, feed, request_of
        self._queue: queue.Queue[Chunk | str | None] = queue.Queue(_WAITING_MAX)
        self._open: dict[str, _Open] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._stop_listening: Callable[[], None] = lambda: None
        self._deadline_s = float("inf")
        self._acknowledged = self._refused = self._dropped = self._in_hand = 0

    @property
    def counts(self) -> GatewayCounts:
        """Return what became of the chunks."""
        waiting = self._in_hand + self._queue.qsize()
        return GatewayCounts(self._acknowledged, self._refused, self._dropped, waiting)

    def start(self) -> None:
        """Open the links of all wearables in use and start the thread; again is no error."""
        if self._thread is not None:
            return
        self._closing.clear()
        self._deadline_s = float("inf")
        self._stop_listening = self._services.links.listen(self._changed)
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        for view in self._services.wearables.all():
            self._changed(view.wearable_id)

    def close(self) -> None:
        """Close the links, hand what they flushed to the log, end the thread. May be called again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop_listening()
        self._closing.set()
        self._deadline_s = time.monotonic() + _CLOSE_S
        self._put(None)
        thread.join(2 * _CLOSE_S)

    # On the hub's thread: only enqueue

    def _on_chunk(self, chunk: Chunk) -> None:
        self._put(chunk)

    def _put(self, item: Chunk | str | None) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            if self._dropped == 0:
                _log.error("the log has not taken %d chunks; newer ones are dropped until it does", _WAITING_MAX)
            self._dropped += isinstance(item, Chunk)

    def _on_live(self, wearable_id: str, block: Chunk) -> None:
        opened = self._open.get(wearable_id)
        if opened is not None:
            view = opened.view
            source = LiveSource(wearable_id, view.athlete_id, view.placement, opened.upright)
            self._live.push(source, block, time.time())

    def _on_status(self, wearable_id: str, status: LinkStatus) -> None:
        opened = self._open.get(wearable_id)
        told = (status.state, status.problem, status.battery_share)
        if opened is not None and opened.told != told:
            opened.told = told
            event = {"kind": "link", "wearable_id": wearable_id, "state": status.state.value}
            self._feed.publish(opened.view.athlete_id, event)

    # On the gateway's thread

    def _changed(self, wearable_id: str) -> None:
        self._put(wearable_id)

    def _run(self) -> None:
        chunks: list[Chunk] = []
        while not self._closing.is_set():
            item = self._queue.get()
            while True:
                if isinstance(item, Chunk):
                    chunks.append(item)
                elif isinstance(item, str):
                    self._attend(item)
                if self._queue.empty() or len(chunks) >= _APPEND_MAX:
                    break
                item = self._queue.get()
            self._append(chunks)
            chunks = []
        self._end()

    def _end(self) -> None:
        for wearable_id in list(self._open):
            self._unlink(wearable_id)
        left: list[Chunk] = []
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, Chunk):
                left.append(item)
        self._append(left)

    def _append(self, chunks: list[Chunk]) -> None:
        """Append until the log has taken them; when closing, until the deadline."""
        wait_s = _RETRY_FIRST_S
        self._in_hand = len(chunks)
        while chunks:
            try:
                keys = self._chunk_log.append(chunks)
            except StoreUnavailable as error:
                if time.monotonic() > self._deadline_s:
                    self._dropped += len(chunks)
                    _log.error("%d chunks are lost, the log did not take them before the end: %s", len(chunks), error)
                    break
                _log.warning("%d chunks wait: %s", len(chunks), error)
                time.sleep(min(wait_s, max(0.0, self._deadline_s - time.monotonic())))
                wait_s = min(2 * wait_s, _RETRY_MAX_S)
            except CoachError as error:
                # Sending the same again does not help: say it, and go on with what comes next.
                _log.error("the log refuses %d chunks: %s", len(chunks), error)
                self._refused += len(chunks)
                break
            else:
                refused = len(chunks) - len(keys)
                if refused:
                    _log.error("the log refused %d of %d chunks", refused, len(chunks))
                self._acknowledged += len(keys)
                self._refused += refused
                break
        self._in_hand = 0

    def _attend(self, wearable_id: str) -> None:
        """Make the link fit what is known of the wearable now."""
        try:
            view = next((each for each in self._services.wearables.all() if each.wearable_id == wearable_id), None)
            if view is None:
                self._unlink(wearable_id)
            elif wearable_id in self._open:
                self._begin_recording(view)
            else:
                self._link(view)
        except (CoachError, DeviceError) as error:
            _log.error("wearable %s: %s", wearable_id, error)

    def _link(self, view: WearableView) -> None:
        request = self._request_of(view, uuid4().hex)
        if request is None:
            return
        wearable_id = view.wearable_id
        link = self._hub.open(
            request,
            on_chunk=self._on_chunk,
            on_live=lambda block: self._on_live(wearable_id, block),
            on_status=lambda status: self._on_status(wearable_id, status),
        )
        self._open[wearable_id] = _Open(link, view, self._services.wearables.upright(wearable_id))
        self._services.links.show(wearable_id, link.status)

    def _begin_recording(self, view: WearableView) -> None:
        """Begin a recording, because placement or calibration hold for a whole one."""
        opened = self._open[view.wearable_id]
        opened.link.new_recording(uuid4().hex)
        opened.view = view
        opened.upright = self._services.wearables.upright(view.wearable_id)

    def _unlink(self, wearable_id: str) -> None:
        opened = self._open.get(wearable_id)
        if opened is None:
            return
        try:
            opened.link.close()
        except DeviceError as error:
            _log.warning("closing the link of wearable %s: %s", wearable_id, error)
        del self._open[wearable_id]
        self._live.forget(wearable_id)
        self._services.links.hide(wearable_id)
        self._feed.publish(opened.view.athlete_id, {"kind": "link", "wearable_id": wearable_id, "state": "stopped"})
