"""Phones as wearables: an app on them pushes messages, which are kept, put in order and cut into chunks.

A message is acknowledged when it is on the disk. What is cut from it is cut from rows alone, so that a restart changes
nothing. Messages may overtake each other by `ORDER_S` of signal; what comes later than that is counted as late.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from coach.appending import Coded
from coach.errors import Conflict, InvalidInput, NoSuch, StoreUnavailable
from coach.log import TableChunkLog
from coach.service.ground import Ground
from coach.service.links import LinkBoard
from coach.service.permission import require_athlete
from coach.service.phone_chunks import Cut, Place, cut, live_block
from coach.service.sources import Family
from coach.service.tokens import Holder, Scope, Tokens
from coach.service.types import Identity, Level
from coach.service.wearables import checked_placement
from coach.store import events, phones, recordings, wearables
from coach.store.claims import alone
from coach.store.condition import Condition
from coach.store.engine import Tx
from coach.store.rows import Row, fresh_id
from coach.turns import Turns
from devices.errors import DeviceError, UnknownFormat
from devices.phone import (
    SWITCH_ON,
    Gathered,
    Kind,
    PhoneGrid,
    PhoneMessage,
    pack_readings,
    read_message,
    unpack_readings,
)
from devices.types import Chunk, FloatArray, LinkState, LinkStatus

_log = logging.getLogger(__name__)
# s of signal that messages may overtake each other by; also what shows the rate. Own choice.
ORDER_S = 5.0
# s without a message after which what is there is all that comes. Own choice.
QUIET_S = 15.0
# s of signal without usable acceleration after which the person is told. Own choice.
_USELESS_S = 20.0
# Sessions of which it is known how far the live line is. Own choice: far more than stream at one time.
_LIVE_MAX = 4096
# How far a phone's time may be off, and how late a message may come. Own bounds.
_OLD, _AHEAD = timedelta(days=7), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a message. answer: for the app. block: for the live line, if there is anything new."""

    answer: str
    wearable_id: str
    block: Chunk | None = None


