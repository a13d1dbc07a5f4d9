"""One wearable's link: scan > connect > subscribe > watch for silence > back off > reconnect, until it is closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import numpy as np

from devices.airtime import Airtime, Found, GaveWay
from devices.chunker import ChunkerParams
from devices.errors import DeviceError, NeedsPerson, NoRadio, NotFound, NotPaired
from devices.intake import Intake, tell
from devices.linklog import LinkEvent, LinkLog
from devices.linkrequest import ChunkSink as ChunkSink
from devices.linkrequest import HeartSink as HeartSink
from devices.linkrequest import LinkRequest as LinkRequest
from devices.linkrequest import StatusSink as StatusSink
from devices.profiles import profile_of
from devices.profiles.types import refuse_unoffered
from devices.session import Known, Session, SessionSinks
from devices.types import Chunk, LinkState, LinkStatus

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

# Notifications wait this long to be decoded together: 20 times cheaper than one by one, unseen by a person.
_DRAIN_S = 0.02
_CLOSE_S = 15.0
# Links that failed together shall not return together (own heuristic).
_JITTER_SHARE = 0.2
# A wearable that is heard while the link waits is tried again at once, but not sooner than this after the connect that
# failed: one that advertises and refuses would be asked ten times a second. Pairing asks a person (own heuristics).
_HEARD_S, _HEARD_UNPAIRED_S = 2.0, 5.0
# The system is asked this often whether Bluetooth is back; it costs one call (own heuristic).
_NO_RADIO_S = 1.0
# So many connects that fail in a row, though the wearable is heard, are no chance (own heuristic).
_SHUT_OUT = 4
# A change of drift that is worth an entry (own heuristic).
_DRIFT_STEP_PPM = 5.0
# Logs of recordings kept on an open link.
_LOGS_MAX = 8


class LoopThread(Protocol):
    """The thread that owns the loop."""

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = ...) -> T: ...

    def release(self, link: WearableLink) -> None: ...


class WearableLink:
    """The supervisor of one wearable. Made by BleHub.open; the sinks are called on the hub's thread."""

    def __init__(
        self,
        request: LinkRequest,
        hub: LoopThread,
        airtime: Airtime,
        on_chunk: ChunkSink,
        on_live: ChunkSink | None = None,
        on_status: StatusSink | None = None,
        on_heart_rate: HeartSink | None = None,
    ) -> None:
        """Raises Refused for an unknown family or a rate it does not offer."""
        self.request = request
        self._profile = request.profile or profile_of(request.family)
        refuse_unoffered(self._profile, request.rate_hz)
        self._who = f"{self._profile.title} {request.address}"
        self._hub, self._air = hub, airtime
        self._on_chunk, self._on_live, self._on_status = on_chunk, on_live, on_status
        self._on_heart_rate = on_heart_rate
        self._opened_s, self._opened_utc_s = time.monotonic(), request.clock.utc_s()
        self._recording_id = request.recording_id
        self._random = np.random.default_rng(request.seed)
        self._intake: Intake | None = None
        self._host_speed = 1.0
        self._phase: tuple[LinkState, float, str | None] = (LinkState.SCANNING, self._opened_utc_s, None)
        self._known = Known()
        self._logs: deque[LinkLog] = deque(maxlen=_LOGS_MAX)
        self._logs.append(self._first_log())
        # _failures: connects and starts that failed since the last stream.
        self._losses = self._failures = 0
        self._drift_told_ppm: float | None = None
        self._drain_due = False
        self._flush_due: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    # From any thread but the hub's

    def status(self) -> LinkStatus:
        """Return a snapshot."""
        state, since_utc_s, problem = self._phase
        intake, known = self._intake, self._known
        return LinkStatus(
            state,
            since_utc_s,
            problem,
            known.battery_share,
            known.rssi_dbm,
            intake.chunker.rate_hz if intake else None,
            (intake.frames if intake else 0) + known.heart_frames,
            (intake.bad_packets if intake else 0) + known.bad_heart_frames,
            intake.chunker.received if intake else 0,
            intake.chunker.missing if intake else 0,
            self._losses,
            intake.clock.drift_ppm if intake else None,
            known.device_info,
            known.silent_since_utc_s,
            known.settings,
        )

    def log_text(self, redacted: bool = True, recording_id: str | None = None) -> str:
        """Return the connection log of a recording on this link, the present one if None; empty for an unknown one.

        redacted: without addresses, names and serial numbers.
        """
        logs = tuple(self._logs)
        wanted = recording_id or logs[-1].recording_id
        return next((log.render(redacted) for log in reversed(logs) if log.recording_id == wanted), "")

    def new_recording(self, recording_id: str) -> None:
        """End the recording here; the next sample is number 0 of another. Returns when the ended one is handed on."""
        self._hub.call(self._begin_recording(recording_id))

    def close(self) -> None:
        """Stop the wearable's stream, hand on what is there, disconnect. May be called again."""
        try:
            self._hub.call(self.aclose(), _CLOSE_S)
        finally:
            # Even a goodbye that took too long must not keep the wearable from being linked again.
            self._hub.release(self)

    # On the hub's thread

    def begin(self) -> None:
        """Start the supervisor task."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"link {self.request.address}")

    async def aclose(self) -> None:
        """Do what `close` says, on the loop."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        try:
            await asyncio.wait((task,))
        finally:
            self._cancel_flush()
            if self._intake is not None:
                self._intake.flush(time.monotonic())
            self._known.silent_since_utc_s = None
            self._set(LinkState.STOPPED, None)
            self._note(LinkEvent.CLOSED)

    async def _begin_recording(self, recording_id: str) -> None:
        self._recording_id = recording_id
        if self._intake is not None:
            self._intake.new_recording(recording_id, time.monotonic())
        self._logs.append(self._logs[-1].following(recording_id))
        self._note(
            LinkEvent.RECORDING, "begins on an open link", state=self._phase[0].value, **dict(self._known.settings)
        )

    async def _run(self) -> None:
        while True:
            self._set(LinkState.SCANNING, self._phase[2])
            session: Session | None = None
            try:
                found = await self._find()
                session = self._new_session(found)
                await session.run(self._air, found)
            except NotFound as error:
                self._set(LinkState.SCANNING, str(error))
            except NoRadio as error:
                self._say(LinkState.BLOCKED, error)
                await asyncio.sleep(_NO_RADIO_S)
            except GaveWay:
                continue
            except DeviceError as error:
                if session is not None and session.heard and session.started:
                    # A loss, no failed connect: it is searched again at once, and that was said already.
                    self._failures = 0
                else:
                    await self._rest(error, session)
            except Exception as error:  # noqa: BLE001 - a defect below must not end the link unseen
                _LOG.exception("The link to %s failed in a way it does not know.", self._who)
                await self._rest(error, session)

    async def _find(self) -> Found:
        self._note(LinkEvent.SCAN, up_to_s=self.request.scan_s)
        found = await self._air.find(self.request.address, self._profile.service_uuids, self.request.scan_s)
        if found.name.casefold() not in self._profile.title.casefold():
            self._logs[-1].hide(found.name, "name")
        self._known.rssi_dbm = found.rssi_dbm or self._known.rssi_dbm
        self._note(LinkEvent.FOUND, "" if found.rssi_dbm else "connected already", rssi_dbm=found.rssi_dbm)
        return found

    def _new_session(self, found: Found) -> Session:
        self._set(LinkState.CONNECTING, self._phase[2])
        self._note(LinkEvent.CONNECT)
        sinks = SessionSinks(
            self._note,
            self._on_first_frame,
            lambda: tell(self._on_status, self.status()),
            lambda error: self._on_session_end(session, error),
            self._on_frame,
            self._on_heart_rate,
        )
        intake = self._made_intake()
        session = Session(self.request, self._profile, self._who, intake, self._known, sinks, self._host_speed)
        return session

    async def _rest(self, error: Exception, session: Session | None) -> None:
        """Say what failed, and wait: longer each time, with jitter, and no longer than until the wearable is heard."""
        request = self.request
        wait_s = min(request.backoff_first_s * 2.0 ** min(self._failures, 30), request.backoff_max_s)
        wait_s *= 1 + _JITTER_SHARE * float(self._random.uniform(-1, 1))
        self._failures += 1
        if (session is None or not session.connected) and self._failures >= _SHUT_OUT:
            error = NeedsPerson(
                f"{self._who} is heard but lets nobody connect: close other apps that use it, also on other phones and "
                "computers, or switch it off and on again."
            )
        needs_person = isinstance(error, NeedsPerson | NotPaired)
        self._say(LinkState.BLOCKED if needs_person else LinkState.WAITING, error)
        least_s = _HEARD_UNPAIRED_S if isinstance(error, NotPaired) else _HEARD_S
        try:
            await self._air.rest(request.address, min(least_s, wait_s), wait_s)
        except NoRadio as gone:
            self._say(LinkState.BLOCKED, gone)
            await asyncio.sleep(_NO_RADIO_S)

    def _say(self, state: LinkState, error: Exception) -> None:
        text = str(error) or f"The link failed ({type(error).__name__}); the log says more."
        self._note(LinkEvent.REFUSED if state is LinkState.BLOCKED else LinkEvent.FAILED, text)
        self._set(state, text)

    def _made_intake(self) -> Intake:
        """Return the one intake of this link; made when the first stream starts, which shows the host clock's speed."""
        if self._intake is None:
            request = self.request
            passed_s = max(time.monotonic() - self._opened_s, 1e-3)
            self._host_speed = max((request.clock.utc_s() - self._opened_utc_s) / passed_s, 1.0)
            chunks = ChunkerParams(
                request.device_id or request.address,
                request.rate_hz,
                self._profile.ticks_per_s or round(request.rate_hz),
                request.chunk_duration_s,
                request.live_s,
            )
            self._intake = Intake(
                self._profile,
                chunks,
                self._recording_id,
                request.clock,
                self._host_speed,
                self._take_chunk,
                self._on_live,
                self._on_heart_rate,
            )
        return self._intake

    def _on_first_frame(self) -> None:
        self._cancel_flush()
        for name, value in self._known.device_info:
            if name == "serial number":
                self._logs[-1].hide(value, name)
        self._set(LinkState.STREAMING, None)

    def _on_frame(self) -> None:
        if not self._drain_due:
            self._drain_due = True
            asyncio.get_running_loop().call_later(_DRAIN_S, self._drain)

    def _drain(self) -> None:
        self._drain_due = False
        if self._intake is not None:
            self._intake.drain(time.monotonic())

    def _on_session_end(self, session: Session, error: DeviceError) -> None:
        if not session.heard or self._intake is None:
            return
        self._losses += 1
        self._known.silent_since_utc_s = self._known.silent_since_utc_s or session.last_frame_utc_s
        self._note(LinkEvent.LOSS, str(error))
        # Said at once: the goodbye to a link that is gone may take its time.
        self._set(LinkState.SCANNING, str(error))
        self._intake.drain(time.monotonic())
        # A short loss stays inside a chunk; after a longer one, what came before shall not wait for what follows.
        self._cancel_flush()
        loop = asyncio.get_running_loop()
        self._flush_due = loop.call_later(self.request.chunk_duration_s, self._flush_after_loss)

    def _flush_after_loss(self) -> None:
        self._flush_due = None
        if self._intake is not None:
            self._intake.flush(time.monotonic())

    def _cancel_flush(self) -> None:
        if self._flush_due is not None:
            self._flush_due.cancel()
            self._flush_due = None

    def _take_chunk(self, chunk: Chunk) -> None:
        """Note what its reception tells of the device's clock, and hand it on."""
        reception = chunk.reception
        if reception.restarts:
            self._note(LinkEvent.CLOCK_RESTART, times=reception.restarts, chunk=chunk.seq)
        drift_ppm, told_ppm = reception.drift_ppm, self._drift_told_ppm
        if drift_ppm is not None and (told_ppm is None or abs(drift_ppm - told_ppm) >= _DRIFT_STEP_PPM):
            self._drift_told_ppm = drift_ppm
            self._note(LinkEvent.DRIFT, ppm=round(drift_ppm, 1))
        self._on_chunk(chunk)

    # The log, and what people are told

    def _first_log(self) -> LinkLog:
        request = self.request
        log = LinkLog(request.recording_id, self._profile.title)
        log.hide(request.address, "address")
        log.hide(request.device_id or "", "wearable")
        log.add(self._opened_utc_s, LinkEvent.OPENED, rate_hz=request.rate_hz)
        return log

    def _note(self, event: LinkEvent, text: str = "", **figures: object) -> None:
        self._logs[-1].add(self.request.clock.utc_s(), event, text, **figures)

    def _set(self, state: LinkState, problem: str | None) -> None:
        was, since_utc_s, was_problem = self._phase
        if (was, was_problem) == (state, problem):
            return
        self._phase = (state, since_utc_s if was is state else self.request.clock.utc_s(), problem)
        _LOG.info("%s: %s%s", self._who, state, f" ({problem})" if problem else "")
        tell(self._on_status, self.status())
