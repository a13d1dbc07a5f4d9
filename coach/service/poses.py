"""The calibrations that go on, by wearable: in memory while they last, stored with the wearable when complete."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from coach.errors import Conflict
from coach.service.calibration import Calibration, Found, PoseStep, PoseView
from coach.service.ground import Ground
from coach.service.permission import require_wearable
from coach.service.types import Identity
from coach.service.wearables import Wearables
from coach.store.rows import fresh_id
from devices.types import Chunk

# s without a question from the page after which a calibration is over. Own choice.
_LASTS_S = 120.0
# s without a block before it is said that nothing arrives: live blocks come four times a second. Own choice.
_NOTHING_S = 4.0
# Blocks that wait for a look: more than a calibration keeps. Own choice.
_INCOMING_MAX = 400
_NOTHING = "Nothing arrives from it. Switch it on and come close; it starts by itself."


@dataclass(frozen=True, slots=True)
class PoseNews:
    """A calibration as other processes need to know it: they have its signal, and go on from what looks found in it.

    asked_s: when a page asked last, Unix s. done: its end.
    """

    wearable_id: str
    pose_id: str
    placement: str
    athlete_id: str
    asked_s: float
    found: Found = field(default_factory=Found)
    done: PoseView | None = None


@dataclass(slots=True)
class _Session:
    pose_id: str
    athlete_id: str
    placement: str
    calibration: Calibration
    asked_s: float
    heard_s: float
    done: PoseView | None = None
    incoming: deque[Chunk] = field(default_factory=lambda: deque(maxlen=_INCOMING_MAX))

    def take_incoming(self) -> None:
        """Bring what has arrived since the last look."""
        while self.incoming:
            self.calibration.take(self.incoming.popleft())


class Poses:
    """Let the gateway bring blocks and the page ask. Thread-safe."""

    def __init__(self, ground: Ground, wearables: Wearables) -> None:
        self._ground, self._wearables = ground, wearables
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._tell: Callable[[PoseNews], None] = lambda news: None

    def attach(self, tell: Callable[[PoseNews], None]) -> None:
        """Have other processes hear, by `tell(news)`, of the calibrations that go on; they take part by `join`."""
        self._tell = tell

    def begin(self, by: Identity, wearable_id: str) -> None:
        """Begin a calibration, anew if one goes on. Raises NoSuch."""
        with self._ground.store.read() as tx:
            worn = require_wearable(tx, by, wearable_id)
        news = PoseNews(wearable_id, fresh_id(), worn["placement"], worn["athlete_id"], self._now_s())
        self.join(news)
        self._tell(news)

    def join(self, news: PoseNews) -> None:
        """Take part in a calibration: watch it from the next block on, and know what became of it."""
        now_s = self._now_s()
        with self._lock:
            self._sessions = {key: each for key, each in self._sessions.items() if now_s - each.asked_s < _LASTS_S}
            known = self._sessions.get(news.wearable_id)
            if known is not None and known.pose_id == news.pose_id:
                if news.asked_s > known.asked_s:
                    known.asked_s = news.asked_s
                    known.calibration.adopt(news.found)
                known.done = known.done or news.done
                return
            if known is not None and known.asked_s > news.asked_s:
                return  # one that was begun anew meanwhile
            calibration = Calibration(news.placement)
            calibration.adopt(news.found)
            self._sessions[news.wearable_id] = _Session(
                news.pose_id, news.athlete_id, news.placement, calibration, news.asked_s, now_s, news.done
            )

    def going_on(self) -> tuple[PoseNews, ...]:
        """Return the calibrations that this process knows and that are not too old."""
        now_s = self._now_s()
        with self._lock:
            known = [(key, each) for key, each in self._sessions.items() if now_s - each.asked_s < _LASTS_S]
        return tuple(_news(wearable_id, session) for wearable_id, session in known)

    def wanted(self, wearable_id: str) -> bool:
        """Tell whether a calibration waits for live blocks of this wearable."""
        with self._lock:
            found = self._sessions.get(wearable_id)
            return found is not None and found.done is None and self._now_s() - found.asked_s < _LASTS_S

    def take(self, wearable_id: str, block: Chunk) -> None:
        """Bring a live block; of a wearable that nobody calibrates it is dropped."""
        # Without the lock: the radio's thread waits for nobody's look.
        session = self._sessions.get(wearable_id)
        if session is not None and session.done is None:
            session.incoming.append(block)
            session.heard_s = self._now_s()

    def look(self, by: Identity, wearable_id: str) -> PoseView:
        """Return what is seen now; a complete calibration is stored. Raises NoSuch, Conflict when none goes on."""
        with self._ground.store.read() as tx:
            require_wearable(tx, by, wearable_id)
        with self._lock:
            session = self._session(wearable_id)
            if session.done is not None:
                return session.done
            view = self._seen(session)
            if view.step is PoseStep.DONE:
                session.done = view
            news = _news(wearable_id, session)
        if view.step is PoseStep.DONE:
            self._store(by, wearable_id, session.calibration)
        self._tell(news)
        return view

    def _seen(self, session: _Session) -> PoseView:
        """Return what the signal shows, with the lock."""
        if self._now_s() - session.heard_s > _NOTHING_S:
            session.calibration.start_over()
            return PoseView(PoseStep.STILL, _NOTHING)
        session.take_incoming()
        return session.calibration.look()

    def keep_upright(self, by: Identity, wearable_id: str) -> None:
        """Store the upright pose that was taken, without a bow. Raises NoSuch, Conflict when there is none."""
        with self._ground.store.read() as tx:
            require_wearable(tx, by, wearable_id)
        with self._lock:
            session = self._session(wearable_id)
            if session.calibration.pose is None:
                raise Conflict("The upright pose is not taken yet: stand upright and still for three seconds.")
            session.done = PoseView(PoseStep.DONE, "Upright pose taken, without a bow.", share=1.0)
        self._store(by, wearable_id, session.calibration)
        self._tell(_news(wearable_id, session))

    def _session(self, wearable_id: str) -> _Session:
        """Return the calibration that goes on. With the lock. Raises Conflict."""
        now_s = self._now_s()
        session = self._sessions.get(wearable_id)
        if session is None or now_s - session.asked_s > _LASTS_S:
            raise Conflict("The calibration was left alone for too long: begin it again.")
        session.asked_s = now_s
        return session

    def _store(self, by: Identity, wearable_id: str, calibration: Calibration) -> None:
        pose, alignment = calibration.pose, calibration.alignment
        if pose is not None:
            self._wearables.calibrate(by, wearable_id, pose.upright, alignment.forward if alignment else None)

    def _now_s(self) -> float:
        return self._ground.now().timestamp()


def _news(wearable_id: str, session: _Session) -> PoseNews:
    return PoseNews(
        wearable_id,
        session.pose_id,
        session.placement,
        session.athlete_id,
        session.asked_s,
        session.calibration.found,
        session.done,
    )