class Phones:
    """Give a phone its token, and take what it pushes. Thread-safe."""

    def __init__(self, ground: Ground, log: TableChunkLog, links: LinkBoard, tokens: Tokens) -> None:
        self._ground, self._log, self._links, self._tokens = ground, log, links, tokens
        # By wearable: a phone that is busy at another process keeps no other one waiting.
        self._turns = Turns()
        # By session: number of the first sample that the live line has not seen. With the lock.
        self._live: dict[str, int] = {}
        self._live_lock = threading.Lock()
        self._tell: Callable[[str, int], None] = lambda session_id, seen: None

    def attach(self, tell: Callable[[str, int], None]) -> None:
        """Have other processes hear, by `tell(session, number)`, which sample the live line has not seen yet."""
        self._tell = tell

    def heard_live(self, session_id: str, number: int) -> None:
        """Take up to where the live line has seen a session whose messages come to another process too."""
        with self._live_lock:
            self._live.pop(session_id, None)
            self._live[session_id] = number
            if len(self._live) > _LIVE_MAX:
                self._live.pop(next(iter(self._live)))

    def add(self, by: Identity, athlete_id: str, label: str, placement: str) -> tuple[str, str]:
        """Make a phone a wearable; return the wearable's id and the token, which is shown this once.

        Raises NoSuch, InvalidInput, Conflict like `Tokens.issue`.
        """
        placement, now, wearable_id = checked_placement(placement), self._ground.now(), fresh_id()
        token = self._tokens.issue(by, athlete_id, label, Scope.PHONE)
        values = {
            "id": wearable_id,
            "athlete_id": athlete_id,
            "address": _address(token.partition("-")[0]),
            "family": Family.PHONE.value,
            "name": " ".join(label.split()),
            "placement": placement,
            "simulated": False,
            "created_at": now,
        }
        with self._ground.store.begin() as tx:
            require_athlete(tx, by, athlete_id, Level.FULL)
            wearables.add(tx, values)
            events.record(tx, now, by.user_id, "paired", "wearable", wearable_id, athlete_id)
        return wearable_id, token

    def receive(self, holder: Holder, body: bytes) -> Heard:
        """Take a message; when this returns it is stored for good.

        Raises NotAllowed (no consent to measuring), BadPacket (devices), NoSuch (forgotten), InvalidInput (no use; the
        sentence is for the app's user), Conflict and StoreUnavailable (send again).
        """
        holder.require_consent()
        message, now = read_message(body), self._ground.now()
        with self._ground.store.read() as tx:
            wearable = wearables.by_address(tx, _address(holder.token_id))
        if wearable is None:
            raise NoSuch("This phone was forgotten in Backstop: add it again there, under Wearables.")
        if not len(message.readings):
            return Heard(f"Connected to Backstop as {wearable['name']}. In this message is no motion.", wearable["id"])
        _check_times(message, now)
        with self._alone(wearable["id"]):
            session_id, grid, late = self._keep(wearable, message, now)
            self._show(wearable["id"], grid.rate_hz if grid else None, len(message.readings))
            block = self._advance(wearable, session_id, now)
        answer = f"Backstop has {len(message.readings)} readings of {wearable['name']}."
        return Heard(f"{answer} {late} came too late." if late else answer, wearable["id"], block)

    def close_quiet(self, now: datetime) -> int:
        """Cut what is left of sessions that fell silent; return how many. A phone that is busy is left for later."""
        with self._ground.store.read() as tx:
            quiet = phones.quiet_sessions(tx, now - timedelta(seconds=QUIET_S))
        closed = 0
        for session_id, wearable_id in quiet:
            try:
                with self._alone(wearable_id):
                    self._finish(session_id)
                    closed += 1
            except StoreUnavailable as error:
                if error.condition != Condition.BUSY:
                    raise
                _log.warning("what is left of a silent phone waits: %s", error)
        return closed

    @contextmanager
    def _alone(self, wearable_id: str) -> Iterator[None]:
        """Be the only one who is at a phone, here and, beyond one process, anywhere. Raises StoreUnavailable."""
        with self._turns.of(wearable_id), alone(self._ground.store, "phone", wearable_id):
            yield

    def _keep(self, wearable: Row, message: PhoneMessage, now: datetime) -> tuple[str, PhoneGrid | None, int]:
        """Store a message; return its session, the session's grid if it is known, and how many samples were late."""
        moved = self._moved(wearable, message.session_key)
        newest_utc_s, late = float(message.readings[:, 1].max()), 0
        with self._ground.store.begin_append() as tx:
            session = phones.session(tx, wearable["id"], message.session_key)
            if session is not None and moved:
                # Worn elsewhere from now on: the recording ends, and the same session of the app begins another.
                phones.change_session(tx, session["id"], session_key=f"ended/{session['id']}")
                session = None
            if session is None:
                fresh = _new_session(wearable["id"], message.session_key, now)
                phones.add_session(tx, fresh)
                session = fresh
            grid = grid_of(session)
            if grid is not None:
                late = _late(message, grid, session["next_index"])
            new = phones.add_message(
                tx, session["id"], message.message_key, newest_utc_s, pack_readings(message.readings)
            )
            late = late if new else 0
            phones.change_session(tx, session["id"], heard_at=now, late=session["late"] + late)
        return session["id"], grid, late

    def _moved(self, wearable: Row, session_key: str) -> bool:
        """Tell whether the wearable is worn otherwise than when its session began, and cut what came before."""
        with self._ground.store.read() as tx:
            session = phones.session(tx, wearable["id"], session_key)
            stream = recordings.find_stream(tx, wearable["address"], session["id"]) if session is not None else None
        worn = ("placement", "calibrated_at")
        if session is None or stream is None or all(stream[name] == wearable[name] for name in worn):
            return False
        self._finish(session["id"])
        return True

    def _advance(self, wearable: Row, session_id: str, now: datetime) -> Chunk | None:
        """Cut the chunks that are complete; return what is new for the live line. Raises InvalidInput."""
        with self._ground.store.read() as tx:
            session = phones.get_session(tx, session_id)
            waiting = phones.messages(tx, session_id)
        if session is None or not waiting:
            return None
        readings = np.concatenate([unpack_readings(each) for each in waiting])
        gathered = Gathered(readings)
        grid = grid_of(session) or self._settled(session_id, gathered, readings)
        if grid is None:
            return None
        self._store(wearable, session, grid, cut(gathered, grid, _place(wearable, session), self._chunk_s, ORDER_S))
        with self._live_lock:
            known = self._live.get(session_id, int(session["next_index"]))
        block = live_block(gathered, grid, known, _place(wearable, session))
        if block is not None:
            seen = block.start_index + len(block)
            self.heard_live(session_id, seen)
            self._tell(session_id, seen)
        return block

    def _settled(self, session_id: str, gathered: Gathered, readings: FloatArray) -> PhoneGrid | None:
        """Return the grid of a session once its first seconds are there. Raises InvalidInput when they are no use."""
        problem = None
        try:
            grid = gathered.settle() if gathered.span_s >= ORDER_S else None
        except UnknownFormat as error:
            grid, problem = None, str(error)
        if grid is None and problem is None and np.ptp(readings[:, 1]) > _USELESS_S:
            problem = f"There is no acceleration with gravity in what arrives: {SWITCH_ON}."
        if problem is not None:
            with self._ground.store.begin() as tx:
                phones.drop_messages(tx, session_id)
            raise InvalidInput(problem)
        return grid

    @property
    def _chunk_s(self) -> float:
        return self._ground.config.chunk.duration_s

    def _finish(self, session_id: str) -> None:
        """Cut all that waits of a session, however short."""
        with self._ground.store.read() as tx:
            session = phones.get_session(tx, session_id)
            wearable = wearables.get(tx, session["wearable_id"]) if session is not None else None
            waiting = phones.messages(tx, session_id)
        with self._live_lock:
            self._live.pop(session_id, None)
        if session is not None and wearable is not None and waiting:
            gathered = Gathered(np.concatenate([unpack_readings(each) for each in waiting]))
            try:
                grid = grid_of(session) or gathered.settle()
            except DeviceError:
                grid = None  # no use: nothing to keep
            if grid is not None:
                self._store(
                    wearable, session, grid, cut(gathered, grid, _place(wearable, session), self._chunk_s, None)
                )
        with self._ground.store.begin() as tx:
            phones.drop_messages(tx, session_id)

    def _store(self, wearable: Row, session: Row, grid: PhoneGrid, done: Cut) -> None:
        """Store chunks and how far the session is, and forget the messages that are all in them."""
        now, key = self._ground.now(), (wearable["address"], session["id"])

        def write(tx: Tx) -> dict[str, tuple[Coded, ...]]:
            values = {"rate_hz": grid.rate_hz, "origin_utc_s": grid.origin_utc_s, "acc_factor": grid.acc_factor}
            values |= {"next_index": done.next_index, "next_seq": done.next_seq}
            if not phones.move_session(tx, session["id"], session["next_index"], **values):
                raise Conflict("This phone's messages are cut elsewhere at this moment: send again.")
            # A second stays for what lies on both sides of the cut.
            phones.drop_messages(tx, session["id"], grid.origin_utc_s + done.next_index / grid.rate_hz - 1.0)
            if not done.chunks:
                return {}
            found = recordings.find_stream(tx, *key)
            stream_id = found["id"] if found else recordings.add_stream(tx, *key, wearable, grid.rate_hz, now)
            return {stream_id: tuple(map(Coded.of, done.chunks))}

        if done.chunks or session["rate_hz"] is None:
            self._log.append_whole(write)

    def _show(self, wearable_id: str, rate_hz: float | None, readings: int) -> None:
        """Let the pages say how the phone does: it streams until it was silent for a while."""
        heard_s = self._ground.clock.utc_s()

        def status() -> LinkStatus:
            silent = self._ground.clock.utc_s() - heard_s > QUIET_S
            if silent:
                return LinkStatus(LinkState.STOPPED, heard_s, rate_hz=rate_hz, silent_since_utc_s=heard_s)
            return LinkStatus(LinkState.STREAMING, heard_s, rate_hz=rate_hz)

        self._links.show(wearable_id, status)


