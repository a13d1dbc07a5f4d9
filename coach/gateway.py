"""The gateway: links to wearables, their chunks and heart rate to a log, their live blocks to whoever looks at them.

The same code holds the links in the server's process and on the athlete's own machine; what differs is `Serving`.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from uuid import uuid4

from coach.config import Config
from coach.errors import CoachError, StoreUnavailable
from coach.log import ChunkLog
from coach.service.types import WearableView
from coach.wire import LinkLogText
from devices.errors import DeviceError
from devices.heartblock import HeartBlock, HeartGrouping
from devices.hostclock import HostClock
from devices.hub import BleHub
from devices.link import LinkRequest, WearableLink
from devices.profiles import profile_of
from devices.types import Chunk, HeartRateSample, LinkStatus

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
# s between two savings of a link's connection log while it goes on. Own choice.
_LOG_EVERY_S = 30.0

# s between two looks for heart rate that waits though nothing follows it. Own choice.
_LOOK_EVERY_S = 1.0

T = TypeVar("T")
RequestOf = Callable[[WearableView, str], LinkRequest | None]


class Serving(Protocol):
    """Which wearables a gateway serves, and who hears of their links. `told` and `live` must only enqueue."""

    def wearables(self) -> Sequence[WearableView]:
        """Return the wearables to keep linked. Raises CoachError."""
        ...

    def listen(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(wearable_id)` when one was added, changed or removed; return how to stop it."""
        ...

    def opened(self, view: WearableView, status: Callable[[], LinkStatus]) -> None:
        """Hear that a link was opened."""
        ...

    def told(self, view: WearableView, status: LinkStatus) -> None:
        """Hear that a link's state, problem or battery changed."""
        ...

    def live(self, view: WearableView, block: Chunk) -> None:
        """Take a live block."""
        ...

    def keep_heart(self, blocks: Sequence[HeartBlock]) -> tuple[str, ...]:
        """Keep heart rate durably and return the keys that are kept; what is missing was refused for good.

        Raises StoreUnavailable: try again.
        """
        ...

    def keep_log(self, log: LinkLogText) -> None:
        """Keep a recording's connection log as it is now. Raises CoachError."""
        ...

    def closed(self, view: WearableView) -> None:
        """Hear that a link was closed."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayCounts:
    """Chunks and heart blocks since the start. waiting: not acknowledged yet. dropped: the log was away too long."""

    acknowledged: int = 0
    refused: int = 0
    dropped: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _Open:
    link: WearableLink
    heart: HeartGrouping
    view: WearableView
    recording_id: str
    told: tuple[object, ...] = ()
    log_kept_s: float = float("-inf")
    log_kept: LinkLogText | None = None


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

    def __init__(self, hub: BleHub, serving: Serving, log: ChunkLog, request_of: RequestOf) -> None:
        self._hub, self._serving, self._chunk_log, self._request_of = hub, serving, log, request_of
        self._queue: queue.Queue[Chunk | HeartBlock | str | None] = queue.Queue(_WAITING_MAX)
        self._open: dict[str, _Open] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._stop_listening: Callable[[], None] = lambda: None
        self._deadline_s = float("inf")
        self._acknowledged = self._refused = self._dropped = self._in_hand = 0
        self._refusing = False

    @property
    def counts(self) -> GatewayCounts:
        """Return what became of the chunks and heart blocks."""
        waiting = self._in_hand + self._queue.qsize()
        return GatewayCounts(self._acknowledged, self._refused, self._dropped, waiting)

    def start(self) -> None:
        """Open the links of all wearables in use and start the thread; again is no error."""
        if self._thread is not None:
            return
        self._closing.clear()
        self._deadline_s = float("inf")
        self._stop_listening = self._serving.listen(self._put)
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        for view in self._serving.wearables():
            self._put(view.wearable_id)

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

    def _put(self, item: Chunk | HeartBlock | str | None) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            if self._dropped == 0:
                _log.error("the log has not taken %d chunks; newer ones are dropped until it does", _WAITING_MAX)
            self._dropped += isinstance(item, Chunk | HeartBlock)

    def _on_heart(self, heart: HeartGrouping, sample: HeartRateSample, arrival_utc_s: float) -> None:
        self._put_heart(heart.take(sample, arrival_utc_s, time.monotonic()))

    def _put_heart(self, block: HeartBlock | None) -> None:
        if block is not None:
            self._put(block)

    def _on_live(self, wearable_id: str, block: Chunk) -> None:
        opened = self._open.get(wearable_id)
        if opened is not None:
            self._serving.live(opened.view, block)

    def _on_status(self, wearable_id: str, status: LinkStatus) -> None:
        opened = self._open.get(wearable_id)
        told = (status.state, status.problem, status.battery_share, status.silent_since_utc_s)
        if opened is not None and opened.told != told:
            opened.told = told
            self._serving.told(opened.view, status)

    # On the gateway's thread

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._append(self._collected())
                self._cut_silent()
                self._keep_logs()
            except Exception:  # noqa: BLE001 - a defect below must not end the gateway unseen
                _log.exception("a round of the gateway failed in a way that is not known; it goes on")
        self._end()

    def _collected(self) -> list[Chunk | HeartBlock]:
        """Return what waits for the log, and attend to the wearables that changed meanwhile."""
        chunks: list[Chunk | HeartBlock] = []
        changed: dict[str, None] = {}
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=_LOOK_EVERY_S)
            while True:
                if isinstance(item, Chunk | HeartBlock):
                    chunks.append(item)
                elif isinstance(item, str):
                    changed[item] = None
                if len(chunks) >= _APPEND_MAX:
                    break
                item = self._queue.get_nowait()
        if changed:
            self._attend_all(changed)
        return chunks

    def _end(self) -> None:
        self._hub.close_links()
        for wearable_id in list(self._open):
            self._unlink(wearable_id)
        left: list[Chunk | HeartBlock] = []
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, Chunk | HeartBlock):
                left.append(item)
        self._append(left)

    def _append(self, items: list[Chunk | HeartBlock]) -> None:
        self._in_hand = len(items)
        self._hand_on(self._chunk_log.append, [item for item in items if isinstance(item, Chunk)])
        self._hand_on(self._serving.keep_heart, [item for item in items if isinstance(item, HeartBlock)])

    def _hand_on(self, append: Callable[[Sequence[T]], tuple[str, ...]], chunks: list[T]) -> None:
        """Append until the log has taken them; when closing, until the deadline."""
        wait_s = _RETRY_FIRST_S
        while chunks:
            try:
                keys = append(chunks)
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
            except Exception:  # noqa: BLE001 - a defect below must not hold up what comes next
                _log.exception("%d chunks were not stored in a way that is not known; they are lost", len(chunks))
                self._refused += len(chunks)
                break
            else:
                self._note(len(keys), len(chunks) - len(keys))
                break
        self._in_hand -= len(chunks)

    def _note(self, acknowledged: int, refused: int) -> None:
        if refused and not self._refusing:
            _log.error("the log refuses chunks, %d at first; this is said again after it has taken some", refused)
        self._refusing = refused > 0
        self._acknowledged += acknowledged
        self._refused += refused

    def _attend_all(self, wearable_ids: Iterable[str]) -> None:
        try:
            known = {each.wearable_id: each for each in self._serving.wearables()}
        except CoachError as error:
            _log.error("wearables that changed are not attended to: %s", error)
            return
        for wearable_id in wearable_ids:
            self._attend(wearable_id, known.get(wearable_id))

    def _attend(self, wearable_id: str, view: WearableView | None) -> None:
        """Make the link fit what is known of the wearable now."""
        try:
            if view is None:
                self._unlink(wearable_id)
            elif wearable_id in self._open:
                self._begin_recording(view)
            else:
                self._link(view)
        except (CoachError, DeviceError) as error:
            _log.error("wearable %s: %s", wearable_id, error)
        except Exception:  # noqa: BLE001 - one wearable's trouble must not end the others' links
            _log.exception("wearable %s could not be attended to in a way that is not known", wearable_id)

    def _link(self, view: WearableView) -> None:
        recording_id = uuid4().hex
        request = self._request_of(view, recording_id)
        if request is None:
            return
        wearable_id = view.wearable_id
        heart = HeartGrouping(request.device_id or request.address, recording_id, request.chunk_duration_s)
        link = self._hub.open(
            request,
            on_chunk=self._put,
            on_live=lambda block: self._on_live(wearable_id, block),
            on_status=lambda status: self._on_status(wearable_id, status),
            on_heart_rate=lambda sample, arrival_utc_s: self._on_heart(heart, sample, arrival_utc_s),
        )
        self._open[wearable_id] = _Open(link, heart, view, recording_id)
        self._serving.opened(view, lambda: replace(link.status(), heart=heart.newest))

    def _begin_recording(self, view: WearableView) -> None:
        """Begin a recording, because placement or calibration hold for a whole one."""
        opened = self._open[view.wearable_id]
        self._keep_log(opened)
        opened.recording_id = uuid4().hex
        opened.link.new_recording(opened.recording_id)
        self._put_heart(opened.heart.begin(opened.recording_id))
        opened.view = view

    def _unlink(self, wearable_id: str) -> None:
        opened = self._open.get(wearable_id)
        if opened is None:
            return
        try:
            opened.link.close()
        except DeviceError as error:
            _log.warning("closing the link of wearable %s: %s", wearable_id, error)
        self._put_heart(opened.heart.finish())
        self._keep_log(opened)
        del self._open[wearable_id]
        self._serving.closed(opened.view)

    def _cut_silent(self) -> None:
        for opened in self._open.values():
            self._put_heart(opened.heart.cut_if_silent(time.monotonic()))

    def _keep_logs(self) -> None:
        now_s = time.monotonic()
        for opened in self._open.values():
            if now_s - opened.log_kept_s >= _LOG_EVERY_S:
                self._keep_log(opened)

    def _keep_log(self, opened: _Open) -> None:
        opened.log_kept_s = time.monotonic()
        texts = [opened.link.log_text(redacted, opened.recording_id) for redacted in (True, False)]
        log = LinkLogText(opened.view.wearable_id, opened.recording_id, *texts)
        if log == opened.log_kept:
            return
        try:
            self._serving.keep_log(log)
            opened.log_kept = log
        except CoachError as error:
            _log.warning("the connection log of wearable %s is not kept: %s", opened.view.wearable_id, error)
