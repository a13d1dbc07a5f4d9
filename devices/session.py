"""One connection of one wearable: connect, pair if asked for, start the stream, watch for silence, hang up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bleak import BleakClient

from devices.airtime import Airtime, Found
from devices.errors import BadPacket, DeviceError, Disconnected, NeedsPerson, NoAnswer, NotPaired, Refused
from devices.finishing import finish
from devices.intake import Intake, tell
from devices.linklog import LinkEvent
from devices.linkrequest import LinkRequest
from devices.profiles import sig_uuids as sig
from devices.profiles import standard
from devices.profiles.types import GattClient, Profile
from devices.radio_errors import FOREIGN, not_pairing, radio_errors
from devices.rawlog import Tapped
from devices.types import HeartRateSample

_LOG = logging.getLogger(__name__)

# A goodbye that takes longer is not waited for: to the stream, and to the connection.
_GOODBYE_S = 3.0
# A stream is started by a dozen questions and answers, which are slow at the edge of reach (own heuristic).
_START_S = 20.0
# A battery lasts hours (own heuristic).
_BATTERY_EVERY_S = 300.0
# Silence is at least this many samples, or usual notifications, or a slow stream would look dead.
_SILENT_FRAMES = 3
# A person is told at this share of the silence that ends the link (own heuristic).
_OVERDUE_SHARE = 0.5
# A timer that is this late means that the program itself stood still (own heuristic).
_STALLED_S = 0.1
# Damaged notifications and drift are summed up for the log this often (own heuristic).
_REPORT_EVERY_S = 10.0


class Note(Protocol):
    """Write an entry to the connection log."""

    def __call__(self, event: LinkEvent, text: str = "", **figures: object) -> None: ...


@dataclass(slots=True)
class Known:
    """What a link has learnt of its wearable so far, over all its connections."""

    rssi_dbm: int | None = None
    battery_share: float | None = None
    device_info: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    silent_since_utc_s: float | None = None
    heart_frames: int = 0
    bad_heart_frames: int = 0


@dataclass(frozen=True, slots=True)
class SessionSinks:
    """What a session tells, all on the hub's thread: the first frame, a change of `Known`, its end, each frame.

    ended is called before the goodbye, which may take its time when the link is gone.
    """

    note: Note
    first_frame: Callable[[], None]
    changed: Callable[[], None]
    ended: Callable[[DeviceError], None]
    frame: Callable[[], None]
    heart: Callable[[HeartRateSample, float], None] | None


class Session:
    """Made for one connection; `run` is called once."""

    def __init__(
        self,
        request: LinkRequest,
        profile: Profile,
        who: str,
        intake: Intake,
        known: Known,
        sinks: SessionSinks,
        host_speed: float = 1.0,
    ) -> None:
        """host_speed: how many times faster than real time the wearable's and the host's clock run."""
        self._request, self._profile, self._who = request, profile, who
        self._intake, self._known, self._sinks = intake, known, sinks
        self._lost = asyncio.Event()
        self._last_frame_s = time.monotonic()
        self.last_frame_utc_s: float | None = None
        self._silence_s = request.silence_s
        self._host_speed = host_speed
        self._bad_told = intake.bad_packets
        # Frames still come while the goodbye is said; they are kept, but they do not make the link stream again.
        self._open = True
        self.connected = self.started = False

    @property
    def heard(self) -> bool:
        """Tell whether a frame came."""
        return self.last_frame_utc_s is not None

    async def run(self, air: Airtime, found: Found) -> None:
        """Connect, start, watch; ends by raising DeviceError or GaveWay, and leaves nothing connected."""
        timeout_s = self._request.connect_timeout_s
        client = BleakClient(
            found.device, lambda _client: self._lost.set(), timeout=timeout_s, backend=air.radio.client_backend
        )
        gatt: GattClient = client if self._request.tap is None else Tapped(client, self._request.tap)
        try:
            with radio_errors(self._who, "connecting"):
                await air.connect(client, timeout_s)
            self.connected = True
            self._sinks.note(LinkEvent.CONNECTED)
            await self._start(client, gatt)
            await self._watch(gatt)
        except DeviceError as error:
            # Frames may flow before the start is through: a link that is lost then was a link.
            self._open = False
            self._sinks.ended(error)
            raise
        finally:
            self._open = False
            try:
                await finish(self._hang_up(client, gatt))
            finally:
                self._intake.end_session(time.monotonic())

    async def _start(self, client: BleakClient, gatt: GattClient) -> None:
        """Start the stream; pair once if the wearable wants it. Raises NeedsPerson, as for one that never answers."""
        try:
            with contextlib.suppress(NotPaired):
                await self._set_up_in_time(gatt)
                return
            self._sinks.note(LinkEvent.PAIR)
            try:
                async with asyncio.timeout(_START_S):
                    await client.pair()
            except FOREIGN as error:
                raise not_pairing(error, self._who) from error
            await self._set_up_in_time(gatt)
        except NoAnswer as error:
            if self._lost.is_set() or self.heard:
                raise
            raise self._silence() from error

    async def _set_up_in_time(self, client: GattClient) -> None:
        with radio_errors(self._who, "starting the stream"):
            async with asyncio.timeout(_START_S):
                await self._set_up(client)

    async def _set_up(self, client: GattClient) -> None:
        known = self._known
        await self._read_device_info(client)
        await self._read_battery(client)
        if self._wants_heart_beside(client):
            await client.start_notify(sig.HEART_RATE_MEASUREMENT, self._on_heart)
        self._last_frame_s = time.monotonic()
        try:
            with radio_errors(self._who, "starting the stream"):
                started = await self._profile.start(client, self._request.wish, self._on_frame)
        except NotPaired:
            raise
        except Refused as error:
            raise NeedsPerson(str(error)) from error
        known.settings = started.settings
        usual_s = max(1 / started.rate_hz, started.frame_s) / self._host_speed
        self._silence_s = max(self._request.silence_s, _SILENT_FRAMES * usual_s)
        self._intake.begin_session(started)
        self.started = True
        self._sinks.note(LinkEvent.SUBSCRIBED, **dict(known.settings))

    def _wants_heart_beside(self, client: GattClient) -> bool:
        """Tell whether heart rate comes on a characteristic that the profile does not read itself."""
        return (
            self._sinks.heart is not None
            and sig.HEART_RATE_MEASUREMENT not in self._profile.notify_uuids
            and standard.has_characteristic(client, sig.HEART_RATE_MEASUREMENT)
        )

    async def _read_device_info(self, client: GattClient) -> None:
        with self._optional("telling its kind"):
            self._known.device_info = await self._profile.read_device_info(client)

    @contextlib.contextmanager
    def _optional(self, doing: str) -> Iterator[None]:
        """Let the stream begin though the wearable refuses to tell something of itself, or tells nonsense."""
        try:
            with radio_errors(self._who, doing):
                yield
        except NotPaired:
            raise
        except (BadPacket, Refused) as error:
            _LOG.info("%s: %s", self._who, error)

    async def _read_battery(self, client: GattClient) -> None:
        share = None
        with self._optional("telling its battery"):
            share = await self._profile.read_battery_share(client)
        # A question without an answer does not make the charge unknown that was told before.
        if share is not None and share != self._known.battery_share:
            self._known.battery_share = share
            self._sinks.note(LinkEvent.BATTERY, share=share)
            if self.heard:
                self._sinks.changed()

    async def _read_battery_beside(self, client: GattClient) -> None:
        """Read the battery while frames flow; a failure says nothing about them, and silence is watched anyway."""
        try:
            async with asyncio.timeout(self._silence_s):
                await self._read_battery(client)
        except (*FOREIGN, DeviceError) as error:
            _LOG.info("%s: the battery could not be read: %r", self._who, error)

    async def _watch(self, client: GattClient) -> None:
        """Wait until the link is lost or silent. Raises Disconnected, NeedsPerson for one that never sent.

        Silence is the only sign of a Bluetooth service that died: its clients still count as connected.
        """
        now_s = time.monotonic()
        battery_due_s, report_due_s = now_s + _BATTERY_EVERY_S, now_s + _REPORT_EVERY_S
        while not self._lost.is_set():
            now_s = time.monotonic()
            silent_s = now_s - self._last_frame_s
            if silent_s >= self._silence_s:
                raise self._silence()
            overdue_s = _OVERDUE_SHARE * self._silence_s
            if silent_s >= overdue_s and self.heard and self._known.silent_since_utc_s is None:
                self._say_silent()
            if now_s >= battery_due_s:
                battery_due_s = now_s + _BATTERY_EVERY_S
                await self._read_battery_beside(client)
            if now_s >= report_due_s:
                report_due_s = now_s + _REPORT_EVERY_S
                self._report()
            left_s = (overdue_s if silent_s < overdue_s else self._silence_s) - silent_s
            try:
                async with asyncio.timeout(left_s):
                    await self._lost.wait()
            except TimeoutError:
                if time.monotonic() - now_s > left_s + _STALLED_S:
                    # This program stood still, not the wearable: what waits at the socket is taken first.
                    await asyncio.sleep(_STALLED_S)
        raise Disconnected(f"The link to {self._who} was lost; it is searched again.")

    def _silence(self) -> DeviceError:
        if self.heard:
            return Disconnected(f"{self._who} fell silent for {self._silence_s:.3g} s; the link is made anew.")
        return NeedsPerson(f"{self._who} is connected but sends nothing: switch it off and on again.")

    def _say_silent(self) -> None:
        self._known.silent_since_utc_s = self.last_frame_utc_s
        self._sinks.note(LinkEvent.SILENCE, after_s=round(_OVERDUE_SHARE * self._silence_s, 2))
        self._sinks.changed()

    def _report(self) -> None:
        bad = self._intake.bad_packets
        if bad > self._bad_told:
            self._sinks.note(LinkEvent.BAD_PACKETS, more=bad - self._bad_told, since_opened=bad)
            self._bad_told = bad

    async def _hang_up(self, client: BleakClient, gatt: GattClient) -> None:
        """Stop the stream if the link still stands, and disconnect."""
        self._report()
        try:
            if client.is_connected:
                async with asyncio.timeout(_GOODBYE_S):
                    await self._profile.stop(gatt)
        except Exception as error:  # noqa: BLE001 - whatever a stop does wrong, the wearable is let go below
            _LOG.debug("%s could not be told to stop: %r", self._who, error)
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await client.disconnect()
        except FOREIGN as error:
            _LOG.debug("%s could not be disconnected: %r", self._who, error)

    def _on_frame(self, data: bytes) -> None:
        """Take a notification: nothing but keeping it, the rest is done for many at once."""
        self._intake.take(data)
        self._last_frame_s = time.monotonic()
        first = self.last_frame_utc_s is None
        self.last_frame_utc_s = self._request.clock.utc_s()
        if first and self._open:
            self._sinks.note(LinkEvent.FIRST_FRAME)
            self._sinks.first_frame()
        if self._known.silent_since_utc_s is not None and self._open:
            self._known.silent_since_utc_s = None
            self._sinks.changed()
        self._sinks.frame()

    def _on_heart(self, _characteristic: object, data: bytearray) -> None:
        self._known.heart_frames += 1
        try:
            sample = standard.decode_heart_rate(bytes(data))
        except BadPacket as error:
            self._known.bad_heart_frames += 1
            _LOG.debug("%s: %s", self._who, error)
            return
        if self._sinks.heart is not None:
            on_heart, utc_s = self._sinks.heart, self._request.clock.utc_s()
            tell(lambda heart: on_heart(heart, utc_s), sample)
