"""From the spool to the server: in order, again and again until it answers, and sentences for the person on the way."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coach.errors import CoachError, Conflict, Gone, InvalidInput, NotAllowed, StoreUnavailable
from coach.remote_log import RemoteLog
from coach.spool import Spool, SpoolLog
from coach.uplink import Busy, NotWanted, Uplink

_log = logging.getLogger(__name__)
# Chunks and bytes of one post. Own choice: a second of a slow phone's uplink.
_BATCH, _BATCH_BYTES = 64, 1 << 20
# s between two sentences about an outage that goes on. Own choice.
_REMIND_S = 300.0
# s between two looks at an empty spool, should its word have been missed. Own choice.
_IDLE_S = 1.0
# s that a server may make a gateway wait before it is asked again. Own bound.
_TOLD_MAX_S = 300.0


@dataclass(frozen=True, slots=True)
class ContactParams:
    """report_s: between two reports. backoff_*: waits after a failed post, doubling, with jitter. All in s."""

    report_s: float = 2.0
    backoff_first_s: float = 0.5
    backoff_max_s: float = 30.0


class Contact:
    """Whether the server is there, as all threads of a gateway see it; says what changed. Thread-safe.

    accepted: the server knows the token, in this run. ended: it will not any more, `problem` says why. erased: because
    the athlete was erased, so that what waits is to be forgotten.
    """

    def __init__(self, spool: Spool, say: Callable[[str], None], params: ContactParams) -> None:
        self._spool, self.say, self.params = spool, say, params
        self.accepted, self.ended = threading.Event(), threading.Event()
        self.closing, self.retry_now = threading.Event(), threading.Event()
        self.problem: str | None = None
        self.erased = False
        self._lock = threading.Lock()
        self._online: bool | None = None
        self._since_s = self._reminded_s = 0.0
        self._backlog = False

    @property
    def online(self) -> bool:
        """Tell whether the server answered last."""
        return self._online is True

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        longest = min(self.params.backoff_first_s * 2.0 ** min(failures - 1, 30), self.params.backoff_max_s)
        # Gateways that lost the server together shall not return together.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def lost(self, why: str) -> None:
        """Note that the server did not answer; said at once, and now and then while it lasts."""
        now_s = time.monotonic()
        with self._lock:
            first, self._online, self._backlog = self._online is not False, False, True
            if first:
                self._since_s = now_s
            elif now_s - self._reminded_s < _REMIND_S:
                return
            self._reminded_s = now_s
            since_s = now_s - self._since_s
        if first:
            self.say(why)
        else:
            self.say(f"No server for {since_s / 60:.0f} min; {self._spool.waiting} chunks wait on this disk. {why}")

    def found(self) -> None:
        """Note that the server answered."""
        with self._lock:
            back, self._online = self._online is False, True
        self.accepted.set()
        if back:
            self.say(f"The server is there again; {self._spool.waiting} chunks wait and are sent now.")
            self.retry_now.set()

    def delivered_all(self) -> None:
        """Note that nothing waits; said once after an outage."""
        with self._lock:
            told, self._backlog = self._backlog and self._online is True, self._backlog and not self._online
        if told:
            self.say("Everything that waited is delivered.")

    def end(self, error: CoachError | str) -> None:
        """Note that the server will never take anything from this run again."""
        if not self.ended.is_set():
            self.problem = str(error)
            self.erased = isinstance(error, Gone)
            self.ended.set()


class Delivery:
    """One thread that sends what the spool holds. Nothing is sent before the server has accepted the token."""

    def __init__(self, uplinks: Callable[[], Uplink], spool: Spool, log: SpoolLog, contact: Contact) -> None:
        self._uplinks, self._spool, self._log, self._contact = uplinks, spool, log, contact
        self._told_full = self._told_busy = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """End the thread; `contact.closing` must be set."""
        self._log.arrived.set()
        self._contact.retry_now.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        uplink, failures = self._uplinks(), 0
        remote, contact = RemoteLog(uplink), self._contact
        while not contact.closing.is_set():
            self._say_full()
            batch = self._spool.peek(_BATCH, _BATCH_BYTES) if contact.accepted.is_set() else []
            if not batch:
                contact.delivered_all()
                self._log.arrived.wait(_IDLE_S)
                self._log.arrived.clear()
                continue
            try:
                refused, why = _refused(remote, batch)
            except NotAllowed as error:
                contact.end(error)
                contact.closing.wait()
            except Busy as error:
                self._wait_as_told(error)
            except (StoreUnavailable, Conflict) as error:
                # Whether another machine has the token is told by reports; here a conflict is two writers that met.
                contact.lost(str(error))
                failures += 1
                contact.retry_now.wait(contact.backoff_s(failures))
                contact.retry_now.clear()
            except Exception:  # noqa: BLE001 - a defect below must not end the sending unseen
                _log.exception(
                    "%d chunks could not be sent in a way that is not known; they are tried again", len(batch)
                )
                failures += 1
                contact.closing.wait(contact.backoff_s(failures))
            else:
                failures, self._told_busy = 0, False
                self._spool.drop(len(batch))
                if refused:
                    contact.say(f"The server refuses {refused} chunks for good: {why}")
        uplink.close()

    def _wait_as_told(self, busy: Busy) -> None:
        """Wait as long as a server wants that has too much to do: it is not away, and asking it makes it no faster."""
        if not self._told_busy:
            self._contact.say(f"{busy} {self._spool.waiting} chunks wait on this disk.")
        self._told_busy = True
        # Not all gateways at once, and none before its time.
        later = random.uniform(1.0, 1.25)  # noqa: S311 - no secret
        self._contact.closing.wait(min(busy.retry_after_s, _TOLD_MAX_S) * later)

    def _say_full(self) -> None:
        full = self._spool.full
        if full and not self._told_full:
            self._contact.say(
                "The spool is full: the oldest signal is kept, new signal is lost until the server takes some."
            )
        self._told_full = full


def _refused(remote: RemoteLog, blobs: Sequence[bytes]) -> tuple[int, str]:
    """Send blobs; return how many the server refuses for good, and why. Raises what `deliver` does but NotWanted."""
    try:
        return deliver(remote, blobs), "their wearable is not this athlete's any more."
    except NotWanted as error:
        return len(blobs), str(error)


def deliver(remote: RemoteLog, blobs: Sequence[bytes]) -> int:
    """Send blobs, in halves where the server does not take them together; return how many it refuses for good.

    Raises StoreUnavailable, NotAllowed, Conflict, NotWanted (all of them are refused); what was taken before is known
    to the server when it comes again.
    """
    try:
        return len(blobs) - len(remote.append_encoded(blobs))
    except NotWanted:
        raise
    except InvalidInput:
        if len(blobs) == 1:
            return 1
        middle = len(blobs) // 2
        return deliver(remote, blobs[:middle]) + deliver(remote, blobs[middle:])
