"""A gateway's ties to its server: asks what to serve, sends what is spooled, says how links do, passes live blocks on.

Threads with a connection each: none waits for another, and the radio for none of them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from coach import wire
from coach.delivery import Contact, Delivery
from coach.durable import replace
from coach.errors import CoachError, Conflict, InvalidInput, NotAllowed
from coach.log import pack
from coach.service.types import WearableView
from coach.serving import scan
from coach.spool import Spool, SpoolLog
from coach.uplink import OpenWay, Uplink
from coach.wire import Beat, InReach, LinkLogText, Orders, ServedWearable
from devices.codec import encode_chunk
from devices.errors import DeviceError
from devices.heartblock import HeartBlock
from devices.hostclock import HostClock
from devices.hub import BleHub
from devices.types import Chunk, LinkStatus

_log = logging.getLogger(__name__)
# s between two live posts, and live blocks that may wait: old ones are not live. Own choice.
_LIVE_EVERY_S, _LIVE_MAX = 0.25, 32
# s between reports at least, however much happens, and while somebody waits for what a look hears. Own choice.
_REPORT_MIN_S = 0.5
# Characters of connection logs in one report; the server takes twice as much. Own choice.
_LOGS_BYTES = 1_000_000
# s for the last post at the end. Own choice.
_GOODBYE_S = 5.0


class Outpost:
    """What `Gateway` asks for on the athlete's own machine. What the person is told goes through `contact`.

    Orders are kept beside the spool, so that a restart without the server still knows its wearables.
    """

    def __init__(
        self,
        uplinks: Callable[[], Uplink],
        folder: Path,
        spool: Spool,
        hub: BleHub,
        clock: HostClock,
        contact: Contact,
    ) -> None:
        self._uplinks, self._folder, self._spool = uplinks, folder, spool
        self._hub, self._clock, self._contact = hub, clock, contact
        self.log = SpoolLog(spool)
        self._delivery = Delivery(uplinks, spool, self.log, contact)
        self._instance = _kept_instance(folder)
        self._orders = _kept_orders(folder)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[str], None]] = []
        self._links: dict[str, Callable[[], LinkStatus]] = {}
        self._said: dict[str, str] = {}
        self._logs: dict[tuple[str, str], LinkLogText] = {}
        self._live: deque[tuple[Chunk, float]] = deque(maxlen=_LIVE_MAX)
        self._seen: dict[str, InReach] = {}
        self._trouble: str | None = None
        self._looking = False
        # Each wakes a thread.
        self._report_now, self._live_ready, self._look_now = threading.Event(), threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        for name, run in (
            ("report", self._run_reports),
            ("live", self._run_live),
            ("look", self._run_looks),
        ):
            thread = threading.Thread(target=run, name=f"outpost-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._delivery.start()

    def close(self) -> None:
        """Send what can be sent at once, say goodbye to the server, end the threads.

        What waits stays on the disk, unless the server said that whose it is was erased.
        """
        contact, give_up_s = self._contact, time.monotonic() + _GOODBYE_S
        while contact.online and self._spool.waiting and not contact.ended.is_set() and time.monotonic() < give_up_s:
            time.sleep(0.05)
        contact.closing.set()
        for event in (self._report_now, self._live_ready, self._look_now):
            event.set()
        self._delivery.close(2 * _GOODBYE_S)
        for thread in self._threads:
            thread.join(2 * _GOODBYE_S)
        if contact.erased:
            self._spool.clear()
            (self._folder / "orders.json").unlink(missing_ok=True)

    # What the gateway calls

    def wearables(self) -> Sequence[WearableView]:
        """Return the wearables that the server named last."""
        with self._lock:
            orders = self._orders
        return [_view(orders, each) for each in orders.wearables] if orders else []

    def listen(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(wearable_id)` when the server's orders change."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    def opened(self, view: WearableView, status: Callable[[], LinkStatus]) -> None:
        """Report this link from now on."""
        with self._lock:
            self._links[view.wearable_id] = status
        self._report_now.set()

    def told(self, view: WearableView, status: LinkStatus) -> None:
        """Say it, and report at once."""
        sentence = f"{view.name}: {status.problem or status.state.value}"
        if self._said.get(view.wearable_id) != sentence:
            self._said[view.wearable_id] = sentence
            self._contact.say(sentence)
        self._report_now.set()

    def live(self, view: WearableView, block: Chunk) -> None:
        """Pass a live block on while a page looks at it."""
        orders = self._orders
        if orders is not None and self._contact.online and view.wearable_id in orders.watching:
            self._live.append((block, time.monotonic()))
            self._live_ready.set()

    def keep_heart(self, blocks: Sequence[HeartBlock]) -> tuple[str, ...]:
        """Put heart rate beside the chunks that wait for the server."""
        return self.log.append_heart(blocks)

    def keep_log(self, log: LinkLogText) -> None:
        """Send a connection log with the next report."""
        with self._lock:
            self._logs[log.wearable_id, log.recording_id] = log

    def closed(self, view: WearableView) -> None:
        """Report this link no more."""
        with self._lock:
            self._links.pop(view.wearable_id, None)

    # Reports and orders

    def _run_reports(self) -> None:
        uplink, wait_s = self._uplinks(), 0.0
        failures = 0
        while not self._contact.closing.is_set():
            self._report_now.wait(wait_s)
            self._report_now.clear()
            failures = 0 if self._reported(uplink) else failures + 1
            wait_s = self._contact.backoff_s(failures) if failures else self._report_every_s()
            # Whatever happens meanwhile travels together.
            self._contact.closing.wait(min(wait_s, _REPORT_MIN_S))
        if self._contact.accepted.is_set() and not self._contact.ended.is_set():
            self._report(uplink, leaving=True)
        uplink.close()

    def _report_every_s(self) -> float:
        return _REPORT_MIN_S if self._looking else self._contact.params.report_s

    def _reported(self, uplink: Uplink) -> bool:
        try:
            return self._report(uplink)
        except Exception:  # noqa: BLE001 - a defect below must not end the reports unseen
            _log.exception("a report to the server failed in a way that is not known; the next one is tried")
            return False

    def _report(self, uplink: Uplink, leaving: bool = False) -> bool:
        """Exchange a report for orders; tell whether it was answered."""
        with self._lock:
            logs, links = _that_fit(self._logs), dict(self._links)
            seen = tuple(self._seen.values()) if self._looking else None
        beat = Beat(
            instance=self._instance,
            utc_s=self._clock.utc_s(),
            links={key: status() for key, status in links.items()},
            waiting=self._spool.waiting,
            dropped=self.log.left_out,
            full=self._spool.full,
            seen=seen,
            trouble=self._trouble,
            logs=tuple(logs.values()),
            leaving=leaving,
        )
        try:
            orders = wire.decode_orders(uplink.post("/api/v1/gateway", wire.encode(beat), "application/json"))
        except (NotAllowed, Conflict) as error:
            self._contact.end(error)
        except OpenWay as error:
            # A server that had answered was private then: a foreign network answers for its name now, and not for ever.
            (self._contact.lost if self._contact.accepted.is_set() else self._contact.end)(str(error))
        except CoachError as error:
            self._contact.lost(str(error))
        else:
            with self._lock:
                for key, log in logs.items():
                    if self._logs.get(key) == log:
                        del self._logs[key]
            self._take_orders(orders)
            return True
        return False

    def _take_orders(self, orders: Orders) -> None:
        before = self._orders
        if before is not None and before.athlete_id != orders.athlete_id and self._spool.waiting:
            self._contact.end(
                f"{self._spool.waiting} chunks of another athlete wait in {self._folder}: "
                "let that athlete's gateway send them first, or give --spool another folder."
            )
            return
        with self._lock:
            self._orders = orders
        if before is None or (before.athlete_id, before.wearables) != (orders.athlete_id, orders.wearables):
            try:
                replace(self._folder / "orders.json", wire.encode(orders))
            except OSError as error:
                # A full disk costs a restart without the server its wearables, but no link now.
                _log.warning("the server's orders cannot be kept in %s: %s", self._folder, error)
            self._say_served(orders)
            old = {each.wearable_id: each for each in before.wearables} if before else {}
            new = {each.wearable_id: each for each in orders.wearables}
            for wearable_id in sorted(old.keys() | new.keys()):
                if old.get(wearable_id) != new.get(wearable_id):
                    for listener in list(self._listeners):
                        listener(wearable_id)
        if orders.look and not self._looking:
            with self._lock:
                self._seen, self._trouble = {}, None
            self._looking = True
            self._look_now.set()
        elif not orders.look:
            self._looking = False
        self._contact.found()

    def _say_served(self, orders: Orders) -> None:
        names = ", ".join(each.name for each in orders.wearables)
        what = f"serving {names}" if names else "no wearable yet: add one on the Wearables page"
        self._contact.say(f"Gateway of {orders.athlete_name}, {what}.")

    # Live blocks and looks

    def _run_live(self) -> None:
        uplink = self._uplinks()
        while True:
            self._live_ready.wait()
            self._live_ready.clear()
            if self._contact.closing.is_set():
                break
            self._post_live(uplink)
            self._contact.closing.wait(_LIVE_EVERY_S)
        uplink.close()

    def _post_live(self, uplink: Uplink) -> None:
        blobs: list[bytes] = []
        newest_s = 0.0
        while self._live:
            block, newest_s = self._live.popleft()
            with contextlib.suppress(DeviceError):
                blobs.append(encode_chunk(block))
        if blobs:
            age_s = f"{time.monotonic() - newest_s:.3f}"
            try:
                uplink.post("/api/v1/live", pack(blobs), "application/octet-stream", **{"Backstop-Age-S": age_s})
            except CoachError:
                # Best effort: the chunks come anyway, and reports tell whether the server is there.
                self._contact.closing.wait(self._contact.params.report_s)

    def _run_looks(self) -> None:
        while True:
            self._look_now.wait()
            self._look_now.clear()
            while self._looking and not self._contact.closing.is_set():
                seen, trouble = scan(self._hub)
                with self._lock:
                    self._seen |= {each.address: each for each in seen}
                    self._trouble = trouble
                self._report_now.set()
                if trouble:
                    self._contact.closing.wait(self._contact.params.report_s)
            if self._contact.closing.is_set():
                return


def _that_fit(logs: dict[tuple[str, str], LinkLogText]) -> dict[tuple[str, str], LinkLogText]:
    """Return the first logs that fit into one report, one at least."""
    fitting: dict[tuple[str, str], LinkLogText] = {}
    size = 0
    for key, log in logs.items():
        size += len(log.redacted) + len(log.whole)
        if fitting and size > _LOGS_BYTES:
            break
        fitting[key] = log
    return fitting


def _view(orders: Orders, served: ServedWearable) -> WearableView:
    return WearableView(
        wearable_id=served.wearable_id,
        athlete_id=orders.athlete_id,
        name=served.name,
        family=served.family,
        address=served.address,
        placement=served.placement,
        simulated=False,
        calibrated_at=None,
        status=None,
    )


def _kept_instance(folder: Path) -> str:
    path = folder / "instance"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if text := path.read_text(encoding="ascii").strip():
            return text
    fresh = uuid4().hex
    replace(path, fresh.encode())
    return fresh


def _kept_orders(folder: Path) -> Orders | None:
    try:
        return wire.decode_orders((folder / "orders.json").read_bytes())
    except (OSError, InvalidInput):
        return None
