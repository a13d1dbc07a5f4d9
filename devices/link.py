"""One wearable's link: scan > connect > subscribe > watch for silence > back off > reconnect, until it is closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from bleak import BleakClient

from devices.airtime import Airtime, Found
from devices.chunker import ChunkerParams
from devices.errors import BadPacket, DeviceError, Disconnected, NoRadio, NotFound, Refused
from devices.finishing import finish
from devices.hostclock import HostClock, SystemClock
from devices.intake import Intake, tell
from devices.profiles import profile_of, standard
from devices.profiles import sig_uuids as sig
from devices.profiles.types import GattClient, Wish, refuse_unoffered
from devices.radio import SYSTEM_RADIO, Radio
from devices.radio_errors import FOREIGN, radio_errors
from devices.types import Chunk, HeartRateSample, LinkState, LinkStatus

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

# Notifications wait this long to be decoded together: 20 times cheaper than one by one, unseen by a person.
_DRAIN_S = 0.02
# A goodbye that takes longer is not waited for: to the stream, and to the connection.
_GOODBYE_S = 3.0
_CLOSE_S = 15.0
# A battery lasts hours (own heuristic).
_BATTERY_EVERY_S = 300.0
# Silence is at least this many samples, or a slow stream would look dead.
_SILENT_SAMPLES = 3
# Links that failed together shall not return together (own heuristic).
_JITTER_SHARE = 0.2

ChunkSink = Callable[[Chunk], None]
StatusSink = Callable[[LinkStatus], None]
HeartSink = Callable[[HeartRateSample, float], None]


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What to link to, and how.

    rate_hz: one that the family offers. acc_range_g, gyr_range_degps: full scale, None for the profile's choice.
    clock: for arrivals and UTC; the waits below are real time, in s. silence_s without a notification drops the link.
    backoff_*: wait after a failed connect, doubling up to the longest. device_id: what the chunks carry, the address
    if None. seed: of the jitter of the waits.
    """

    address: str
    family: str
    rate_hz: float
    recording_id: str
    clock: HostClock = field(default_factory=SystemClock)
    radio: Radio = SYSTEM_RADIO
    chunk_duration_s: float = 5.0
    live_s: float = 0.25
    silence_s: float = 2.0
    connect_timeout_s: float = 20.0
    scan_s: float = 10.0
    backoff_first_s: float = 0.5
    backoff_max_s: float = 30.0
    seed: int = 0
    device_id: str | None = None
    acc_range_g: float | None = None
    gyr_range_degps: float | None = None

    @property
    def wish(self) -> Wish:
        """Return what is asked of the profile."""
        return Wish(self.rate_hz, self.acc_range_g, self.gyr_range_degps)


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
        self._profile = profile_of(request.family)
        refuse_unoffered(self._profile, request.rate_hz)
        self._who = f"{self._profile.title} {request.address}"
        self._hub, self._air = hub, airtime
        self._on_chunk, self._on_live, self._on_status = on_chunk, on_live, on_status
        self._on_heart_rate = on_heart_rate
        self._opened_s, self._opened_utc_s = time.monotonic(), request.clock.utc_s()
        self._recording_id = request.recording_id
        self._random = np.random.default_rng(request.seed)
        self._intake: Intake | None = None
        self._phase: tuple[LinkState, float, str | None] = (LinkState.SCANNING, self._opened_utc_s, None)
        self._battery_share: float | None = None
        self._rssi_dbm: int | None = None
        self._device_info: tuple[tuple[str, str], ...] = ()
        # _failures: connects that failed since the last frame.
        self._losses = self._failures = self._heart_frames = self._bad_heart_frames = 0
        self._last_frame_s = 0.0
        # _heard: a frame came in this session. _drain_due: a drain is on its way.
        self._heard = self._drain_due = False
        self._flush_due: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    # From any thread but the hub's

    def status(self) -> LinkStatus:
        """Return a snapshot."""
        state, since_utc_s, problem = self._phase
        intake = self._intake
        return LinkStatus(
            state,
            since_utc_s,
            problem,
            self._battery_share,
            self._rssi_dbm,
            intake.chunker.rate_hz if intake else None,
            (intake.frames if intake else 0) + self._heart_frames,
            (intake.bad_packets if intake else 0) + self._bad_heart_frames,
            intake.chunker.received if intake else 0,
            intake.chunker.missing if intake else 0,
            self._losses,
            intake.clock.drift_ppm if intake else None,
            self._device_info,
        )

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
                self._intake.flush(self._now_s())
            self._set(LinkState.STOPPED, None)

    async def _begin_recording(self, recording_id: str) -> None:
        self._recording_id = recording_id
        if self._intake is not None:
            self._intake.new_recording(recording_id, self._now_s())

    async def _run(self) -> None:
        while True:
            self._heard = False
            self._set(LinkState.SCANNING, self._phase[2])
            try:
                await self._session(await self._find())
            except NotFound as error:
                self._set(LinkState.SCANNING, str(error))
            except NoRadio as error:
                await self._rest(LinkState.BLOCKED, error, self.request.backoff_max_s)
            except _NeedsPerson as error:
                await self._rest(LinkState.BLOCKED, error, self._next_wait_s())
            except DeviceError as error:
                if self._heard:
                    # A loss, not a failed connect: search again at once.
                    self._set(LinkState.SCANNING, str(error))
                else:
                    await self._rest(LinkState.WAITING, error, self._next_wait_s())
            except Exception as error:  # noqa: BLE001 - a defect below must not end the link unseen
                _LOG.exception("The link to %s failed in a way it does not know.", self._who)
                await self._rest(LinkState.WAITING, error, self._next_wait_s())

    async def _find(self) -> Found:
        return await self._air.find(self.request.address, self._profile.service_uuids, self.request.scan_s)

    async def _rest(self, state: LinkState, error: Exception, wait_s: float) -> None:
        self._set(state, str(error) or f"The link failed ({type(error).__name__}); the log says more.")
        await asyncio.sleep(wait_s)

    def _next_wait_s(self) -> float:
        """Return how long to wait after a failed connect: longer each time, with jitter."""
        wait_s = min(self.request.backoff_first_s * 2.0 ** min(self._failures, 30), self.request.backoff_max_s)
        self._failures += 1
        return wait_s * (1 + _JITTER_SHARE * float(self._random.uniform(-1, 1)))

    async def _session(self, found: Found) -> None:
        """Connect, start, watch; ends by raising DeviceError, and leaves nothing connected."""
        self._rssi_dbm = found.rssi_dbm or self._rssi_dbm
        self._set(LinkState.CONNECTING, self._phase[2])
        timeout_s = self.request.connect_timeout_s
        lost = asyncio.Event()
        client = BleakClient(
            found.device, lambda _client: lost.set(), timeout=timeout_s, backend=self._air.radio.client_backend
        )
        try:
            async with self._air.connecting:
                with radio_errors(self._who, "connecting"):
                    # bleak keeps the time by itself; the outer limit is for a backend that does not.
                    async with asyncio.timeout(timeout_s + _GOODBYE_S):
                        await client.connect()
            try:
                with radio_errors(self._who, "starting the stream"):
                    async with asyncio.timeout(timeout_s):
                        await self._set_up(client)
                await self._watch(client, lost)
            except DeviceError as error:
                # Frames may flow before the start is through: a link that is lost then was a link.
                self._note_loss(error)
                raise
        finally:
            await finish(self._hang_up(client))
            if self._intake is not None:
                self._intake.end_session(self._now_s())

    async def _set_up(self, client: GattClient) -> None:
        self._device_info = await self._profile.read_device_info(client)
        await self._read_battery(client)
        intake = self._made_intake()
        if self._on_heart_rate is not None and standard.has_characteristic(client, sig.HEART_RATE_MEASUREMENT):
            await client.start_notify(sig.HEART_RATE_MEASUREMENT, self._on_heart)
        self._last_frame_s = self._now_s()
        try:
            started = await self._profile.start(client, self.request.wish, lambda data: self._on_frame(intake, data))
        except Refused as error:
            raise _NeedsPerson(str(error)) from error
        intake.begin_session(started)

    def _made_intake(self) -> Intake:
        """Return the one intake of this link; made when the first stream starts, which shows the host clock's speed."""
        if self._intake is None:
            request = self.request
            passed_s = max(time.monotonic() - self._opened_s, 1e-3)
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
                (request.clock.utc_s() - self._opened_utc_s) / passed_s,
                self._on_chunk,
                self._on_live,
            )
        return self._intake

    async def _read_battery(self, client: GattClient) -> None:
        try:
            self._battery_share = await self._profile.read_battery_share(client)
        except BadPacket as error:
            _LOG.info("%s: %s", self._who, error)

    async def _read_battery_beside(self, client: GattClient, timeout_s: float) -> None:
        """Read the battery while frames flow; a failure says nothing about them, and silence is watched anyway."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._read_battery(client)
        except FOREIGN as error:
            _LOG.info("%s: the battery could not be read: %r", self._who, error)

    async def _watch(self, client: GattClient, lost: asyncio.Event) -> None:
        """Wait until the link is lost or silent. Raises Disconnected.

        Silence is the only sign of a Bluetooth service that died: its clients still count as connected.
        """
        silence_s = max(self.request.silence_s, _SILENT_SAMPLES / self.request.rate_hz)
        battery_due_s = self._now_s() + _BATTERY_EVERY_S
        while not lost.is_set():
            now_s = self._now_s()
            left_s = self._last_frame_s + silence_s - now_s
            if left_s <= 0:
                raise Disconnected(f"{self._who} fell silent for {silence_s:g} s; the link is made anew.")
            if now_s >= battery_due_s:
                battery_due_s = now_s + _BATTERY_EVERY_S
                await self._read_battery_beside(client, silence_s)
            try:
                async with asyncio.timeout(left_s):
                    await lost.wait()
            except TimeoutError:
                continue
        raise Disconnected(f"The link to {self._who} was lost; it is searched again.")

    async def _hang_up(self, client: BleakClient) -> None:
        """Stop the stream if the link still stands, and disconnect."""
        try:
            if client.is_connected:
                async with asyncio.timeout(_GOODBYE_S):
                    await self._profile.stop(client)
        except (*FOREIGN, DeviceError) as error:
            _LOG.debug("%s could not be told to stop: %r", self._who, error)
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await client.disconnect()
        except FOREIGN as error:
            _LOG.debug("%s could not be disconnected: %r", self._who, error)

    def _note_loss(self, error: DeviceError) -> None:
        if not self._heard or self._intake is None:
            return
        self._losses += 1
        # Said at once: the goodbye to a link that is gone may take its time.
        self._set(LinkState.SCANNING, str(error))
        self._intake.drain(self._now_s())
        # A short loss stays inside a chunk; after a longer one, what came before shall not wait for what follows.
        self._cancel_flush()
        loop = asyncio.get_running_loop()
        self._flush_due = loop.call_later(self.request.chunk_duration_s, self._flush_after_loss)

    def _flush_after_loss(self) -> None:
        self._flush_due = None
        if self._intake is not None:
            self._intake.flush(self._now_s())

    def _cancel_flush(self) -> None:
        if self._flush_due is not None:
            self._flush_due.cancel()
            self._flush_due = None

    def _on_frame(self, intake: Intake, data: bytes) -> None:
        """Take a notification: nothing but keeping it, the rest is done for many at once."""
        intake.take(data)
        self._last_frame_s = self._now_s()
        if not self._heard and self._phase[0] is LinkState.CONNECTING:
            self._heard, self._failures = True, 0
            self._cancel_flush()
            self._set(LinkState.STREAMING, None)
        if not self._drain_due:
            self._drain_due = True
            asyncio.get_running_loop().call_later(_DRAIN_S, self._drain, intake)

    def _drain(self, intake: Intake) -> None:
        self._drain_due = False
        intake.drain(self._now_s())

    def _on_heart(self, _characteristic: object, data: bytearray) -> None:
        self._heart_frames += 1
        try:
            sample = standard.decode_heart_rate(bytes(data))
        except BadPacket as error:
            self._bad_heart_frames += 1
            _LOG.debug("%s: %s", self._who, error)
            return
        if self._on_heart_rate is not None:
            on_heart_rate, utc_s = self._on_heart_rate, self.request.clock.utc_s()
            tell(lambda heart: on_heart_rate(heart, utc_s), sample)

    def _set(self, state: LinkState, problem: str | None) -> None:
        was, since_utc_s, was_problem = self._phase
        if (was, was_problem) == (state, problem):
            return
        self._phase = (state, since_utc_s if was is state else self.request.clock.utc_s(), problem)
        _LOG.info("%s: %s%s", self._who, state, f" ({problem})" if problem else "")
        tell(self._on_status, self.status())

    @staticmethod
    def _now_s() -> float:
        return time.monotonic()


class _NeedsPerson(DeviceError):
    """The wearable refused a setting; trying again alone will not help."""