def grid_of(session: Row) -> PhoneGrid | None:
    """Return a session's grid, None while it is not settled."""
    if session["rate_hz"] is None:
        return None
    return PhoneGrid(session["rate_hz"], session["origin_utc_s"], session["acc_factor"])


def _place(wearable: Row, session: Row) -> Place:
    return Place(wearable["address"], session["id"], session["next_index"], session["next_seq"])


def _late(message: PhoneMessage, grid: PhoneGrid, next_index: int) -> int:
    """Return how many samples of a message belong into chunks that are closed, or before the first."""
    closed_utc_s = grid.origin_utc_s + (next_index - 0.5) / grid.rate_hz
    readings = message.readings
    return int(np.count_nonzero((readings[:, 0] <= Kind.LINEAR) & (readings[:, 1] < closed_utc_s)))


def _check_times(message: PhoneMessage, now: datetime) -> None:
    since_s = message.readings[:, 1] - now.timestamp()
    if since_s.min() < -_OLD.total_seconds() or since_s.max() > _AHEAD.total_seconds():
        raise InvalidInput("The times in this message are a week old or in the future: set the phone's clock.")


def _new_session(wearable_id: str, session_key: str, now: datetime) -> dict[str, Any]:
    return {
        "id": fresh_id(),
        "wearable_id": wearable_id,
        "session_key": session_key,
        "rate_hz": None,
        "origin_utc_s": None,
        "acc_factor": None,
        "next_index": 0,
        "next_seq": 0,
        "late": 0,
        "begun_at": now,
        "heard_at": now,
    }


def _address(token_id: str) -> str:
    return f"phone:{token_id}"
