"""The worker's way from the log of many machines: what its partitions hand over is handled together, then gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coach.errors import CoachError, Overtaken, StoreUnavailable
from coach.logs import about
from coach.service.arrivals import Arrivals, Arrived, Done, Fate
from coach.service.dead_letters import DeadLetters, Letter
from coach.store.condition import PASSING
from coach.waiting import Waiting
from devices.codec import decode_chunk
from devices.errors import DeviceError

if TYPE_CHECKING:
    from coach.jetstream.taking import Delivery, Taker

_log = logging.getLogger(__name__)
# Chunks in one transaction at most. Own choice: as many as there are partitions usually.
_TOGETHER = 64
# s to wait for a chunk before it is looked whether the worker shall stop, and after the database or the log was away.
_WAIT_S, _AGAIN_S = 1.0, 0.5
# s until a chunk comes again that failed, and until one is looked at again whose recording somebody else is at. Own
# choices.
_FAILED_AGAIN_S, _HELD_AGAIN_S = 1.0, 0.2
# s within which chunks that waited are handed over, those included that are gathered.
_AT_ONCE_S = 0.02
# A chunk with which one worker failed so often, by an error of its own each time, is a dead letter. Own choice.
_ERRORS = 5
# From this hand-out on a chunk is handled alone, so that it takes nobody with it, and from this one on it is a dead
# letter for as long as it is tried: whoever had it may have been ended, or it may have ended them. Own choices.
_ALONE_FROM, _LAST_FROM = 3, 6
_OTHER_BYTES = "A chunk of this number with other bytes is stored already."
_ENDED = "Whoever handled it did not come back; see the log for why."


class ArrivalsWorker:
    """Take chunks and handle them, on a thread of its own. Any number of these may take from the same log."""

    def __init__(self, taker: Taker, arrivals: Arrivals, dead: DeadLetters, on_done: Callable[[Done], None]) -> None:
        """on_done: called after each commit, on that thread."""
        self._taker, self._arrivals, self._dead, self._on_done = taker, arrivals, dead, on_done
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.behind = False  # chunks waited when they were asked for last
        self._held: list[tuple[float, Delivery]] = []  # from when on it is looked again whether their turn is
        self._errors: dict[int, tuple[tuple[int, int], int]] = {}  # by consumer: of which message, and how many
        self._waiting = Waiting(_log, "storing chunks")

    def start(self) -> None:
        """Start the thread; again is no error."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Finish the transaction under way, and give back what was not handled."""
        self._stopping.set()
        self._taker.wake()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(30.0)
        self._taker.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.once(_WAIT_S):
                    self._waiting.over()
            except CoachError as error:
                self._waiting.on(error)
                self._stopping.wait(_AGAIN_S)
            except Exception:  # noqa: BLE001 - see below
                # The role must outlive a defect of one batch; what it was about comes again.
                _log.exception("a batch of the worker failed")
                self._stopping.wait(_AGAIN_S)

    def once(self, timeout_s: float) -> int:
        """Handle what is there, or comes in time; return how many chunks there were. Raises StoreUnavailable (log)."""
        asked_s = time.monotonic()
        fresh = self._taker.take(_TOGETHER, min(timeout_s, _HELD_AGAIN_S) if self._held else timeout_s)
        self.behind = bool(fresh) and time.monotonic() - asked_s < _AT_ONCE_S
        deliveries = [*self._due(), *fresh]
        try:
            self._work_on(deliveries)
        except Exception:
            # Nobody is at the rest of them any more, and their partitions must not wait for the log to see that.
            held, self._held = self._held, []
            for each in (*deliveries, *(delivery for _, delivery in held)):
                each.again(_FAILED_AGAIN_S)  # no word for those that are over
            raise
        return len(deliveries)

    def _due(self) -> list[Delivery]:
        """Return the held ones that are to be looked at again."""
        now_s, held = time.monotonic(), self._held
        self._held = [(at_s, each) for at_s, each in held if at_s > now_s]
        return [each for at_s, each in held if at_s <= now_s]

    def _work_on(self, deliveries: Sequence[Delivery]) -> None:
        together = [each for each in deliveries if each.tries < _ALONE_FROM]
        if together:
            self._handle(together)
        for each in deliveries:
            if each.tries >= _LAST_FROM:
                self._try_at_risk(each)
            elif each.tries >= _ALONE_FROM:
                self._handle([each])

    def _try_at_risk(self, delivery: Delivery) -> None:
        """Handle what was handed out often, as a dead letter until that has ended, well or badly. A process that it
        ends leaves the letter: then it is given up. How often it was handed out is no reason by itself."""
        letter = _letter(delivery, _ENDED)  # without a look into it, which may be what ends a process
        if self._dead.set_down(letter):
            self._handle([delivery])
            self._dead.take_up(letter)
        else:
            self._give_up(delivery, letter)

    def _handle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle together; when something goes wrong, each by itself."""
        arrived: list[tuple[Delivery, Arrived]] = []
        for each in deliveries:
            try:
                arrived.append((each, Arrived(decode_chunk(each.data), each.data)))
            except (DeviceError, ValueError) as error:
                self._failed(each, error)
        if not arrived:
            return
        try:
            done = self._persist([chunk for _, chunk in arrived])
        except Exception as error:  # noqa: BLE001 - whatever one chunk does, the others are handled
            if len(arrived) == 1:
                self._failed(arrived[0][0], error)
                return
            for each, _ in arrived:
                self._handle([each])
            return
        if done is not None:
            for (each, _), fate in zip(arrived, done.fates, strict=True):
                self._end(each, fate)
            self._on_done(done)

    def _persist(self, arrived: Sequence[Arrived]) -> Done | None:
        """Handle, and wait for a database that is away: that is no fault of a chunk, and the log is told meanwhile that
        somebody is at it. None: the worker stops before. Raises StoreUnavailable for what does not pass by itself."""
        while not self._stopping.is_set():
            try:
                done = self._arrivals.handle(arrived)
                self._waiting.over()
                return done
            except Overtaken:
                continue
            except StoreUnavailable as error:
                if error.condition not in PASSING:
                    raise
                self._waiting.on(error)
                self._taker.hold()
                self._stopping.wait(_AGAIN_S)
        return None

    def _end(self, delivery: Delivery, fate: Fate) -> None:
        if fate is Fate.HELD:
            # Kept here: handed out again, it would soon be one that is handled alone.
            self._held.append((time.monotonic() + _HELD_AGAIN_S, delivery))
        elif fate is Fate.OTHER_BYTES:
            self._bury(delivery, _OTHER_BYTES)
        else:
            if fate is Fate.NOBODYS:
                _log.warning("a chunk of a recording that is not here any more is not kept: %s", delivery.subject)
            delivery.done()

    def _failed(self, delivery: Delivery, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        which = delivery.number, delivery.stored_us
        before, count = self._errors.get(delivery.consumer, (which, 0))
        errors = count + 1 if before == which else 1
        self._errors[delivery.consumer] = which, errors
        with about(athlete=_athlete_of(delivery)):
            _log.warning("a chunk could not be stored (error %d): %s", errors, reason)
        if errors >= _ERRORS:
            self._bury(delivery, reason)
        else:
            delivery.again(_FAILED_AGAIN_S)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        try:
            key = decode_chunk(delivery.data).key
        except (DeviceError, ValueError):
            key = ""
        self._give_up(delivery, _letter(delivery, reason, key))

    def _give_up(self, delivery: Delivery, letter: Letter) -> None:
        kept = "" if self._dead.bury(letter) else ", and not kept, as its athlete is not here"
        _log.error("a chunk is given up%s: %s", kept, letter.reason)
        delivery.done()


def _letter(delivery: Delivery, reason: str, key: str = "") -> Letter:
    since = datetime.fromtimestamp(delivery.stored_utc_s, UTC)
    return Letter(_athlete_of(delivery), delivery.subject, key, delivery.data, reason, delivery.tries, since)


def _athlete_of(delivery: Delivery) -> str:
    return delivery.subject.rpartition(".")[2]
